"""Movement in the window: collected, plotted, corrected, saved."""

from __future__ import annotations

import csv
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtSvg import QSvgRenderer

from app.batch.options import ParseJob
from app.controllers import movement as module
from app.controllers.movement import FEWEST
from app.desktop import Desktop
from app.ui.movement_plot import Curve, MovementPlot
from models.labels import S31
from runtime.movement.corrections import load_corrections
from runtime.movement.history import MovementHistory
from runtime.movement.sides import SideSwap
from runtime.movement.sightings import Landmarks
from runtime.output import movement_csv
from runtime.output.movement_csv import read
from tests.qt.conftest import pause
from tests.qt.test_gaps import settled

pytestmark = pytest.mark.gui


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XFACTOR_HOME", str(tmp_path / "home"))


@pytest.fixture
def plotted(playing: Desktop, qtbot) -> Desktop:
    """A clip of which all frames were played, with the plot under the time line."""
    movement = playing.movement
    playing.window.actions_["movement"].trigger()
    playing.window.actions_["loop"].trigger()  # a busy machine drops frames
    playing.playing.toggle()
    qtbot.waitUntil(lambda: movement.history.frames > 30)
    pause(playing)
    qtbot.waitUntil(lambda: movement.plot is not None and len(movement.plot._lines) == 5)
    return playing


def test_frames_seen_are_plotted_and_a_click_goes_there(plotted: Desktop, showing, qtbot) -> None:
    movement, plot, timeline = plotted.movement, plotted.movement.plot, plotted.window.transport.timeline
    drawn = {n: np.isfinite(line.getOriginalDataset()[1]).sum() for n, line in plot._lines.items()}
    assert "right hand" in drawn
    assert max(drawn.values()) > 5  # a busy machine drops frames, and who moved between them is not known
    box = plot.getPlotItem().getViewBox()
    at = plot.mapFromScene(box.mapViewToScene(QPointF(20, 0)))
    assert abs(at.x() - timeline._x(20)) < 2  # one x axis
    qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(at.x(), 40))
    showing(plotted, 20)
    qtbot.waitUntil(lambda: plot._head.value() == 20)
    before = movement.history.frames
    plotted.playing.seek(21)
    showing(plotted, 21)
    assert movement.history.frames in {before, before + 1}


def test_plot_and_time_line_are_zoomed_together(plotted: Desktop, qtbot) -> None:
    plot, timeline = plotted.movement.plot, plotted.window.transport.timeline
    qtbot.waitUntil(lambda: plot._frames == 50)
    wheel = QWheelEvent(
        QPointF(timeline._x(30), 10), QPointF(0, 0), QPoint(), QPoint(0, 240),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    timeline.wheelEvent(wheel)
    first, last = plot.getPlotItem().getViewBox().viewRange()[0]
    assert (first, last) == pytest.approx(timeline._range)
    assert last - first == pytest.approx(49 / 1.25**2)
    assert first < 30 < last
    plot.show_range(5, 25)
    assert timeline._range == pytest.approx((5, 25))
    assert timeline._index(timeline._x(12)) == 12
    plot.show_range(0, 49)
    assert timeline._range is None


def test_measures_and_parts_are_chosen(plotted: Desktop, qtbot) -> None:
    movement, window = plotted.movement, plotted.window
    movement.choose("angle")
    qtbot.waitUntil(lambda: "right knee" in movement.plot._lines)
    assert [a.text() for a in window.actions_.menus["measures"].actions() if a.isChecked()][
        -1
    ] == "Joint angles"
    movement.choose("area")
    window.display.show(window.display.style.with_solo(S31.id("luleg")))
    qtbot.waitUntil(lambda: list(movement.plot._lines) == ["left upper leg"])
    window.actions_["movement"].trigger()
    assert not movement.plot.isVisible()
    assert window.transport.timeline._left == 10


def test_one_key_exchanges_the_sides_from_here_on(playing: Desktop, clip: Path, showing, qtbot) -> None:
    window, parsing = playing.window, playing.window.canvas.parsed.parsing
    legs = (S31.id("ruleg"), S31.id("luleg"))

    def areas() -> list[int]:
        return [int((window.canvas.parsed.parsing.labels == part).sum()) for part in legs]

    before = areas()
    assert before[0] != before[1]
    window.actions_["swap-sides"].trigger()
    qtbot.waitUntil(lambda: areas() == before[::-1])
    assert "exchanged from frame 0 on" in window.status.currentMessage()
    kept = (SideSwap(0, "arms"), SideSwap(0, "legs"))
    qtbot.waitUntil(lambda: load_corrections(clip) == kept)
    qtbot.waitUntil(lambda: 0 in window.transport.timeline._marks)
    playing.open(str(clip))  # another time: it is remembered
    qtbot.waitUntil(lambda: playing.movement.corrections == kept)
    window.actions_["swap-sides"].trigger()
    qtbot.waitUntil(lambda: not load_corrections(clip))
    assert parsing is not None


def test_a_swap_is_marked_and_found(plotted: Desktop, showing, qtbot) -> None:
    """The model is right here: a correction makes the swap, and what it leaves is found as one."""
    movement, window = plotted.movement, plotted.window
    assert movement.swaps == {}
    movement.corrections = (SideSwap(25, "legs"),)
    movement._guarded = -1
    qtbot.waitUntil(lambda: bool(movement.swaps))
    found = movement.swaps
    assert [s.limbs for swaps in found.values() for s in swaps] == ["legs"]
    plotted.playing.seek(0)
    showing(plotted, 0)
    window.actions_["next-swap"].trigger()
    showing(plotted, next(iter(found)))
    assert "change places" in window.transport.timeline._marks[next(iter(found))] or 25 in found


def test_the_whole_clip_is_measured_and_saved(plotted: Desktop, tmp_path: Path, qtbot) -> None:
    movement, window = plotted.movement, plotted.window
    for i in (3, 4, 5):  # as if they had been dropped
        movement.history._seen.pop(i, None)
    window.actions_["measure-clip"].trigger()
    qtbot.waitUntil(lambda: movement._whole, timeout=110_000)
    assert movement.history.frames == 50
    movement.save_table(str(tmp_path / "m.csv"))
    qtbot.waitUntil((tmp_path / "m.csv").exists)
    with (tmp_path / "m.csv").open() as table:
        assert [int(r["frame"]) for r in csv.DictReader(table)] == list(range(50))
    again = MovementHistory(Landmarks(S31))
    with (tmp_path / "m.csv").open() as table:
        for frame, (time_s, people) in read(table, again.landmarks).items():
            again.add(frame, time_s, people)
    assert again.frames == 50
    for name in ("plot.png", "plot.svg"):
        movement.save_picture(str(tmp_path / name))
        qtbot.waitUntil((tmp_path / name).exists)
    assert (tmp_path / "plot.png").read_bytes()[:4] == b"\x89PNG"
    assert QSvgRenderer(str(tmp_path / "plot.svg")).isValid()


def seen_by(rgb: np.ndarray) -> list[np.ndarray]:
    """Colours (n, 3) 0..1 in CIELAB, as people see them, and protanopes and deuteranopes (Viénot 1999)."""
    blind = (
        np.eye(3),
        [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
        [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
    )
    seen = [((rgb**2.2) @ np.array(m).T).clip(0, 1) ** (1 / 2.2) for m in blind]
    return [cv2.cvtColor(s[None].astype(np.float32), cv2.COLOR_RGB2LAB)[0] for s in seen]


def test_curves_are_told_apart(plotted: Desktop) -> None:
    lines = plotted.movement.plot._lines
    assert list(lines)[-1] == "head", "all of it, not a quarter"
    pens = [line.opts["pen"] for line in lines.values()]
    for colours in seen_by(np.array([p.color().getRgbF()[:3] for p in pens])):
        assert min(np.linalg.norm(a - b) for a, b in combinations(colours, 2)) > 20


def test_names_of_curves_stand_over_them_and_the_unit_beside(qtbot) -> None:
    plot = MovementPlot()
    qtbot.addWidget(plot)
    plot.resize(900, 200)
    plot.show()
    box = plot.getPlotItem().getViewBox()
    for count in (5, 8, 1):
        curves = [Curve(f"part {i}", np.arange(50), np.arange(50.0)) for i in range(count)]
        plot.show_curves("Area", curves, "px")
        pens = [line.opts["pen"] for line in plot._lines.values()]
        assert len({(pen.color().name(), pen.style()) for pen in pens}) == count
        least = 40 if count > 5 else 20
        names = [label for _, label in plot._legend.items]
        lowest = lambda: max(n.sceneBoundingRect().bottom() for n in names)  # noqa: B023, E731
        qtbot.waitUntil(lambda: least < lowest() <= box.sceneBoundingRect().top())  # noqa: B023
    assert plot.getAxis("left").labelText == "px"


def test_a_plot_of_a_few_frames_says_why_it_is_empty(playing: Desktop, qtbot) -> None:
    movement = playing.movement
    playing.window.actions_["movement"].trigger()
    qtbot.waitUntil(lambda: movement.plot is not None and movement.history.frames > 0)
    assert movement.history.frames < FEWEST
    words = movement.plot.getAxis("bottom")
    qtbot.waitUntil(lambda: words.labelText.startswith("Nothing measured yet"))
    assert not movement.plot._lines


def test_a_curve_without_points_leaves_no_empty_path(plotted: Desktop) -> None:
    plot = plotted.movement.plot
    assert plot is not None
    nothing = Curve("nothing", np.arange(50), np.full(50, np.nan))
    plot.show_curves("speed", [nothing])
    assert b'd=""' not in plot.picture(svg=True)


def test_a_plot_that_is_asked_for_again_while_it_loads_is_wired_once(playing: Desktop, qtbot) -> None:
    movement, show = playing.movement, playing.window.actions_["movement"]
    for _ in range(3):
        show.trigger()
    qtbot.waitUntil(lambda: settled(playing))
    assert movement.plot.receivers(movement.plot.sought) == 1
    assert movement.plot.isVisible()


def test_a_measurement_that_fits_no_more_is_told(playing: Desktop, monkeypatch, qtbot) -> None:
    movement, banner = playing.movement, playing.window.banner
    table = "".join(movement_csv.table(movement.history, ()))

    def export(job: ParseJob, _: object) -> None:
        (job.out / "moving").mkdir(parents=True)
        (job.out / "moving" / "movement.csv").write_text(table)

    monkeypatch.setattr(module, "export", export)
    movement.measure_clip()
    movement._of = -1, -1  # as if another clip had been opened
    qtbot.waitUntil(lambda: banner.notice is not None and "measure it again" in banner.notice.text)
    assert banner.notice.text.startswith("moving.mp4 was measured, but")
    assert not movement._whole
