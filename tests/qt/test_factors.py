"""Around a personalisation: the camera, the library, the brush, and what is offered."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import Qt

from personalize.client import camera_clip, job_folders
from personalize.job import read_job
from runtime.library.factors import user_factors
from runtime.output.style import ViewMode
from runtime.silhouettes.grabcut import Stroke
from runtime.system import paths
from runtime.system.files import make_private_dir
from tests.qt.dropping import drop, files
from tests.qt.scripting import UP, begin, buttons, done, factor_file, in_use, reaches
from tests.qt.test_camera import FakeDevice, devices  # noqa: F401 a fixture
from tests.qt.test_window import seen

pytestmark = pytest.mark.gui


def test_the_camera_is_recorded_and_learned_from(playing, worker, monkeypatch, qtbot, devices) -> None:  # noqa: F811
    monkeypatch.setattr(camera_clip, "SECONDS", 0.8)
    worker([UP, *done(accepted=True)])
    playing.open("0")
    qtbot.waitUntil(lambda: playing.pipeline.camera_on)
    qtbot.waitUntil(lambda: playing.window.canvas.parsed.frame.size == (64, 48))
    begin(playing, "me")
    assert "Recording" in playing.personalization._task.words
    folder = playing.personalization._task.folder
    reaches(playing, qtbot, "result")
    job = read_job(folder)
    assert (job.clip, job.first, job.last, job.around) == (folder / "camera.mp4", 0, None, None)
    from runtime.media.clips import Clip

    with Clip(job.clip) as clip:
        assert clip.size == (64, 48)
        assert 6 <= sum(1 for _ in clip.frames()) <= 42  # 0.8 s at 50 a second, on a machine that may be busy
    assert FakeDevice.open_now == 1  # it is still on
    before = playing.settings.recent
    playing.open(str(job.clip))  # as correcting does
    qtbot.waitUntil(lambda: playing.workspace.source.address == str(job.clip))
    qtbot.waitUntil(lambda: playing._shown == playing.pipeline.capture.number)
    assert playing.settings.recent == before
    qtbot.waitUntil(lambda: in_use(playing) == "me")
    playing.window.actions_["discard-factor"].trigger()
    qtbot.waitUntil(lambda: not folder.exists())


def test_the_library_renames_exports_imports_and_deletes_everything(playing, tmp_path, qtbot) -> None:
    """H11."""
    trunk = playing.workspace.engine.stages.sessions[0].data
    user_factors().add(factor_file(), trunk, "Ann")
    user_factors().set_thumbnail("Ann", np.zeros((8, 8, 3), np.uint8))
    playing.workspace.use_factor(user_factors().path("Ann"))
    qtbot.waitUntil(lambda: in_use(playing) == "Ann")
    playing.window.actions_["library"].trigger()
    library = playing.library
    dialog = library._dialog
    qtbot.waitUntil(lambda: dialog.chosen is not None and dialog.chosen.in_use)
    assert dialog.chosen.name == "Ann"
    engine = playing.workspace.engine
    library.rename("Ann", "Ann at home")
    assert playing.workspace.engine is engine
    assert in_use(playing) == "Ann at home"
    assert user_factors().thumbnail("Ann at home") is not None
    out = user_factors().export("Ann at home", tmp_path / "ann.onnx")
    assert out.name == "ann.factor.onnx"
    library.add(out)
    qtbot.waitUntil(lambda: len(dialog._rows) == 2)
    library.add(tmp_path / "settings.json")
    qtbot.waitUntil(lambda: playing.window.banner.notice is not None)
    assert "settings.json" in playing.window.banner.notice.text

    left = job_folders.new_folder("Ann at home")
    from personalize.job import PersonalizationJob, write_job

    write_job(left, PersonalizationJob(tmp_path / "a.mp4", "Ann at home", paths.models_dir()))
    library.delete("Ann at home")
    assert in_use(playing) == "own factor"
    assert not left.exists()
    assert user_factors().thumbnail("Ann at home") is None
    assert not user_factors().path("Ann at home").exists()
    qtbot.waitUntil(lambda: [r.name for r in dialog._rows] == ["ann"])


def test_a_file_that_is_no_factor_is_in_the_library_and_can_be_deleted(playing, qtbot) -> None:
    bad = make_private_dir(user_factors().folder) / "bad.factor.onnx"
    bad.write_bytes(b"no model")
    dialog = playing.library.dialog()
    qtbot.waitUntil(lambda: [r.name for r in dialog._rows] == ["bad"])
    assert "cannot be used" in dialog._rows[0].model
    playing.library.delete("bad")
    qtbot.waitUntil(lambda: dialog._rows == [])
    assert not bad.exists()


def test_the_brush_paints_a_silhouette_on_the_frame_on_show(playing, qtbot) -> None:
    playing.window.display.choose_view(ViewMode.SILHOUETTE)
    playing.window.actions_["brush"].trigger()
    canvas = playing.window.canvas
    qtbot.waitUntil(playing.window.brush_bar.isVisible)
    qtbot.wait(200)
    before = seen(playing)
    canvas.stroked.emit(Stroke(((20.0, 50.0), (60.0, 50.0)), 25.0, person=True))
    canvas.stroked.emit(Stroke(((110.0, 10.0), (110.0, 80.0)), 20.0, person=False))
    assert bool((seen(playing) != before).any()), "the strokes themselves"

    def believed() -> bool:
        person = canvas.parsed.parsing.person
        height, width = person.shape
        return person[height * 5 // 9, width // 4] > 200 and person[height // 2, width * 11 // 16] < 50

    qtbot.waitUntil(believed)
    qtbot.keyClick(playing.window, Qt.Key.Key_Escape)
    assert not playing.window.brush_bar.isVisible()
    playing.window.actions_["own"].trigger()
    assert in_use(playing) == "own factor"


def test_a_dropped_clip_is_offered_and_what_does_not_fit_is_said(desktop, clip, tmp_path, qtbot) -> None:
    desktop.window.actions_["personalise"].trigger()
    setup = desktop.window.personalise.setup
    assert "Open or drop a clip" in setup._why.text()
    assert "Personalise" not in buttons(setup)
    desktop.window.show_personalise(on=False)
    qtbot.waitUntil(lambda: desktop.workspace.engine is not None)
    drop(desktop, files(clip))
    qtbot.waitUntil(lambda: desktop.window.banner.notice is not None)
    banner = desktop.window.banner
    assert banner._act.text() == "Personalise to this person"
    qtbot.mouseClick(banner._act, Qt.MouseButton.LeftButton)
    assert setup.isVisible()
    assert setup._name.text() == "moving"
    desktop.playing._mark(first=10, last=30)
    desktop.tick()
    assert "10 to 30" in setup._marked.text()
    assert setup._marked.isChecked()
