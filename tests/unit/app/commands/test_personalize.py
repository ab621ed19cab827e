"""`xfactor personalize` around its worker: here the worker is a script that tells what it is told to tell."""

from __future__ import annotations

import errno
import io
import itertools
import json
import signal
import sys
from dataclasses import replace
from functools import partial

import pytest
from PIL import Image
from typer.testing import CliRunner

from app.__main__ import app
from app.batch.options import FrameSpan
from app.commands import personalize as command
from models.spec import FactorCard
from personalize.client import job_folders
from personalize.client.supervisor import Ending, Outcome, Supervisor, Timeouts
from personalize.factor import described
from personalize.job import PersonalizationJob, PersonChoice, read_job, write_job
from personalize.messages import Cancelled, Failure, Finished, PhaseProgress, WorkerNotice, encode
from runtime.library.factors import user_factors
from runtime.model_files.metadata import describe
from runtime.system import paths
from runtime.system.errors import Refusal
from tests.unit.app.fault_injection import failing_call

pytestmark = pytest.mark.onnx
REPORT = {
    "held_out_J": {"before": 0.7, "after": 0.8},
    "boundary_F": {"before": 0.6, "after": 0.7},
    "regression": {"before": 0.65, "after": 0.65, "margin": 0.01},
    "reason": "Better: it is.",
}


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"never opened by this process")
    return path


@pytest.fixture
def factor(tmp_path):
    """A factor file, as a worker leaves it."""
    data = (paths.models_dir() / "factored-s31" / "factor.onnx").read_bytes()
    spec = describe("factor.onnx", data)
    card = FactorCard(spec.siblings["trunk"], "", "2026-01-01", 12, {}, {}, accepted=True)
    path = tmp_path / "made.onnx"
    path.write_bytes(described(data, replace(spec, name="ann", card=card)))
    return path


@pytest.fixture
def worker(tmp_path, monkeypatch):
    """Lets the worker print these events and end with this code."""

    def play(*events, code=0, wait=False):
        script = tmp_path / "worker.py"
        lines = [encode(e) for e in events]
        script.write_text(
            f"import sys\nfor line in {lines!r}:\n    print(line, flush=True)\n"
            + ("sys.stdin.read()\n" if wait else "")
            + f"sys.exit({code})\n"
        )
        patience = Timeouts(attempts=1, leave_s=10)
        run = partial(Supervisor, command=(sys.executable, str(script)), patience=patience)
        monkeypatch.setattr(command, "Supervisor", run)

    return play


def personalise(clip, out="ann", progress="none", **changes):
    options = {"model": "factored-s31", "frames": FrameSpan(), "method": "tree"} | changes
    return command.personalise(clip, out, progress=progress, **options)


def left():
    return [p.folder.name for p in job_folders.left_over()]


def test_an_accepted_factor_comes_into_the_library_and_the_folder_goes(clip, factor, worker, capsys):
    worker(
        WorkerNotice("look"),
        PhaseProgress("reading", 1, 1, 3.0),
        Finished(str(factor), "0", accepted=True, report=REPORT),
    )
    assert personalise(clip) == 0
    assert user_factors().find("ann").path.read_bytes() == factor.read_bytes()
    out = capsys.readouterr().out
    assert "0.700 before  0.800 after" in out
    assert "--factor ann" in out
    assert left() == []
    assert personalise(clip) == 0  # the same name again: the first becomes an earlier generation
    assert len(user_factors().generations("ann")) == 1


def test_a_factor_goes_to_a_file(clip, factor, worker, tmp_path):
    worker(Finished(str(factor), "0", accepted=True, report=REPORT))
    target = tmp_path / "here.factor.onnx"
    assert personalise(clip, str(target)) == 0
    assert target.read_bytes() == factor.read_bytes()
    assert user_factors().factors() == []
    with pytest.raises(Refusal, match="folder does not exist"):
        personalise(clip, str(tmp_path / "none" / "x.onnx"))
    mine = tmp_path / "mine.onnx"
    mine.write_bytes(b"mine")
    with pytest.raises(Refusal, match="it is there already"):
        personalise(clip, str(mine))
    assert mine.read_bytes() == b"mine"


def test_a_file_that_appears_meanwhile_is_not_overwritten(
    clip, factor, worker, tmp_path, monkeypatch, capsys
):
    target = tmp_path / "here.onnx"
    worker(Finished(str(factor), "0", accepted=True, report=REPORT))
    follow = command._follow

    def meanwhile(*how):
        target.write_bytes(b"mine")
        return follow(*how)

    monkeypatch.setattr(command, "_follow", meanwhile)
    assert personalise(clip, str(target)) == 1
    assert "The factor is kept as" in capsys.readouterr().err
    assert target.read_bytes() == b"mine"


def test_no_gain_is_an_end_like_any_other_and_keeps_nothing(clip, factor, worker, capsys):
    report = REPORT | {"reason": "No gain: none."}
    worker(Finished(str(factor), "0", accepted=False, report=report))
    assert personalise(clip) == 0
    out = capsys.readouterr().out
    assert "No gain" in out
    assert "0.700 before" in out
    assert user_factors().factors() == []
    assert left() == []


def test_json_lines_can_be_read_by_a_program(clip, factor, worker, capsys):
    worker(
        PhaseProgress("cuts", 1, 2, 3.0),
        WorkerNotice("n"),
        Finished(str(factor), "0", accepted=True, report=REPORT),
    )
    assert personalise(clip, progress="json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1]["event"] == "Done"
    assert lines[-1]["accepted"]
    assert lines[-1]["path"] == str(user_factors().find("ann").path)
    assert {"event": "Notice", "text": "n"} in lines


def test_a_failure_is_said_in_words(clip, worker, capsys):
    worker(Failure("clip.mp4", "no person is found", "Choose another"), code=1)
    assert personalise(clip) == 1
    assert "no person is found. Choose another" in capsys.readouterr().err
    assert left() == []


@pytest.mark.parametrize("style", ["rich", "json", "none"])
def test_a_result_that_cannot_be_put_away_is_kept_and_said(clip, factor, worker, capsys, style):
    worker(Finished(str(factor), "0" * 64, accepted=True, report=REPORT))
    paths.user_data_dir().mkdir(parents=True)
    paths.user_factors_dir().write_text("no folder")
    assert personalise(clip, progress=style) == 1
    told = capsys.readouterr().err
    assert f"{paths.user_factors_dir()} is not a folder" in told.replace("\n", " ")
    assert f"The factor is kept as {factor}" in told.replace("\n", " ")
    assert len(left()) == 1
    paths.user_factors_dir().unlink()
    assert personalise(clip, progress=style) == 0
    assert user_factors().path("ann").exists()
    assert left() == []


def test_a_full_output_costs_neither_the_factor_nor_the_end(clip, factor, worker, monkeypatch):
    worker(Finished(str(factor), "0" * 64, accepted=True, report=REPORT))
    unbuffered = io.FileIO("/dev/full", "w")  # or closing it would fail as well
    with io.TextIOWrapper(unbuffered, write_through=True) as full, monkeypatch.context() as patched:
        patched.setattr("sys.stdout", full)
        with pytest.raises(OSError, match="No space left"):  # the entry point tells it
            personalise(clip)
    assert user_factors().path("ann").exists()
    assert left() == []


def test_what_broke_down_is_taken_up_by_the_next_run(clip, factor, worker, capsys):
    worker(PhaseProgress("reading", 1, 1), code=9)
    assert personalise(clip) == 1
    assert "unchanged" in capsys.readouterr().err
    folder = left()
    assert len(folder) == 1
    worker(Finished(str(factor), "0", accepted=True, report=REPORT))
    assert personalise(clip) == 0
    assert left() == []
    assert command._folder(PersonalizationJob(clip, "bob", clip)).name not in folder


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_and_leaves_nothing(clip, worker, monkeypatch, capsys, number):
    worker(PhaseProgress("reading", 1, 1), Cancelled(), code=3, wait=True)

    class Asked(command.Stop):
        def __init__(self):
            super().__init__()
            self.ask(number)

    monkeypatch.setattr(command, "Stop", Asked)
    assert personalise(clip) == 128 + number
    assert "Nothing has changed" in capsys.readouterr().err
    assert left() == []
    assert user_factors().factors() == []


def test_wrong_usage_is_refused_before_anything_is_made(clip, tmp_path):
    for out, named, words in (
        ("ann", {"model": "none"}, "no such model"),
        ("nowhere/ann/x", {}, "folder does not exist"),
        (f"{tmp_path}/", {}, "it is a folder"),
        ("a:b", {}, "cannot be a name in the library. Use up to 64 letters"),
        ("n" * 65, {}, "cannot be a name in the library. Use up to 64 letters"),
    ):
        with pytest.raises(Refusal, match=words):
            personalise(clip, out, **named)
    with pytest.raises(Refusal, match="no such file"):
        personalise(tmp_path / "none.mp4")
    assert left() == []


def test_a_job_that_cannot_be_written_leaves_no_folder(clip, monkeypatch):
    """The disk is full at any call while the job is written down."""
    monkeypatch.setattr(command, "_follow", lambda *_: Outcome(Ending.CANCELLED))
    refused = 0
    for n in itertools.count(1):
        with failing_call(n, errno.ENOSPC) as injector:
            try:
                personalise(clip)
            except Refusal as e:
                refused += "the disk is full" in str(e)
                assert list(job_folders.jobs_dir().iterdir()) == [], injector.calls
        if not injector.failed_in:
            break
    assert refused >= 4  # open, fchmod, write, fsync


def test_the_person_who_was_chosen_is_in_the_job_and_in_the_result(clip, factor, worker, capsys):
    worker(code=9)
    personalise(clip, person=PersonChoice((320, 180), 40))
    (job,) = (f.job for f in job_folders.left_over())
    assert (job.person, job.around, job.last) == (PersonChoice((320, 180), 40), 40, None)
    report = {**REPORT, "person": {"words": "at 321,179 in frame 40, found by instances"}}
    worker(Finished(str(factor), "0", accepted=True, report=report))
    assert personalise(clip, person=PersonChoice((320, 180), 40)) == 0
    assert "Person: at 321,179 in frame 40, found by instances" in capsys.readouterr().out
    assert left() == []


@pytest.mark.parametrize("text", ["me", "1", "1,2@", "-3,4"])
def test_an_impossible_person_is_wrong_usage(clip, text):
    done = CliRunner().invoke(app, ["personalize", str(clip), "--out", "ann", "--person", text])
    assert done.exit_code == 2
    assert left() == []


def test_a_picture_is_no_clip(tmp_path):
    photo = tmp_path / "photo.jpg"
    Image.new("RGB", (8, 8)).save(photo)
    done = CliRunner().invoke(app, ["personalize", str(photo), "--out", "ann"])
    assert isinstance(done.exception, Refusal)
    assert str(done.exception).endswith("it is one picture. Give a clip, or a folder of frames")
    assert left() == []


def test_the_job_says_what_was_asked(clip, worker):
    worker(code=9)
    personalise(clip, frames=FrameSpan(3, 9), method="graphcut")
    (job,) = (f.job for f in job_folders.left_over())
    assert (job.first, job.last, job.method, job.clip) == (3, 9, "graphcut", clip)
    folder = job_folders.left_over()[0].folder
    assert read_job(folder) == job
    write_job(folder, job)
