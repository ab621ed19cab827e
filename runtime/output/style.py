"""Display style of a result. Frozen, so that canvas, snapshot, recording and export agree on it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.labels import PartSet
from runtime.output.backdrop import GREEN_SCREEN, Backdrop, BackdropKind


class ViewMode(StrEnum):
    """View of a result; the values are those of the settings file."""

    OVERLAY = "overlay"
    PARTS = "parts"
    SILHOUETTE = "silhouette"
    CUT_OUT = "cut-out"
    CONFIDENCE = "confidence"
    SKELETON = "skeleton"
    INSTANCES = "instances"
    PICTURE = "picture"

    @property
    def hides_picture(self) -> bool:
        """True for views in which the picture behind the person must never be seen, also without a result."""
        return self in {ViewMode.PARTS, ViewMode.SILHOUETTE, ViewMode.CUT_OUT}

    @property
    def needs_parts(self) -> bool:
        """True where a model without body parts has nothing to paint."""
        return self in {ViewMode.PARTS, ViewMode.SILHOUETTE, ViewMode.CUT_OUT, ViewMode.CONFIDENCE}


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
    joints: bool = True  #: over the parts, of a model that gives both
    contours: bool = False  #: a dark line between parts
    boxes: bool = False  #: around people
    person: int = 0  #: number of the person that is chosen, or 0
    follow: bool = False  #: the view stays on the chosen person
    alone: bool = False  #: only the chosen person is painted
    hidden_people: frozenset[int] = frozenset()  #: numbers of people who are not painted

    def to_json(self) -> dict[str, Any]:
        """Plain values, for another process."""
        raw = {f.name: getattr(self, f.name) for f in fields(self)}
        raw = {k: sorted(v) if isinstance(v, frozenset) else v for k, v in raw.items()}
        image = self.behind.image
        png = cv2.imencode(".png", image)[1].tobytes() if image is not None else b""
        return raw | {"behind": [self.behind.kind, *self.behind.colour, base64.b64encode(png).decode()]}

    @property
    def digest(self) -> str:
        """Another for each style that paints otherwise."""
        return hashlib.sha256(json.dumps(self.to_json()).encode()).hexdigest()[:16]

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> DisplayStyle:
        """The inverse of `to_json`; what is missing is as usual."""
        values: dict[str, Any] = {
            k: frozenset(v) if isinstance(v, list) else v for k, v in raw.items() if k != "behind"
        }
        if "behind" in raw:
            kind, red, green, blue, png = raw["behind"]
            data = np.frombuffer(base64.b64decode(png), np.uint8)
            image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8) if data.size else None
            values["behind"] = Backdrop(BackdropKind(kind), (red, green, blue), image)
        values["view"] = ViewMode(raw.get("view", ViewMode.OVERLAY))
        return cls(**values)

    @property
    def transparent(self) -> bool:
        """True for a cut-out before nothing: the checks are of the screen, a file has transparency there."""
        cut_out = self.view is ViewMode.CUT_OUT and not self.bare
        return cut_out and self.behind.kind is BackdropKind.CHECKS

    def shows_person(self, number: int) -> bool:
        """True when a person is painted."""
        return number == self.person if self.alone and self.person else number not in self.hidden_people

    def shows(self, part: int) -> bool:
        """True when a part is painted."""
        return part == self.solo if self.solo else part not in self.hidden

    @property
    def lists_people(self) -> bool:
        """True where the legend lists people, and not parts."""
        return self.view is ViewMode.INSTANCES

    def shows_row(self, row: int) -> bool:
        """True when a part or person of the legend is painted."""
        return self.shows_person(row) if self.lists_people else self.shows(row)

    def with_rows(self, rows: set[int], *, shown: bool) -> DisplayStyle:
        """Parts or people of the legend shown or hidden."""
        if self.lists_people:
            hidden = self.hidden_people - rows if shown else self.hidden_people | rows
            return replace(self, hidden_people=hidden, alone=False)
        return replace(self, hidden=self.hidden - rows if shown else self.hidden | rows, solo=0)

    def with_group(self, rows: set[int], all_rows: set[int]) -> DisplayStyle:
        """These parts or people alone; the same again brings the others back."""
        alone = self.with_everything().with_rows(all_rows - rows, shown=False)
        return self.with_everything() if self == alone else alone

    def with_everything(self) -> DisplayStyle:
        """Every part and person shown."""
        return replace(self, hidden=frozenset(), solo=0, hidden_people=frozenset(), alone=False)

    def of_other_parts(self) -> DisplayStyle:
        """Every part of a part set that is not the legend's: its ids are of other parts."""
        return replace(self, hidden=frozenset(), solo=0)

    def with_solo(self, row: int) -> DisplayStyle:
        """One part or person alone; the same again brings the others back."""
        if self.lists_people:
            return replace(self, person=row, alone=not (self.alone and self.person == row))
        return replace(self, solo=0 if self.solo == row else row)


def visible(parts: PartSet, style: DisplayStyle) -> NDArray[np.bool_]:
    """(256,) whether each label id is painted; the background never is."""
    table = np.zeros(256, np.bool_)
    table[1 : parts.classes] = [style.shows(i) for i in range(1, parts.classes)]
    return table
