"""The worker is killed anywhere, again and again: nothing else changes, and it comes to its end (row H04)."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from personalize.job import write_job
from personalize.messages import CANCELLED, DONE, Cancelled, Failure, Finished, PhaseProgress, decode
from runtime.engine.sessions import sha256
from runtime.system import paths
from tests.person_clip import person_frames, write_clip
from tests.personalising import job_for

pytestmark = [pytest.mark.slow, pytest.mark.onnx, pytest.mark.timeout(1800)]
KILLS = 50
#: Loads the worker's libraries once, then does the job in a fork for every line it reads: the number of the
#: file operation in the job folder before which that fork is killed. Kills by the clock would nearly all hit
#: the seconds in which libraries are loaded. No thread and no session exists yet when it forks.
NURSERY = """
import itertools, os, signal, sys
from pathlib import Path
from personalize.finetune import FinetuneConfig
from personalize.worker import finetune, process
finetune.CONFIG = FinetuneConfig(epochs=1)
folder, said = sys.argv[1:3]
touching = {"open", "os.rename", "os.remove", "os.chmod", "os.truncate"}
count = itertools.count(1)
def watch(event, args):
    if stop_at and event in touching and str(args[0]).startswith(folder) and next(count) == stop_at:
        os.kill(os.getpid(), signal.SIGKILL)
for line in sys.stdin:
    stop_at = int(line)
    child = os.fork()
    if not child:
        out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        sys.stdin = None
        sys.addaudithook(watch)
        os._exit(process.main([Path(folder)]))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(code, flush=True)
"""


class Nursery:
    """Workers of one job folder, one after the other."""

    def __init__(self, folder: Path, said: Path, repository: Path) -> None:
        self._said = said
        self._process = subprocess.Popen(
            [sys.executable, "-c", NURSERY, str(folder), str(said)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=repository,
        )  # fmt: skip

    def run(self, stop_at: int = 0) -> tuple[int, list[object]]:
        """Exit code and events of the next one."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{stop_at}\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        return code, [e for e in map(decode, self._said.read_text().splitlines()) if e is not None]

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


@pytest.fixture
def shelf(user_home):
    """A library with a factor in use."""
    folder = paths.user_factors_dir()
    folder.mkdir(parents=True)
    shutil.copy(paths.models_dir() / "factored-s31" / "factor.onnx", folder / "ann.factor.onnx")
    return lambda: {p: (sha256(p.read_bytes()), p.stat().st_mtime_ns) for p in user_home.rglob("*.onnx")}


def test_h04_fifty_kills_change_no_factor_and_a_rerun_finishes(tmp_path, shelf, repository):
    """Each run goes on where the one before was killed; it dies a little later every time."""
    before = shelf()
    clip = write_clip(tmp_path / "ann.mp4", person_frames(8))
    folder = tmp_path / "job"
    write_job(folder, job_for(clip))
    nursery = Nursery(folder, tmp_path / "said", repository)
    draw = random.Random(4)
    killed, hit = 0, set()
    try:
        while killed < KILLS:
            code, events = nursery.run(draw.randrange(1, 60))
            assert code in {-signal.SIGKILL, DONE}, events[-1:]
            assert shelf() == before
            if code == DONE:
                assert isinstance(events[-1], Finished)
                shutil.rmtree(folder)
                write_job(folder, job_for(clip))
                continue
            killed += 1
            assert not any(isinstance(e, (Finished, Failure)) for e in events)
            hit |= {e.phase for e in events[-1:] if isinstance(e, PhaseProgress)}
        code, events = nursery.run()
    finally:
        nursery.close()
    assert code == DONE
    done = events[-1]
    assert isinstance(done, Finished)
    assert sha256(Path(done.path).read_bytes()) == done.sha256
    assert shelf() == before
    assert len(hit) > 3, hit


@pytest.mark.parametrize("after_s", [0.0, 1.0])
def test_it_does_not_outlive_whoever_started_it(tmp_path, repository, after_s):
    """Also before it has begun, or while torch is loaded, when it reads no input (row I09: 5 s)."""
    folder = tmp_path / "job"
    write_job(folder, job_for(write_clip(tmp_path / "ann.mp4", person_frames(8))))
    code = (
        "import sys, time\nfrom personalize.client.supervisor import Supervisor\nfrom pathlib import Path\n"
        "run = Supervisor(Path(sys.argv[1]), lambda: None)\nrun.start()\n"
        "while run.pid is None: time.sleep(0.01)\nprint(run.pid, flush=True)\nrun.join()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True, cwd=repository
    ) as parent:
        worker = int(parent.stdout.readline())
        time.sleep(after_s)
        parent.kill()
    until_s = time.monotonic() + 5
    while _lives(worker) and time.monotonic() < until_s:
        time.sleep(0.02)
    assert not _lives(worker)


def _lives(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_closing_its_input_ends_it_soon(tmp_path, repository):
    clip = write_clip(tmp_path / "ann.mp4", person_frames(8))
    folder = tmp_path / "job"
    write_job(folder, job_for(clip))
    command = [sys.executable, "-m", "personalize.worker", str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=repository
    ) as worker:
        assert isinstance(decode(worker.stdout.readline()), PhaseProgress)
        nice = {
            os.getpriority(os.PRIO_PROCESS, int(t.name)) for t in Path(f"/proc/{worker.pid}/task").iterdir()
        }
        assert nice == {19}  # H08: every thread of it stands behind the live picture
        worker.stdin.close()
        assert decode(worker.stdout.read().splitlines()[-1]) == Cancelled()
    assert worker.returncode == CANCELLED
    assert not (folder / "factor.onnx").exists()


@pytest.mark.skipif(not hasattr(signal, "alarm"), reason="needs a system with alarm signals")
def test_h12_a_worker_that_hangs_is_ended_by_the_system(tmp_path, repository):
    code = (
        "import sys, time\n"
        "from personalize.worker import process\n"
        "process.GRACE_S = 1\n"
        "process._end_by_the_clock(0.5)\n"
        "time.sleep(60)\n"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, env=os.environ, check=False)
    assert done.returncode == -signal.SIGALRM
    assert time.monotonic() - started < 50
