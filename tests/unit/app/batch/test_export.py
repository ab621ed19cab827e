"""An export runs in a process of its own, can be stopped at any moment, and goes on where it was."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from app.batch.export import ExportProgress, ExportRecord, export, unfinished
from app.batch.options import FrameSpan, ParseJob
from runtime.media.clips import Clip
from runtime.system.errors import Refusal
from tests.drawn_media import draw_clip


class CancelledError(Exception):
    """Raised by the tests in place of a user's cancel."""


def job_of(clip: Path, out: Path, **options: object) -> ParseJob:
    given = {"save": ("overlay", "silhouettes"), "size": "64", "device": "cpu", **options}
    return ParseJob((str(clip),), out, **given)


def test_an_export_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    clip = draw_clip(tmp_path / "a.mp4", 60)
    job, shares = job_of(clip, tmp_path / "out"), []

    def stop(share: float | None) -> None:
        shares.append(share)
        if share and share > 0.05:
            raise CancelledError

    record = ExportRecord.new(job)
    with record.held():
        assert unfinished() == []  # another window leaves it alone
        with pytest.raises(CancelledError):
            export(job, stop)
    folder = tmp_path / "out" / "a"
    written = {p.name: p.stat().st_mtime_ns for p in (folder / "silhouettes").iterdir()}
    assert 0 < len(written) < 60
    assert not (folder / "overlay.mp4").exists()
    [again] = unfinished()
    assert again.job.resume
    outcome = export(again.job, lambda _: None)
    again.forget()
    assert (outcome.frames, outcome.problems) == (60, ())
    assert unfinished() == []
    with Clip(folder / "overlay.mp4") as overlay:
        assert sum(1 for _ in overlay.frames()) == 60
    now = {p.name: p.stat().st_mtime_ns for p in (folder / "silhouettes").iterdir()}
    assert len(now) == 60
    assert {name: now[name] for name in written} == written


def test_a_refusal_of_the_process_has_its_words(tmp_path: Path) -> None:
    clip = draw_clip(tmp_path / "a.mp4", 4)
    with pytest.raises(Refusal, match="no-such-model") as refused:
        export(job_of(clip, tmp_path / "out", model="no-such-model"), lambda _: None)
    assert refused.value.remedy
    outcome = export(job_of(clip, tmp_path / "out", span=FrameSpan(9)), lambda _: None)
    assert outcome.problems == ("a.mp4: it has no frame 9. Choose other --frames",)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os.kill(os.getpid(), 9)", "was killed"),
        ("print('{\"event\": 3}'); print('no JSON'); raise SystemExit(1)", "ended without a result"),
        ("import sys; print('xfactor: disk: full. Free some', file=sys.stderr); sys.exit(1)", "disk: full"),
    ],
)
def test_a_process_that_dies_is_told(tmp_path: Path, code: str, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        export(job_of(tmp_path / "a.mp4", tmp_path), lambda _: None, command=(sys.executable, "-c", code))


def test_progress_is_the_share_of_all_inputs() -> None:
    progress, event = ExportProgress(), {"event": "begin", "input": "/a", "frames": 10, "inputs": 2}
    assert progress.fraction is None
    for line in (event, {"event": "progress", "input": "/a", "frame": 5}):
        progress.take(json.dumps(line))
    assert progress.fraction == 0.25
    progress.take(json.dumps({"event": "end", "input": "/a", "status": "ok", "reason": "", "frames": 10}))
    assert progress.fraction == 0.5
    assert progress.frames == 10


def test_a_damaged_record_is_left_alone(tmp_path: Path) -> None:
    record = ExportRecord.new(job_of(tmp_path / "a.mp4", tmp_path))
    [found] = unfinished()
    assert found.job.sources == record.job.sources
    for damaged in ("", "[]", "{}", '{"silhouettes": 3}'):
        record._path.write_text(damaged)
        assert unfinished() == []
        assert record._path.exists()
