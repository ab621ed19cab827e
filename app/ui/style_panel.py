"""Style panel: the right-hand panel with view, opacity and legend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QColor, QStandardItemModel
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from app.ui.legend import Legend
from app.ui.translation import tr
from app.ui.widgets import button, fill, heading, plain
from models.labels import S31, PartSet
from runtime.output.style import DisplayStyle, ViewMode

BEFORE_AFTER = "Before | after"
WIDTH = 232  # px, at least
VIEW_NAMES: dict[ViewMode, str] = {
    ViewMode.OVERLAY: "Overlay",
    ViewMode.PARTS: "Parts only",
    ViewMode.SILHOUETTE: "Silhouette",
    ViewMode.CUT_OUT: "Cut-out",
    ViewMode.CONFIDENCE: "Confidence",
    ViewMode.SKELETON: "Skeleton",
    ViewMode.INSTANCES: "Instances",
    ViewMode.PICTURE: "Picture only",
}


class StylePanel(QFrame):
    """Widgets that change the display style.

    Signals:
        style_changed: the style that is wanted now.
    """

    style_changed = pyqtSignal(DisplayStyle)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setMinimumWidth(WIDTH)
        self._style = DisplayStyle()
        self._parts: PartSet | None = S31
        self._view = QComboBox()
        self._view.setAccessibleName(tr("View"))
        self._view.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for view, name in VIEW_NAMES.items():
            self._view.addItem(tr(name), view)
        self.behind = QPushButton(tr("Behind the cut-out"))  # gets the menu of that name
        self.behind.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._split = QCheckBox(tr(BEFORE_AFTER))
        self._split.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._split.setToolTip(tr("Drag the line over the picture (8)"))
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setRange(0, 100)
        self._opacity.setAccessibleName(tr("Opacity of the parts"))
        self._opacity.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._percent = plain(name="faint")
        self.legend = Legend()
        self._title = heading("PARTS")
        self._none = plain("The model in use gives no body parts", "faint", wrap=True)
        self._all = button("Show all", lambda: self.style_changed.emit(self._style.with_everything()))
        self._lay_out()
        self._view.activated.connect(self._on_view)
        self._split.clicked.connect(self._on_split)
        self._opacity.valueChanged.connect(self._on_opacity)
        self.legend.eyed.connect(self._on_eyed)
        self.legend.soloed.connect(lambda row: self.style_changed.emit(self._style.with_solo(row)))
        self.legend.isolated.connect(self._on_isolated)
        self.show_style(self._style)

    def show_style(self, style: DisplayStyle) -> None:
        """The style as it is now, wherever it was changed."""
        self._style = style
        self._view.setCurrentIndex(list(VIEW_NAMES).index(style.view))
        self._split.setChecked(style.split)
        self.behind.setVisible(style.view is ViewMode.CUT_OUT)
        self._opacity.blockSignals(True)  # noqa: FBT003 Qt's signature
        self._opacity.setValue(round(style.opacity * 100))
        self._opacity.blockSignals(False)  # noqa: FBT003 Qt's signature
        self._opacity.setEnabled(style.view in {ViewMode.OVERLAY, ViewMode.INSTANCES})
        self._percent.setText(f"{round(style.opacity * 100)} %")
        self.legend.show_style(style)
        self._title.setText(tr("PEOPLE" if style.lists_people else "PARTS"))
        self._all.setEnabled(style != style.with_everything())
        empty = self._parts is None and not style.lists_people
        self._none.setVisible(empty)
        for listing in (self.legend, self._all):
            listing.setVisible(not empty)

    def show_parts(self, parts: PartSet | None) -> None:
        """The parts of another model, or that it gives none."""
        self._parts = parts
        self.legend.show_parts(parts or S31)
        self.show_style(self._style)

    def show_sides(self, words: str) -> None:
        """Name what stands left and right of the split line."""
        self._split.setText(words or tr(BEFORE_AFTER))

    def show_people(self, numbers: tuple[int, ...]) -> None:
        """The people in the picture, for the view that paints them."""
        self.legend.show_people(numbers)

    def offer(self, refused: Mapping[ViewMode, str]) -> None:
        """Disable the views that a model cannot give, with the reason."""
        model = self._view.model()
        for row, view in enumerate(VIEW_NAMES):
            item = model.item(row) if isinstance(model, QStandardItemModel) else None
            if item is not None:
                item.setEnabled(view not in refused)
                item.setToolTip(refused.get(view, ""))

    def show_ink(self, ink: QColor) -> None:
        """The theme's text colour."""
        self.legend.show_ink(ink)

    def _lay_out(self) -> None:
        opacity_row = QHBoxLayout()
        opacity_row.addWidget(self._opacity, 1)
        opacity_row.addWidget(self._percent)
        self._percent.setMinimumWidth(38)
        self._percent.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        column = fill(
            QVBoxLayout(self),
            *(heading("VIEW"), self._view, self.behind, self._split, 8),
            *(heading("OPACITY"), opacity_row, 8),
            *(self._title, self._none, self.legend, self._all),
            spacing=6,
        )
        self._none.setAlignment(Qt.AlignmentFlag.AlignTop)
        for filling in (self._none, self.legend):
            column.setStretchFactor(filling, 1)
        column.setContentsMargins(12, 12, 12, 12)

    def _on_view(self, index: int) -> None:
        self.style_changed.emit(replace(self._style, view=list(VIEW_NAMES)[index], bare=False))

    def _on_split(self) -> None:
        self.style_changed.emit(replace(self._style, split=self._split.isChecked()))

    def _on_opacity(self, value: int) -> None:
        self.style_changed.emit(replace(self._style, opacity=value / 100))

    def _on_isolated(self, rows: list[int]) -> None:
        self.style_changed.emit(self._style.with_group(set(rows), self.legend.listed))

    def _on_eyed(self, rows: list[int], shown: bool) -> None:  # noqa: FBT001 a signal's payload
        self.style_changed.emit(self._style.with_rows(set(rows), shown=shown))
