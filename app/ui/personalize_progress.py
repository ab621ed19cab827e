"""Personalise, while it runs: silhouettes as they appear, the phase, the time left, two ways to end it."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QImage, QPainter, QPaintEvent, QPalette
from PyQt6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from app.ui.actions import STOP_TIP
from app.ui.filmstrip import Filmstrip, ShapedWidget
from app.ui.job_list import progress_words
from app.ui.translation import tr
from app.ui.widgets import button, fill, heading, plain

STOPPING = "Stopping early: silhouettes are finished, then what was learned so far is kept if it is better."
LEFT = "{percent} % · about {time} left"


@dataclass(frozen=True)
class ProgressState:
    """Progress of a personalisation, in words and numbers."""

    words: str
    step: str = ""
    fraction: float | None = None  #: 0..1, None while nobody knows
    left_s: float | None = None
    notice: str = ""
    stopping: bool = False  #: it was asked to


class ProgressPage(QWidget):
    """The page.

    Signals:
        stopped_early: finish with the best so far.
        cancelled: throw it away.
        correcting: the frame whose silhouette is to be corrected.
    """

    stopped_early = pyqtSignal()
    cancelled = pyqtSignal()
    correcting = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = plain(name="title", wrap=True)
        self._preview, self.strip = PreviewPicture(), Filmstrip()
        self._caption, self._left, self._step = (plain(name="faint") for _ in range(3))
        self._words, self._notice = plain("Starting", wrap=True), plain(name="faint", wrap=True)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._stop = button("Stop early", self.stopped_early, STOP_TIP)
        self._cancel = button("Cancel", self.cancelled, "Throw it away; the factor in use stays")
        tip = "Paint over the picture where this silhouette is wrong"
        self._correct = button("Correct…", lambda: self.correcting.emit(self._frame), tip)
        self._frame = -1
        self._held = False  # a cell was chosen: newer silhouettes do not replace it
        self.strip.chosen.connect(self._on_chosen)
        rows = [QHBoxLayout() for _ in range(3)]
        fill(rows[0], self._caption, None, self._correct)
        fill(rows[1], self._left, None, self._step)
        fill(rows[2], self._stop, self._cancel)
        fill(
            QVBoxLayout(self),
            *(self._title, self._preview, rows[0], self.strip, 8),
            *(heading("NOW"), self._words, self._bar, rows[1], self._notice, 6, rows[2], None),
            spacing=6,
        )

    def begin(self, name: str, span: tuple[int, int] | None) -> None:
        """A job starts."""
        self._title.setText(tr("Learning {name}").format(name=name))
        self.strip.begin(span)
        self._preview.show_image(None)
        self._caption.setText(tr("The silhouettes appear here."))
        self._frame, self._held = -1, False
        self._correct.hide()  # its words need the width
        self.show_stage(ProgressState("Starting"))

    def show_stage(self, stage: ProgressState) -> None:
        """Print the progress of the current phase."""
        self._words.setText(tr(stage.words))
        self._step.setText(tr(stage.step))
        if stage.fraction is None:
            self._bar.setRange(0, 0)
            self._left.setText("")
        else:
            self._bar.setRange(0, 1000)
            self._bar.setValue(round(1000 * stage.fraction))
            self._left.setText(progress_words(stage.fraction, stage.left_s, LEFT))
        notice = STOPPING if stage.stopping else stage.notice
        self._notice.setText(tr(notice))
        self._notice.setVisible(bool(notice))
        self._stop.setEnabled(not stage.stopping)

    def show_preview(self, frame: int, picture: QImage) -> None:
        """A frame with its silhouette, just made."""
        self.strip.show_picture(frame, picture)
        if not self._held or frame == self._frame:
            self._show(frame, picture)

    def _on_chosen(self, frame: int) -> None:
        self._held = True
        picture = self.strip.picture(frame)
        if picture is not None:
            self._show(frame, picture)

    def _show(self, frame: int, picture: QImage) -> None:
        self._frame = frame
        self._preview.show_image(picture)
        self._caption.setText(tr("Frame {number}").format(number=frame))
        self._correct.show()
        self.strip.show_chosen(frame if self._held else -1)


class PreviewPicture(ShapedWidget):
    """One image in its own shape."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image: QImage | None = None

    def show_image(self, image: QImage | None) -> None:
        """This one, or an empty place."""
        self._image = image
        if image is not None and image.height():
            self._shape = max(0.8, image.width() / image.height())
        self.updateGeometry()
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """The image, centred."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Button))
        if self._image is not None:
            area = self._image.rect().size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            left, top = (self.width() - area.width()) // 2, (self.height() - area.height()) // 2
            painter.drawImage(self.rect().adjusted(left, top, -left, -top), self._image)
