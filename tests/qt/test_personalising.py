"""From a clip to a factor in use, as a user does it; the worker is scripted, everything else is real."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QPushButton

from app.controllers.personalization_options import offer_for
from app.desktop import Desktop
from app.settings import SettingsFile
from app.ui.job_list import duration
from app.ui.side_tabs import SideTabs
from personalize.client import job_folders
from personalize.job import read_job
from personalize.phases import usual_s
from runtime.library.factors import user_factors
from runtime.silhouettes.grabcut import Stroke
from runtime.system.errors import Refusal
from tests.drawn_media import draw_clip
from tests.qt.conftest import small
from tests.qt.scripting import UP, begin, buttons, done, factor_file, in_use, page, reaches, silhouettes

pytestmark = pytest.mark.gui


def test_the_tabs_keep_the_parts_at_hand_and_the_form_says_how_long(playing) -> None:
    window, tabs = playing.window, playing.window.findChild(SideTabs)
    tabs.setCurrentIndex(1)
    assert window.actions_["personalise"].isChecked()
    assert window.personalise.isVisible()
    setup = window.personalise.setup
    assert (
        setup._duration.text()
        == f"About {round(usual_s(50))} s on a machine that does nothing else; the "
        + ("next time as measured here")
    )
    playing.personalization._pace.value = 10.0
    playing.tick()
    assert (
        setup._duration.text() == f"About {duration(10 * usual_s(50))} on this machine, as the last one took"
    )
    tabs.setCurrentIndex(0)
    assert window.controls.isVisible()
    assert not window.actions_["personalise"].isChecked()
    window.actions_["personalise"].trigger()
    assert tabs.currentIndex() == 1


def plays_slowly(desktop) -> None:
    desktop.playing.toggle()
    desktop.pipeline.capture.play(replace(desktop.pipeline.capture.playback, speed=0.25))


def test_from_the_clip_to_a_factor_that_is_kept(playing, worker, mask, qtbot) -> None:
    """The whole way; around the swap no frame comes twice or out of order, and the engine changes once."""
    worker([UP, *silhouettes(mask, 0, 7, 14), *done(accepted=True)])
    shown: list[tuple[int, int]] = []
    show = playing.window.canvas.show_parsed
    playing.window.canvas.show_parsed = lambda p: (shown.append((p.frame.index, p.engine_id)), show(p))
    plays_slowly(playing)
    qtbot.waitUntil(lambda: len(shown) >= 2)  # frames of the engine before
    begin(playing)
    folder = next(job_folders.jobs_dir().iterdir())
    assert folder.stat().st_mode & 0o077 == 0
    assert (read_job(folder).first, read_job(folder).last, read_job(folder).name) == (0, 49, "Ann")

    result = playing.window.personalise.result
    reaches(playing, qtbot, "result")
    qtbot.waitUntil(lambda: in_use(playing) == "Ann")
    canvas, style = playing.window.canvas, playing.window.display.style
    qtbot.waitUntil(lambda: canvas.parsed.beside is not None)
    assert style.split
    assert (
        canvas.parsed.beside.result.parsing.labels == canvas.parsed.parsing.labels
    ).all()  # the same factor, on purpose
    indices, engines = zip(*shown, strict=True)
    assert list(indices) == sorted(set(indices))
    assert sum(a != b for a, b in pairwise(engines)) == 1
    assert "71 % → 86 %" in result._headline.text()
    assert {"Keep", "Discard"} <= buttons(result)

    playing.window.actions_["keep-factor"].trigger()
    qtbot.waitUntil(lambda: "Kept as Ann" in result._reason.text())
    assert sum(a != b for a, b in pairwise(e for _, e in shown)) == 1  # keeping changes nothing that runs
    assert playing.workspace.xfactor.key == str(user_factors().path("Ann"))
    playing.window.actions_.menus["X factor"].aboutToShow.emit()
    qtbot.waitUntil(lambda: [f.file.name for f in playing.listing.factors] == ["Ann"])
    entry = next(a for a in playing.window.actions_.menus["factors"].actions() if a.text().startswith("Ann"))
    assert entry.isChecked()
    assert not entry.icon().isNull()

    playing.window.actions_["undo-factor"].trigger()
    assert in_use(playing) == "own factor"
    assert [f.name for f in user_factors().factors()] == ["Ann"]
    result._close.click()
    qtbot.waitUntil(lambda: not folder.exists())
    assert not playing.window.display.style.split
    playing.stop()
    assert playing.settings_file.load().factor == ""


def test_while_it_runs_it_is_watched_and_never_in_the_way(playing, worker, mask, qtbot) -> None:
    worker([UP, *silhouettes(mask, 0, 25, 49), ["stdin"], *done(accepted=True)])
    begin(playing)
    progress = playing.window.personalise.progress
    qtbot.waitUntil(lambda: len(progress.strip.frames) == 3)
    playing.tick()
    assert "Following the silhouette" in progress._words.text()
    assert progress._left.text() == "44 % · about 1 min 2 s left"
    assert progress._step.text() == "step 4 of 9"
    assert not playing.window.activity.isVisible()  # the panel shows it
    playing.window.actions_["personalise"].trigger()
    playing.tick()
    assert playing.window.activity.isVisible()
    assert playing.window.controls.isVisible()
    qtbot.keyClick(playing.window, Qt.Key.Key_Right)  # everything else goes on
    qtbot.waitUntil(lambda: playing.window.canvas.parsed.frame.index == 1)
    playing.window.actions_["stop-early"].trigger()
    qtbot.waitUntil(lambda: playing.window.banner.notice is not None)
    assert "71 % → 86 %" in playing.window.banner.notice.text
    qtbot.mouseClick(playing.window.banner._act, Qt.MouseButton.LeftButton)
    assert page(playing) is playing.window.personalise.result
    folder = next(job_folders.jobs_dir().iterdir())
    qtbot.waitUntil(lambda: in_use(playing) == "Ann")
    playing.window.actions_["discard-factor"].trigger()
    assert in_use(playing) == "own factor"
    assert playing.workspace.previous is None  # what was discarded cannot be swapped back
    qtbot.waitUntil(lambda: not folder.exists())
    assert user_factors().factors() == []


def test_no_gain_is_shown_and_changes_nothing(playing, worker, qtbot) -> None:
    worker([UP, *done(accepted=False)])
    before = playing.workspace.engine
    begin(playing)
    reaches(playing, qtbot, "result")
    result = playing.window.personalise.result
    assert result._headline.text() == "Not accepted: the factor in use stays"
    assert "Keep" not in buttons(result)
    assert result._bars.count() == 3
    qtbot.wait(200)
    assert playing.workspace.engine is before
    assert not playing.window.actions_["compare"].isEnabled()


def test_a_worker_that_crashes_is_told_and_resumed(playing, worker, qtbot) -> None:
    """H04: the factor in use is the same object throughout."""
    worker([["kill"]], [["kill"]], [["kill"]], done(accepted=True))
    engine, before = playing.workspace.engine, factor_file().read_bytes()
    begin(playing)
    reaches(playing, qtbot, "trouble")
    trouble = playing.window.personalise.trouble
    assert "after 3 attempts" in trouble._words.text()
    assert playing.workspace.engine is engine
    trouble._retry.click()
    reaches(playing, qtbot, "result")
    qtbot.waitUntil(lambda: in_use(playing) == "Ann")
    assert factor_file().read_bytes() == before


def test_a_refused_clip_is_told_and_its_folder_removed(playing, worker, qtbot) -> None:
    worker([["say", {"event": "Failed", "what": "clip", "reason": "nobody is in it", "remedy": "Choose"}],
            ["exit", 1]])  # fmt: skip
    begin(playing)
    reaches(playing, qtbot, "trouble")
    assert "clip: nobody is in it. Choose" in playing.window.personalise.trouble._words.text()
    folder = next(job_folders.jobs_dir().iterdir())
    playing.window.personalise.trouble._remove.click()
    qtbot.waitUntil(lambda: not folder.exists())
    assert page(playing) is playing.window.personalise.setup


def test_what_did_not_work_can_wait(playing, worker, qtbot) -> None:
    worker([["say", {"event": "Failed", "what": "disk", "reason": "it is full", "remedy": "Make room"}],
            ["exit", 1]], done(accepted=False))  # fmt: skip
    begin(playing)
    reaches(playing, qtbot, "trouble")
    folder = playing.personalization._task.folder
    playing.window.personalise.trouble._later.click()
    assert folder.exists()
    playing.personalization.resume(str(folder))
    reaches(playing, qtbot, "result")


def test_cancel_leaves_no_process_and_no_folder(playing, worker, qtbot) -> None:
    worker([UP, ["sleep", 60]])
    begin(playing)
    run = playing.personalization._task._run
    qtbot.waitUntil(lambda: run.progress is not None)
    folder = run.folder
    playing.window.personalise.progress._cancel.click()
    assert page(playing) is playing.window.personalise.setup
    qtbot.waitUntil(lambda: not folder.exists())
    assert not run.is_alive()


def test_closing_the_window_ends_the_worker_and_the_next_start_goes_on(
    playing, worker, clip, tmp_path, qtbot
) -> None:
    worker([UP, ["sleep", 60]], done(accepted=True))
    begin(playing)
    run = playing.personalization._task._run
    qtbot.waitUntil(lambda: run.progress is not None)
    began = time.monotonic()
    playing.window.close()
    assert time.monotonic() - began < 20  # of its sixty
    assert playing.stuck == []
    assert not run.is_alive()

    again = Desktop(SettingsFile(tmp_path / "settings.json"), loader=small)
    qtbot.addWidget(again.window)
    again.personalization.command = playing.personalization.command
    try:
        again.start()
        qtbot.waitUntil(lambda: again.workspace.engine is not None)
        again.window.actions_["personalise"].trigger()
        setup = again.window.personalise.setup
        assert {"Resume", "Remove"} <= buttons(setup)
        next(b for b in setup.findChildren(QPushButton) if b.text() == "Resume").click()
        reaches(again, qtbot, "result")
        qtbot.waitUntil(lambda: in_use(again) == "Ann")
    finally:
        again.stop()
    assert again.settings_file.load().factor == ""  # undecided: the next run starts without it
    assert [x.job.name for x in job_folders.left_over()] == ["Ann"]  # and finds the result waiting


def test_a_brush_stroke_corrects_a_silhouette_and_it_is_done_again(playing, worker, mask, qtbot) -> None:
    worker([UP, *silhouettes(mask, 5, 20), ["stdin"]], done(accepted=True))
    begin(playing)
    task = playing.personalization._task
    qtbot.waitUntil(lambda: len(task.silhouettes) == 2)
    playing.personalization.correct(20)
    canvas, bar = playing.window.canvas, playing.window.brush_bar
    qtbot.waitUntil(lambda: canvas.parsed.frame.index == 20 and bar.isVisible())
    qtbot.waitUntil(lambda: canvas._mask is not None)
    area = canvas._area()
    at = QPoint(round(area.left() + area.width() * 0.25), round(area.center().y()))
    qtbot.mousePress(canvas, Qt.MouseButton.RightButton, pos=at)
    qtbot.mouseMove(canvas, at + QPoint(30, 0))
    qtbot.mouseRelease(canvas, Qt.MouseButton.RightButton, pos=at + QPoint(30, 0))
    assert len(canvas.brush.strokes) == 1
    bar._apply.click()
    assert not bar.isVisible()
    reaches(playing, qtbot, "result")
    (stroke,) = read_job(task.folder).strokes
    assert (stroke.frame, stroke.person, len(stroke.points)) == (20, False, 2)
    x, y = stroke.points[0]
    assert (abs(x - 40), abs(y - 45)) < (1, 1)  # of 160 by 90
    assert task.started == 2


def test_another_clip_ends_the_painting_of_corrections(playing, worker, mask, tmp_path, qtbot) -> None:
    worker([UP, *silhouettes(mask, 5), ["stdin"]])
    begin(playing)
    task, canvas, bar = playing.personalization._task, playing.window.canvas, playing.window.brush_bar
    qtbot.waitUntil(lambda: len(task.silhouettes) == 1)
    playing.personalization.correct(5)
    qtbot.waitUntil(lambda: canvas.parsed.frame.index == 5 and bar.isVisible())
    playing.open(str(draw_clip(tmp_path / "other.mp4", 8)))
    qtbot.waitUntil(lambda: canvas.parsed.frame.size == (96, 64))
    assert not bar.isVisible()
    canvas.stroked.emit(Stroke(((20.0, 30.0), (40.0, 30.0)), 5.0, person=True))
    assert playing.personalization._brush_strokes._corrections == []


@pytest.mark.parametrize(
    "place", ["app.controllers.personalization.job_for", "personalize.client.task.write_job"]
)
def test_a_job_that_cannot_begin_leaves_no_folder(playing, monkeypatch, place: str) -> None:
    def refuse(*_: object) -> None:
        raise Refusal("model tiny", "it is gone", "Choose another one")

    monkeypatch.setattr(place, refuse)
    begin(playing)
    assert "it is gone" in playing.window.banner.notice.text
    assert playing.personalization._task is None
    assert list(job_folders.jobs_dir().iterdir()) == []


@pytest.mark.parametrize(
    ("name", "widths", "words"),
    [
        ("{}.png", (64, 64, 64, 64), ""),
        ("{}.png", (64, 80, 64, 96), "differ too much"),
        ("{} of the party.png", (64, 64, 64, 64), "no sequence"),
    ],
    ids=["a film", "strangers", "an album"],
)
def test_d26_only_pictures_of_one_clip_are_offered_to_learn_from(
    desktop, qtbot, tmp_path, name: str, widths: tuple[int, ...], words: str
) -> None:
    folder = tmp_path / "people"
    folder.mkdir()
    for number, width in enumerate(widths):
        cv2.imwrite(str(folder / name.format(number)), np.full((64, width, 3), 90, np.uint8))
    desktop.open(str(folder))
    qtbot.waitUntil(lambda: desktop.window.canvas.parsed is not None)
    qtbot.waitUntil(lambda: desktop.workspace.engine is not None)
    why_not = offer_for(desktop.workspace, desktop.pipeline.capture).why_not
    assert words in why_not
    assert bool(words) == bool(why_not)
