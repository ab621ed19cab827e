from __future__ import annotations

from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.labels import (
    COCO17,
    FSP14,
    IGNORE,
    JOINT_SETS,
    LIP16,
    LIP20,
    LSP14,
    MERGED16,
    PART_SETS,
    PASCAL7,
    S31,
    JointSet,
    PartMap,
    PartRow,
    PartSet,
    from_s31,
    merges_s31,
    mirror_of,
    voc_colours,
)

MAPS = (FSP14, PASCAL7, MERGED16)


def test_s31_has_31_parts_in_the_released_order() -> None:
    assert len(S31.names) == 31
    assert S31.classes == len(S31.class_names) == 32
    assert (S31.id("rhand"), S31.id("lhand"), S31.id("neck")) == (1, 14, 31)
    assert len(set(S31.names)) == 31
    assert S31.class_names == ("background", *S31.names)


@pytest.mark.parametrize("part_set", PART_SETS.values(), ids=lambda s: s.name)
def test_colours_are_unique_and_no_part_is_black(part_set: PartSet) -> None:
    colours = {tuple(c) for c in part_set.palette()[: part_set.classes]}
    assert len(colours) == part_set.classes, "two parts would look alike, or one like the background"


def test_colours_are_the_published_ones() -> None:
    """Label pictures in colour are read by them: a checksum of each palette, and VOC's ids by hand."""
    sums = {name: f"{crc32(s.palette().tobytes()):08x}" for name, s in PART_SETS.items()}
    assert sums == {"S31": "71c314cf", "PASCAL-7": "d0bf70f4", "LIP-20": "917bea32"}
    palette = S31.palette()
    assert (palette.shape, palette[1].tolist(), palette[31].tolist()) == (
        (256, 3),
        [253, 107, 0],
        [167, 207, 29],
    )
    voc = voc_colours(255)
    assert len(voc) == 255
    assert [voc[i - 1] for i in (1, 2, 4, 9, 19, 64)] == [
        (128, 0, 0), (0, 128, 0), (0, 0, 128), (192, 0, 0), (128, 192, 0), (32, 0, 0)
    ]  # fmt: skip


@pytest.mark.parametrize("part_set", PART_SETS.values(), ids=lambda s: s.name)
@given(labels=st.lists(st.integers(0, 255), min_size=1))
def test_mirroring_twice_changes_nothing(part_set: PartSet, labels: list[int]) -> None:
    table, x = part_set.mirror(), np.array(labels, dtype=np.uint8)
    assert (table[table[x]] == x).all()
    assert table[IGNORE] == IGNORE
    assert table[0] == 0


def test_mirroring_swaps_left_and_right_and_keeps_the_middle() -> None:
    table = S31.mirror()
    for i, name in enumerate(S31.names, start=1):
        other = S31.names[table[i] - 1]
        if name == "neck":
            assert other == "neck"
        else:
            assert {name[0], other[0]} == {"l", "r"}
            assert name[1:] == other[1:]


def test_the_labels_of_lip_swap_sides_and_are_found_under_headings() -> None:
    assert not merges_s31(LIP20)
    assert mirror_of(5, (2, 4)) == (1, 4, 3, 2, 5)
    assert LIP20.mirror()[:20].tolist() == [*range(14), 15, 14, 17, 16, 19, 18]
    assert [heading for heading, _ in LIP20.headings()] == [
        "Head", "Torso", "Right arm", "Left arm", "Arm", "Right leg", "Left leg", "Leg"
    ], "clothes of either side come after the limbs, right ones before left ones"  # fmt: skip
    assert LIP20.label(5) == "upper clothes"
    assert {row.side for row in LIP20.rows[:13]} == {""}
    assert [row.side for row in LIP20.rows[13:]] == ["left", "right"] * 3
    found = dict(LIP20.headings())
    assert (found["Head"], found["Torso"], found["Leg"]) == ([1, 2, 4, 13], [5, 6, 7, 10, 11], [8, 9, 12])
    right, left = (found[f"{side} leg"] for side in ("Right", "Left"))
    assert [LIP20.names[i - 1] for i in (*right, *left)] == [
        "right-leg",
        "right-shoe",
        "left-leg",
        "left-shoe",
    ]


@pytest.mark.parametrize("part_map", MAPS, ids=lambda m: m.name)
def test_a_map_reaches_every_class_and_keeps_background_and_ignore(part_map: PartMap) -> None:
    table = part_map.table()
    assert table[0] == 0
    assert table[IGNORE] == IGNORE
    assert set(table[1:32]) == set(range(1, len(part_map.names) + 1))


@pytest.mark.parametrize("part_map", MAPS, ids=lambda m: m.name)
def test_merging_sums_posteriors(part_map: PartMap) -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(32), size=(5, 4)).transpose(2, 0, 1).astype(np.float32)
    merged = part_map.merge(p)
    assert merged.shape == (len(part_map.names) + 1, 5, 4)
    np.testing.assert_allclose(merged.sum(0), 1, atol=1e-6)
    np.testing.assert_array_equal(merged[0], p[0])
    table = part_map.table()
    for c in range(len(part_map.names) + 1):
        np.testing.assert_allclose(merged[c], p[table[:32] == c].sum(0), atol=1e-6)


def test_every_part_of_a_merge_has_some_of_the_31_parts() -> None:
    for part_set in filter(merges_s31, PART_SETS.values()):
        assert set(from_s31(part_set)[: S31.classes]) == set(range(part_set.classes))
        assert from_s31(part_set)[IGNORE] == IGNORE
    with pytest.raises(ValueError, match="cannot be merged into those of other"):
        from_s31(PartSet("other", ("one",), (1,), ((1, 2, 3),)))


def test_merged_parts_by_name() -> None:
    """Shoulders and the neck count as the torso, knees as the upper and ankles as the lower leg."""
    right = ("rhand", "rwrist", "rlarm", "relbow", "ruarm", "rshoulder", "rlbody", "ruleg", "rknee", "rlleg",
             "rankle", "rfoot", "ruhead", "neck")  # fmt: skip
    ids = [S31.id(name) for name in right]
    assert FSP14.table()[ids].tolist() == [8, 7, 7, 6, 6, 2, 2, 12, 12, 13, 13, 14, 1, 2]
    left = S31.mirror()[ids]
    assert FSP14.table()[left].tolist() == [5, 4, 4, 3, 3, 2, 2, 9, 9, 10, 10, 11, 1, 2]
    assert PASCAL7.table()[ids].tolist() == [4, 4, 4, 3, 3, 2, 2, 5, 5, 6, 6, 6, 1, 2]
    assert MERGED16.table()[ids].tolist() == [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 16]
    for part_map in MAPS:
        assert part_map.table()[32:255].tolist() == [0] * 223


def test_maps_agree_with_the_names_of_the_parts() -> None:
    """FSP keeps left and right apart; PASCAL and the merged set join them."""
    for i, name in enumerate(S31.names, start=1):
        mirrored = S31.mirror()[i]
        assert PASCAL7.table()[i] == PASCAL7.table()[mirrored]
        assert MERGED16.table()[i] == MERGED16.table()[mirrored]
        limb = any(
            k in name for k in ("hand", "wrist", "larm", "elbow", "uarm", "leg", "knee", "ankle", "foot")
        )
        if limb:
            assert FSP14.names[FSP14.table()[i] - 1][0] == name[0], f"{name} changes sides in FSP-14"


@pytest.mark.parametrize("joint_set", JOINT_SETS.values(), ids=lambda s: s.name)
def test_joint_sets(joint_set: JointSet) -> None:
    n = len(joint_set.names)
    assert len(set(joint_set.names)) == n
    assert all(joint_set.mirror_ids[m] == i for i, m in enumerate(joint_set.mirror_ids))
    assert {j for bone in joint_set.bones for j in bone} == set(range(n)), "a joint that no bone reaches"
    mirrored = {frozenset(joint_set.mirror_ids[j] for j in bone) for bone in joint_set.bones}
    assert mirrored == {frozenset(b) for b in joint_set.bones}, "the skeleton is not symmetric"


def test_joints_and_bones_stand_in_the_order_of_the_channels_that_are_trained() -> None:
    sums = {name: f"{crc32(repr((s.names, s.bones)).encode()):08x}" for name, s in JOINT_SETS.items()}
    assert sums == {
        "COCO-17": "9eba3ed9",
        "LSP-14": "dea685a4",
        "LSP-14-neck": "d1453f03",
        "LIP-16": "2c6434cc",
    }


def test_joint_counts() -> None:
    assert [len(s.names) for s in (COCO17, LSP14, LIP16)] == [17, 14, 16]
    assert COCO17.mirror_ids[COCO17.id("l_wrist")] == COCO17.id("r_wrist")


def test_a_part_set_that_mirrors_wrongly_is_refused() -> None:
    with pytest.raises(ValueError, match="mirroring twice"):
        PartSet("bad", ("a", "b"), (2, 2), ((1, 1, 1), (2, 2, 2)))
    colours = ((1, 1, 1), (2, 2, 2))
    for mirror_ids, painted, rows in (
        ((1,), colours, ()),
        ((1, 2), colours[:1], ()),
        ((1, 2), colours, (PartRow("a", "Arm", "", 0),)),
    ):
        with pytest.raises(ValueError, match="differ in length"):
            PartSet("bad", ("a", "b"), mirror_ids, painted, rows)
    with pytest.raises(ValueError, match="joint set turned: mirroring twice"):
        JointSet("turned", ("a", "b", "c"), (), (1, 2, 0))
    with pytest.raises(ValueError, match="map short: one id per part of S31"):
        PartMap(S31, "short", ("all",), (1,) * 30)


def test_every_part_stands_once_under_a_heading_from_head_to_foot() -> None:
    headings = S31.headings()
    assert [h for h, _ in headings] == ["Head", "Torso", "Right arm", "Left arm", "Right leg", "Left leg"]
    assert sorted(part for _, members in headings for part in members) == list(range(1, S31.classes))
    arm = dict(headings)["Right arm"]
    assert [S31.names[p - 1] for p in arm] == ["rshoulder", "ruarm", "relbow", "rlarm", "rwrist", "rhand"]
    leg = dict(headings)["Left leg"]
    assert [S31.rows[p - 1].rank for p in leg] == sorted(S31.rows[p - 1].rank for p in leg)
    head = [S31.names[p - 1] for p in dict(headings)["Head"]]
    assert head == ["ruhead", "luhead", "rlhead", "llhead", "neck"]
    assert dict(headings)["Torso"] == [7, 20, 8, 21]


def test_parts_in_words() -> None:
    words = {name: S31.label(S31.id(name)) for name in ("rlarm", "luhead", "neck")}
    assert words == {"rlarm": "right lower arm", "luhead": "left upper head", "neck": "neck"}
    assert S31.label(0) == "background"
    assert PART_SETS["PASCAL-7"].headings() == [
        ("Head", [1]),
        ("Torso", [2]),
        ("Arm", [3, 4]),
        ("Leg", [5, 6]),
    ]
    for part, mirrored in enumerate(S31.mirror_ids, start=1):
        row, other = S31.rows[part - 1], S31.rows[mirrored - 1]
        assert (row.group, row.rank) == (other.group, other.rank)
        assert {row.side, other.side} in ({"left", "right"}, {""})


def test_a_set_without_words_shows_its_names() -> None:
    plain = PartSet("hats", ("cap", "bowler"), (1, 2), ((1, 1, 1), (2, 2, 2)))
    assert plain.headings() == [("Other", [1, 2])]
    assert plain.label(2) == "bowler"
