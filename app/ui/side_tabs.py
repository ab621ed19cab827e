"""Tabs of the side panel: parts and view, or Personalise; both stay at hand while a person is learned."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QTabBar

from app.ui.translation import tr


class SideTabs(QTabBar):
    """Two tabs that follow the action of the second, and trigger it."""

    def __init__(self, personalise: QAction) -> None:
        super().__init__()
        self._action = personalise
        self.setExpanding(True)
        self.setDrawBase(False)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(tr("Side panel"))
        for words in ("Parts and view", "Personalise"):
            self.addTab(tr(words))
        self.currentChanged.connect(self._on_changed)
        personalise.toggled.connect(lambda on: self.setCurrentIndex(int(on)))

    def _on_changed(self, index: int) -> None:
        if bool(index) != self._action.isChecked():
            self._action.trigger()
            self.setCurrentIndex(int(self._action.isChecked()))
