"""Viewing: the one owner of the look; menu, panel and canvas change it through here and are told of it."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtCore import QObject, pyqtSignal

from app.settings import Settings
from app.ui.actions import Actions
from app.ui.canvas import Canvas
from app.ui.controls import Controls
from app.ui.look import Behind, Look, View
from models.labels import PartSet

SPLIT = "before-after"  # how the settings file calls a split overlay


class Viewing(QObject):
    """Keeps the look.

    Signals:
        changed: the look is another one now.
    """

    changed = pyqtSignal(Look)

    def __init__(self, actions: Actions, controls: Controls, canvas: Canvas, parent: QObject) -> None:
        super().__init__(parent)
        self.look = Look()
        self._actions = actions
        self._controls = controls
        self._canvas = canvas
        controls.look_changed.connect(self.show)
        canvas.look_changed.connect(self.show)
        for view in View:
            actions[f"view-{view}"].triggered.connect(lambda _on, v=view: self.choose_view(v))
        actions["split"].triggered.connect(lambda on: self.show(replace(self.look, split=on)))
        actions["hide"].triggered.connect(lambda on: self.show(replace(self.look, bare=on)))
        actions["colour-blind"].triggered.connect(lambda on: self.show(replace(self.look, colour_blind=on)))
        actions["show-all"].triggered.connect(
            lambda: self.show(replace(self.look, hidden=frozenset(), solo=0))
        )
        self.show(self.look)

    def show(self, look: Look) -> None:
        """Make this the look, everywhere."""
        self.look = look
        self._controls.show_look(look)
        self._canvas.show_look(look)
        self._actions[f"view-{look.view}"].setChecked(True)
        for name, on in (("split", look.split), ("hide", look.bare), ("colour-blind", look.colour_blind)):
            self._actions[name].setChecked(on)
        self.changed.emit(look)

    def choose_view(self, view: View) -> None:
        """Another view; choosing one brings hidden overlays back."""
        self.show(replace(self.look, view=view, bare=False))

    def choose_behind(self, behind: Behind) -> None:
        """Another backdrop, seen at once."""
        self.show(replace(self.look, behind=behind, view=View.CUT_OUT, bare=False))

    def mirror(self, *, on: bool) -> None:
        """Mirror the display."""
        if on != self.look.mirror:
            self.show(replace(self.look, mirror=on))

    def restore(self, settings: Settings, parts: PartSet) -> None:
        """The look of the last run."""
        view = View(settings.view) if settings.view in set(View) else View.OVERLAY
        hidden = frozenset(parts.id(n) for n in settings.hidden_parts if n in parts.names)
        self.show(
            replace(
                self.look,
                view=view,
                split=settings.view == SPLIT,
                opacity=settings.opacity,
                hidden=hidden,
                colour_blind=settings.palette == "colour-blind",
            )
        )

    def remember(self, settings: Settings, parts: PartSet) -> Settings:
        """`settings` with the look of this run."""
        look = self.look
        view = SPLIT if look.split else "overlay" if look.view is View.PICTURE else look.view.value
        return replace(
            settings,
            view=view,
            opacity=look.opacity,
            palette="colour-blind" if look.colour_blind else "standard",
            hidden_parts=tuple(parts.names[p - 1] for p in sorted(look.hidden) if p < parts.classes),
        )

    def words(self, parts: PartSet) -> str:
        """The part that is shown alone, in words."""
        return parts.label(self.look.solo) if self.look.solo else ""
