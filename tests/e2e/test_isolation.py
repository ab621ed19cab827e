"""An input that kills, hangs or fills its process costs itself only; kills of the program lose nothing."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import av
import numpy as np
import psutil
import pytest
from PIL import Image
from typer.testing import CliRunner

from app.__main__ import app
from app.batch import worker_pool
from app.batch.clip_task import Report
from app.batch.item import loaded, work
from app.batch.options import FrameSpan, ParseJob
from app.batch.plan import plan
from app.batch.run import BatchRun
from app.batch.worker_pool import Bounds, WorkerPool
from app.commands.parse import parse_all
from runtime.engine.engine import Engine
from runtime.system.errors import Refusal
from tests.drawn_media import draw_clip
from tests.e2e.command import ROOT, XFACTOR, files, manifest

pytestmark = pytest.mark.slow
SMALL = {"size": "64", "device": "cpu", "save": ("labels", "overlay", "coco", "csv")}
KILLS = int(os.environ.get("XFACTOR_TEST_KILLS", "12"))  # 50 for a release
WORKER = "app.batch.worker"


def parse(sources: list[Path], out: Path, *, workers: int = 1, **options: object) -> int:
    how = {**SMALL, **options}
    return parse_all([str(s) for s in sources], out, how, workers=workers, progress="none")


def workers_of(pid: int) -> list[psutil.Process]:
    found = []
    for process in psutil.Process(pid).children():
        with suppress(psutil.NoSuchProcess):  # also one that has ended and is not waited for yet
            found += [process] if WORKER in process.cmdline() else []
    return found


def on_advance(monkeypatch: pytest.MonkeyPatch, act: Callable[[str, int], None]) -> None:
    """Call a function with an input's name and its frames as they are reported to the run."""
    real = BatchRun._advance

    def advance(run: BatchRun, item, done):
        real(run, item, done)
        act(item.name, done)

    monkeypatch.setattr(BatchRun, "_advance", advance)


class Poison:
    """Sends a signal to the workers of this process once per try of one input, at its fifth frame."""

    def __init__(self, name: str, number: int, times: int = 99) -> None:
        self.name, self.number, self.times = name, number, times
        self.sent: list[int] = []

    def __call__(self, name: str, done: int) -> None:
        if name == self.name and done >= 5 and len(self.sent) < self.times:
            for worker in workers_of(os.getpid()):
                if worker.pid not in self.sent:
                    self.sent.append(worker.pid)
                    worker.send_signal(self.number)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("clips")
    return [draw_clip(folder / f"{name}.mp4", n) for name, n in (("a", 8), ("b", 80), ("c", 9))]


@pytest.fixture(scope="module")
def whole(clips: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes | int]:
    """Results of the clips made in this process."""
    out = tmp_path_factory.mktemp("whole")
    job, engine, _ = loaded(ParseJob(tuple(map(str, clips)), out, **SMALL), 1)
    for item in plan(job, {}):
        assert work(item, job, engine, Report(int, int, bool))[0].status == "ok"
    return results(out)


def results(out: Path) -> dict[str, bytes | int]:
    """Results with their bytes; of videos the number of frames, for x264 is not exact to the bit."""
    found: dict[str, bytes | int] = {}
    for name, data in files(out).items():
        if name not in ("labels.json", ".xfactor.lock"):
            found[name] = data
        if name.endswith(".mp4"):
            with av.open(str(out / name)) as video:
                found[name] = sum(1 for _ in video.decode(video=0))
    return found


@pytest.mark.parametrize("count", [1, 2])
def test_i11_any_number_of_workers_gives_the_bytes_of_none(
    clips: list[Path], whole: dict[str, bytes | int], tmp_path: Path, count: int
) -> None:
    assert parse(clips, tmp_path, workers=count) == 0
    assert results(tmp_path) == whole


def test_i03_an_input_whose_worker_dies_once_is_tried_again(
    clips: list[Path],
    whole: dict[str, bytes | int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    poison = Poison("b", signal.SIGKILL, times=1)
    on_advance(monkeypatch, poison)
    assert parse_all([str(c) for c in clips], tmp_path, SMALL) == 0
    told = (
        "the process that parsed it was killed, most often for want of memory (SIGKILL); it was parsed again"
    )
    assert [told in r["notices"] for r in manifest(tmp_path).values()] == [False, True, False]
    assert f"b.mp4: {told}" in capsys.readouterr().err
    assert len(poison.sent) == 1
    assert results(tmp_path) == whole
    assert [r["attempts"] for r in manifest(tmp_path).values()] == [0, 0, 0]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGABRT, "crashed (SIGABRT)"),
        (signal.SIGKILL, "was killed, most often for want of memory (SIGKILL)"),
        (signal.SIGSTOP, "within 2 s"),
    ],
)
def test_a14_a_poison_input_is_given_up_and_the_others_go_on(
    clips: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: int,
    words: str,
) -> None:
    """Killed, crashed or silent at each of its frames' fifth: twice, and no third time."""
    poison = Poison("b", number)
    on_advance(monkeypatch, poison)
    monkeypatch.setattr(worker_pool.WorkerPool.__init__, "__kwdefaults__", bounds(frame_s=2.0))
    assert parse(clips, tmp_path) == 1
    assert len(poison.sent) == 2
    records = manifest(tmp_path)
    assert [r["status"] for r in records.values()] == ["ok", "failed", "ok"]
    assert records["b.mp4"]["attempts"] == 2
    assert records["b.mp4"]["frames"] >= 5
    for text in (records["b.mp4"]["reason"], capsys.readouterr().err):
        assert "b.mp4: " in text
        assert "given up after 2 tries" in text
        assert words in text
        assert "To try once more, give it alone with --resume" in text
    assert not list(tmp_path.rglob("*.tmp"))
    assert not workers_of(os.getpid())


def bounds(**how: float) -> dict[str, object]:
    return {"bounds": Bounds(**how)}


def test_i04_an_input_that_fills_the_memory_is_given_up(
    clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = tmp_path / "large.png"
    Image.fromarray(np.zeros((7000, 7000, 3), np.uint8)).save(large)
    limit = {"resident_bytes": 450 << 20}
    monkeypatch.setattr(worker_pool.WorkerPool.__init__, "__kwdefaults__", bounds(**limit))
    assert parse([clips[0], large, clips[2]], tmp_path / "out", save=("labels",), workers=2) == 1
    records = manifest(tmp_path / "out")
    assert [r["status"] for r in records.values()] == ["ok", "failed", "ok"]
    assert "took more than 0.47 GB of memory" in records["large.png"]["reason"]


def test_an_input_that_ended_two_runs_is_left_out_of_a_third(
    clips: list[Path], whole: dict[str, bytes | int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The manifest as two runs leave it that died with all they had: at b, where neither came further."""
    assert parse(clips, tmp_path) == 0
    path = tmp_path / "manifest.json"
    raw = json.loads(path.read_text())
    raw["inputs"][1].update(status="partial", reason="not finished", frames=7, finished=False, attempts=2)
    path.write_text(json.dumps(raw))
    (tmp_path / "c" / "coco.json").unlink()
    assert parse(clips, tmp_path, resume=True) == 1
    record = manifest(tmp_path)["b.mp4"]
    assert (record["status"], record["attempts"]) == ("failed", 2)
    assert "b.mp4: failed: given up: 2 runs ended while it was parsed" in capsys.readouterr().err
    assert (tmp_path / "c" / "coco.json").exists()
    assert parse(clips[1:2], tmp_path, resume=True) == 0  # alone it may
    assert results(tmp_path) == whole
    raw["inputs"][1]["attempts"] = 2
    path.write_text(json.dumps(raw))
    assert parse(clips, tmp_path) == 0  # anew it may, too


def test_a_model_whose_process_dies_is_refused(clips: list[Path], tmp_path: Path) -> None:
    with closing(WorkerPool(ParseJob((str(clips[0]),), tmp_path, **SMALL), 1)) as pool:
        pool.workers[0].kill()
        with pytest.raises(
            Refusal, match=r"model 'factored-s31': the process that loads it was killed.*--model"
        ):
            pool.model()
    assert not workers_of(os.getpid())


def test_a_fault_of_ours_is_one_line_and_its_trace_is_in_the_log(
    clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Row R15: only the line was left of it."""

    def break_down(*_: object) -> None:
        raise ZeroDivisionError("by nothing")

    job, engine, _ = loaded(ParseJob(tuple(map(str, clips)), tmp_path, **SMALL), 1)
    monkeypatch.setattr(Engine, "parse", break_down)
    with caplog.at_level(logging.ERROR, "xfactor"):
        record, _ = work(plan(job, {})[0], job, engine, Report(int, int, bool))
    assert record.reason == (
        "a.mp4: internal error (ZeroDivisionError: by nothing); xfactor.log has the details"
    )
    assert "break_down" in caplog.text


def test_frames_that_are_only_decoded_are_signs_of_life(clips: list[Path], tmp_path: Path) -> None:
    """Going to a late frame takes minutes in a long clip; that is no silence."""
    job, engine, _ = loaded(ParseJob((str(clips[1]),), tmp_path, **SMALL, span=FrameSpan(70)), 1)
    events: list[str] = []
    report = Report(
        begin=lambda _: events.append("begin"),
        advance=lambda _: events.append("advance"),
        stopped=bool,
        on_decoded=lambda: events.append("decoded"),
        on_last=lambda: events.append("last"),
    )
    assert work(plan(job, {})[0], job, engine, report)[0].status == "ok"
    assert events == ["begin", *["decoded"] * 71, "advance", *["decoded", "advance"] * 9, "last"]


class Command:
    """`xfactor parse` with progress as JSON lines, ended with the test."""

    def __init__(self, *arguments: str | Path) -> None:
        run = [*XFACTOR, "parse", *map(str, arguments), "--device", "cpu", "--progress", "json"]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            run, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def until(self, event: str) -> None:
        assert self.process.stdout is not None
        next(line for line in self.process.stdout if json.loads(line)["event"] == event)

    def __enter__(self) -> Command:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.mark.parametrize(
    "wrong", [["--save", "everything"], ["--no-such-option"], ["--model", "no-such-model"]]
)
def test_a_worker_started_early_is_ended_when_there_is_nothing_to_parse(wrong: list[str]) -> None:
    arguments = ["parse", "a.mp4", "--out", "no-such-folder", *wrong]
    assert CliRunner().invoke(app, arguments).exit_code != 0
    assert not workers_of(os.getpid())


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_clip(tmp_path_factory.mktemp("long") / "long.mp4", 250)


def test_i09_no_worker_outlives_a_killed_program(long: Path, tmp_path: Path) -> None:
    with Command(long, "--out", tmp_path / "out") as command:
        command.until("progress")
        workers = workers_of(command.process.pid)
        assert len(workers) == 1
        workers[0].suspend()  # it cannot see its pipe close
        command.process.kill()
        assert psutil.wait_procs(workers, timeout=5)[1] == []
    record = manifest(tmp_path / "out")["long.mp4"]
    assert (record["status"], record["attempts"]) == ("partial", 1)
    assert record["frames"] >= 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_i09_the_second_signal_ends_it_at_once(long: Path, tmp_path: Path, number: int) -> None:
    """Its code is that of the signal, and it is no attempt that counts against the input."""
    with Command(long, "--size", "960", "--views", "6", "--out", tmp_path / "out") as command:
        command.until("begin")
        workers = workers_of(command.process.pid)
        command.process.send_signal(number)
        time.sleep(0.6)  # a frame takes longer
        command.process.send_signal(number)
        _, errors = command.process.communicate(timeout=10)
        assert psutil.wait_procs(workers, timeout=5)[1] == []
    assert command.process.returncode == 128 + number
    assert f"stopped at once ({signal.Signals(number).name}); what is written stays" in errors
    assert manifest(tmp_path / "out")["long.mp4"]["attempts"] == 0


def came_no_further(out: Path) -> bool:
    begun = (out / "manifest.json").exists()
    return begun and any(record["attempts"] > 1 for record in manifest(out).values())


def kill_at(out: Path, arguments: list[str | Path], labels: int) -> bool:
    """Kill a run when it has written so many labels; whether it was killed before its end.

    Not before it came further than the last one: two in a row that did not are an input to give up.
    """
    with Command(*arguments, "--out", out, "--resume") as command:
        while command.process.poll() is None:
            if len(list(out.rglob("labels/*.png"))) >= labels and not came_no_further(out):
                command.process.kill()
                return True
            time.sleep(0.002)
    return False


def test_i02_killed_at_random_moments_and_resumed_gives_the_same_bytes(
    clips: list[Path], whole: dict[str, bytes | int], tmp_path: Path
) -> None:
    """Moments are points of the work, not of time: machines differ."""
    rng = random.Random(11)
    arguments = [*clips, "--size", "64", "--save", ",".join(SMALL["save"])]
    killed = 0
    for n in sorted(rng.sample(range(98), KILLS)):
        killed += kill_at(tmp_path, arguments, n)
    assert killed >= 0.7 * KILLS
    assert parse(clips, tmp_path, resume=True) == 0
    assert results(tmp_path) == whole
