"""Part sets and joint sets that only published data sets use, and their one-way maps (methods §2, §10)."""

from __future__ import annotations

from typing import Literal

from models.labels import FSP14, IGNORE, LIP16, LIP20, S31, JointSet, PartMap, PartSet, mirror_of, voc_colours

#: MPII's sixteen joints are LIP's, in the same order
MPII16 = LIP16


FSP_PARTS = PartSet(
    "FSP-14", FSP14.names, mirror_of(14, (3, 6), (4, 7), (5, 8), (9, 12), (10, 13), (11, 14)), voc_colours(14)
)

COARSE = ("head", "torso", "arms", "legs", "feet")
_LIP_COARSE = {
    **dict.fromkeys(("hat", "hair", "sunglasses", "face"), 1),
    **dict.fromkeys(("glove", "left-arm", "right-arm"), 3),
    **dict.fromkeys(("socks", "pants", "skirt", "left-leg", "right-leg"), 4),
    **dict.fromkeys(("left-shoe", "right-shoe"), 5),
}
#: Clothes that cover torso, upper arms and thighs alike say nothing of the part: 255. One way, for scoring
#: only; what LIP teaches is its silhouettes, and sets of parts under hair, shoes, trousers (own_photos.py).
LIP_COARSE = PartMap(LIP20, "LIP coarse", COARSE, tuple(_LIP_COARSE.get(n, IGNORE) for n in LIP20.names))


def _s31_coarse(name: str) -> int:
    stem = name if name == "neck" else name[1:]
    if stem in ("uhead", "lhead"):
        return 1
    if stem in ("hand", "wrist", "larm", "elbow", "uarm"):
        return 3
    if stem == "foot":
        return 5
    # trousers and skirts, the only clothes that LIP_COARSE scores there, cover the lower body too
    return 4 if stem in ("lbody", "uleg", "knee", "lleg", "ankle") else 2


S31_COARSE = PartMap(S31, "S31 coarse", COARSE, tuple(_s31_coarse(n) for n in S31.names))

#: Which side the first three arm and leg joints of the extended PASCAL annotations are on. The sources do
#: not say; left, after the convention of Chen and Yuille. One word to change when the data say otherwise.
PASCAL_SIDE_A: Literal["l", "r"] = "l"


def pascal_joints(side_a: Literal["l", "r"]) -> JointSet:
    """The fourteen joints of the extended PASCAL annotations, given which side comes first."""
    side_b = {"l": "r", "r": "l"}[side_a]
    limbs = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    names = ("head", "neck", *(f"{s}_{n}" for s in (side_a, side_b) for n in limbs))
    arms_and_legs = ((2, 3), (3, 4), (2, 5), (5, 6), (6, 7), (8, 9), (9, 10), (8, 11), (11, 12), (12, 13))
    return JointSet("PASCAL-14", names, ((0, 1), (1, 2), (1, 8), *arms_and_legs))


PASCAL14 = pascal_joints(PASCAL_SIDE_A)
YOUTUBE7 = JointSet(
    "YouTube-7",
    ("head", "r_wrist", "l_wrist", "r_elbow", "l_elbow", "r_shoulder", "l_shoulder"),
    ((1, 3), (3, 5), (2, 4), (4, 6), (5, 6)),
)
