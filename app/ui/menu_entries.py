"""Choices: submenus whose entries are known only at run time, one of which may be checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from PyQt6.QtGui import QAction, QActionGroup, QIcon
from PyQt6.QtWidgets import QMenu

from app.ui.translation import tr

LONGEST_PLACE = 40  # characters of a path's end


@dataclass(frozen=True)
class Choice:
    """One entry."""

    key: str
    text: str
    checked: bool = False
    enabled: bool = True
    icon: QIcon | None = None
    detail: str = ""  #: at the right of the row
    tip: str = ""  #: no words from outside: a tip may be shown as markup


def literal(text: str) -> str:
    """Menu text for a name from outside: an ampersand is no mnemonic, a line break no second line."""
    return " ".join(text.split())[:80].replace("&", "&&")


def short_names(sources: Sequence[str]) -> list[str]:
    """The last part of each path or address, and where two are alike what is before it."""
    names = [PurePath(s).name or s for s in sources]
    places = [s.removesuffix(n).rstrip("/")[-LONGEST_PLACE:] for s, n in zip(sources, names, strict=True)]
    return [f"{n} – {p}" if names.count(n) > 1 else n for n, p in zip(names, places, strict=True)]


def fill(
    menu: QMenu,
    choices: Sequence[Choice],
    on_chosen: Callable[[str], None],
    *,
    group: QActionGroup | None = None,
    before: QAction | None = None,
) -> None:
    """Replace the entries that an earlier call put into `menu`.

    Args:
        menu: where they go.
        choices: the entries, in order.
        on_chosen: gets the key of the chosen one.
        group: makes them exclusive, also with other members of the group.
        before: they stand before this action; at the end without it.
    """
    for action in menu.actions():
        if action.property("choice") is not None:
            menu.removeAction(action)
            if group is not None:
                group.removeAction(action)
            action.deleteLater()
    for choice in choices:
        detail = f"\t{literal(choice.detail)}" if choice.detail else ""
        action = QAction(literal(tr(choice.text)) + detail, menu)
        action.setProperty("choice", choice.key)
        action.setEnabled(choice.enabled)
        if choice.tip:
            action.setToolTip(tr(choice.tip))
            action.setStatusTip(tr(choice.tip))
        if choice.icon is not None:
            action.setIcon(choice.icon)
        if group is not None:
            action.setCheckable(True)
            group.addAction(action)
            action.setChecked(choice.checked)
        action.triggered.connect(lambda _checked=False, key=choice.key: on_chosen(key))
        if before is None:
            menu.addAction(action)
        else:
            menu.insertAction(before, action)
