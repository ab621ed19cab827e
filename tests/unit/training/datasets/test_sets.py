"""Part sets and joint sets of published data alone, and what merges into what."""

from __future__ import annotations

from models.labels import FSP14, IGNORE, LIP20, PASCAL_PARTS, S31
from training.datasets.sets import (
    COARSE,
    FSP_PARTS,
    LIP_COARSE,
    PASCAL14,
    S31_COARSE,
    YOUTUBE7,
    pascal_joints,
)


def test_each_garment_of_lip_has_its_coarse_part() -> None:
    wanted = {
        "head": "hat hair sunglasses face", "torso": "", "arms": "glove left-arm right-arm",
        "legs": "socks pants skirt left-leg right-leg", "feet": "left-shoe right-shoe",
    }  # fmt: skip
    told = {name: i for i, c in enumerate(COARSE, 1) for name in wanted[c].split()}
    assert dict(zip(LIP20.names, LIP_COARSE.ids, strict=True)) == {
        n: told.get(n, IGNORE) for n in LIP20.names
    }
    assert LIP_COARSE.names == S31_COARSE.names == COARSE == tuple(wanted)
    assert FSP_PARTS.names == FSP14.names


def test_pascal_swaps_the_pairs_of_the_annotation() -> None:
    pairs = {(2, 8), (3, 9), (4, 10), (5, 11), (6, 12), (7, 13)}
    for side in ("l", "r"):
        joints = pascal_joints(side)
        assert {(i, m) for i, m in enumerate(joints.mirror_ids) if i < m} == pairs
        assert joints.names[2:5] == (f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")
    assert PASCAL14.names[2] == "l_shoulder"


def test_flip_pairs_of_the_label_sets() -> None:
    moved = {i for i, m in enumerate(LIP20.mirror_ids, 1) if i != m}
    assert moved == {14, 15, 16, 17, 18, 19}
    assert LIP20.mirror()[14] == 15
    assert all(i == m for i, m in enumerate(PASCAL_PARTS.mirror_ids, 1))
    assert [FSP_PARTS.names[m - 1] for m in FSP_PARTS.mirror_ids] == [
        n if n in ("head", "torso") else {"l": "r", "r": "l"}[n[0]] + n[1:] for n in FSP_PARTS.names
    ]


def test_lip_clothes_say_nothing_where_they_cover_several_parts() -> None:
    table = LIP_COARSE.table()
    unclear = {n for i, n in enumerate(LIP20.names, 1) if table[i] == IGNORE}
    assert unclear == {"upper-clothes", "dress", "coat", "jumpsuits", "scarf"}
    by_name = {n: table[i] for i, n in enumerate(LIP20.names, 1)}
    assert COARSE[by_name["hair"] - 1] == COARSE[by_name["face"] - 1] == "head"
    assert COARSE[by_name["right-shoe"] - 1] == "feet"
    assert COARSE[by_name["pants"] - 1] == "legs"
    assert table[0] == 0
    assert table[IGNORE] == IGNORE
    ours = S31_COARSE.table()
    parts = {
        "head": "uhead lhead", "torso": "shoulder ubody", "arms": "hand wrist larm elbow uarm",
        "legs": "lbody uleg knee lleg ankle", "feet": "foot",
    }  # fmt: skip
    named = {
        side + n: COARSE.index(c) + 1 for c, stems in parts.items() for n in stems.split() for side in "lr"
    }
    assert {n: int(ours[S31.id(n)]) for n in S31.names} == named | {"neck": COARSE.index("torso") + 1}
    assert (S31_COARSE.table()[list(S31.mirror_ids)] == ours[1:32]).all(), "no side in the coarse set"


def test_limbs_join_neighbours() -> None:
    arms = {f"{s}_{a} {s}_{b}" for s in "lr" for a, b in (("shoulder", "elbow"), ("elbow", "wrist"))}
    legs = {
        f"{s}_{a} {s}_{b}" for s in "lr" for a, b in (("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"))
    }
    neck = {"head neck", "neck l_shoulder", "neck r_shoulder"}
    assert {f"{PASCAL14.names[a]} {PASCAL14.names[b]}" for a, b in PASCAL14.bones} == arms | legs | neck
    found = {f"{YOUTUBE7.names[b]} {YOUTUBE7.names[a]}" for a, b in YOUTUBE7.bones}
    assert found == arms | {"l_shoulder r_shoulder"}
