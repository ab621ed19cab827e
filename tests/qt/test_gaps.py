"""The window answers while what is dropped on it is looked at: no gap of more than 100 ms."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from app.desktop import Desktop
from app.live.model_choice import ModelChoice
from runtime.library.factors import user_factors
from runtime.system.files import make_private_dir
from tests.qt.dropping import drop, files
from tests.qt.gaps import Pulse
from tests.unit.runtime.model_files import crafted, hostile

pytestmark = pytest.mark.gui

LONGEST_MS = 100.0
TRIES = 5  # a busy machine makes a gap now and then, what is done on the wrong thread makes one each time


class Stopwatch(Pulse):
    """A pulse that ends."""

    def stop(self) -> float:
        """The longest pause, ms."""
        self.beat()
        self._timer.stop()
        return max(self.gaps_ms)


def settled(desktop: Desktop) -> bool:
    running = desktop.jobs._running
    return not (running or desktop.jobs._todo or desktop.jobs._beside or desktop.jobs._ended)


def longest_gap(desktop: Desktop, act: Callable[[], object], qtbot) -> float:
    """While something is done, and all that it starts."""
    pulse = Stopwatch()
    act()
    qtbot.waitUntil(lambda: settled(desktop))
    return pulse.stop()


@pytest.mark.parametrize("megabytes", [20, 200])
def test_r8_descriptions_of_millions_of_fields(
    playing: Desktop, tmp_path: Path, qtbot, megabytes: int
) -> None:
    """Measured: 8 to 55 ms on a busy machine, where the window stood still for 21 s."""
    entry = b"\x18\x01" * (megabytes << 19)
    factor = crafted.personalised(crafted.trunk()) + hostile._span(14, entry)
    paths = tmp_path / "bomb.onnx", tmp_path / "bomb.factor.onnx"
    paths[0].write_bytes(hostile.with_metadata(entry))
    paths[1].write_bytes(factor)
    (make_private_dir(user_factors().folder) / "bomb.factor.onnx").write_bytes(factor)
    for act in (
        *(lambda p=p: drop(playing, files(p)) for p in paths),
        playing.window.actions_.menus["X factor"].aboutToShow.emit,
        playing.window.actions_.menus["Model"].aboutToShow.emit,
    ):
        assert any(longest_gap(playing, act, qtbot) < LONGEST_MS for _ in range(TRIES))
    assert playing.workspace.xfactor.key == "own"
    assert "bomb" in playing.window.banner.notice.text


def test_a_comparison_of_models_begins_runs_and_ends(playing: Desktop, qtbot) -> None:
    frames: list[int] = []
    canvas, comparison = playing.window.canvas, playing.comparison
    canvas.painted.connect(
        lambda: canvas.parsed.beside is not None and frames.append(canvas.parsed.frame.index)
    )
    playing.window.actions_["loop"].trigger()
    playing.playing.toggle()

    def gap() -> float:
        frames.clear()
        pulse = Stopwatch()
        comparison.begin("people-s31")
        qtbot.waitUntil(lambda: len(frames) > 10)
        comparison.end()
        qtbot.waitUntil(lambda: canvas.parsed.beside is None)
        return pulse.stop()

    assert any(gap() < LONGEST_MS for _ in range(TRIES))


def test_a_model_a_clip_and_the_plot_that_is_drawn_as_it_plays(playing: Desktop, clip: Path, qtbot) -> None:
    canvas, workspace, plot = playing.window.canvas, playing.workspace, playing.window.actions_["movement"]

    def gap(act: Callable[[], object], over: Callable[[], bool]) -> float:
        pulse = Stopwatch()
        act()
        qtbot.waitUntil(over)
        return pulse.stop()

    def parsed_by_another() -> bool:
        return canvas.parsed.engine_id not in {before, None}

    def opened_again() -> bool:
        return canvas.parsed.frame.source != source

    def drawn() -> bool:
        return bool(playing.movement.plot and playing.movement.plot._lines)

    def show() -> None:
        if playing.movement.plot is not None:
            playing.movement.plot._lines.clear()
        playing.movement._drawn = None
        if not plot.isChecked():
            plot.trigger()

    longest: dict[str, list[float]] = {"model": [], "clip": [], "plot": []}
    for model in ("people-s31", "factored-s31") * 3:
        before, source = canvas.parsed.engine_id, canvas.parsed.frame.source
        load = partial(workspace.load, ModelChoice(model, "cpu", 96), "")
        longest["model"].append(gap(load, parsed_by_another))
        longest["clip"].append(gap(partial(playing.open, str(clip)), opened_again))
        longest["plot"].append(gap(show, drawn))
        if all(min(of) <= LONGEST_MS for of in longest.values()):
            break
    assert {name for name, of in longest.items() if min(of) > LONGEST_MS} == set()
