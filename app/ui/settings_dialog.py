"""Settings dialog: the choices of the settings file in words, applied at once; never modal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from PyQt6.QtCore import QEvent, QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtGui import QStandardItemModel
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from app.ui.translation import tr
from app.ui.widgets import button, fill, heading, plain

FOLDER, LIST, SHARE = "folder", "list", "share"  # kinds of values that are neither a choice nor yes or no


@dataclass(frozen=True)
class SettingRow:
    """One setting: its name in the file, and its words."""

    name: str
    words: str
    tip: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)  #: words by value
    kind: str = ""  #: one of the above; empty: a choice, or yes or no


SECTIONS: dict[str, tuple[SettingRow, ...]] = {
    "WINDOW": (
        SettingRow(
            "language",
            "Language",
            "From the next start on",
            choices={"auto": "As the system", "en": "English", "de": "Deutsch"},
        ),
        SettingRow("theme", "Theme", choices={"auto": "As the desktop", "light": "Light", "dark": "Dark"}),
        SettingRow(
            "palette", "Colours", choices={"standard": "Standard", "colour-blind": "Colour-blind-safe"}
        ),
        SettingRow("legend", "Show the side panel"),
        SettingRow("hud", "Show numbers on the picture"),
        SettingRow("thumbnails", "Thumbnails over the time line"),
    ),
    "PICTURE": (
        SettingRow("opacity", "Opacity of the parts", "0 % shows the picture alone", kind=SHARE),
        SettingRow("joints", "Joints over the parts", "Of a model that gives both"),
        SettingRow("smoothing", "Smooth over time", "Steadier edges on moving pictures"),
        SettingRow("mirror", "Mirror the camera", "On the screen only; files are never mirrored"),
    ),
    "MODEL": (
        SettingRow(
            "device",
            "Runs on",
            choices={"auto": "The fastest that works", "cpu": "CPU", "cuda": "NVIDIA GPU (CUDA)"},
        ),
        SettingRow(
            "looks",
            "Averaged views",
            "Several are averaged: steadier, and slower",
            choices={
                "auto": "Auto: pictures six, video one",
                "1": "One",
                "regions": "One, in video where people are",
                "2": "Two, also mirrored",
                "6": "Six, mirrored and at three sizes",
            },
        ),
    ),
    "FILES": (
        SettingRow(
            "recordings", "Recordings and snapshots", "Empty: xfactor in your videos folder", kind=FOLDER
        ),
        SettingRow("export_folder", "Exports", "Empty: the folder of recordings", kind=FOLDER),
        SettingRow(
            "recent", "Recent sources", "Names of what you opened last, in File → Open recent", kind=LIST
        ),
    ),
}


class SettingsDialog(QDialog):
    """The dialog.

    Signals:
        changed: name of a setting, and its new value.
        folder_wanted: name of a setting whose folder is to be chosen.
        file_wanted: the folder of the settings file is to be seen.
        reset_wanted: every setting is to be as on the first day.
        activated: the user is back; settings may have been changed elsewhere.
    """

    changed = pyqtSignal(str, object)
    folder_wanted = pyqtSignal(str)
    file_wanted = pyqtSignal()
    reset_wanted = pyqtSignal()
    activated = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Settings"))
        self.resize(640, 680)
        self._shown: dict[str, Callable[[object], None]] = {}  # puts a value into its widget
        self._problem = plain(name="problem", wrap=True)
        self._problem.hide()
        page, area = QWidget(), QScrollArea()
        form = QFormLayout(page)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setVerticalSpacing(9)
        for title, rows in SECTIONS.items():
            form.addRow(heading(tr(title) if form.rowCount() == 0 else f"\n{tr(title)}"))
            for row in rows:
                self._add(form, row)
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        column, ends = QVBoxLayout(self), QHBoxLayout()
        fill(
            ends,
            button("Open the settings folder", self.file_wanted.emit),
            button("Reset all…", self.reset_wanted.emit),
            None,
            button("Close", self.close),
        )
        column.addWidget(area, 1)
        column.addWidget(self._problem)
        column.addLayout(ends)

    def show_values(self, values: Mapping[str, object]) -> None:
        """The settings as they are now, wherever they were changed."""
        for name, show in self._shown.items():
            show(values[name])

    def show_problem(self, words: str) -> None:
        """Why a value is not taken, or why nothing is saved; without words the line goes."""
        self._problem.setText(words)
        self._problem.setVisible(bool(words))

    def bar(self, name: str, value: str, reason: str) -> None:
        """Keep a choice from being taken, and say why beside it."""
        model = self.findChild(QComboBox, name).model()
        keys = next(list(row.choices) for rows in SECTIONS.values() for row in rows if row.name == name)
        item = model.item(keys.index(value)) if isinstance(model, QStandardItemModel) else None
        if item is not None:
            item.setEnabled(False)
            item.setToolTip(tr(reason))

    def changeEvent(self, event: QEvent | None) -> None:
        """Tell when the user comes back to this window."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.activated.emit()

    def _add(self, form: QFormLayout, row: SettingRow) -> None:
        tell = partial(self.changed.emit, row.name)
        if row.choices:
            control, show = _choice(row, tell)
        elif row.kind == SHARE:
            control, show = _share(tell)
        elif row.kind in {FOLDER, LIST}:
            choose = partial(self.folder_wanted.emit, row.name)
            control, show = _folder(tell, choose) if row.kind == FOLDER else _list(tell)
        else:
            control, show = _check(row, tell)
        self._shown[row.name] = show
        control.setObjectName(row.name)
        for named in (control, *control.findChildren((QSlider, QLineEdit))):  # not its buttons
            named.setAccessibleName(tr(row.words))
        whole = QWidget()
        fill(
            QVBoxLayout(whole), control, *([plain(row.tip, "faint", wrap=True)] if row.tip else []), spacing=2
        )
        form.addRow("" if isinstance(control, QCheckBox) else tr(row.words), whole)


def _choice(row: SettingRow, tell: Callable[[object], None]) -> tuple[QWidget, Callable[[object], None]]:
    box, values = QComboBox(), list(row.choices)
    box.addItems([tr(words) for words in row.choices.values()])
    box.activated.connect(lambda index: tell(values[index]))
    return box, lambda value: box.setCurrentIndex(values.index(str(value)))


def _check(row: SettingRow, tell: Callable[[object], None]) -> tuple[QWidget, Callable[[object], None]]:
    box = QCheckBox(tr(row.words))
    box.clicked.connect(tell)
    return box, lambda value: box.setChecked(bool(value))


def _share(tell: Callable[[object], None]) -> tuple[QWidget, Callable[[object], None]]:
    slider, words, whole = QSlider(Qt.Orientation.Horizontal), plain(name="faint"), QWidget()
    slider.setRange(0, 100)
    words.setMinimumWidth(44)
    fill(QHBoxLayout(whole), slider, words)
    slider.valueChanged.connect(lambda value: words.setText(f"{value} %"))
    slider.valueChanged.connect(lambda value: tell(value / 100))

    def show(value: object) -> None:
        percent = round(float(str(value)) * 100)
        blocked = QSignalBlocker(slider)
        slider.setValue(percent)
        blocked.unblock()
        words.setText(f"{percent} %")

    return whole, show


def _folder(
    tell: Callable[[object], None], choose: Callable[[], None]
) -> tuple[QWidget, Callable[[object], None]]:
    path, whole = QLineEdit(), QWidget()
    first = QPushButton(tr("Default"))
    first.clicked.connect(lambda: tell(""))
    path.setReadOnly(True)
    path.setPlaceholderText(tr("Default"))
    fill(QHBoxLayout(whole), path, button("Choose…", choose), first)

    def show(value: object) -> None:
        path.setText(str(value))
        path.setToolTip(str(value))
        first.setEnabled(bool(value))

    return whole, show


def _list(tell: Callable[[object], None]) -> tuple[QWidget, Callable[[object], None]]:
    words, whole = plain(), QWidget()
    clear = button("Forget them", lambda: tell(()))
    fill(QHBoxLayout(whole), words, None, clear)

    def show(value: object) -> None:
        count = len(value) if isinstance(value, tuple) else 0
        words.setText(tr("{count} kept").format(count=count) if count else tr("None kept"))
        clear.setEnabled(count > 0)

    return whole, show
