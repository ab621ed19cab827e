"""The list of jobs: what runs and what has ended, with its result, whoever began it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtWidgets import QLabel, QPushButton

from app.controllers import jobs as overview_module
from personalize.client import job_folders
from runtime.system.errors import Refusal
from runtime.system.jobs import JobState
from tests.qt.scripting import UP, begin, reaches

pytestmark = pytest.mark.gui


class ScriptedExport:
    """A job like an export's: another process does the work."""

    name, share, left_s, result_path = "Exporting dance.mp4", 0.25, 90.0, None
    words, state = "overlay", JobState.RUNNING

    def cancel(self) -> None:
        self.state = JobState.CANCELLED


def shown(place) -> list[str]:
    """Words and labels of buttons that are visible, in order of making."""
    widgets = [w for kind in (QLabel, QPushButton) for w in place.findChildren(kind)]
    return [w.text() for w in widgets if w.isVisible() and w.text()]


@pytest.fixture
def loaded(desktop, qtbot):
    """A window whose model is loaded: that is a job, too."""
    qtbot.waitUntil(lambda: desktop.workspace.engine is not None and not desktop.jobs.shown())
    desktop.refresh()
    desktop.tick()
    return desktop


def test_a_job_is_followed_to_its_result(loaded, tmp_path, monkeypatch) -> None:
    job, opened = ScriptedExport(), []
    monkeypatch.setattr(overview_module, "show_folder", lambda _, folder: opened.append(folder))
    loaded.window.actions_["jobs"].trigger()
    dialog = loaded.overview._dialog
    assert "Nothing is running" in shown(dialog)[0]
    loaded.overview.add(job)
    for place in (loaded.window.activity, dialog):
        assert "Exporting dance.mp4: overlay" in shown(place)
        assert "25 % · 1 min 30 s left" in shown(place)
        assert "Cancel" in shown(place)
    job.state, job.words, job.result_path = JobState.DONE, "240 frames", tmp_path / "out" / "dance.mp4"
    loaded.tick()
    assert not loaded.window.activity.isVisible()
    assert {"Exporting dance.mp4", "240 frames", "Open folder"} <= set(shown(dialog))
    assert "Cancel" not in shown(dialog)
    next(b for b in dialog.findChildren(QPushButton) if b.text() == "Open folder").click()
    assert opened == [tmp_path / "out"]
    next(b for b in dialog.findChildren(QPushButton) if b.text() == "Clear ended").click()
    assert "Nothing is running" in shown(dialog)[0]


def test_cancel_reaches_the_job_and_many_jobs_are_counted(loaded) -> None:
    jobs = [ScriptedExport() for _ in range(6)]
    for job in jobs:
        loaded.overview.add(job)
    strip = loaded.window.activity
    assert [t for t in shown(strip) if "more" in t] == ["2 more…"]
    next(b for b in strip.findChildren(QPushButton) if b.text() == "Cancel").click()
    assert [j.state for j in jobs] == [JobState.CANCELLED, *[JobState.RUNNING] * 5]
    assert len(loaded.overview.unfinished) == 5


def test_background_work_is_listed_and_kept_when_it_wrote_or_failed(loaded, tmp_path, qtbot) -> None:
    def refuse(_: object) -> Path:
        raise Refusal("clip.mp4", "it is too long", "Take a shorter one")

    loaded.overview.open()
    for name, work in (("wrote", lambda _: tmp_path), ("summed", lambda _: 4), ("failed", refuse)):
        loaded.jobs.start(name, work, lambda _: None)
    dialog = loaded.overview._dialog
    loaded.jobs.start("last", lambda _: tmp_path, lambda _: None)
    qtbot.waitUntil(lambda: loaded.tick() or shown(dialog).count("Open folder") == 2)
    texts = shown(dialog)
    assert {"wrote", "failed", "Open folder"} <= set(texts)
    assert any("it is too long" in t for t in texts)
    qtbot.waitUntil(lambda: "summed" not in shown(dialog))  # a row that went is deleted a little later


def test_a_personalisation_is_a_job_like_the_others(playing, worker, qtbot) -> None:
    worker([UP, ["sleep", 60]])
    begin(playing)
    run = playing.personalization._task._run
    qtbot.waitUntil(lambda: run.progress is not None)
    playing.overview.open()
    dialog = playing.overview._dialog
    assert any(t.startswith("Learning Ann: Following") for t in shown(dialog))
    assert not playing.window.activity.isVisible()  # the panel shows it
    next(b for b in dialog.findChildren(QPushButton) if b.text() == "Cancel").click()
    reaches(playing, qtbot, "setup")
    playing.tick()
    assert {"Learning Ann", "cancelled"} <= set(shown(dialog))
    qtbot.waitUntil(lambda: job_folders.left_over() == [])
