"""Two models side by side on one clip: chosen in the menu, both on the same frame, ended and forgotten."""

from __future__ import annotations

import gc
import threading
import weakref
from dataclasses import replace

import pytest
from PyQt6.QtCore import QPointF, Qt

from app.desktop import Desktop
from runtime.engine.engine import Engine
from runtime.engine.sessions import NoResultError

pytestmark = pytest.mark.gui
OTHER = "people-s31"


def compare(desktop: Desktop, qtbot, model: str = OTHER) -> None:
    """Choose a model as a user does."""
    menu = desktop.window.actions_.menus["beside"]
    desktop.window.actions_.menus["Model"].aboutToShow.emit()
    qtbot.waitUntil(lambda: model in [a.text() for a in menu.actions()])
    next(a for a in menu.actions() if a.text() == model).trigger()
    qtbot.waitUntil(lambda: desktop.comparison.comparing)
    qtbot.waitUntil(lambda: desktop.window.canvas.parsed.beside is not None)


def test_the_model_in_use_is_not_offered_beside_itself(playing, qtbot) -> None:
    menu = playing.window.actions_.menus["beside"]
    playing.window.actions_.menus["Model"].aboutToShow.emit()
    qtbot.waitUntil(lambda: OTHER in [a.text() for a in menu.actions()])
    assert "factored-s31" not in [a.text() for a in menu.actions()]


def companions() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name == "companion"]


def test_both_models_parse_the_frame_on_show_and_are_named(playing, qtbot) -> None:
    canvas, window = playing.window.canvas, playing.window
    compare(playing, qtbot)
    parsed = canvas.parsed
    assert parsed.frame.index == 0, "a paused picture is parsed again"
    assert parsed.parsing is not None
    assert parsed.beside.result.parsing is not None
    left, right = parsed.beside.captions
    assert left.startswith(f"{OTHER}: ")
    assert left.endswith(" ms")
    assert right.startswith("factored-s31: ")
    assert window.display.style.split
    assert companions() == ["companion"], "one thread more"
    playing.tick()
    assert window.status._fps.text() == "paused"
    assert window.controls._split.text() == f"{OTHER} | factored-s31"
    seen: list[tuple[int, bool]] = []
    canvas.painted.connect(lambda: seen.append((canvas.parsed.frame.index, canvas.parsed.beside is not None)))
    playing.window.actions_["loop"].trigger()
    playing.playing.toggle()
    qtbot.waitUntil(lambda: len(seen) > 5)
    assert all(beside for _, beside in seen), "every frame in both halves"


def test_the_line_is_moved_by_keys_and_the_words_are_of_the_side(playing, qtbot) -> None:
    window, canvas = playing.window, playing.window.canvas
    compare(playing, qtbot)
    window.activateWindow()
    for key, at in ((Qt.Key.Key_Left, 0.45), (Qt.Key.Key_Right, 0.5), (Qt.Key.Key_Right, 0.55)):
        qtbot.keyClick(window, key, Qt.KeyboardModifier.ControlModifier)
        assert window.display.style.split_at == pytest.approx(at)
    for _ in range(12):
        window.actions_["split-right"].trigger()
    assert window.display.style.split_at == 1.0
    window.display.show(replace(window.display.style, split_at=0.5))
    area = canvas._area()
    for across, result in ((0.2, canvas.parsed.beside.result), (0.8, canvas.parsed.result)):
        at = QPointF(area.left() + across * area.width(), area.center().y())
        assert canvas._result_at(at) is result


@pytest.mark.parametrize("end", ["end-beside", "split"])
def test_the_end_gives_the_memory_and_the_thread_back(playing, qtbot, end: str) -> None:
    window = playing.window
    compare(playing, qtbot)
    session = weakref.ref(playing.pipeline.companion.engine.sessions[0])
    window.actions_[end].trigger()
    assert not playing.comparison.comparing
    assert not window.display.style.split
    qtbot.waitUntil(lambda: window.canvas.parsed.beside is None)
    qtbot.waitUntil(lambda: not companions())
    gc.collect()
    assert session() is None
    playing.tick()
    assert window.controls._split.text() == "Before | after"
    assert window.canvas._remarks == ("", "")
    assert not window.actions_["end-beside"].isEnabled()


def test_a_model_that_fails_says_so_in_its_half_and_the_other_goes_on(playing, qtbot, monkeypatch) -> None:
    canvas, real, failing = playing.window.canvas, Engine.parse, [OTHER]

    def parse(engine: Engine, frame, smoothing=None):
        if engine.name in failing:
            raise NoResultError("out of memory")
        return real(engine, frame, smoothing)

    compare(playing, qtbot)
    monkeypatch.setattr(Engine, "parse", parse)
    playing.pipeline.show_again()
    qtbot.waitUntil(lambda: canvas.parsed.beside.result is None)
    assert canvas.parsed.beside.captions[0] == f"{OTHER}: no result (out of memory)"
    assert canvas.parsed.parsing is not None
    failing[:] = ["factored-s31"]
    playing.pipeline.show_again()
    qtbot.waitUntil(lambda: canvas.parsed.result is None)
    assert canvas.parsed.beside.result.parsing is not None
    assert canvas.parsed.beside.captions[1] == "factored-s31: no result"


def test_a_model_that_does_not_load_is_refused_and_nothing_changes(playing, qtbot) -> None:
    playing.comparison.begin("/nowhere/model.onnx")
    qtbot.waitUntil(lambda: playing.window.banner.notice is not None)
    assert "/nowhere/model.onnx" in playing.window.banner.notice.text
    assert not playing.comparison.comparing
    assert not playing.window.display.style.split


def test_views_of_a_still_picture_are_those_of_the_model_in_use(playing, qtbot) -> None:
    compare(playing, qtbot, "joints-s31")
    companion = playing.pipeline.companion
    assert companion.engine.views == playing.workspace.engine.views
    playing.workspace.set_views("6")
    playing.tick()
    assert companion.engine.views == playing.workspace.engine.views
    assert companion.engine.views.count == 6
