"""Highlight: people tinted over the picture, frame after frame, while something is asked about them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from app.ui.canvas import Canvas
from app.ui.layers import SURE, mask_image
from models.results import Result
from personalize.chosen_person import silhouette_regions
from runtime.output.instances import instances

Mask = NDArray[np.bool_]
NumberedMask = tuple[int, Mask]  # number of a person, 0 without one


class Highlight:
    """Tint of one person, who is followed by number or by place, or of everybody."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._lasts: Callable[[], bool] | None = None  # None: nobody is highlighted
        self._one: NumberedMask | None = None

    def begin(self, one: NumberedMask | None, lasts: Callable[[], bool]) -> None:
        """Highlight somebody, or everybody (None), for as long as `lasts` says."""
        self._one, self._lasts = one, lasts

    def show(self, result: Result | None) -> None:
        """Highlight them in a result; who is not in it is looked for in the next one."""
        if self._lasts is None:
            return
        if not self._lasts():
            self._lasts = None
            self._canvas.show_mask(None, None)
            return
        found = people_in(result)
        if self._one is not None:
            number = self._one[0]
            best = max((m for m in found if m[0] == number), key=self._overlap, default=None)
            found = [best] if best is not None and (number or self._overlap(best)) else []
            self._one = found[0] if found else self._one
        tint = np.logical_or.reduce([m for _, m in found]).astype(np.uint8) if found else None
        self._canvas.show_mask(None, None if tint is None else mask_image(tint * np.uint8(SURE)))

    def _overlap(self, other: NumberedMask) -> int:
        before = self._one[1] if self._one is not None else other[1]
        return int((before & other[1]).sum()) if before.shape == other[1].shape else 0


def people_in(result: Result | None) -> list[NumberedMask]:
    """Everybody's mask, or the regions of the silhouette where people are not told apart."""
    if result is None:
        return []
    people = instances(result.people)
    masks = [(i.number, i.person.mask > 0) for i in people if i.person.mask is not None]
    if masks or result.parsing is None:
        return masks
    return [(0, region) for region in silhouette_regions(result.parsing.person > SURE // 2)]
