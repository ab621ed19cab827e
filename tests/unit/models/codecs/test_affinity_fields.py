"""Part affinity fields: people back from their own maps, and as Cao's decoder read literally finds them."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.codecs.affinity_fields import AffinityFieldsCodec, LimbAssembly
from models.codecs.codec import FloatMap, PictureContext, Placement
from models.codecs.heatmaps import HeatmapCodec
from models.codecs.personlab import AnnotatedPerson
from models.codecs.registry import decoded
from models.labels import COCO17, LIP16, LSP14, JointSet
from models.outputs import AffinityFields, Heatmaps, PartProbabilities
from models.results import Pose
from tests.unit.models.codecs.literal_affinity_fields import literal_people

#: a standing person by the names of joints, in heights of the person
BODY = {
    "nose": (0, 0.07), "eye": (0.05, 0.02), "ear": (0.1, 0.06), "head_top": (0, 0), "neck": (0, 0.18),
    "thorax": (0, 0.26), "pelvis": (0, 0.5), "shoulder": (0.14, 0.2), "elbow": (0.2, 0.36),
    "wrist": (0.26, 0.5), "hip": (0.1, 0.52), "knee": (0.12, 0.75), "ankle": (0.13, 1.0),
}  # fmt: skip
SETS = (COCO17, LSP14, LIP16)


def person(joints: JointSet, x: float, y: float, height: float, rng: np.random.Generator) -> AnnotatedPerson:
    """Somebody whose head is at (x, y) px."""
    points = []
    for name in joints.names:
        side = {"r_": -1, "l_": 1}.get(name[:2], 0)
        across, down = BODY[name[2:] if side else name]
        points.append((x + side * across * height, y + down * height))
    wobble = rng.normal(0, 0.01 * height, (len(points), 2))
    return AnnotatedPerson((np.array(points) + wobble).astype(np.float32), np.ones(len(points), bool))


def crowd(joints: JointSet, count: int, rng: np.random.Generator) -> tuple[list[AnnotatedPerson], Placement]:
    """So many people, apart, and the picture's grid."""
    across = max(1, int(np.ceil(np.sqrt(count))))
    wide, tall = 88 * across, 144 * max(1, int(np.ceil(count / across)))
    places = [(44 + 88 * (i % across), 12 + 144 * (i // across)) for i in range(count)]
    people = [person(joints, x, y, rng.uniform(100, 125), rng) for x, y in places]
    return people, Placement((wide, tall), (wide, tall), 8)


def encoded(joints: JointSet, people: list[AnnotatedPerson], placement: Placement) -> dict[str, FloatMap]:
    heat = Heatmaps(joints=joints.name, background=True)
    poses = [Pose(joints, p.points, p.labelled.astype(np.float32)) for p in people]
    fields = AffinityFieldsCodec().encode(AffinityFields(joints=joints.name), people, placement)
    return {"heatmaps": HeatmapCodec().encode(heat, poses, placement), "affinity_fields": fields}


def context(placement: Placement) -> PictureContext:
    empty = np.zeros((8, 8, 3), np.uint8)
    return PictureContext(placement, empty, empty, placement.picture)


def seconds(work: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return float(np.median(taken))


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(SETS), st.integers(0, 7), st.integers(0, 2**32 - 1))
def test_people_apart_come_back(joints: JointSet, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    people, placement = crowd(joints, count, rng)
    maps = encoded(joints, people, placement)
    found = AffinityFieldsCodec().decode(AffinityFields(joints=joints.name), maps, context(placement)).people
    assert len(found) == count
    for truth in people:
        nearest = min(
            np.abs(p.pose.points - truth.points).max() if p.pose is not None else np.inf for p in found
        )
        assert nearest <= 6, "px, of 8 a cell"
    assert all(p.score > 0.6 and p.pose is not None and (p.pose.scores > 0).all() for p in found)


@settings(deadline=None, max_examples=8)
@example(LSP14, 3, 1, 0.06, LimbAssembly())  # a limb that would close the torso's loop between two people
@given(
    st.sampled_from(SETS), st.integers(1, 4), st.integers(0, 2**32 - 1), st.floats(0, 0.06),
    st.sampled_from((LimbAssembly(), LimbAssembly(fewest=4, least=0.4))),  # and Cao's
)  # fmt: skip
def test_the_same_people_as_read_literally(
    joints: JointSet, count: int, seed: int, noise: float, assembly: LimbAssembly
) -> None:
    """Also where noise adds peaks, breaks limbs and people stand in each other."""
    rng = np.random.default_rng(seed)
    people, placement = crowd(joints, count, rng)
    close = [AnnotatedPerson(p.points * (0.75, 1) * 0.9, rng.random(len(p.labelled)) < 0.85) for p in people]
    maps = {k: (m + rng.normal(0, noise, m.shape)).astype(np.float32)
            for k, m in encoded(joints, close, placement).items()}  # fmt: skip
    heat = maps["heatmaps"].clip(0, 1)
    fields = maps["affinity_fields"].clip(-1, 1)
    expected = literal_people(joints, heat, fields, assembly)
    found = (
        AffinityFieldsCodec(assembly)
        .decode(AffinityFields(joints=joints.name), maps, context(placement))
        .people
    )
    assert len(found) == len(expected)
    most = len(joints.names) + len(joints.bones)
    for got, (parts, total) in zip(found, expected, strict=True):
        assert got.score == pytest.approx(min(1, total / most), abs=1e-4)
        assert got.pose is not None
        assert set(np.flatnonzero(got.pose.scores)) == set(parts)
        for joint, cell in parts.items():
            np.testing.assert_allclose(got.pose.points[joint], placement.to_picture(cell), atol=0.05)


def test_nobody_and_numbers_that_are_none() -> None:
    output, placement = AffinityFields(joints="COCO-17"), Placement((64, 96), (64, 96), 8)
    maps = {
        "heatmaps": np.zeros((18, 12, 8), np.float32),
        "affinity_fields": np.zeros((32, 12, 8), np.float32),
    }
    assert AffinityFieldsCodec().decode(output, maps, context(placement)).people == ()
    rng = np.random.default_rng(0)
    for bad in (np.nan, np.inf, -np.inf, 1e30):
        broken = {k: np.where(rng.random(m.shape) < 0.3, bad, m).astype(np.float32) for k, m in maps.items()}
        for found in AffinityFieldsCodec().decode(output, broken, context(placement)).people:
            assert found.pose is not None
            assert np.isfinite(found.pose.points).all()


def test_fields_have_length_one_on_limbs_and_nothing_beside() -> None:
    """Two people on one limb average; unlabelled joints and limbs of no length teach nothing."""
    placement = Placement((80, 80), (80, 80), 8)
    joints, output = LSP14, AffinityFields(joints="LSP-14")
    points = np.zeros((14, 2), np.float32)
    points[0], points[1], points[2] = (12, 12), (12, 60), (12, 60)
    known = np.zeros(14, bool)
    known[:3] = True
    across = points.copy()
    across[0], across[1] = (12, 36), (60, 36)
    only = known & (np.arange(14) < 2)
    fields = AffinityFieldsCodec().encode(
        output, [AnnotatedPerson(points, known), AnnotatedPerson(across, only)], placement
    )
    shin = joints.bones.index((0, 1))
    np.testing.assert_allclose(fields[2 * shin : 2 * shin + 2, 7, 1], (0, 1), atol=1e-6)
    np.testing.assert_allclose(fields[2 * shin : 2 * shin + 2, 4, 5], (1, 0), atol=1e-6)
    np.testing.assert_allclose(fields[2 * shin : 2 * shin + 2, 4, 1], (0.5, 0.5), atol=1e-6)
    assert not fields[2 * shin : 2 * shin + 2, 9, 5].any()
    assert not np.delete(fields, (2 * shin, 2 * shin + 1), axis=0).any()


def test_maps_that_another_codec_reads_are_not_decoded_alone() -> None:
    parts, heat = PartProbabilities(parts="S31"), Heatmaps(joints="COCO-17", background=True)
    fields = AffinityFields(joints="COCO-17")
    assert decoded((parts, heat, fields)) == (parts, fields)
    assert decoded((heat,)) == (heat,)


def test_twenty_people_in_time() -> None:
    """10 ms on one free core: here against the literal reading in the same run, which takes seconds."""
    rng = np.random.default_rng(0)
    people, placement = crowd(COCO17, 20, rng)
    maps = encoded(COCO17, people, placement)
    codec, output = AffinityFieldsCodec(), AffinityFields(joints="COCO-17")
    assert len(codec.decode(output, maps, context(placement)).people) == 20
    ours = seconds(lambda: codec.decode(output, maps, context(placement)), 9)
    theirs = seconds(
        lambda: literal_people(COCO17, maps["heatmaps"], maps["affinity_fields"], LimbAssembly()), 1
    )
    assert theirs > 50 * ours, f"{1000 * ours:.1f} ms, read literally {1000 * theirs:.0f} ms"
