"""Style state: the one owner of the display style; menu, panel and canvas change it through here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from app.settings import Settings
from app.ui.canvas import Canvas
from app.ui.layers import SURE, mask_image
from app.ui.style_panel import StylePanel
from app.ui.window_actions import Actions
from models.labels import PartSet
from runtime.output.backdrop import Backdrop
from runtime.output.style import DisplayStyle, ViewMode

FLASH_MS = 700
SPLIT_STEP = 0.05  # of the width
SPLIT = "before-after"  # how the settings file calls a split overlay


class StyleState(QObject):
    """Display style of the window, with the widgets that change it.

    Signals:
        changed: the style is another one.
    """

    changed = pyqtSignal()

    def __init__(self, actions: Actions, controls: StylePanel, canvas: Canvas, parent: QObject) -> None:
        super().__init__(parent)
        self.style = DisplayStyle()
        self._actions = actions
        self._controls = controls
        self._canvas = canvas
        self._best = self._before = ViewMode.OVERLAY  # of the model; and what a model without parts replaced
        controls.style_changed.connect(self.show)
        canvas.style_changed.connect(self.show)
        controls.legend.flashed.connect(self._flash)
        controls.behind.setMenu(actions.menus["behind"])
        for view in ViewMode:
            actions[f"view-{view}"].triggered.connect(lambda _on, v=view: self.choose_view(v))
        actions["split"].triggered.connect(lambda on: self.show(replace(self.style, split=on)))
        for name, step in (("split-left", -SPLIT_STEP), ("split-right", SPLIT_STEP)):
            actions[name].triggered.connect(lambda _, by=step: self._move_split(by))
        actions["hide"].triggered.connect(lambda on: self.show(replace(self.style, bare=on)))
        actions["joints"].triggered.connect(lambda on: self.show(replace(self.style, joints=on)))
        actions["contours"].triggered.connect(lambda on: self.show(replace(self.style, contours=on)))
        actions["colour-blind"].triggered.connect(lambda on: self.show(replace(self.style, colour_blind=on)))
        actions["show-all"].triggered.connect(lambda: self.show(self.style.with_everything()))
        self.show(self.style)

    def show(self, style: DisplayStyle) -> None:
        """Make this the style, everywhere."""
        self.style = style
        self._controls.show_style(style)
        self._canvas.show_style(style)
        self._actions[f"view-{style.view}"].setChecked(True)
        checks = {
            "split": style.split,
            "hide": style.bare,
            "joints": style.joints,
            "contours": style.contours,
        }
        for name, on in {**checks, "colour-blind": style.colour_blind}.items():
            self._actions[name].setChecked(on)
        self.changed.emit()

    def offer(self, refused: Mapping[ViewMode, str], best: ViewMode) -> None:
        """Offer the views of a model but those `refused` for a reason; the `best` takes their place.

        A view that hides the room stays: no switch of models may uncover it.
        """
        for view in ViewMode:
            self._actions.refuse(f"view-{view}", refused.get(view, ""))
        self._controls.offer(refused)
        view, changed, self._best = self.style.view, best is not self._best, best
        stays = view.hides_picture or view not in {*refused, ViewMode.OVERLAY}
        if changed and best is ViewMode.INSTANCES and not stays:
            wanted: ViewMode = best
            self._before = view
        elif changed and view is ViewMode.INSTANCES and best is not view:
            wanted = self._before
        elif view in refused and not view.hides_picture:
            wanted = best
        else:
            return
        self.show(replace(self.style, view=wanted))

    def choose_view(self, view: ViewMode) -> None:
        """Another view; choosing one brings hidden overlays back."""
        self.show(replace(self.style, view=view, bare=False))

    def _flash(self, row: int) -> None:
        """Point a part out in the picture for a moment."""
        parsing = self._canvas.parsed.parsing if self._canvas.parsed is not None else None
        if parsing is not None and not self.style.lists_people and not self._canvas.brush.on:
            self._canvas.show_mask(
                None, mask_image((parsing.labels == row).astype(np.uint8) * np.uint8(SURE))
            )
            QTimer.singleShot(FLASH_MS, lambda: self._canvas.show_mask(None, None))

    def _move_split(self, by: float) -> None:
        """Move the split line by a fraction of the width."""
        if self.style.split:
            self.show(replace(self.style, split_at=min(1.0, max(0.0, self.style.split_at + by))))

    def choose_behind(self, behind: Backdrop) -> None:
        """Another backdrop, seen at once."""
        self.show(replace(self.style, behind=behind, view=ViewMode.CUT_OUT, bare=False))

    def mirror(self, *, on: bool) -> None:
        """Mirror the display."""
        if on != self.style.mirror:
            self.show(replace(self.style, mirror=on))

    def restore(self, settings: Settings, parts: PartSet) -> None:
        """Restore the style of the last run."""
        view = ViewMode(settings.view) if settings.view in set(ViewMode) else ViewMode.OVERLAY
        hidden = frozenset(parts.id(n) for n in settings.hidden_parts if n in parts.names)
        self.show(
            replace(
                self.style,
                view=view,
                split=settings.view == SPLIT,
                opacity=settings.opacity,
                hidden=hidden,
                joints=settings.joints,
                colour_blind=settings.palette == "colour-blind",
            )
        )

    def remember(self, settings: Settings, parts: PartSet) -> Settings:
        """`settings` with the style of this run."""
        style = self.style
        view = SPLIT if style.split else "overlay" if style.view is ViewMode.PICTURE else style.view.value
        return replace(
            settings,
            view=view,
            opacity=style.opacity,
            joints=style.joints,
            palette="colour-blind" if style.colour_blind else "standard",
            hidden_parts=tuple(parts.names[p - 1] for p in sorted(style.hidden) if p < parts.classes),
        )
