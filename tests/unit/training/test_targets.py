"""Codes of pixels: the parts that each allows, and what it is in a mirror."""

from __future__ import annotations

import numpy as np
import pytest

from models.labels import IGNORE, LIP20, PASCAL7, PASCAL_PARTS, S31, PartSet
from training.targets import CLASSES, CODES, SET_CODES, SETS, allowed, mirror_codes

BOTH_SIDES = {
    "head": "uhead lhead", "foot": "foot ankle", "trousers": "lbody uleg knee lleg ankle",
    "upper body": "ubody", "lower body": "lbody", "hand": "hand wrist",
}  # fmt: skip
ONE_SIDE = {"right head": "ruhead rlhead", "left head": "luhead llhead"}


def test_sets_allow_the_parts_of_their_name_and_no_other() -> None:
    wanted = {name: {side + n for n in stems.split() for side in "lr"} for name, stems in BOTH_SIDES.items()}
    wanted |= {name: set(parts.split()) for name, parts in ONE_SIDE.items()} | {"person": set(S31.names)}
    table = allowed()
    assert table.shape == (CODES, 32) == (41, 32)
    found = {n: {S31.names[i - 1] for i in np.flatnonzero(table[c])} for n, c in SET_CODES.items()}
    assert found == wanted
    assert sorted(SET_CODES.values()) == list(range(CLASSES, CODES))


def test_every_set_is_closed_under_mirroring() -> None:
    mirror, codes = S31.mirror(), mirror_codes()
    for name, parts in SETS.items():
        mirrored = allowed()[codes[SET_CODES[name]]]
        assert {int(mirror[p]) for p in parts} == set(np.flatnonzero(mirrored)), name


def test_exact_codes_allow_themselves_only() -> None:
    assert (allowed()[:CLASSES] == np.eye(CLASSES, dtype=bool)).all()
    assert not allowed()[CLASSES:, 0].any(), "no set may contain the background"


@pytest.mark.parametrize("part_set", [S31, PASCAL_PARTS])
def test_only_parts_and_sets_of_one_side_change_in_a_mirror(part_set: PartSet) -> None:
    codes = mirror_codes(part_set)
    assert codes[:CLASSES].tolist() == S31.mirror()[:CLASSES].tolist()
    right, left = SET_CODES["right head"], SET_CODES["left head"]
    swapped = {right: left, left: right}
    assert codes[CLASSES:CODES].tolist() == [swapped.get(i, i) for i in range(CLASSES, CODES)]
    assert codes[IGNORE] == IGNORE


def test_of_a_set_of_other_parts_codes_are_its_own_labels() -> None:
    table = allowed(LIP20)
    assert table.shape == (CODES, 20)
    assert (table[:20] == np.eye(20, dtype=bool)).all()
    assert table[20:].all()
    assert (mirror_codes(LIP20) == LIP20.mirror()).all()


def test_codes_allow_the_parts_that_theirs_are_merged_into() -> None:
    table, merged = allowed(PASCAL_PARTS), PASCAL7.table()
    for part in range(1, CLASSES):
        assert np.flatnonzero(table[part]).tolist() == [merged[part]]
    trousers = {PASCAL_PARTS.id(n) for n in ("torso", "upper legs", "lower legs")}
    assert set(np.flatnonzero(table[SET_CODES["trousers"]])) == trousers
    assert not table[CLASSES:, 0].any()
    assert table[0].tolist() == [True] + [False] * 6
