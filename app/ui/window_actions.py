"""Window actions: the actions of one window, made of the table, and the menus they stand in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PyQt6.QtGui import QAction, QActionGroup, QKeySequence
from PyQt6.QtWidgets import QMainWindow, QMenu, QMenuBar

from app.ui.actions import LINE, MENUS, SUBMENU_TABLE, SUBMENUS, TABLE, Action
from app.ui.translation import tr


class Actions:
    """The actions of one window, and the menus they stand in.

    Attributes:
        by_name: every action of the table.
        menus: the menus of the menu bar, and the submenus that are filled at run time, by name.
    """

    def __init__(self, window: QMainWindow, bar: QMenuBar) -> None:
        self.by_name: dict[str, QAction] = {}
        self.menus: dict[str, QMenu] = {}
        self._groups: dict[str, QActionGroup] = {}
        self._window = window
        for title in MENUS:
            menu = bar.addMenu(tr("&" + title))
            if menu is None:
                continue
            menu.setToolTipsVisible(True)
            self.menus[title] = menu
            for entry in TABLE[title]:
                self._add(menu, entry)

    def __getitem__(self, name: str) -> QAction:
        return self.by_name[name]

    def refuse(self, name: str, reason: str) -> None:
        """Disable an action and say why; without a reason it is enabled."""
        action = self.by_name[name]
        action.setEnabled(not reason)
        self._show_tip(action, reason)

    def refusal(self, keys: QKeySequence) -> str:
        """Why the action of these keys cannot be used now; empty where nobody has said it."""
        off = [a for a in self.by_name.values() if not a.isEnabled() and keys in a.shortcuts()]
        return next((a.statusTip() for a in off if a.statusTip() != a.whatsThis()), "")

    def show_keys(self, keys: Mapping[str, Sequence[str]]) -> None:
        """Give actions other keys, as Qt writes them in files; an action that is not named keeps its own."""
        for name, texts in keys.items():
            action = self.by_name[name]
            action.setShortcuts([QKeySequence(text) for text in texts])
            self._show_tip(action)

    def group(self, name: str) -> QActionGroup:
        """The group of which one action is checked."""
        if name not in self._groups:
            self._groups[name] = QActionGroup(self._window)
        return self._groups[name]

    def _add(self, menu: QMenu, entry: Action | str) -> None:
        if entry == LINE:
            menu.addSeparator()
        elif isinstance(entry, str):
            submenu = menu.addMenu(tr(SUBMENUS[entry])) if entry in SUBMENUS else None
            if submenu is None:
                self.menus[entry] = menu
                place = menu.addSeparator()  # entries filled at run time stand before this line
                if place is not None:
                    self.by_name[f"{entry}-end"] = place
            else:
                submenu.setToolTipsVisible(True)
                self.menus[entry] = submenu
                for fixed in SUBMENU_TABLE.get(entry, ()):
                    self._add(submenu, fixed)
        else:
            menu.addAction(self._make(entry))

    def _make(self, entry: Action) -> QAction:
        action = QAction(tr(entry.text), self._window)
        action.setObjectName(entry.name)
        action.setIconVisibleInMenu(False)  # icons are for the buttons
        if entry.key:
            action.setShortcuts([QKeySequence(k) for k in (entry.key, *entry.keys)])
        action.setWhatsThis(tr(entry.tip))
        self._show_tip(action)
        if entry.checks:
            action.setCheckable(True)
            if entry.checks != "alone":
                self.group(entry.checks).addAction(action)
        self.by_name[entry.name] = action
        self._window.addAction(action)  # its key works in full screen too, where the menu bar is hidden
        return action

    @staticmethod
    def _show_tip(action: QAction, reason: str = "") -> None:
        """Its tip with its key; or a reason why it cannot be used now."""
        reason = tr(reason)
        tip, key = action.whatsThis(), action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setStatusTip(reason or tip)
        action.setToolTip(reason or (f"{tip} ({key})" if tip and key else tip))
