"""Output descriptions: JSON both ways, channels, and mirrors against maps drawn of a mirrored person."""

from __future__ import annotations

import json

import numpy as np
import pytest

from models.grid import Grid
from models.labels import COCO17, JOINT_SETS, LSP14, S31, JointSet
from models.outputs import (
    OUTPUTS,
    AffinityFields,
    CentreOffsets,
    Heatmaps,
    JointDisks,
    Mirror,
    Offsets,
    Output,
    OutputError,
    PartLabels,
    PartProbabilities,
    PersonProbability,
    SharedFeatures,
    output_from_dict,
)

EVERY: list[Output] = [
    SharedFeatures(count=64, stride=4),
    PersonProbability(),
    PartProbabilities(parts="S31"),
    PartLabels(parts="S31"),
    *(Heatmaps(joints=name, background=b) for name in JOINT_SETS for b in (False, True)),
    *(JointDisks(joints=name, radius_px=16.0) for name in JOINT_SETS),
    *(Offsets(joints=name, over=o, name=o) for name in JOINT_SETS for o in ("joints", "bones")),
    *(AffinityFields(joints=name, grid=Grid.CORNER) for name in JOINT_SETS),
    CentreOffsets(joints="LIP-16"),
]
WIDTH, HEIGHT = 7, 5  # cells of one pixel


def test_every_type_is_tried_here() -> None:
    assert {type(o) for o in EVERY} == set(OUTPUTS.values())


@pytest.mark.parametrize("output", EVERY, ids=str)
def test_json_both_ways(output: Output) -> None:
    assert output_from_dict(json.loads(json.dumps(output.to_dict()))) == output


@pytest.mark.parametrize("output", EVERY, ids=str)
def test_mirroring_twice_changes_nothing(output: Output) -> None:
    maps = np.random.default_rng(0).random((output.channels, 4, 6), np.float32)
    np.testing.assert_array_equal(output.mirror.apply(output.mirror.apply(maps)), maps)


def test_channels() -> None:
    """PersonLab's 150 channels of 17 joints and 16 bones (methods §7)."""
    assert Heatmaps(joints="COCO-17").channels == 17
    assert Heatmaps(joints="COCO-17", background=True).channels == 18
    assert Offsets(joints="COCO-17").channels == 34
    assert Offsets(joints="COCO-17", over="bones").channels == 4 * len(COCO17.bones)
    assert AffinityFields(joints="LSP-14").channels == 2 * len(LSP14.bones)
    assert PartProbabilities(parts="S31").channels == 32
    assert JointDisks(joints="LIP-16").channels == 16
    assert (PersonProbability().channels, PartLabels(parts="S31").channels) == (1, 1)
    assert (SharedFeatures().channels, SharedFeatures(count=64).channels) == (128, 64)


#: dimensions, type of the numbers, if they are probabilities, and if frames may be averaged
KINDS = {
    "features": (4, "float32", False, True),
    "person": (4, "float32", True, True),
    "parts": (4, "float32", True, True),
    "labels": (3, "uint8", False, True),
    "heatmaps": (4, "float32", True, True),
    "disks": (4, "float32", True, False),
    "offsets": (4, "float32", False, False),
    "centres": (4, "float32", False, False),
    "affinity_fields": (4, "float32", False, True),
}


def test_kinds_of_maps_and_what_a_description_says_where_nothing_else_is_said() -> None:
    found = {n: (t.rank, t.dtype, t.probability, t.smoothed) for n, t in OUTPUTS.items()}
    assert found == KINDS
    assert {t.tolerance for t in OUTPUTS.values()} == {1e-5}
    assert SharedFeatures().to_dict() == {
        "type": "features", "name": "features", "stride": 8, "grid": "centre", "count": 128
    }  # fmt: skip
    plain = {"stride": 8, "grid": "centre", "joints": "LIP-16"}
    for output, rest in (
        (
            Heatmaps(joints="LIP-16"),
            {"type": "heatmaps", "name": "heatmaps", "background": False, "sigma": 1.0},
        ),
        (JointDisks(joints="LIP-16"), {"type": "disks", "name": "disks", "radius_px": 32.0}),
        (Offsets(joints="LIP-16", name="short"), {"type": "offsets", "name": "short", "over": "joints"}),
    ):
        assert output.to_dict() == plain | rest
    for value in EVERY:
        with pytest.raises(AttributeError):
            value.stride = 16  # type: ignore[misc]


def test_vectors_grow_with_a_picture_and_nothing_else_does() -> None:
    ones = np.ones((34, 1, 2), np.float32)
    grown = Offsets(joints="COCO-17").rescaled(ones, (2, 3))
    assert grown[:4, 0].tolist() == [[2, 2], [3, 3], [2, 2], [3, 3]]
    assert grown.shape == ones.shape
    assert CentreOffsets(joints="COCO-17").rescaled(ones, (2, 2)).max() == 2
    for output in (
        AffinityFields(joints="COCO-17"),
        Heatmaps(joints="COCO-17"),
        JointDisks(joints="COCO-17"),
    ):
        assert (output.rescaled(ones, (2, 3)) == 1).all()


def test_a_mirror_turns_columns_and_the_signs_of_what_points_across() -> None:
    maps = np.arange(4, dtype=np.float32).reshape(2, 1, 2)
    assert Mirror(np.array([1, 0])).apply(maps).tolist() == [[[3, 2]], [[1, 0]]]
    turned = Mirror(np.array([0, 1]), np.array([-1, 1], np.float32)).apply(maps)
    assert turned.tolist() == [[[-1, 0]], [[3, 2]]]
    assert PersonProbability().mirror.order.tolist() == [0]
    assert Offsets(joints="COCO-17").mirror.signs is not None


def offsets_to(points: np.ndarray) -> np.ndarray:
    """(2·joints, h, w) vectors from each cell to each of `points` (joints, 2)."""
    cells = np.stack(np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT)), axis=0)
    return np.concatenate([p[:, None, None] - cells for p in points]).astype(np.float32)


def along(points: np.ndarray, bones: list[tuple[int, int]], weight: np.ndarray) -> np.ndarray:
    """(2·bones, h, w) the vectors of bones, with another weight in each cell."""
    vectors = np.concatenate([points[b] - points[a] for a, b in bones])
    return (vectors[:, None, None] * weight).astype(np.float32)


def mirrored_person(joints: JointSet, points: np.ndarray) -> np.ndarray:
    """The joints of a person in the mirror image: left becomes right."""
    turned = points[list(joints.mirror_ids)].copy()
    turned[:, 0] = WIDTH - 1 - turned[:, 0]
    return turned


@pytest.mark.parametrize("joints", JOINT_SETS.values(), ids=lambda s: s.name)
def test_mirrors_of_vectors_turn_a_mirrored_person_back(joints: JointSet) -> None:
    rng = np.random.default_rng(1)
    points, weight = rng.uniform(0, 5, (len(joints.names), 2)), rng.random((HEIGHT, WIDTH))
    turned = mirrored_person(joints, points)
    got = Offsets(joints=joints.name).mirror.apply(offsets_to(turned))
    np.testing.assert_allclose(got, offsets_to(points), atol=1e-5)
    both = [*joints.bones, *((b, a) for a, b in joints.bones)]
    for output, bones in (
        (AffinityFields(joints=joints.name), list(joints.bones)),
        (Offsets(joints=joints.name, over="bones"), both),
    ):
        got = output.mirror.apply(along(turned, bones, weight[:, ::-1]))
        np.testing.assert_allclose(got, along(points, bones, weight), atol=1e-5)


def test_parts_and_heat_maps_change_sides() -> None:
    parts = PartProbabilities(parts="S31").mirror.order
    assert parts[S31.id("rhand")] == S31.id("lhand")
    assert parts[0] == 0
    heat = Heatmaps(joints="COCO-17", background=True).mirror.order
    assert (heat[COCO17.id("l_hip")], heat[17]) == (COCO17.id("r_hip"), 17)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (None, "^an output of the unknown type None: a newer version made it$"),
        ("parts", "^an output of the unknown type 'parts': a newer version made it$"),
        ({"type": "surface"}, "^an output of the unknown type 'surface': a newer version made it$"),
        (
            {"type": "person", "stride": 8, "grid": "centre", "depth": 1, "age": 2},
            r"^its output person has unknown fields \(age, depth\): a newer version made it$",
        ),
        ({"type": "person", "stride": 8}, r"^its output person is incomplete or malformed \('grid'\)$"),
        ({"type": "parts", "stride": 8, "grid": "centre"}, "^its output parts is incomplete"),
        ({"type": "person", "stride": 8, "grid": "edge"}, "malformed"),
        ({"type": "person", "stride": None, "grid": "centre"}, "malformed"),
        ({"type": "person", "stride": 0, "grid": "centre"}, "^its output person has an impossible stride$"),
        ({"type": "person", "stride": -1, "grid": "centre"}, "impossible"),
    ],
)
def test_what_is_no_output_is_refused_in_words(raw: object, words: str) -> None:
    with pytest.raises(OutputError, match=words):
        output_from_dict(raw)


def test_a_cell_may_be_one_pixel() -> None:
    assert output_from_dict({"type": "person", "stride": "1", "grid": "corner"}) == PersonProbability(
        stride=1, grid=Grid.CORNER
    )


def test_unknown_sets_are_named() -> None:
    with pytest.raises(OutputError, match=r"^its part set 'S99' is not known$"):
        _ = PartProbabilities(parts="S99").channels
    with pytest.raises(OutputError, match=r"^its joint set 'J1' is not known$"):
        _ = Heatmaps(joints="J1").channels
