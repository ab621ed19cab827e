"""What a user does with the window, and what they see."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QLabel

from models.labels import S31
from runtime.output.palettes import colours
from runtime.output.style import ViewMode

pytestmark = pytest.mark.gui


def seen(desktop) -> np.ndarray:
    """(h, w, 3) RGB of the canvas."""
    image = desktop.window.canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    bits = image.bits()
    bits.setsize(image.sizeInBytes())
    rows = np.frombuffer(bits, np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def test_the_welcome_page_offers_something_and_nothing_is_on(desktop) -> None:
    window = desktop.window
    assert window.welcome.isVisible()
    assert desktop.pipeline.capture is None
    for name in ("snapshot", "record", "play", "close", "mirror", "keep-factor", "cancel-job"):
        assert not window.actions_[name].isEnabled(), name


def test_a_clip_plays_with_parts_and_joins_the_recent_ones(desktop, clip, qtbot) -> None:
    desktop.open(str(clip))
    qtbot.waitUntil(lambda: desktop.window.canvas.parsed is not None)
    qtbot.waitUntil(lambda: desktop.window.canvas.parsed.parsing is not None)
    assert desktop.window.canvas.isVisible()
    assert desktop.settings.recent == (str(clip),)
    assert desktop.window.windowTitle().startswith("moving.mp4")
    qtbot.waitUntil(lambda: desktop.playing.place().frames == 50)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (Qt.Key.Key_Right, 1),
        (Qt.Key.Key_End, 49),
        (Qt.Key.Key_Home, 0),
    ],
)
def test_the_player_s_keys_are_exact(playing, qtbot, showing, key, expected: int) -> None:
    qtbot.keyClick(playing.window, key)
    showing(playing, expected)


def test_ten_forward_one_back_and_play(playing, qtbot, showing) -> None:
    qtbot.keyClick(playing.window, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    showing(playing, 10)
    qtbot.keyClick(playing.window, Qt.Key.Key_Left)
    showing(playing, 9)
    qtbot.keyClick(playing.window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: playing.window.canvas.parsed.frame.index > 12)


def test_the_time_line_seeks_where_it_is_clicked(playing, qtbot, showing) -> None:
    line = playing.window.transport.timeline
    playing.tick()
    x = round(line._x(25))
    qtbot.mouseClick(line, Qt.MouseButton.LeftButton, pos=QPoint(x, line.height() // 2))
    showing(playing, 25)


def test_every_view_is_one_key_away_and_looks_different(playing, qtbot) -> None:
    pictures, views = {}, [v for v in ViewMode if v is not ViewMode.INSTANCES]  # this model finds no people
    for key, view in zip("1234569", views, strict=True):
        qtbot.keyClick(playing.window, key)
        assert playing.window.display.style.view is view
        pictures[view] = seen(playing).astype(int)
    for i, a in enumerate(views):
        for b in views[i + 1 :]:
            apart = np.abs(pictures[a] - pictures[b]).max(axis=2)
            lines = {a, b} == {ViewMode.SKELETON, ViewMode.PICTURE}  # apart by joints and bones alone
            assert (apart > 30).mean() > (0.0003 if lines else 0.15), (a, b)
    silhouette = pictures[ViewMode.SILHOUETTE]
    assert np.ptp(silhouette) > 200, "black and white"
    assert np.ptp(silhouette, axis=2).max() < 30, "and no colour"


def test_parts_only_shows_the_colours_of_the_labels(playing, qtbot) -> None:
    qtbot.keyClick(playing.window, "2")
    picture = seen(playing)
    canvas = playing.window.canvas
    labels = canvas.parsed.parsing.labels
    table = colours(S31, colour_blind=False)
    area = canvas._area()
    checked = 0
    height, width = labels.shape
    for y in range(2, height - 2, 3):
        for x in range(2, width - 2, 3):
            if (labels[y - 2 : y + 3, x - 2 : x + 3] != labels[y, x]).any():
                continue  # near an edge two colours mix
            px = int(area.left() + (x + 0.5) / width * area.width())
            py = int(area.top() + (y + 0.5) / height * area.height())
            assert np.abs(picture[py, px].astype(int) - table[labels[y, x]]).max() <= 2
            checked += 1
    assert checked > 20


def test_the_cut_out_never_shows_the_room_without_a_result(playing, qtbot) -> None:
    """Fail closed: no silhouette, no picture; in the overlay the picture goes on (G04)."""
    qtbot.keyClick(playing.window, "4")
    playing.pipeline.use(None)
    qtbot.waitUntil(lambda: playing.window.canvas.parsed.parsing is None)
    area = playing.window.canvas._area().toAlignedRect()
    inside = (slice(area.top() + 3, area.bottom() - 3), slice(area.left() + 3, area.right() - 3))
    assert seen(playing)[inside].max() == 0
    qtbot.keyClick(playing.window, "1")
    assert seen(playing)[inside].max() > 100


def test_before_after_shows_the_picture_left_of_the_line(playing, qtbot) -> None:
    qtbot.keyClick(playing.window, "9")
    plain = seen(playing)
    qtbot.keyClick(playing.window, "2")
    parts = seen(playing)
    qtbot.keyClick(playing.window, "8")
    split = seen(playing)
    middle = split.shape[1] // 2
    different = np.abs(split[:, : middle - 20].astype(int) - plain[:, : middle - 20]).max(axis=2) > 8
    assert different.mean() < 0.01
    different = np.abs(split[:, middle + 20 :].astype(int) - parts[:, middle + 20 :]).max(axis=2) > 8
    assert different.mean() < 0.01  # a clip moves the samples of a scaled image by a fraction of a pixel


def test_the_line_is_dragged(playing, qtbot) -> None:
    qtbot.keyClick(playing.window, "8")
    canvas = playing.window.canvas
    area = canvas._area()
    start = QPoint(round(area.center().x()), round(area.center().y()) + 40)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(canvas, QPoint(round(area.left() + area.width() * 0.25), start.y()))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton)
    assert playing.window.display.style.split_at == pytest.approx(0.25, abs=0.01)


def test_eye_and_solo_hide_parts(playing, qtbot) -> None:
    qtbot.keyClick(playing.window, "2")
    labels = playing.window.canvas.parsed.parsing.labels
    part = int(np.bincount(labels.ravel())[1:].argmax()) + 1
    legend = playing.window.controls.legend
    legend.soloed.emit(part)
    assert playing.window.display.style.solo == part
    alone = seen(playing)
    legend.soloed.emit(part)
    legend.eyed.emit([part], False)
    assert playing.window.display.style.hidden == {part}
    colour = colours(S31, colour_blind=False)[part]
    close = (np.abs(alone.astype(int) - colour).max(axis=2) <= 2).sum()
    hidden = (np.abs(seen(playing).astype(int) - colour).max(axis=2) <= 2).sum()
    assert close > 10 * max(1, hidden)


def test_the_part_under_the_cursor_is_named(playing, qtbot) -> None:
    canvas = playing.window.canvas
    parsing = canvas.parsed.parsing
    area = canvas._area()
    with qtbot.waitSignal(canvas.pointed) as told:
        qtbot.mouseMove(canvas, area.center().toPoint())
    y, x = (s // 2 for s in parsing.labels.shape)
    label = int(parsing.labels[y, x])
    sure = round(int(parsing.confidence[y, x]) / 2.55)
    assert told.args == [f"{S31.label(label)} {sure} %"]


def test_zoom_keeps_the_point_under_the_cursor(playing) -> None:
    canvas = playing.window.canvas
    at = QPointF(canvas.width() * 0.3, canvas.height() * 0.5)
    before = canvas._to_fraction(at)
    canvas.zoom(4, at)
    after = canvas._to_fraction(at)
    assert abs(before.x() - after.x()) < 0.01
    canvas.fit()
    assert max(canvas._area().width() - canvas.width(), canvas._area().height() - canvas.height()) <= 1e-6


def test_what_is_kept_has_no_hud_and_the_picture_s_size(playing, qtbot, tmp_path) -> None:
    from dataclasses import replace

    from PIL import Image

    playing.settings = replace(playing.settings, recordings=str(tmp_path / "kept"))
    qtbot.keyClick(playing.window, "i")
    qtbot.keyClick(playing.window, "9")
    qtbot.keyClick(playing.window, "s")
    banner = playing.window.banner
    qtbot.waitUntil(lambda: banner.notice is not None and "Saved" in banner.notice.text)
    (path,) = (tmp_path / "kept").glob("*.png")
    assert (np.array(Image.open(path)) == playing.window.canvas.parsed.frame.image).all()


def test_a_recording_of_what_is_seen_plays(playing, qtbot, tmp_path) -> None:
    from dataclasses import replace

    from runtime.media.clips import Clip

    playing.settings = replace(playing.settings, recordings=str(tmp_path / "kept"))
    qtbot.keyClick(playing.window, "r")
    assert playing.window.actions_["record"].isChecked()
    qtbot.keyClick(playing.window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: playing.pipeline.recorder.written > 5)
    qtbot.keyClick(playing.window, "r")
    qtbot.waitUntil(lambda: not playing.pipeline.recorder.is_alive())
    playing.tick()
    assert not playing.window.actions_["record"].isChecked()
    with Clip(playing.pipeline.recorder.path) as kept:
        assert kept.size == (160, 90)
        assert sum(1 for _ in kept.frames()) == playing.pipeline.recorder.written


def test_text_from_files_is_never_markup(desktop, tmp_path, qtbot) -> None:
    """J08: every label shows plain text, and a name full of markup is shown letter by letter."""
    name = "<img src='http:__x'><b>a&b"
    path = tmp_path / f"{name}.png"
    from PIL import Image

    Image.new("RGB", (40, 30)).save(path)
    desktop.open(str(path))
    qtbot.waitUntil(lambda: desktop.settings.recent == (str(path),))
    desktop.open(str(tmp_path / f"{name}.mp4"))
    qtbot.waitUntil(lambda: desktop.window.banner.notice is not None)
    assert name in desktop.window.banner._text.text()
    assert name in desktop.window.status._source.text()
    labels = desktop.window.findChildren(QLabel)
    assert labels
    rich = [x.text() for x in labels if x.text() and x.textFormat() is not Qt.TextFormat.PlainText]
    assert rich == []


def test_full_screen_keeps_its_keys(playing, qtbot, showing) -> None:
    qtbot.keyClick(playing.window, "f")
    assert not playing.window.menuBar().isVisible()
    qtbot.keyClick(playing.window, Qt.Key.Key_Right)
    showing(playing, 1)
    qtbot.keyClick(playing.window, Qt.Key.Key_Escape)
    assert playing.window.menuBar().isVisible()


def test_every_action_is_in_a_menu_and_no_key_is_given_twice(desktop) -> None:
    keys: dict[str, str] = {}
    in_menus = {a for menu in desktop.window.actions_.menus.values() for a in menu.actions()}
    for name, action in desktop.window.actions_.by_name.items():
        assert action in in_menus, name
        for key in action.shortcuts():
            text = key.toString()
            assert keys.setdefault(text, name) == name, f"{text}: {keys[text]} and {name}"
    missing = [
        n for n, a in desktop.window.actions_.by_name.items() if not a.shortcuts() and not a.isSeparator()
    ]
    assert missing == []


def test_themes_change_what_is_seen(desktop) -> None:
    colours_seen = []
    for theme in ("dark", "light"):
        desktop.window.theme_chosen.emit(theme)
        colours_seen.append(desktop.window.palette().window().color().lightness())
    assert colours_seen[0] < 60
    assert colours_seen[1] > 200
    assert desktop.settings.theme == "light"


def test_choices_are_remembered(desktop, qtbot) -> None:
    qtbot.keyClick(desktop.window, "3")
    qtbot.keyClick(desktop.window, "b", Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(desktop.window, "t")
    desktop.stop()
    kept = type(desktop.settings_file)(desktop.settings_file.path).load()
    assert (kept.view, kept.palette, kept.smoothing) == ("silhouette", "colour-blind", False)
    assert kept.model == "factored-s31"
