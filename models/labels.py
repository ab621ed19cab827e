"""Part sets and joint sets: names, ids, mirror ids, colours, and the maps between them.

The 31 parts are those of Shotton et al. (PAMI 2013), in the order released with Unite the People. Left and
right are the person's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

IGNORE = 255  # a pixel without a label; never scored, never trained on


@dataclass(frozen=True)
class PartRow:
    """A body part in words, and its place on the body."""

    label: str  #: `right lower arm`
    group: str  #: `Arm`
    side: str  #: the person's `right` or `left`; empty in the middle
    rank: int  #: in its group, from the head or the trunk outwards

    @property
    def heading(self) -> str:
        """The group, with its side for limbs: `Right arm`."""
        limb = self.side and self.group in {"Arm", "Leg"}
        return f"{self.side.capitalize()} {self.group.lower()}" if limb else self.group


@dataclass(frozen=True)
class PartSet:
    """An ordered set of body parts; id 0 is the background, parts are 1..n.

    Raises:
        ValueError: when lengths differ or mirroring twice is not the identity.
    """

    name: str
    names: tuple[str, ...]  #: parts 1..n, without the background
    mirror_ids: tuple[int, ...]  #: for each part, the id it becomes under a horizontal flip
    colours: tuple[tuple[int, int, int], ...]  #: RGB, 0..255
    rows: tuple[PartRow, ...] = ()  #: one for each part; the names alone when left out

    def __post_init__(self) -> None:
        n = len(self.names)
        if not self.rows:
            plain = (PartRow(name, "Other", "", i) for i, name in enumerate(self.names))
            object.__setattr__(self, "rows", tuple(plain))
        if not len(self.mirror_ids) == len(self.colours) == len(self.rows) == n:
            raise ValueError(f"part set {self.name}: names, mirror ids, colours and rows differ in length")
        if any(self.mirror_ids[m - 1] != i for i, m in enumerate(self.mirror_ids, start=1)):
            raise ValueError(f"part set {self.name}: mirroring twice must give the part itself")

    @property
    def classes(self) -> int:
        """Number of classes with the background."""
        return len(self.names) + 1

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names indexed by label id, the background first."""
        return ("background", *self.names)

    def id(self, name: str) -> int:
        """The label id of a part by name."""
        return self.names.index(name) + 1

    def label(self, part: int) -> str:
        """A label id in words."""
        return self.rows[part - 1].label if part else "background"

    def headings(self) -> list[tuple[str, list[int]]]:
        """The parts from head to foot under headings: [(heading, [part id, …]), …]; nothing is left out."""
        groups = list(dict.fromkeys((*_BODY, *(r.group for r in self.rows))))
        order = sorted(
            range(1, self.classes),
            key=lambda p: (
                groups.index(self.rows[p - 1].group),
                -len(self.rows[p - 1].heading),  # right limbs before left ones
                self.rows[p - 1].rank,
                self.rows[p - 1].side == "left",
            ),
        )
        placed: dict[str, list[int]] = {}
        for part in order:
            placed.setdefault(self.rows[part - 1].heading, []).append(part)
        return list(placed.items())

    def mirror(self) -> NDArray[np.uint8]:
        """Look-up table (256,) of label ids under a horizontal flip; ids outside the set stay."""
        table = np.arange(256, dtype=np.uint8)
        table[1 : self.classes] = self.mirror_ids
        return table

    def palette(self) -> NDArray[np.uint8]:
        """RGB colours (256, 3) by label id; the background and unused ids are black."""
        table = np.zeros((256, 3), dtype=np.uint8)
        table[1 : self.classes] = self.colours
        return table


@dataclass(frozen=True)
class PartMap:
    """Each part of one set becomes one class of a coarser set."""

    source: PartSet
    name: str
    names: tuple[str, ...]  #: classes 1..m of the coarse set
    ids: tuple[int, ...]  #: for each source part, its coarse id

    def __post_init__(self) -> None:
        if len(self.ids) != len(self.source.names):
            raise ValueError(f"map {self.name}: one id per part of {self.source.name} is needed")

    def table(self) -> NDArray[np.uint8]:
        """Look-up table (256,) from source ids to coarse ids; 0 stays 0 and 255 stays 255."""
        table = np.zeros(256, dtype=np.uint8)
        table[1 : self.source.classes] = self.ids
        table[IGNORE] = IGNORE
        return table

    def merge(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """Sum posteriors of merged classes (methods §2.2).

        Args:
            probabilities: (classes, ...) over the source set, background first.

        Returns:
            (m+1, ...) over the coarse set, background first.
        """
        out = np.zeros((len(self.names) + 1, *probabilities.shape[1:]), dtype=probabilities.dtype)
        np.add.at(out, np.array((0, *self.ids)), probabilities)
        return out


@dataclass(frozen=True)
class JointSet:
    """An ordered set of joints, its bones and its mirror.

    Raises:
        ValueError: when mirroring twice is not the identity.
    """

    name: str
    names: tuple[str, ...]
    bones: tuple[tuple[int, int], ...]
    mirror_ids: tuple[int, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.mirror_ids:
            object.__setattr__(self, "mirror_ids", _mirror_by_name(self.names))
        if any(self.mirror_ids[m] != i for i, m in enumerate(self.mirror_ids)):
            raise ValueError(f"joint set {self.name}: mirroring twice must give the joint itself")

    def id(self, name: str) -> int:
        """The index of a joint by name."""
        return self.names.index(name)


def _mirror_by_name(names: Sequence[str]) -> tuple[int, ...]:
    swap = {"r_": "l_", "l_": "r_"}
    return tuple(names.index(swap[n[:2]] + n[2:]) if n[:2] in swap else i for i, n in enumerate(names))


# name, RGB, mirror id, FSP-14, PASCAL-7, left/right merged (methods §2.1)
_S31_ROWS: tuple[tuple[str, tuple[int, int, int], int, int, int, int], ...] = (
    ("rhand", (253, 107, 0), 14, 8, 4, 1),
    ("rwrist", (253, 90, 97), 15, 7, 4, 2),
    ("rlarm", (249, 178, 3), 16, 7, 4, 3),
    ("relbow", (79, 22, 30), 17, 6, 3, 4),
    ("ruarm", (255, 218, 0), 18, 6, 3, 5),
    ("rshoulder", (84, 81, 17), 19, 2, 2, 6),
    ("rubody", (211, 228, 94), 20, 2, 2, 7),
    ("rlbody", (154, 165, 46), 21, 2, 2, 8),
    ("ruleg", (110, 43, 84), 22, 12, 5, 9),
    ("rknee", (66, 28, 43), 23, 12, 5, 10),
    ("rlleg", (165, 72, 26), 24, 13, 6, 11),
    ("rankle", (249, 111, 72), 25, 13, 6, 12),
    ("rfoot", (219, 155, 60), 26, 14, 6, 13),
    ("lhand", (82, 104, 125), 1, 5, 4, 1),
    ("lwrist", (98, 233, 115), 2, 4, 4, 2),
    ("llarm", (3, 165, 122), 3, 4, 4, 3),
    ("lelbow", (28, 28, 48), 4, 3, 3, 4),
    ("luarm", (38, 159, 36), 5, 3, 3, 5),
    ("lshoulder", (35, 67, 48), 6, 2, 2, 6),
    ("lubody", (253, 228, 94), 7, 2, 2, 7),
    ("llbody", (181, 151, 103), 8, 2, 2, 8),
    ("luleg", (45, 49, 72), 9, 9, 5, 9),
    ("lknee", (84, 28, 37), 10, 9, 5, 10),
    ("llleg", (249, 153, 86), 11, 10, 6, 11),
    ("lankle", (102, 229, 66), 12, 10, 6, 12),
    ("lfoot", (248, 206, 74), 13, 11, 6, 13),
    ("luhead", (225, 22, 23), 28, 1, 1, 14),
    ("ruhead", (149, 1, 23), 27, 1, 1, 14),
    ("rlhead", (10, 77, 22), 30, 1, 1, 15),
    ("llhead", (38, 26, 24), 29, 1, 1, 15),
    ("neck", (167, 207, 29), 31, 2, 2, 16),
)

#: The ends of part names and their words, from the head or the trunk outwards.
_BODY: dict[str, dict[str, str]] = {
    "Head": {"uhead": "upper head", "lhead": "lower head", "neck": "neck"},
    "Torso": {"ubody": "upper body", "lbody": "lower body"},
    "Arm": {"shoulder": "shoulder", "uarm": "upper arm", "elbow": "elbow", "larm": "lower arm",
            "wrist": "wrist", "hand": "hand"},
    "Leg": {"uleg": "upper leg", "knee": "knee", "lleg": "lower leg", "ankle": "ankle", "foot": "foot"},
}  # fmt: skip


def _part_row(name: str) -> PartRow:
    for group, ends in _BODY.items():
        for rank, (end, words) in enumerate(ends.items()):
            if name in {end, f"r{end}", f"l{end}"}:
                side = "" if name == end else {"r": "right", "l": "left"}[name[0]]
                return PartRow(f"{side} {words}".strip(), group, side, rank)
    raise ValueError(f"the part {name} has no place on the body")


S31 = PartSet(
    "S31",
    names=tuple(r[0] for r in _S31_ROWS),
    mirror_ids=tuple(r[2] for r in _S31_ROWS),
    colours=tuple(r[1] for r in _S31_ROWS),
    rows=tuple(_part_row(r[0]) for r in _S31_ROWS),
)

FSP14 = PartMap(
    S31,
    "FSP-14",
    ("head", "torso", "luarm", "llarm", "lhand", "ruarm", "rlarm", "rhand",
     "luleg", "llleg", "lfoot", "ruleg", "rlleg", "rfoot"),
    tuple(r[3] for r in _S31_ROWS),
)  # fmt: skip
PASCAL7 = PartMap(
    S31, "PASCAL-7", ("head", "torso", "upper arms", "lower arms", "upper legs", "lower legs"),
    tuple(r[4] for r in _S31_ROWS),
)  # fmt: skip
MERGED16 = PartMap(
    S31,
    "S31 left/right merged",
    ("hands", "wrists", "lower arms", "elbows", "upper arms", "shoulders", "upper body", "lower body",
     "upper legs", "knees", "lower legs", "ankles", "feet", "upper head", "lower head", "neck"),
    tuple(r[5] for r in _S31_ROWS),
)  # fmt: skip

COCO17 = JointSet(
    "COCO-17",
    ("nose", "l_eye", "r_eye", "l_ear", "r_ear", "l_shoulder", "r_shoulder", "l_elbow", "r_elbow",
     "l_wrist", "r_wrist", "l_hip", "r_hip", "l_knee", "r_knee", "l_ankle", "r_ankle"),
    ((0, 1), (1, 3), (0, 2), (2, 4), (0, 5), (5, 7), (7, 9), (5, 11), (11, 13), (13, 15),
     (0, 6), (6, 8), (8, 10), (6, 12), (12, 14), (14, 16)),
)  # fmt: skip
LSP14 = JointSet(
    "LSP-14",
    ("r_ankle", "r_knee", "r_hip", "l_hip", "l_knee", "l_ankle", "r_wrist", "r_elbow", "r_shoulder",
     "l_shoulder", "l_elbow", "l_wrist", "neck", "head_top"),
    ((0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (6, 7), (7, 8), (8, 12), (9, 12), (9, 10), (10, 11), (12, 13),
     (8, 2), (9, 3)),
)  # fmt: skip
#: the tree of limbs of part affinity fields (methods §7.1): hips hang on the neck, not on the shoulders
LSP14_NECK = JointSet(
    "LSP-14-neck",
    LSP14.names,
    ((12, 13), (12, 8), (8, 7), (7, 6), (12, 2), (2, 1), (1, 0), (12, 9), (9, 10), (10, 11), (12, 3), (3, 4),
     (4, 5)),
)  # fmt: skip
LIP16 = JointSet(
    "LIP-16",
    ("r_ankle", "r_knee", "r_hip", "l_hip", "l_knee", "l_ankle", "pelvis", "thorax", "neck", "head_top",
     "r_wrist", "r_elbow", "r_shoulder", "l_shoulder", "l_elbow", "l_wrist"),
    ((0, 1), (1, 2), (2, 6), (3, 6), (3, 4), (4, 5), (6, 7), (7, 8), (8, 9), (10, 11), (11, 12), (12, 8),
     (13, 8), (13, 14), (14, 15)),
)  # fmt: skip

#: PASCAL-Person-Part: parts without sides (methods §2.4)
PASCAL_PARTS = PartSet(
    PASCAL7.name,
    PASCAL7.names,
    mirror_ids=tuple(range(1, 7)),
    colours=((225, 22, 23), (211, 228, 94), (38, 159, 36), (3, 165, 222), (160, 80, 200), (249, 153, 86)),
    rows=tuple(
        PartRow(name, group, "", rank)
        for rank, (name, group) in enumerate(
            zip(PASCAL7.names, ("Head", "Torso", "Arm", "Arm", "Leg", "Leg"), strict=True)
        )
    ),
)


def voc_colours(n: int) -> tuple[tuple[int, int, int], ...]:
    """The palette of PASCAL VOC for ids 1..n: bits of the id spread over the three channels."""

    def channel(i: int, c: int) -> int:
        return sum(((i >> (3 * bit + c)) & 1) << (7 - bit) for bit in range(8))

    return tuple((channel(i, 0), channel(i, 1), channel(i, 2)) for i in range(1, n + 1))


def mirror_of(n: int, *pairs: tuple[int, int]) -> tuple[int, ...]:
    """Mirror ids of parts 1..n, of which these pairs are the left and the right of one."""
    swap = dict(pairs) | {b: a for a, b in pairs}
    return tuple(swap.get(i, i) for i in range(1, n + 1))


# Look into Person (methods §2.3), in its own order: clothes, and what is bare
_LIP_GROUPS = {
    "hat": "Head", "hair": "Head", "glove": "Arm", "sunglasses": "Head", "upper-clothes": "Torso",
    "dress": "Torso", "coat": "Torso", "socks": "Leg", "pants": "Leg", "jumpsuits": "Torso", "scarf": "Torso",
    "skirt": "Leg", "face": "Head", "left-arm": "Arm", "right-arm": "Arm", "left-leg": "Leg",
    "right-leg": "Leg", "left-shoe": "Leg", "right-shoe": "Leg",
}  # fmt: skip
LIP20 = PartSet(
    "LIP-20",
    tuple(_LIP_GROUPS),
    mirror_of(19, (14, 15), (16, 17), (18, 19)),
    voc_colours(19),
    tuple(
        PartRow(name.replace("-", " "), group, "" if i < 13 else ("left", "right")[i % 2 == 0], i)
        for i, (name, group) in enumerate(_LIP_GROUPS.items())
    ),
)

PART_SETS: dict[str, PartSet] = {s.name: s for s in (S31, PASCAL_PARTS, LIP20)}
#: the 31 parts merged into those of another set, by its name
MERGES: dict[str, PartMap] = {PASCAL_PARTS.name: PASCAL7}
JOINT_SETS: dict[str, JointSet] = {s.name: s for s in (COCO17, LSP14, LSP14_NECK, LIP16)}


def merges_s31(part_set: PartSet) -> bool:
    """True for the 31 parts, and for sets into whose parts they can be merged."""
    return part_set == S31 or part_set.name in MERGES


def from_s31(part_set: PartSet) -> NDArray[np.uint8]:
    """Look-up table (256,) from the 31 parts to those of a set; 0 stays 0 and 255 stays 255.

    Raises:
        ValueError: the 31 parts cannot be merged into the set.
    """
    if part_set == S31:
        return np.arange(256, dtype=np.uint8)
    if part_set.name not in MERGES:
        raise ValueError(f"the 31 parts of {S31.name} cannot be merged into those of {part_set.name}")
    return MERGES[part_set.name].table()
