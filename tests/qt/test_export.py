"""The open source leaves the window as files: the same as the command writes, with sound and true times."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from PyQt6.QtWidgets import QMessageBox

from app.batch.export import unfinished
from app.controllers.export import file_style, lost_style
from app.desktop import Desktop
from app.settings import SettingsFile
from app.ui.export_dialog import PRODUCT_WORDS, ExportDialog
from app.workspace import ModelChoice
from runtime.media.clips import Clip
from runtime.output.products import PRODUCTS
from runtime.output.style import ViewMode
from tests.drawn_media import draw_clip, picture
from tests.qt.conftest import parsed_with_parts, small

pytestmark = pytest.mark.gui
TIMES = [0, *np.cumsum(np.random.default_rng(0).integers(10, 90, 11)).tolist()]


def opened(desktop, qtbot, path: Path) -> None:
    desktop.open(str(path))
    qtbot.waitUntil(lambda: parsed_with_parts(desktop))
    desktop.tick()
    desktop.workspace.choice = ModelChoice("factored-s31", "cpu", 64)


def dialog_of(desktop, tmp_path: Path, *save: str) -> ExportDialog:
    dialog = desktop.exports.ask()
    dialog.folder.setText(str(tmp_path / "exports"))
    for name, box in dialog.products.items():
        box.setChecked(name in save)
    return dialog


def finished(desktop, qtbot, dialog: ExportDialog) -> None:
    dialog.export.click()
    wait_for_exports(desktop, qtbot)


def wait_for_exports(desktop, qtbot) -> None:
    qtbot.waitUntil(lambda: desktop.window.banner.notice is not None and not desktop.jobs.shown())


@pytest.mark.parametrize(
    ("name", "options"), [("fixed", {}), ("turned", {"turn": (90, False), "times_ms": TIMES})]
)
def test_frames_in_are_frames_out_and_the_sound_is_as_long(desktop, qtbot, tmp_path, name, options) -> None:
    clip = draw_clip(tmp_path / f"{name}.mp4", 12, sound=True, **options)
    opened(desktop, qtbot, clip)
    desktop.window.actions_["export"].trigger()
    finished(desktop, qtbot, dialog_of(desktop, tmp_path, "overlay", "matte", "labels"))
    folder = tmp_path / "exports" / f"{name} export" / name
    with Clip(clip) as source:
        times, size = [f.pts_s for f in source.frames()], source.size
    for video in ("overlay.mp4", "matte.mp4"):
        with Clip(folder / video) as written:
            assert np.diff([f.pts_s for f in written.frames()]) == pytest.approx(np.diff(times), abs=1e-3)
            assert written.size == size
    assert len(list((folder / "labels").iterdir())) == 12
    with Image.open(folder / "labels" / "000000.png") as labels:
        assert labels.size == size
    assert abs(sound_s(folder / "overlay.mp4") - sound_s(clip)) <= 1 / 25
    assert "12 frames" in desktop.window.banner.notice.text


def sound_s(path: Path) -> float:
    with av.open(str(path)) as file:
        return sum(f.samples / f.sample_rate for f in file.decode(audio=0)) if file.streams.audio else 0.0


def test_what_was_chosen_is_what_is_exported(desktop, qtbot, tmp_path, clip) -> None:
    opened(desktop, qtbot, clip)
    desktop.playing.set_span(10, 14)
    dialog = dialog_of(desktop, tmp_path, "alpha")
    dialog.alpha.setCurrentIndex(1)
    assert dialog.range.currentText() == "In to out: 10 to 14 (5)"
    finished(desktop, qtbot, dialog)
    with av.open(str(tmp_path / "exports" / "moving export" / "moving" / "cutout.webm")) as cutout:
        assert sum(1 for _ in cutout.decode(video=0)) == 5
    dialog_of(desktop, tmp_path, "csv").export.click()  # never over what is there
    assert (tmp_path / "exports" / "moving export (2)").is_dir()
    assert (desktop.settings.export_alpha, desktop.settings.export_save) == ("webm", ("csv",))
    [job] = desktop.jobs.shown()
    job.cancel()
    qtbot.waitUntil(lambda: not desktop.jobs.shown())
    assert unfinished() == []
    assert not (tmp_path / "exports" / "moving export (2)").exists()


def test_what_cannot_be_exported_is_refused_in_words(desktop, qtbot, tmp_path, clip) -> None:
    action = desktop.window.actions_["export"]
    desktop.tick()
    assert not action.isEnabled()
    assert "Open a clip" in action.toolTip()
    opened(desktop, qtbot, clip)
    assert action.isEnabled()
    desktop.workspace.use_motion()
    dialog = dialog_of(desktop, tmp_path, "overlay")
    assert not dialog.export.isEnabled()
    assert "motion (MOG2): it follows from what the window has shown" in dialog.reason.text()
    dialog.reject()
    desktop.workspace.use_own()
    dialog = dialog_of(desktop, tmp_path)
    assert dialog.reason.text() == "Choose at least one kind of file."
    assert dialog.products.keys() == PRODUCT_WORDS.keys() == PRODUCTS.keys()
    dialog.folder.setText("/proc/nowhere")
    dialog.products["csv"].setChecked(True)
    dialog.export.click()
    assert "Choose another folder" in desktop.window.banner.notice.text


def test_the_x_factor_in_use_goes_along(desktop, qtbot, tmp_path, clip) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    for index in range(50):
        Image.fromarray(np.full((90, 160), 255 * (index % 2), np.uint8)).save(masks / f"{index:06d}.png")
    opened(desktop, qtbot, clip)
    desktop.workspace.use_masks(masks)
    qtbot.waitUntil(lambda: desktop.workspace.xfactor.key == "masks")
    dialog = dialog_of(desktop, tmp_path, "silhouettes")
    finished(desktop, qtbot, dialog)
    folder = tmp_path / "exports" / "moving export" / "moving" / "silhouettes"
    means = [np.asarray(Image.open(folder / f"{i:06d}.png")).mean() for i in range(6)]
    assert min(means[1::2]) > 200
    assert max(means[::2]) < 50


def test_what_is_exported_is_what_was_seen_unless_the_usual_is_chosen(desktop, qtbot, tmp_path) -> None:
    folder = tmp_path / "shots"
    folder.mkdir()
    Image.fromarray(picture(0)).save(folder / "shot.png")
    opened(desktop, qtbot, folder)
    display = desktop.window.display
    display.show(replace(display.style, view=ViewMode.CUT_OUT, hidden=frozenset({3})))
    alone = replace(display.style, alone=True, person=1)
    assert "Hidden people are shown" in lost_style(alone, compared=False)
    assert not file_style(alone).alone
    files = []
    for usual in (0, 1):
        dialog = dialog_of(desktop, tmp_path, "overlay")
        assert dialog.style_box.currentIndex() == 0
        assert "as in the window: Cut-out, some parts hidden" in dialog.words.text()
        dialog.style_box.setCurrentIndex(usual)
        finished(desktop, qtbot, dialog)
        desktop.window.banner.dismiss()
        name = "shots export (2)" if usual else "shots export"
        with Image.open(next((tmp_path / "exports" / name).rglob("shot.jpg"))) as image:
            files.append(np.asarray(image).astype(int))
    green = np.abs(files[0] - (0, 177, 64)).max(axis=2) < 12
    assert green.mean() > 0.1  # the room is gone
    assert (np.abs(files[1] - (0, 177, 64)).max(axis=2) < 12).mean() < 0.02
    assert not desktop.settings.export_as_seen


def test_cancel_ends_it_and_quitting_asks_and_resumes(desktop, qtbot, tmp_path) -> None:
    clip = draw_clip(tmp_path / "long.mp4", 2000)
    opened(desktop, qtbot, clip)
    dialog_of(desktop, tmp_path, "labels").export.click()
    [job] = desktop.jobs.shown()
    qtbot.waitUntil(lambda: job.left_s is not None)
    desktop.tick()
    row = desktop.window.activity._rows[0]
    assert row._name.text() == "Exporting long.mp4"
    assert "left" in row._words.text()
    desktop.window.close()
    [box] = desktop.window.findChildren(QMessageBox)
    assert "goes on where it was" in box.text()
    assert desktop.window.isVisible()
    box.buttons()[0].click()
    assert not desktop.window.isVisible()
    assert desktop.stuck == []
    [record] = unfinished()
    written = len(list((record.job.out / "long" / "labels").iterdir()))
    assert 0 < written < 2000
    next_start = Desktop(SettingsFile(tmp_path / "settings.json"), loader=small)
    qtbot.addWidget(next_start.window)
    next_start.start()
    [job] = [j for j in next_start.jobs.shown() if j.name == "Exporting long.mp4"]
    qtbot.waitUntil(lambda: bool(job.share))
    job.cancel()
    qtbot.waitUntil(lambda: job not in next_start.jobs.shown())
    next_start.stop()
    assert (next_start.stuck, unfinished()) == ([], [])


def test_a_folder_of_pictures_is_exported_whole(desktop, qtbot, tmp_path) -> None:
    folder = tmp_path / "shots"
    folder.mkdir()
    for index in range(3):
        Image.fromarray(picture(index)).save(folder / f"shot {index}.png")
    opened(desktop, qtbot, folder)
    dialog = dialog_of(desktop, tmp_path, "overlay", "alpha")
    assert dialog.products["alpha"].text() == "Cut-out with transparency, PNG"
    dialog.views.setCurrentIndex(dialog.views.findData("1"))
    finished(desktop, qtbot, dialog)
    out = tmp_path / "exports" / "shots export"
    assert sorted(p.name for p in out.glob("*/*")) == sorted(
        f"shot {i}.{s}" for i in range(3) for s in ("jpg", "png")
    )
    assert "3 frames" in desktop.window.banner.notice.text


@pytest.mark.parametrize("what", ["the next clip", "nothing"])
def test_what_the_dialog_names_is_exported_whatever_is_open_by_then(
    desktop, qtbot, tmp_path, clip, monkeypatch, what: str
) -> None:
    opened(desktop, qtbot, clip)
    desktop.playing.set_span(10, 14)
    display, records = desktop.window.display, []
    display.show(replace(display.style, view=ViewMode.CUT_OUT))
    dialog = dialog_of(desktop, tmp_path, "overlay")
    monkeypatch.setattr(desktop.exports, "_run", records.append)
    if what == "nothing":
        desktop.close_source()
    else:
        desktop.open(str(draw_clip(tmp_path / "next.mp4", 3)))
        qtbot.waitUntil(lambda: desktop.workspace.source.path.name == "next.mp4")
    display.show(replace(display.style, view=ViewMode.SILHOUETTE))
    desktop.workspace.choice = ModelChoice("people-s31")
    dialog.export.click()
    [record] = records
    job = record.job
    assert job.sources == (str(clip),)
    assert (job.span.first, job.span.last) == (10, 14)
    assert (job.model, job.size, job.style.view) == ("factored-s31", "64", ViewMode.CUT_OUT)
    assert job.out.name == "moving export"
    record.forget()
