"""Source bar: what the X factor in use can be told, under the picture."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QSlider, QWidget

from app.ui.translation import tr
from app.ui.widgets import button, clear, fill, plain

STEPS = 200
Range = tuple[str, float, float]  # words, least, most


class SourceBar(QFrame):
    """One row of sliders, and a button.

    Signals:
        moved: the name and the new value of a slider.
        renewed: the source is to begin anew.
    """

    moved = pyqtSignal(str, float)
    renewed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("activity")
        self._row = QHBoxLayout(self)
        fill(self._row).setContentsMargins(12, 5, 8, 5)
        self.hide()

    def show_ranges(self, ranges: Mapping[str, Range], values: Mapping[str, float], renew: str) -> None:
        """Show a slider for each value."""
        clear(self._row)
        for name, (words, least, most) in ranges.items():
            slider = QSlider(Qt.Orientation.Horizontal)
            slider.setObjectName(name)
            slider.setAccessibleName(tr(words))
            slider.setRange(0, STEPS)
            slider.setFixedWidth(140)
            slider.setValue(round(STEPS * (values[name] - least) / (most - least)))
            slider.valueChanged.connect(
                lambda step, n=name, a=least, b=most: self.moved.emit(n, a + (b - a) * step / STEPS)
            )
            self._row.addWidget(plain(words))
            self._row.addWidget(slider)
        self._row.addWidget(button(renew, self.renewed), 1, Qt.AlignmentFlag.AlignRight)
        self.show()
