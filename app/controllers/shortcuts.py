"""Shortcuts: keys of the user's own, kept in the settings file, and the dialog that changes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PyQt6.QtGui import QKeySequence

from app.settings import Settings
from app.ui.actions import entries
from app.ui.shortcuts_dialog import RESERVED, ShortcutRow, ShortcutsDialog
from app.ui.window import Window

Keys = dict[str, tuple[str, ...]]  # by the name of an action
MOUSE = (
    ("Picture", "Zoom", "Wheel"),
    ("Picture", "Fit", "Double-click"),
    ("Time line", "Choose a range", "Shift+drag"),
    ("Parts", "One part alone", "Double-click"),
)


def read(lines: Sequence[str]) -> Keys:
    """Keys of a settings file, `action: Ctrl+X; Y` a line; of what cannot be a key or an action, nothing."""
    names = {action.name for _, action in entries()}
    found: Keys = {}
    for line in lines:
        name, colon, text = line.partition(":")
        keys = [k.toString() for k in QKeySequence.listFromString(text.strip())]
        good = tuple(k for k in keys if k and k not in RESERVED)
        if colon and name.strip() in names and (good or not text.strip()):
            found[name.strip()] = good
    return found


def written(own: Keys) -> tuple[str, ...]:
    """Lines of a settings file."""
    return tuple(f"{name}: {'; '.join(keys)}".rstrip() for name, keys in own.items())


def first_keys() -> Keys:
    """The keys that the actions come with."""
    return {a.name: tuple(QKeySequence(k).toString() for k in (a.key, *a.keys) if k) for _, a in entries()}


def keys_with(own: Mapping[str, tuple[str, ...]]) -> Keys:
    """Keys of every action: the user's own, then the first ones as far as nobody took them; none twice."""
    taken: set[str] = set()
    keys: Keys = {}
    first = first_keys()
    for name, texts in (*own.items(), *((n, t) for n, t in first.items() if n not in own)):
        keys[name] = tuple(t for t in texts if t not in taken)
        taken.update(texts)
    return keys


class ShortcutEditing:
    """Connects Help → Keyboard shortcuts with the actions and the settings."""

    def __init__(self, window: Window, change: Callable[..., None]) -> None:
        self._window, self._change = window, change
        self._own: Keys = {}
        self._dialog: ShortcutsDialog | None = None
        window.actions_["keys"].triggered.connect(self.open)

    def restore(self, settings: Settings) -> None:
        """The keys of the settings file."""
        self._own = read(settings.shortcuts)
        self._window.actions_.show_keys(keys_with(self._own))

    def open(self) -> None:
        """Show the dialog."""
        if self._dialog is None:
            self._dialog = ShortcutsDialog(self._window)
            self._dialog.assigned.connect(self._on_assigned)
            self._dialog.reset_one.connect(self._on_reset)
            self._dialog.reset_all.connect(lambda: self._use({}))
        self._dialog.show_rows(self._rows())
        self._dialog.show()
        self._dialog.raise_()

    def _on_assigned(self, name: str, key: str) -> None:
        own = {**self._own, name: (key,) if key else ()}
        for other, keys in keys_with(self._own).items():
            if other != name and key in keys:  # its other keys stay
                own[other] = tuple(k for k in keys if k != key)
        self._use(own)

    def _on_reset(self, name: str) -> None:
        """The first keys of an action come back, from whoever has them now."""
        first = first_keys()
        own = {
            n: tuple(k for k in keys if k not in first[name]) for n, keys in self._own.items() if n != name
        }
        self._use(own)

    def _use(self, own: Keys) -> None:
        first = first_keys()
        self._own = {name: keys for name, keys in own.items() if keys != first[name]}
        self._window.actions_.show_keys(keys_with(self._own))
        self._change(shortcuts=written(self._own))
        if self._dialog is not None:
            self._dialog.show_rows(self._rows())

    def _rows(self) -> list[ShortcutRow]:
        keys, first, rows = keys_with(self._own), first_keys(), []
        for menu, entry in entries():
            own = keys[entry.name] != first[entry.name]
            rows.append(ShortcutRow(entry.name, menu, entry.words, keys[entry.name], own))
        return rows + [ShortcutRow("", menu, words, (keys,)) for menu, words, keys in MOUSE]
