"""Network dialog: the few things that an ONNX file of another program does not say of itself."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QSpinBox, QWidget

from app.ui.translation import tr
from app.ui.widgets import plain
from runtime.silhouettes.foreign_network import NetworkReading, Triple

#: Mean and deviation of values 0..255.
PRESETS: dict[str, tuple[Triple, Triple]] = {
    "0 to 1": ((0, 0, 0), (255, 255, 255)),
    "ImageNet's mean and deviation": ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "-1 to 1": ((127.5, 127.5, 127.5), (127.5, 127.5, 127.5)),
    "0 to 255": ((0, 0, 0), (1, 1, 1)),
}


class NetworkDialog(QDialog):
    """The form; `reading` is what it says."""

    def __init__(self, parent: QWidget, name: str, on_chosen: Callable[[NetworkReading], object]) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Another network"))
        self.height_px, self.width_px, self.person = QSpinBox(), QSpinBox(), QSpinBox()
        for side in (self.height_px, self.width_px):
            side.setRange(32, 2048)
            side.setValue(256)
        self.person.setMaximum(4095)
        self.values, self.order = QComboBox(), QComboBox()
        self.values.addItems([tr(words) for words in PRESETS])
        self.order.addItems([tr("Red, green, blue"), tr("Blue, green, red")])
        self.mean, self.deviation = QLineEdit(), QLineEdit()
        self.values.currentIndexChanged.connect(self._fill)
        self._fill(0)
        words = tr(
            "{name} does not say how it is used. Its author's page does. A fixed size in the file counts."
        ).format(name=name)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.accepted.connect(lambda: on_chosen(self.reading))
        form = QFormLayout(self)
        form.addRow(plain(words, wrap=True))
        for title, field in (
            ("Input height, px", self.height_px),
            ("Input width, px", self.width_px),
            ("Values", self.values),
            ("Mean of 0 to 255", self.mean),
            ("Deviation", self.deviation),
            ("Colours", self.order),
            ("The person is channel or label", self.person),
        ):
            form.addRow(tr(title), field)
        form.addRow(buttons)

    @property
    def reading(self) -> NetworkReading:
        """Input and output as they were filled in; nonsense numbers are those of the preset."""
        mean, deviation = list(PRESETS.values())[self.values.currentIndex()]
        size = self.height_px.value(), self.width_px.value()
        bgr = self.order.currentIndex() == 1
        return NetworkReading(
            size, _triple(self.mean, mean), _triple(self.deviation, deviation), bgr, self.person.value()
        )

    def _fill(self, preset: int) -> None:
        for field, numbers in zip((self.mean, self.deviation), list(PRESETS.values())[preset], strict=True):
            field.setText(" ".join(f"{n:g}" for n in numbers))


def _triple(field: QLineEdit, otherwise: Triple) -> Triple:
    try:
        red, green, blue = (float(n) for n in field.text().replace(",", " ").split())
    except ValueError:
        return otherwise
    return red, green, blue
