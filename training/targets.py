"""Code maps, the targets of training: a pixel teaches an exact part, a set of parts, or nothing.

One uint8 code map carries every kind of supervision. Codes 0..31 are the S31 labels; a code from `SETS` says
that the pixel carries one of several parts (hair is *some* head part); 255 says nothing. What is person
follows from the code alone, so the factor and the head are always taught the same silhouette. Sets into whose
parts the 31 cannot be merged (LIP-20) are taught by their own label ids as codes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.labels import S31, PartSet, from_s31, merges_s31

CLASSES = S31.classes


def _ids(*stems: str) -> tuple[int, ...]:
    """Label ids of both sides of parts named without their side."""
    return tuple(i for i, n in enumerate(S31.names, start=1) if n in stems or n[1:] in stems)


#: name → parts allowed; either both sides, or one side and its mirror image beside it (`_MIRRORED`)
SETS: dict[str, tuple[int, ...]] = {
    "person": tuple(range(1, CLASSES)),
    "head": _ids("uhead", "lhead"),
    "foot": _ids("foot", "ankle"),
    "trousers": _ids("lbody", "uleg", "knee", "lleg", "ankle"),
    "upper body": _ids("ubody"),
    "lower body": _ids("lbody"),
    "hand": _ids("hand", "wrist"),
    "right head": (S31.id("ruhead"), S31.id("rlhead")),
    "left head": (S31.id("luhead"), S31.id("llhead")),
}
_MIRRORED = (("right head", "left head"),)
SET_CODES: dict[str, int] = {name: CLASSES + i for i, name in enumerate(SETS)}
CODES = CLASSES + len(SETS)


def allowed(part_set: PartSet = S31) -> NDArray[np.bool_]:
    """(CODES, classes): the labels of a set that each code allows, those its parts are merged into."""
    if not merges_s31(part_set):
        own = np.ones((CODES, part_set.classes), dtype=bool)  # codes beyond its ids teach nothing
        own[: part_set.classes] = np.eye(part_set.classes, dtype=bool)
        return own
    table = np.zeros((CODES, CLASSES), dtype=bool)
    table[np.arange(CLASSES), np.arange(CLASSES)] = True
    for name, parts in SETS.items():
        table[SET_CODES[name], list(parts)] = True
    merged = np.eye(part_set.classes, dtype=np.uint8)[from_s31(part_set)[:CLASSES]]
    return (table @ merged) > 0


def mirror_codes(part_set: PartSet = S31) -> NDArray[np.uint8]:
    """Look-up table (256,) of the codes that teach a set, under a horizontal flip."""
    if not merges_s31(part_set):
        return part_set.mirror()
    table = S31.mirror()
    for a, b in _MIRRORED:
        table[SET_CODES[a]], table[SET_CODES[b]] = SET_CODES[b], SET_CODES[a]
    return table
