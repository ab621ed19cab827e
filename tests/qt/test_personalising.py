"""From a clip to a factor in use, as a user does it; the worker is scripted, everything else is real."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QPushButton

from app import paths
from app.desktop import Desktop
from app.engine import library
from app.engine.brush import Stroke
from app.personalizing import folders, recording, shelf
from app.settings import SettingsFile
from app.ui.look import View
from app.ui.personalize_setup import Wish
from personalize.job import read_job
from tests.qt.conftest import small
from tests.qt.test_camera import FakeDevice, devices  # noqa: F401 a fixture
from tests.qt.test_window import drop, files, seen

pytestmark = pytest.mark.gui
SCRIPT = Path(__file__).parents[1] / "unit" / "app" / "personalizing" / "scripted_worker.py"
REPORT = {
    "held_out_J": {"before": 0.71, "after": 0.86},
    "boundary_F": {"before": 0.6, "after": 0.7},
    "regression": {"before": 0.9, "after": 0.895, "margin": 0.01},
    "frames": 12, "window": [0, 11], "reason": "Better on frames it has not learned from.",
}  # fmt: skip
UP = ["say", {"event": "Progress", "phase": "propagating", "done": 3, "total": 12, "left_s": 62.0}]


def factor_file() -> Path:
    return paths.models_dir() / "factored-s31" / "factor.onnx"


def done(*, accepted: bool) -> list[list[object]]:
    sha256 = hashlib.sha256(factor_file().read_bytes()).hexdigest()
    event = {"event": "Done", "path": "factor.onnx", "sha256": sha256, "accepted": accepted, "report": REPORT}
    return [["copy", str(factor_file()), "factor.onnx"], ["say", event], ["exit", 0]]


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    """A silhouette as the worker writes it: a box of person beside a box of doubt."""
    drawn = np.zeros((90, 160), np.uint8)
    drawn[20:80, 30:60], drawn[20:80, 60:70] = 255, 128
    cv2.imwrite(str(tmp_path / "mask.png"), drawn)
    return tmp_path / "mask.png"


@pytest.fixture
def worker(playing: Desktop, tmp_path: Path):
    """Let the next personalisation run a script."""

    def use(*attempts: list[list[object]]) -> None:
        (tmp_path / "script.json").write_text(json.dumps(attempts))
        playing.learning.command = (sys.executable, str(SCRIPT), str(tmp_path / "script.json"))

    return use


def silhouettes(mask: Path, *frames: int) -> list[list[object]]:
    """Steps that write and tell silhouettes."""
    return [
        step
        for frame in frames
        for step in (
            ["copy", str(mask), f"{frame:06d}.png"],
            ["say", {"event": "Silhouette", "frame": frame, "path": f"{frame:06d}.png"}],
        )
    ]


def begin(desktop: Desktop, name: str = "Ann", *, marked: bool = False) -> None:
    desktop.window.actions_["personalise"].trigger()
    desktop.learning.start(Wish(name, marked, "tree", go_on=False))


def page(desktop: Desktop) -> object:
    return desktop.window.personalise.page


def reaches(desktop: Desktop, qtbot, name: str) -> None:
    pages = desktop.window.personalise
    qtbot.waitUntil(lambda: pages.page is getattr(pages, name), timeout=30_000)


def buttons(widget) -> set[str]:
    """What the user can press."""
    return {b.text() for b in widget.findChildren(QPushButton) if b.isVisible() and b.isEnabled()}


def in_use(desktop: Desktop) -> str:
    return desktop.session.xfactor.name


def test_from_the_clip_to_a_factor_that_is_kept(playing, worker, mask, qtbot) -> None:
    """The whole way; around the swap no frame comes twice or out of order, and the engine changes once."""
    worker([UP, *silhouettes(mask, 0, 7, 14), *done(accepted=True)])
    shown: list[tuple[int, int]] = []
    show = playing.window.canvas.show_parsed
    playing.window.canvas.show_parsed = lambda p: (shown.append((p.frame.index, p.engine_id)), show(p))
    playing.playing.toggle()
    playing.pipeline.capture.play(replace(playing.pipeline.capture.playback, speed=0.25))
    begin(playing)
    folder = next(folders.jobs_dir().iterdir())
    assert folder.stat().st_mode & 0o077 == 0
    assert (read_job(folder).first, read_job(folder).last, read_job(folder).name) == (0, 49, "Ann")

    result = playing.window.personalise.result
    reaches(playing, qtbot, "result")
    qtbot.waitUntil(lambda: in_use(playing) == "Ann", timeout=20_000)
    canvas, look = playing.window.canvas, playing.window.viewing.look
    qtbot.waitUntil(lambda: canvas.parsed.before is not None, timeout=20_000)
    assert look.split
    assert (canvas.parsed.before.labels == canvas.parsed.parsing.labels).all()  # the same factor, on purpose
    indices, engines = zip(*shown, strict=True)
    assert list(indices) == sorted(set(indices))
    assert sum(a != b for a, b in pairwise(engines)) == 1
    assert "71 % → 86 %" in result._headline.text()
    assert {"Keep", "Discard"} <= buttons(result)

    playing.window.actions_["keep-factor"].trigger()
    qtbot.waitUntil(lambda: "Kept as Ann" in result._reason.text(), timeout=30_000)
    assert sum(a != b for a, b in pairwise(e for _, e in shown)) == 1  # keeping changes nothing that runs
    assert [f.name for f in library.list_factors()] == ["Ann"]
    assert playing.session.xfactor.key == str(shelf.path_of("Ann"))
    playing.menus._fill_factors()
    entry = next(a for a in playing.window.actions_.menus["factors"].actions() if a.text().startswith("Ann"))
    assert entry.isChecked()
    assert not entry.icon().isNull()

    playing.window.actions_["undo-factor"].trigger()
    assert in_use(playing) == "own factor"
    assert [f.name for f in library.list_factors()] == ["Ann"]
    result._close.click()
    qtbot.waitUntil(lambda: not folder.exists(), timeout=10_000)
    assert not playing.window.viewing.look.split
    playing.stop()
    assert playing.settings_file.load().factor == ""


def test_while_it_runs_it_is_watched_and_never_in_the_way(playing, worker, mask, qtbot) -> None:
    worker([UP, *silhouettes(mask, 0, 25, 49), ["stdin"], *done(accepted=True)])
    begin(playing)
    progress = playing.window.personalise.progress
    qtbot.waitUntil(lambda: len(progress.strip.frames) == 3, timeout=30_000)
    playing.tick()
    assert "Following the silhouette" in progress._words.text()
    assert progress._left.text() == "30 % · about 1 min 2 s left"
    assert progress._step.text() == "step 4 of 9"
    assert not playing.window.activity.isVisible()  # the panel shows it
    playing.window.personalise.put_away.emit()
    playing.tick()
    assert playing.window.activity.isVisible()
    assert playing.window.controls.isVisible()
    qtbot.keyClick(playing.window, Qt.Key.Key_Right)  # everything else goes on
    qtbot.waitUntil(lambda: playing.window.canvas.parsed.frame.index == 1, timeout=20_000)
    playing.window.actions_["stop-early"].trigger()
    qtbot.waitUntil(lambda: playing.window.banner.notice is not None, timeout=30_000)
    assert "71 % → 86 %" in playing.window.banner.notice.text
    qtbot.mouseClick(playing.window.banner._act, Qt.MouseButton.LeftButton)
    assert page(playing) is playing.window.personalise.result
    folder = next(folders.jobs_dir().iterdir())
    qtbot.waitUntil(lambda: in_use(playing) == "Ann", timeout=20_000)
    playing.window.actions_["discard-factor"].trigger()
    assert in_use(playing) == "own factor"
    assert playing.session.previous is None  # what was discarded cannot be swapped back
    qtbot.waitUntil(lambda: not folder.exists(), timeout=10_000)
    assert library.list_factors() == []


def test_no_gain_is_shown_and_changes_nothing(playing, worker, qtbot) -> None:
    worker([UP, *done(accepted=False)])
    before = playing.session.engine
    begin(playing)
    reaches(playing, qtbot, "result")
    result = playing.window.personalise.result
    assert result._headline.text() == "No gain: the factor in use stays"
    assert "Keep" not in buttons(result)
    assert result._bars.count() == 3
    qtbot.wait(200)
    assert playing.session.engine is before
    assert not playing.window.actions_["compare"].isEnabled()


def test_a_worker_that_crashes_is_told_and_resumed(playing, worker, qtbot) -> None:
    """H04: the factor in use is the same object throughout."""
    worker([["kill"]], [["kill"]], [["kill"]], done(accepted=True))
    engine, before = playing.session.engine, factor_file().read_bytes()
    begin(playing)
    reaches(playing, qtbot, "trouble")
    trouble = playing.window.personalise.trouble
    assert "after 3 attempts" in trouble._words.text()
    assert playing.session.engine is engine
    trouble._retry.click()
    reaches(playing, qtbot, "result")
    qtbot.waitUntil(lambda: in_use(playing) == "Ann", timeout=20_000)
    assert factor_file().read_bytes() == before


def test_a_refused_clip_is_told_and_its_folder_removed(playing, worker, qtbot) -> None:
    worker([["say", {"event": "Failed", "what": "clip", "reason": "nobody is in it", "remedy": "Choose"}],
            ["exit", 1]])  # fmt: skip
    begin(playing)
    reaches(playing, qtbot, "trouble")
    assert "clip: nobody is in it. Choose" in playing.window.personalise.trouble._words.text()
    folder = next(folders.jobs_dir().iterdir())
    playing.window.personalise.trouble._remove.click()
    qtbot.waitUntil(lambda: not folder.exists(), timeout=10_000)
    assert page(playing) is playing.window.personalise.setup


def test_cancel_leaves_no_process_and_no_folder(playing, worker, qtbot) -> None:
    worker([UP, ["sleep", 60]])
    begin(playing)
    run = playing.learning._task._run
    qtbot.waitUntil(lambda: run.progress is not None, timeout=20_000)
    folder = run.folder
    playing.window.personalise.progress._cancel.click()
    assert page(playing) is playing.window.personalise.setup
    qtbot.waitUntil(lambda: not folder.exists(), timeout=10_000)
    assert not run.is_alive()


def test_closing_the_window_ends_the_worker_and_the_next_start_goes_on(
    playing, worker, clip, tmp_path, qtbot
) -> None:
    worker([UP, ["sleep", 60]], done(accepted=True))
    begin(playing)
    run = playing.learning._task._run
    qtbot.waitUntil(lambda: run.progress is not None, timeout=20_000)
    began = time.monotonic()
    playing.window.close()
    assert time.monotonic() - began < 3.0
    assert playing.stuck == []
    assert not run.is_alive()

    again = Desktop(SettingsFile(tmp_path / "settings.json"), loader=small)
    qtbot.addWidget(again.window)
    again.learning.command = playing.learning.command
    try:
        again.start()
        qtbot.waitUntil(lambda: again.session.engine is not None, timeout=20_000)
        again.window.actions_["personalise"].trigger()
        setup = again.window.personalise.setup
        assert {"Resume", "Remove"} <= buttons(setup)
        next(b for b in setup.findChildren(QPushButton) if b.text() == "Resume").click()
        reaches(again, qtbot, "result")
        qtbot.waitUntil(lambda: in_use(again) == "Ann", timeout=20_000)
    finally:
        again.stop()
    assert again.settings_file.load().factor == ""  # undecided: the next run starts without it
    assert [x.job.name for x in folders.left_over()] == ["Ann"]  # and finds the result waiting


def test_a_brush_stroke_corrects_a_silhouette_and_it_is_done_again(playing, worker, mask, qtbot) -> None:
    worker([UP, *silhouettes(mask, 5, 20), ["stdin"]], done(accepted=True))
    begin(playing)
    task = playing.learning._task
    qtbot.waitUntil(lambda: len(task.silhouettes) == 2, timeout=30_000)
    playing.learning.correct(20)
    canvas, bar = playing.window.canvas, playing.window.brushbar
    qtbot.waitUntil(lambda: canvas.parsed.frame.index == 20 and bar.isVisible(), timeout=20_000)
    qtbot.waitUntil(lambda: canvas._mask is not None, timeout=5000)
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


def test_the_camera_is_recorded_and_learned_from(playing, worker, monkeypatch, qtbot, devices) -> None:  # noqa: F811
    monkeypatch.setattr(recording, "SECONDS", 0.8)
    monkeypatch.setattr(recording.Recording.__init__, "__kwdefaults__", {"seconds": 0.8})
    worker([UP, *done(accepted=True)])
    playing.open("0")
    qtbot.waitUntil(lambda: playing.pipeline.camera_on, timeout=10_000)
    qtbot.waitUntil(lambda: playing.window.canvas.parsed.frame.size == (64, 48), timeout=10_000)
    begin(playing, "me")
    assert "Recording" in playing.learning._task.words
    folder = playing.learning._task.folder
    reaches(playing, qtbot, "result")
    job = read_job(folder)
    assert (job.clip, job.first, job.last, job.around) == (folder / "camera.mp4", 0, None, None)
    from app.media.clips import Clip

    with Clip(job.clip) as clip:
        assert clip.size == (64, 48)
        assert 6 <= sum(1 for _ in clip.frames()) <= 42  # 0.8 s at 50 a second, on a machine that may be busy
    assert FakeDevice.open_now == 1  # it is still on
    qtbot.waitUntil(lambda: in_use(playing) == "me", timeout=20_000)
    playing.window.actions_["discard-factor"].trigger()
    qtbot.waitUntil(lambda: not folder.exists(), timeout=10_000)


def test_the_library_renames_exports_imports_and_deletes_everything(playing, tmp_path, qtbot) -> None:
    """H11."""
    trunk = playing.session.engine.stages.sessions[0].data
    library.add_factor(factor_file(), trunk, "Ann")
    shelf.keep_face("Ann", np.zeros((8, 8, 3), np.uint8))
    playing.session.use_factor(shelf.path_of("Ann"))
    qtbot.waitUntil(lambda: in_use(playing) == "Ann", timeout=20_000)
    playing.window.actions_["library"].trigger()
    shelving = playing.shelving
    dialog = shelving._dialog
    assert dialog.chosen.name == "Ann"
    assert dialog.chosen.in_use
    engine = playing.session.engine
    shelving.rename("Ann", "Ann at home")
    assert playing.session.engine is engine
    assert in_use(playing) == "Ann at home"
    assert shelf.face_of("Ann at home").is_file()
    out = shelf.export("Ann at home", tmp_path / "ann.onnx")
    assert out.name == "ann.factor.onnx"
    shelving.add(out)
    qtbot.waitUntil(lambda: len(dialog._rows) == 2, timeout=20_000)
    shelving.add(tmp_path / "settings.json")
    qtbot.waitUntil(lambda: playing.window.banner.notice is not None, timeout=20_000)
    assert "settings.json" in playing.window.banner.notice.text

    left = folders.new_folder("Ann at home")
    from personalize.job import Job, write_job

    write_job(left, Job(tmp_path / "a.mp4", "Ann at home", paths.models_dir()))
    shelving.delete("Ann at home")
    assert in_use(playing) == "own factor"
    assert not left.exists()
    assert not shelf.face_of("Ann at home").exists()
    assert not shelf.path_of("Ann at home").exists()
    assert [r.name for r in dialog._rows] == ["ann"]


def test_the_brush_paints_a_silhouette_on_the_frame_on_show(playing, qtbot) -> None:
    playing.window.viewing.choose_view(View.SILHOUETTE)
    playing.window.actions_["brush"].trigger()
    canvas = playing.window.canvas
    qtbot.waitUntil(playing.window.brushbar.isVisible, timeout=5000)
    qtbot.wait(200)
    before = seen(playing)
    canvas.stroked.emit(Stroke(((20.0, 50.0), (60.0, 50.0)), 25.0, person=True))
    canvas.stroked.emit(Stroke(((110.0, 10.0), (110.0, 80.0)), 20.0, person=False))
    qtbot.waitUntil(lambda: canvas.parsed.parsing.person.max() == 255, timeout=10_000)
    qtbot.waitUntil(lambda: bool((seen(playing) != before).any()), timeout=10_000)
    person = canvas.parsed.parsing.person
    assert person[person.shape[0] * 5 // 9, person.shape[1] // 4] > 200
    assert person[person.shape[0] // 2, person.shape[1] * 11 // 16] < 50
    qtbot.keyClick(playing.window, Qt.Key.Key_Escape)
    assert not playing.window.brushbar.isVisible()
    playing.window.actions_["own"].trigger()
    assert in_use(playing) == "own factor"


def test_a_dropped_clip_is_offered_and_what_does_not_fit_is_said(desktop, clip, tmp_path, qtbot) -> None:
    desktop.window.actions_["personalise"].trigger()
    setup = desktop.window.personalise.setup
    assert "Open or drop a clip" in setup._why.text()
    assert "Personalise" not in buttons(setup)
    desktop.window.show_personalise(on=False)
    qtbot.waitUntil(lambda: desktop.session.engine is not None, timeout=20_000)
    drop(desktop, files(clip))
    qtbot.waitUntil(lambda: desktop.window.banner.notice is not None, timeout=20_000)
    banner = desktop.window.banner
    assert banner._act.text() == "Personalise to this person"
    qtbot.mouseClick(banner._act, Qt.MouseButton.LeftButton)
    assert setup.isVisible()
    assert setup._name.text() == "moving"
    desktop.playing._mark(first=10, last=30)
    desktop.tick()
    assert "10 to 30" in setup._marked.text()
    assert setup._marked.isChecked()
