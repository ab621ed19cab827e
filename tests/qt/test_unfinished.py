"""What an earlier run left unfinished is offered when the window opens (D14)."""

from __future__ import annotations

import json

import pytest
from PyQt6.QtCore import Qt

from app.controllers.unfinished import offer_unfinished
from personalize.client import job_folders
from personalize.job import write_job
from tests.personalising import job_for
from tests.qt.scripting import REPORT, UP, factor_file, reaches

pytestmark = pytest.mark.gui


def left(name: str, clip, *, finished: bool = False):
    folder = job_folders.new_folder(name)
    write_job(folder, job_for(clip, name=name))
    if finished:
        (folder / job_folders.FACTOR).write_bytes(factor_file().read_bytes())
        (folder / job_folders.REPORT).write_text(json.dumps(REPORT))
    return folder


def offered(desktop) -> tuple[str, str]:
    offer_unfinished(desktop.window.banner, desktop.personalization)
    banner = desktop.window.banner
    return (banner.notice.text, banner._act.text()) if banner.notice is not None else ("", "")


def test_nothing_is_offered_where_nothing_was_left(desktop) -> None:
    assert offered(desktop) == ("", "")


def test_an_interrupted_job_is_offered_and_goes_on(playing, worker, clip, qtbot) -> None:
    worker([UP, ["sleep", 60]])
    left("Ann", clip)
    assert offered(playing) == ("Learning Ann was interrupted.", "Resume")
    qtbot.mouseClick(playing.window.banner._act, Qt.MouseButton.LeftButton)
    reaches(playing, qtbot, "progress")
    run = playing.personalization._task._run
    qtbot.waitUntil(lambda: run.progress is not None)
    playing.window.banner.dismiss()
    assert offered(playing)[0] == ""  # it runs
    playing.personalization.cancel()
    qtbot.waitUntil(lambda: job_folders.left_over() == [])


def test_an_undecided_result_is_named_and_the_others_are_counted(desktop, clip) -> None:
    first = left("Ann", clip)
    left("Bob", clip, finished=True)
    first.rename(first.with_name("20200101-000000 Ann"))
    assert offered(desktop) == ("Bob waits for your decision. 1 more is listed under Personalise.", "Show")
