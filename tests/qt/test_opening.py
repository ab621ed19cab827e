"""Dropping and opening: what is good is shown, what is not leaves everything as it was."""

from __future__ import annotations

import time

import pytest
from PyQt6.QtCore import QMimeData, QUrl

from runtime.media.capture import Playback
from tests.qt.dropping import drop, files

pytestmark = pytest.mark.gui


def test_dropping_a_clip_a_picture_a_folder_a_link_and_a_model(desktop, clip, tmp_path, qtbot) -> None:
    from PIL import Image

    Image.new("RGB", (40, 30), (200, 0, 0)).save(tmp_path / "red.png")
    for data, size in (
        (files(clip), (160, 90)),
        (files(tmp_path / "red.png"), (40, 30)),
        (files(tmp_path), (40, 30)),
    ):
        assert drop(desktop, data)
        qtbot.waitUntil(
            lambda s=size: (
                desktop.pipeline.opening is None
                and desktop.window.canvas.parsed is not None
                and desktop.window.canvas.parsed.frame.size == s
            )
        )
    link = QMimeData()
    link.setText("https://youtube.com.example.org/watch?v=1")
    assert drop(desktop, link)
    assert "only links to YouTube are taken" in desktop.window.banner.notice.text
    words = QMimeData()
    words.setText("just words")
    assert not drop(desktop, words)
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"not a model")
    assert drop(desktop, files(bad))
    qtbot.waitUntil(lambda: "bad.onnx" in desktop.window.banner.notice.text)
    assert desktop.window.canvas.parsed is not None  # the picture is still there


def test_the_name_of_what_opens_stands_for_the_numbers_until_its_first_picture(
    playing, tmp_path, qtbot
) -> None:
    """No number, no part and no hardware of the source before, from the question to the picture."""
    from PIL import Image

    Image.new("RGB", (40, 30), (200, 0, 0)).save(tmp_path / "red.png")
    window, status = playing.window, playing.window.status
    window.actions_["hud"].setChecked(True)
    playing.tick()
    assert (status._fps.text(), status._badge.isHidden()) == ("paused", False)
    assert window.canvas._metrics is not None
    status.show_under("torso 98 %")
    playing.open(str(tmp_path / "red.png"))
    assert (status._fps.text(), status._badge.isHidden()) == ("Opening red.png…", True)
    qtbot.waitUntil(lambda: window.canvas.parsed.frame.size == (40, 30))
    assert (status._fps.text(), status._badge.isHidden()) == ("still picture", False)
    assert status._under.text() == ""


def test_a_source_that_is_ready_but_not_parsed_shows_no_numbers_of_the_one_before(playing, clip) -> None:
    """The event loop rests here: the frame has been read, and its result cannot come on show."""
    playing.window.actions_["hud"].setChecked(True)
    playing.tick()
    playing.open(str(clip))
    opening, until_s = playing.pipeline.opening, time.monotonic() + 20
    while not opening.ready and time.monotonic() < until_s:
        time.sleep(0.01)
    playing.tick()
    assert playing.pipeline.capture is opening
    status = playing.window.status
    assert (status._fps.text(), status._badge.isHidden()) == ("Opening moving.mp4…", True)
    assert (status._age.text(), status._dropped.text(), playing.window.canvas._metrics) == ("", "", None)


def test_a_file_that_is_no_video_leaves_the_window_as_it_was(desktop, clip, tmp_path, qtbot) -> None:
    """After the fault a good source works again."""
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0\0\0\x18ftypmp42" + b"\0" * 500)
    desktop.open(str(broken))
    qtbot.waitUntil(lambda: desktop.window.banner.notice is not None)
    assert "broken.mp4" in desktop.window.banner.notice.text
    qtbot.waitUntil(desktop.window.welcome.isVisible)
    assert desktop.settings.recent == ()
    desktop.open(str(clip))
    qtbot.waitUntil(desktop.window.canvas.isVisible)


def test_an_unusable_drop_over_a_playing_clip_changes_nothing_but_the_banner(
    playing, clip, tmp_path, qtbot
) -> None:
    """Three kinds of junk over a clip that goes on playing, named and in the recent ones as before."""
    (tmp_path / "note.txt").write_text("hello")
    (tmp_path / "fake.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + b"\0" * 500)
    (tmp_path / "empty").mkdir()
    playing.pipeline.capture.play(Playback(speed=0.2))
    for name in ("note.txt", "fake.mp4", "empty"):
        playing.window.banner.dismiss()
        drop(playing, files(tmp_path / name))
        qtbot.waitUntil(lambda n=name: n in getattr(playing.window.banner.notice, "text", ""))
        before = playing.window.canvas.parsed.frame.index
        qtbot.waitUntil(lambda b=before: playing.window.canvas.parsed.frame.index > b)
        playing.tick()
        assert playing.window.canvas.isVisible()
        assert playing.window.windowTitle().startswith("moving.mp4")
        assert playing.window.status._source.text() == "moving.mp4"
        assert playing.settings.recent == (str(clip),)
        assert playing.playing.place().frames == 50
        assert playing.pipeline.opening is None


def test_a21_many_files_a_folder_in_itself_another_machine_s_file_and_shortcuts(
    desktop, clip, tmp_path, qtbot
) -> None:
    """The first of many is opened, the others wait; the rest is refused by name, and nothing is followed."""
    many = [clip, *(tmp_path / f"{n}.png" for n in range(499))]
    assert drop(desktop, files(*many))
    assert len(desktop.play_list.entries) == 500
    qtbot.waitUntil(lambda: desktop.window.canvas.parsed is not None)
    assert "(1 of 500)" in desktop.window.status._source.text()
    assert desktop.window.windowTitle().startswith(clip.name)
    (tmp_path / "round").mkdir()
    (tmp_path / "round" / "again").symlink_to(tmp_path / "round")
    (tmp_path / "a.url").write_text("[InternetShortcut]\nURL=file:///etc/passwd\n")
    (tmp_path / "a.desktop").write_text("[Desktop Entry]\nType=Link\nURL=https://example.org/a.mp4\n")
    elsewhere = QMimeData()
    elsewhere.setUrls([QUrl("file://host/share/a.mp4")])
    cases = [(files(tmp_path / n), n) for n in ("round", "a.url", "a.desktop")] + [(elsewhere, "a.mp4")]
    for data, name in cases:
        desktop.window.banner.dismiss()
        drop(desktop, data)
        qtbot.waitUntil(lambda n=name: n in getattr(desktop.window.banner.notice, "text", ""))
        assert desktop.window.windowTitle().startswith(clip.name)
