"""Display style of a result. Frozen, so that the canvas, a snapshot and a recording agree on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.labels import PartSet


class ViewMode(StrEnum):
    """View of a result; the values are those of the settings file."""

    OVERLAY = "overlay"
    PARTS = "parts"
    SILHOUETTE = "silhouette"
    CUT_OUT = "cut-out"
    CONFIDENCE = "confidence"
    SKELETON = "skeleton"
    PICTURE = "picture"

    @property
    def hides_picture(self) -> bool:
        """True for views in which the picture behind the person must never be seen, also without a result."""
        return self in {ViewMode.PARTS, ViewMode.SILHOUETTE, ViewMode.CUT_OUT}

    @property
    def needs_parts(self) -> bool:
        """True where a model without body parts has nothing to paint."""
        return self in {ViewMode.PARTS, ViewMode.SILHOUETTE, ViewMode.CUT_OUT, ViewMode.CONFIDENCE}


class BackdropKind(StrEnum):
    """Kind of picture behind a cut-out person."""

    CHECKS = "checks"
    COLOUR = "colour"
    BLUR = "blur"
    IMAGE = "image"


@dataclass(frozen=True, eq=False)
class Backdrop:
    """A backdrop with what it needs."""

    kind: BackdropKind = BackdropKind.COLOUR
    colour: tuple[int, int, int] = (0, 177, 64)  #: RGB; the green that other programs key out
    image: NDArray[np.uint8] | None = None  #: (h, w, 3) RGB, for IMAGE


GREEN_SCREEN = Backdrop()


@dataclass(frozen=True)
class DisplayStyle:
    """Every choice of the right-hand panel and the View menu that changes what is painted."""

    view: ViewMode = ViewMode.OVERLAY
    split: bool = False  #: the untouched picture left of a line, the view right of it
    split_at: float = 0.5  #: where the line is, as a fraction of the width
    opacity: float = 0.6
    bare: bool = False  #: overlays hidden for a moment
    hidden: frozenset[int] = frozenset()  #: part ids whose eye is closed
    solo: int = 0  #: the only part shown, or 0
    colour_blind: bool = False
    mirror: bool = False  #: display only
    behind: Backdrop = GREEN_SCREEN

    def shows(self, part: int) -> bool:
        """True when a part is painted."""
        return part == self.solo if self.solo else part not in self.hidden

    def with_solo(self, part: int) -> DisplayStyle:
        """One part alone; the same part again brings the others back."""
        return replace(self, solo=0 if self.solo == part else part)


def visible(parts: PartSet, style: DisplayStyle) -> NDArray[np.bool_]:
    """(256,) whether each label id is painted; the background never is."""
    table = np.zeros(256, np.bool_)
    table[1 : parts.classes] = [style.shows(i) for i in range(1, parts.classes)]
    return table
