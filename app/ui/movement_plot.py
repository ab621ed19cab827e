"""Movement plot: curves under the time line, over the same frames. Importing it takes a while (pyqtgraph)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QBuffer, QEvent, QPoint, QRect, Qt, pyqtSignal
from PyQt6.QtGui import QContextMenuEvent, QImage, QPainter, QPalette
from PyQt6.QtSvg import QSvgGenerator

from app.ui.timeline import MARGIN_PX
from app.ui.translation import tr

AXIS_PX: Final = 64  # of the numbers at the left
HEIGHT_PX, ROW_PX, IN_A_ROW = 200, 22, 5  # of the plot; of a row of the legend over it, and curves in one
#: Told apart by people with any colour vision, on light and on dark; curves after these are dashed.
PALETTE: Final = ("#d89000", "#3560d8", "#00805c", "#38a3e8", "#c83200")
NEAREST: Final = 10  # frames across, at most zoom


@dataclass(frozen=True, eq=False)
class Curve:
    """A line of the plot."""

    words: str
    frames: NDArray[np.int64]  #: (n,) rising
    values: NDArray[np.float64]  #: (n,) NaN breaks the line


class MovementPlot(pg.PlotWidget):
    """Curves over frames; a click seeks, the wheel zooms, dragging moves.

    Signals:
        sought: a frame index was clicked.
        ranged: the frames from, to are on show.
        menu_wanted: a place on the screen at which the menu is to open.
    """

    sought = pyqtSignal(int)
    ranged = pyqtSignal(float, float)
    menu_wanted = pyqtSignal(QPoint)
    left_px = AXIS_PX  # of the frames, from the edge

    def __init__(self) -> None:
        super().__init__()
        item = self.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.setMouseEnabled(x=True, y=False)
        item.showGrid(y=True, alpha=0.2)
        item.getAxis("left").setWidth(AXIS_PX)
        item.getAxis("left").enableAutoSIPrefix(enable=False)
        for name in ("left", "bottom"):  # painted anew where they change, not wherever the line goes
            item.getAxis(name).setCacheMode(item.CacheMode.DeviceCoordinateCache)
        item.setAutoVisible(y=True)
        item.setClipToView(True)
        item.setDownsampling(auto=True, mode="subsample")
        self._legend = item.legend = pg.LegendItem(colCount=IN_A_ROW, horSpacing=18)
        self._legend.setParentItem(item)  # over the curves, never on them: a child of their box is clipped
        self._legend.anchor((0, 0), (0, 0), (AXIS_PX, 0))
        self._legend.layout.setContentsMargins(0, 0, 0, 0)
        self._head = pg.InfiniteLine(0, movable=False)
        self._lines: dict[str, pg.PlotDataItem] = {}
        self._frames = 0
        item.addItem(self._head, ignoreBounds=True)
        item.getViewBox().sigXRangeChanged.connect(lambda _, span: self.ranged.emit(*span))
        self.scene().sigMouseClicked.connect(self._on_clicked)
        self.setFixedHeight(HEIGHT_PX)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys belong to the player
        self.setToolTip(tr("Click to go there, turn the wheel to zoom; right click for measures and files"))
        self._show_colours()

    def show_place(self, frame: int, frames: int, rate: float) -> None:
        """Show the position in a clip of so many frames."""
        if frames != self._frames:
            self._frames = frames
            last = max(1, frames - 1)
            box = self.getPlotItem().getViewBox()
            box.setLimits(xMin=0, xMax=last, minXRange=min(NEAREST, last))
            box.setXRange(0, last, padding=0)
            self.getAxis("bottom").setScale(1 / rate if rate > 0 else 1)
        if frame != self._head.value():
            self._head.setValue(frame)

    def show_range(self, first: float, last: float) -> None:
        """Zoom to these frames."""
        self.getPlotItem().getViewBox().setXRange(first, last, padding=0)

    def show_curves(self, title: str, curves: Sequence[Curve], unit: str = "") -> None:
        """Replace the curves; the title stands under them, the unit of their values beside them."""
        if [c.words for c in curves] != list(self._lines):
            for line in self._lines.values():
                self.removeItem(line)
            self._legend.clear()
            self._lines = {c.words: self.plot(name=c.words, connect="finite") for c in curves}
            rows = -(-len(curves) // IN_A_ROW)
            self.getPlotItem().layout.setContentsMargins(0, 4 + rows * ROW_PX, MARGIN_PX, 0)
        dash = Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine
        for i, curve in enumerate(curves):
            line, (row, column) = self._lines[curve.words], divmod(i, len(PALETTE))
            line.setPen(pg.mkPen(PALETTE[column], width=2, style=dash[row % 2]))
            line.setData(curve.frames, curve.values)
        self.getAxis("bottom").setLabel(title)
        self.getAxis("left").setLabel(unit)

    def picture(self, *, svg: bool) -> bytes:
        """The plot as it is seen: an SVG, or a PNG of twice its size."""
        file, size = QBuffer(), self.size()
        pixels, vectors = QImage(2 * size, QImage.Format.Format_RGB32), QSvgGenerator()
        if svg:
            vectors.setOutputDevice(file)
            vectors.setSize(size)
            vectors.setViewBox(QRect(QPoint(), size))
        painter = QPainter(vectors if svg else pixels)
        self.render(painter)  # to all of the device
        painter.end()
        if not svg:
            pixels.save(file, "PNG")
        # Qt writes a curve without points as a path without data, which readers complain of
        return re.sub(rb'<path[^>]* d=""[^>]*/>', b"", file.data().data())

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange and hasattr(self, "_lines"):
            self._show_colours()

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:
        """Open the menu of measures."""
        if event is not None:
            self.menu_wanted.emit(event.globalPos())

    def _show_colours(self) -> None:
        ink, ground = (
            self.palette().color(r) for r in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Window)
        )
        self.setBackground(ground)
        for side in ("left", "bottom"):
            self.getAxis(side).setPen(ink)
            self.getAxis(side).setTextPen(ink)
        self._legend.setLabelTextColor(ink)
        self._head.setPen(ink)

    def _on_clicked(self, event: pg.GraphicsScene.mouseEvents.MouseClickEvent) -> None:
        box = self.getPlotItem().getViewBox()
        if event.button() == Qt.MouseButton.LeftButton and box.sceneBoundingRect().contains(event.scenePos()):
            frame = round(box.mapSceneToView(event.scenePos()).x())
            self.sought.emit(min(max(0, frame), self._frames - 1))
