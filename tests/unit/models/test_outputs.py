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
        (None, "unknown type"),
        ({"type": "surface"}, "newer version"),
        ({"type": "person", "stride": 8, "grid": "centre", "depth": 1}, "newer version"),
        ({"type": "person", "stride": 8}, "incomplete"),
        ({"type": "parts", "stride": 8, "grid": "centre"}, "incomplete"),
        ({"type": "person", "stride": 8, "grid": "edge"}, "malformed"),
        ({"type": "person", "stride": 0, "grid": "centre"}, "impossible"),
    ],
)
def test_what_is_no_output_is_refused_in_words(raw: object, words: str) -> None:
    with pytest.raises(OutputError, match=words):
        output_from_dict(raw)


def test_unknown_sets_are_named() -> None:
    with pytest.raises(OutputError, match="part set 'S99' is not known"):
        _ = PartProbabilities(parts="S99").channels
    with pytest.raises(OutputError, match="joint set 'J1' is not known"):
        _ = Heatmaps(joints="J1").channels
