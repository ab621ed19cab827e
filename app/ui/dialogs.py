"""Questions to the user that do not stop the program: every dialog is opened, none is executed."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import Qt, pyqtBoundSignal
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QColorDialog, QDialog, QFileDialog, QInputDialog, QMessageBox, QWidget

from app.ui.translation import tr

WIDE_PX = 560  # room for a link
MEDIA = (
    "Videos and pictures (*.mp4 *.m4v *.mov *.mkv *.webm *.avi *.mpg *.mpeg *.ts *.flv *.ogv *.wmv *.gif"
    " *.png *.jpg *.jpeg *.webp *.bmp *.tif *.tiff);;All files (*)"
)
PICTURES = "Pictures (*.png *.jpg *.jpeg *.webp *.bmp *.tif *.tiff)"
MODELS = "Models (*.onnx)"
FACTORS = "Factors (*.factor.onnx *.onnx)"


def ask_file(
    parent: QWidget, title: str, folder: str, filters: str, on_chosen: Callable[[str], None]
) -> None:
    """Ask for one existing file."""
    dialog = QFileDialog(parent, tr(title), folder, tr(filters))
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    _open(dialog, title, dialog.fileSelected, on_chosen)


def ask_files(
    parent: QWidget, title: str, folder: str, filters: str, on_chosen: Callable[[list[str]], None]
) -> None:
    """Ask for existing files."""
    dialog = QFileDialog(parent, tr(title), folder, tr(filters))
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    _open(dialog, title, dialog.filesSelected, on_chosen)


def ask_folder(parent: QWidget, title: str, folder: str, on_chosen: Callable[[str], None]) -> None:
    """Ask for one existing folder."""
    dialog = QFileDialog(parent, tr(title), folder)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    _open(dialog, title, dialog.fileSelected, on_chosen)


def ask_new_file(
    parent: QWidget, title: str, name: str, filters: str, on_chosen: Callable[[str], None]
) -> None:
    """Ask where to write a file; Qt asks before one is replaced."""
    dialog = QFileDialog(parent, tr(title), name, tr(filters))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.selectFile(name)
    _open(dialog, title, dialog.fileSelected, on_chosen)


def ask_colour(
    parent: QWidget, title: str, now: tuple[int, int, int], on_chosen: Callable[[QColor], None]
) -> None:
    """Ask for a colour."""
    dialog = QColorDialog(QColor(*now), parent)
    _open(dialog, title, dialog.colorSelected, on_chosen)


def ask_text(parent: QWidget, title: str, words: str, now: str, on_chosen: Callable[[str], None]) -> None:
    """Ask for a line of text."""
    dialog = QInputDialog(parent)
    dialog.setLabelText(tr(words))
    dialog.setTextValue(now)
    dialog.resize(WIDE_PX, dialog.sizeHint().height())
    _open(dialog, title, dialog.textValueSelected, on_chosen)


def ask_number(
    parent: QWidget, title: str, words: str, now: int, last: int, on_chosen: Callable[[int], None]
) -> None:
    """Ask for a whole number from 0 to `last`."""
    dialog = QInputDialog(parent)
    dialog.setLabelText(tr(words))
    dialog.setInputMode(QInputDialog.InputMode.IntInput)
    dialog.setIntRange(0, max(0, last))
    dialog.setIntValue(now)
    _open(dialog, title, dialog.intValueSelected, on_chosen)


def ask_consent(
    parent: QWidget, title: str, words: str, yes: str, on_answer: Callable[[bool], None]
) -> QMessageBox:
    """Ask whether something may be done; closing the question is a no."""
    box = QMessageBox(parent)
    box.setTextFormat(Qt.TextFormat.PlainText)  # words of a site are no markup (J08)
    box.setText(tr(words))
    agree = box.addButton(tr(yes), QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(agree)
    box.addButton(tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
    _open(box, title, box.finished, lambda _: on_answer(box.clickedButton() is agree))
    return box


def _open(dialog: QDialog, title: str, signal: pyqtBoundSignal, on_chosen: Callable[..., object]) -> None:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(tr(title))
    signal.connect(on_chosen)
    dialog.open()
