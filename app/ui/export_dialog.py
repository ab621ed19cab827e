"""Export dialog: files to write of the open source, from which frames, with how many views, and where to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.ui.dialogs import ask_folder
from app.ui.translation import tr
from app.ui.widgets import fill, plain

#: Words of each product: of a clip, and of pictures.
PRODUCT_WORDS: Final = {
    "overlay": ("Overlay with sound, MP4", "Overlay, JPEG"),
    "alpha": ("Cut-out with transparency and sound", "Cut-out with transparency, PNG"),
    "matte": ("Matte: the silhouette as a grey video, MP4", "Matte: the silhouette in grey, PNG"),
    "labels": ("Labels of the parts, a PNG a frame", "Labels of the parts, PNG"),
    "silhouettes": ("Silhouettes, a PNG a frame", "Silhouettes, PNG"),
    "coco": ("People for other programs, COCO JSON",) * 2,
    "csv": ("Table of parts, CSV",) * 2,
    "movement": ("Table of movement: speeds, symmetry, joint angles, CSV", ""),  # of a clip only
}
CODECS: Final = {"mov": "ProRes 4444 (.mov)", "webm": "VP9 (.webm)"}
AS_SEEN, USUAL = "As in the window", "Every part, in the usual way"
MARK = "Set in and out with [ and ] for a part of the clip"


@dataclass(frozen=True)
class ExportSubject:
    """Source and model that an export is of."""

    name: str
    clip: bool  #: else pictures
    engine: str  #: words for model and X factor
    able: frozenset[str]  #: products that the model gives
    views: Mapping[str, str]  #: words of each number of views that it can average
    span: tuple[int, int] | None = None  #: in and out, both included
    frames: int = 0
    refusal: str = ""  #: why it cannot be exported as it is; empty when it can
    seen: str = ""  #: words for the view of the window
    lost: str = ""  #: what of that an overlay does not show


@dataclass(frozen=True)
class ExportChoice:
    """Answer of the dialog."""

    save: tuple[str, ...]  #: products
    alpha: str  #: suffix of a cut-out
    views: str
    folder: Path  #: gets a folder with the results
    in_to_out: bool = False
    as_seen: bool = True  #: the overlay is painted as the window paints


class ExportDialog(QDialog):
    """The dialog.

    Signals:
        chosen: an ExportChoice; the dialog closes.
    """

    chosen = pyqtSignal(object)

    def __init__(self, parent: QWidget, subject: ExportSubject, choice: ExportChoice) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Export {name}").format(name=subject.name))
        self._subject, self._choice = subject, choice
        self.products: dict[str, QCheckBox] = {}
        self.alpha, self.range, self.views, self.style_box = (QComboBox() for _ in range(4))
        self.folder = QLineEdit(str(choice.folder))
        self.reason, self.words = plain(name="problem", wrap=True), plain(name="faint", wrap=True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        export = buttons.addButton(tr("Export"), QDialogButtonBox.ButtonRole.AcceptRole)
        assert export is not None
        self.export: QPushButton = export
        export.setObjectName("primary")
        buttons.accepted.connect(self._on_export)
        buttons.rejected.connect(self.reject)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(10)
        files = plain("Files")
        files.setAlignment(Qt.AlignmentFlag.AlignTop)
        form.addRow(files, self._products())
        if subject.clip:
            form.addRow(tr("Frames"), self.range)
        form.addRow(tr("Averaged views"), self.views)
        form.addRow(tr("Made with"), plain(subject.engine, wrap=True))
        form.addRow(tr("Folder"), self._folder())
        self._fill()
        column = fill(QVBoxLayout(self), form, self.reason, self.words, None, buttons, spacing=12)
        column.setContentsMargins(18, 18, 18, 14)
        self.setMinimumWidth(520)
        for field, name in ((self.range, "Frames"), (self.views, "Averaged views"), (self.folder, "Folder")):
            field.setAccessibleName(tr(name))
        self._refresh()

    def _products(self) -> QWidget:
        subject, page = self._subject, QWidget()
        column = fill(QVBoxLayout(page), spacing=6)
        for name, (of_clip, of_pictures) in PRODUCT_WORDS.items():
            if not (words := of_clip if subject.clip else of_pictures):
                continue
            box = self.products[name] = QCheckBox(tr(words))
            able = name in subject.able
            box.setEnabled(able)
            box.setToolTip("" if able else tr("The model in use does not give it"))
            box.setChecked(able and name in self._choice.save)
            box.toggled.connect(self._refresh)
            beside = {"overlay": self.style_box, "alpha": self.alpha if subject.clip else None}.get(name)
            if beside is not None:
                column.addLayout(fill(QHBoxLayout(), box, beside, None, spacing=10))
            else:
                column.addWidget(box)
        return page

    def _folder(self) -> QWidget:
        page, choose = QWidget(), QPushButton(tr("Choose…"))
        choose.setAutoDefault(False)
        choose.clicked.connect(
            lambda: ask_folder(self, "Folder of exports", self.folder.text(), self.folder.setText)
        )
        self.folder.textChanged.connect(self._refresh)
        row = fill(QHBoxLayout(page), self.folder, choose, spacing=8)
        row.setStretchFactor(self.folder, 1)
        return page

    def _fill(self) -> None:
        subject, choice = self._subject, self._choice
        for key, text in CODECS.items():
            self.alpha.addItem(tr(text), key)
        self.alpha.setCurrentIndex(self.alpha.findData(choice.alpha))
        self.alpha.setAccessibleName(tr("Codec of the cut-out"))
        for words in (AS_SEEN, USUAL):
            self.style_box.addItem(tr(words))
        self.style_box.setCurrentIndex(int(not choice.as_seen))
        self.style_box.setAccessibleName(tr("Style of the overlay"))
        self.style_box.currentIndexChanged.connect(self._refresh)
        count = f" ({subject.frames})" if subject.frames else ""
        self.range.addItem(tr("All") + count)
        if subject.span is not None:
            first, last = subject.span
            self.range.addItem(
                tr("In to out: {first} to {last} ({count})").format(
                    first=first, last=last, count=last - first + 1
                )
            )
            self.range.setCurrentIndex(1)
        self.range.setEnabled(subject.span is not None)
        self.range.setToolTip("" if subject.span else tr(MARK))
        for key, text in subject.views.items():
            self.views.addItem(tr(text), key)
        self.views.setCurrentIndex(max(0, self.views.findData(choice.views)))

    def _refresh(self) -> None:
        """Say what stands in the way, or what will be where."""
        subject = self._subject
        wanted = any(box.isChecked() for box in self.products.values())
        self.alpha.setEnabled(self.products["alpha"].isChecked())
        overlay = self.products["overlay"].isChecked()
        self.style_box.setEnabled(overlay)
        folder = self.folder.text().strip()
        reason = subject.refusal or ("" if wanted else "Choose at least one kind of file.")
        reason = reason or ("" if folder else "Choose a folder.")
        seen = tr("The overlay is as in the window: {style}.").format(style=subject.seen)
        style = (seen, tr(subject.lost)) if overlay and not self.style_box.currentIndex() else ()
        self.reason.setText(tr(reason))
        self.reason.setVisible(bool(reason))
        where = tr("A folder of its own is made in {folder}.").format(folder=folder)
        self.words.setText(" ".join(w for w in (where, *style) if w))
        self.words.setVisible(not reason)
        self.export.setEnabled(not reason)

    def _on_export(self) -> None:
        save = tuple(name for name, box in self.products.items() if box.isChecked())
        choice = replace(
            self._choice, save=save, alpha=self.alpha.currentData(), views=self.views.currentData(),
            folder=Path(self.folder.text().strip()).expanduser(), in_to_out=self.range.currentIndex() > 0,
            as_seen=not self.style_box.currentIndex(),
        )  # fmt: skip
        self.accept()
        self.chosen.emit(choice)
