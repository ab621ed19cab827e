"""Film strip: silhouettes of a clip as they appear, one cell for each stretch of frames."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from PyQt6.QtWidgets import QSizePolicy, QWidget

CELLS, COLUMNS = 8, 4
GAP = 3


class ShapedWidget(QWidget):
    """A widget as wide as there is room, whose height follows from the shape of a clip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shape = 16 / 9  # width by height
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """As high as its width asks for."""
        return QSize(260, self.heightForWidth(max(260, self.width())))

    def hasHeightForWidth(self) -> bool:
        """The shape is kept."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Height of one picture."""
        return round(width / self._shape)


class Filmstrip(ShapedWidget):
    """Cells with a picture each.

    Signals:
        chosen: the frame of the cell that was clicked.
    """

    chosen = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._span: tuple[int, int] | None = None
        self._pictures: dict[int, tuple[int, QImage]] = {}  # cell → frame, picture
        self._shown = -1

    def begin(self, span: tuple[int, int] | None) -> None:
        """Empty cells for the frames from `span[0]` to `span[1]`; None: not known yet."""
        self._span = span
        self._pictures.clear()
        self._shown = -1
        self.update()

    def reach(self, frame: int) -> None:
        """A frame outside of what was announced widens the strip."""
        first, last = self._span or (frame, frame)
        self._span = min(first, frame), max(last, frame)

    def wants(self, frame: int) -> bool:
        """True when this frame stands for its cell: the first that came, and every newer state of it."""
        held = self._pictures.get(self._cell(frame))
        return held is None or held[0] == frame

    def show_picture(self, frame: int, picture: QImage) -> None:
        """Put a frame into its cell, if it stands for it."""
        if self.wants(frame):
            self._pictures[self._cell(frame)] = frame, picture
            if picture.height() and abs(picture.width() / picture.height() - self._shape) > 0.01:
                self._shape = picture.width() / picture.height()
                self.updateGeometry()
            self.update()

    def show_chosen(self, frame: int) -> None:
        """Outline the cell of this frame."""
        self._shown = frame
        self.update()

    def picture(self, frame: int) -> QImage | None:
        """Picture in the cell of this frame."""
        held = self._pictures.get(self._cell(frame))
        return held[1] if held is not None and held[0] == frame else None

    @property
    def frames(self) -> list[int]:
        """The frames on show, in order."""
        return sorted(frame for frame, _ in self._pictures.values())

    def heightForWidth(self, width: int) -> int:
        """Of all rows."""
        rows = CELLS // COLUMNS
        cell = (width - GAP * (COLUMNS - 1)) / COLUMNS / max(0.8, self._shape)
        return round(rows * cell + GAP * (rows - 1))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Every cell with its picture, or empty."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        palette = self.palette()
        for cell in range(CELLS):
            area = self._area(cell)
            held = self._pictures.get(cell)
            if held is None:
                painter.fillRect(area, palette.color(QPalette.ColorRole.Button))
                continue
            painter.drawImage(area, held[1])
            if held[0] == self._shown:
                pen = QPen(palette.color(QPalette.ColorRole.Highlight), 2)
                pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
                painter.setPen(pen)
                painter.drawRect(area.adjusted(1, 1, -1, -1))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Choose a frame."""
        if event is not None:
            for cell, (frame, _) in self._pictures.items():
                if self._area(cell).contains(event.position()):
                    self.chosen.emit(frame)

    def _cell(self, frame: int) -> int:
        first, last = self._span or (frame, frame)
        return min(CELLS - 1, max(0, (frame - first) * CELLS // max(1, last - first + 1)))

    def _area(self, cell: int) -> QRectF:
        width = (self.width() - GAP * (COLUMNS - 1)) / COLUMNS
        rows = CELLS // COLUMNS
        height = (self.height() - GAP * (rows - 1)) / rows
        return QRectF((cell % COLUMNS) * (width + GAP), (cell // COLUMNS) * (height + GAP), width, height)
