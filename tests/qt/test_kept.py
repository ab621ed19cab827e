"""Snapshots and recordings: transparency, names, and the folder they go to."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QFileDialog

from runtime.output.backdrop import Backdrop, BackdropKind
from tests.qt.conftest import pause

pytestmark = pytest.mark.gui


@pytest.fixture
def cut_out(playing, qtbot, tmp_path):
    """A window that keeps what it shows in `kept`: a cut-out before nothing, frame 7."""
    playing.settings = replace(playing.settings, recordings=str(tmp_path / "kept"))
    playing.window.actions_["loop"].trigger()
    playing.pipeline.capture.seek(7)
    qtbot.waitUntil(lambda: playing.window.canvas.parsed.frame.index == 7)
    qtbot.keyClick(playing.window, "4")
    playing.window.display.choose_behind(Backdrop(BackdropKind.CHECKS))
    return playing


def kept(desktop, qtbot, pattern: str) -> Path:
    banner = desktop.window.banner
    qtbot.waitUntil(lambda: banner.notice is not None and "Saved" in banner.notice.text)
    (path,) = Path(desktop.settings.recordings).glob(pattern)
    return path


def test_a_snapshot_before_nothing_has_transparency_and_a_telling_name(cut_out, qtbot) -> None:
    qtbot.keyClick(cut_out.window, "s")
    path = kept(cut_out, qtbot, "*.png")
    assert path.name.startswith("moving frame 7 20")
    parsed = cut_out.window.canvas.parsed
    with Image.open(path) as picture:
        assert (picture.mode, picture.size) == ("RGBA", (160, 90))
        rgba = np.array(picture)
    alpha = rgba[..., 3]
    assert alpha.min() == 0  # the room is not there, not even under its transparency
    assert not rgba[alpha == 0].any()
    assert alpha.max() == 255
    assert np.abs(rgba[alpha == 255][:, :3].astype(int) - parsed.frame.image[alpha == 255]).max() <= 1
    cut_out.window.actions_["copy-picture"].trigger()
    assert QGuiApplication.clipboard().image().hasAlphaChannel()


def test_a_recording_before_nothing_is_prores_with_transparency(cut_out, qtbot) -> None:
    qtbot.keyClick(cut_out.window, "r")
    cut_out.playing.toggle()
    recorder = cut_out.pipeline.recorder
    qtbot.waitUntil(lambda: recorder.written > 2)
    qtbot.keyClick(cut_out.window, "2")  # another view: the file stays what it is
    written = recorder.written
    qtbot.waitUntil(lambda: recorder.written > written + 2)
    qtbot.keyClick(cut_out.window, "r")
    qtbot.waitUntil(lambda: not recorder.is_alive())
    path = kept(cut_out, qtbot, "*.mov")
    with av.open(str(path)) as file:
        frames = [f.to_ndarray(format="rgba")[..., 3] for f in file.decode(video=0)]
    assert len(frames) == recorder.written
    assert frames[0].min() < 10
    assert frames[0].max() > 245
    assert frames[-1].min() > 245


def test_the_folder_of_recordings_is_chosen(playing, qtbot, tmp_path) -> None:
    (tmp_path / "mine").mkdir()
    playing.window.actions_["recordings-folder"].trigger()
    [dialog] = playing.window.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "mine"))
    assert playing.settings.recordings == str(tmp_path / "mine")
    dialog.close()
    qtbot.keyClick(playing.window, "s")
    assert kept(playing, qtbot, "*.png").parent == tmp_path / "mine"


def test_a_picture_that_rests_is_decided_at_its_own_size(playing, qtbot) -> None:
    canvas = playing.window.canvas
    first = canvas.parsed
    qtbot.waitUntil(lambda: canvas.parsed.fine)
    fine = canvas.parsed
    assert fine.parsing.labels.shape == (90, 160) != first.parsing.labels.shape
    assert fine.frame is first.frame
    assert (fine.parsing.labels > 0).mean() == pytest.approx((first.parsing.labels > 0).mean(), abs=0.02)
    qtbot.wait(400)
    assert canvas.parsed is fine  # once
    playing.pipeline.capture.step(1)
    qtbot.waitUntil(lambda: canvas.parsed.frame.index == 1 and canvas.parsed.fine)
    playing.playing.toggle()
    qtbot.waitUntil(lambda: canvas.parsed.frame.index > 10)
    assert not canvas.parsed.fine


def test_a_snapshot_of_what_plays_is_decided_at_picture_size(playing, qtbot, tmp_path) -> None:
    playing.settings = replace(playing.settings, recordings=str(tmp_path / "kept"))
    qtbot.keyClick(playing.window, "2")
    playing.playing.toggle()
    qtbot.waitUntil(lambda: playing.window.canvas.parsed.frame.index > 20)
    index = playing.window.canvas.parsed.frame.index
    playing.recordings.snapshot()
    path = kept(playing, qtbot, f"moving frame {index} *.png")
    pause(playing)
    playing.playing.seek(index)
    canvas = playing.window.canvas
    qtbot.waitUntil(lambda: canvas.parsed.frame.index == index and canvas.parsed.fine)
    with Image.open(path) as picture:
        person = np.array(picture).any(axis=2)
    labels = canvas.parsed.parsing.labels
    assert (person != (labels > 0)).mean() < 0.01


def test_a_silhouette_from_outside_sees_no_frame_twice(playing, qtbot) -> None:
    playing.workspace.use_motion()
    qtbot.wait(600)
    assert not playing.window.canvas.parsed.fine


def test_c10_a_window_that_is_closed_while_it_records_leaves_a_video_that_plays(cut_out, qtbot) -> None:
    qtbot.keyClick(cut_out.window, "2")
    qtbot.keyClick(cut_out.window, "r")
    cut_out.playing.toggle()
    recorder = cut_out.pipeline.recorder
    qtbot.waitUntil(lambda: recorder.written > 2)
    began_s = time.monotonic()
    cut_out.window.close()
    assert time.monotonic() - began_s < 10
    assert not recorder.is_alive()
    with av.open(str(recorder.path)) as video:
        assert sum(1 for _ in video.decode(video=0)) == recorder.written
