"""The end of a personalisation: beside another clip, after Cancel, and on a card that is shown whole."""

from __future__ import annotations

import pytest
from PIL import Image
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QPushButton, QScrollArea, QWidget

from personalize.client import job_folders
from tests.qt.scripting import UP, begin, buttons, done, in_use, page, reaches

pytestmark = pytest.mark.gui


def test_a_job_that_ends_beside_another_source_is_announced_and_shown_on_its_own(
    playing, worker, clip, tmp_path, qtbot
) -> None:
    worker([UP, ["stdin"], *done(accepted=True)])
    begin(playing)
    task = playing.personalization._task
    Image.new("RGB", (40, 30), (200, 0, 0)).save(tmp_path / "red.png")
    playing.open(str(tmp_path / "red.png"))
    qtbot.waitUntil(lambda: playing.workspace.source.name == "red.png")
    playing.window.actions_["stop-early"].trigger()
    reaches(playing, qtbot, "result")
    banner, result = playing.window.banner, playing.window.personalise.result
    qtbot.waitUntil(lambda: banner.notice is not None and "71 % → 86 %" in banner.notice.text)
    qtbot.wait(300)
    assert in_use(playing) == "own factor"
    assert not playing.window.display.style.split
    assert "Keep" not in buttons(result)
    assert {"Discard"} <= buttons(result)

    qtbot.mouseClick(banner._act, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: in_use(playing) == "Ann")
    assert playing.workspace.source.path == clip
    assert playing.window.display.style.split
    assert "Keep" in buttons(result)
    playing.window.actions_["discard-factor"].trigger()
    qtbot.waitUntil(lambda: not task.folder.exists())


def test_a_cancelled_job_is_not_offered_again(playing, worker, monkeypatch, qtbot) -> None:
    """Its folder is deleted a moment later, when nothing writes to it any more."""
    worker([UP, ["sleep", 60]])
    begin(playing)
    run = playing.personalization._task._run
    qtbot.waitUntil(lambda: run.progress is not None)
    playing.window.personalise.progress._cancel.click()
    setup = playing.window.personalise.setup
    assert page(playing) is setup
    assert [b.text() for b in setup.findChildren(QPushButton) if b.text() in {"Resume", "Remove"}] == []
    qtbot.waitUntil(lambda: job_folders.left_over() == [])
    playing.personalization.resume(str(run.folder))
    assert "its folder is gone" in playing.window.banner.notice.text


def test_the_first_card_is_shown_whole(playing, worker, qtbot) -> None:
    worker([UP, *done(accepted=True)])
    begin(playing)
    reaches(playing, qtbot, "result")
    result = playing.window.personalise.result
    area = next(a for a in playing.window.personalise.findChildren(QScrollArea) if a.widget() is result)
    qtbot.waitUntil(result._keep.isVisible)
    qtbot.wait(100)
    for child in result.findChildren(QWidget):
        if child.isVisible():
            right = child.mapTo(area.viewport(), QPoint(child.width(), 0)).x()
            assert right <= area.viewport().width(), child
