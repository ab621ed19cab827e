"""Part affinity fields: people back from their own maps, and as Cao's decoder read literally finds them."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.codecs.affinity_fields import (
    AffinityFieldsCodec,
    JointPeaks,
    LimbAssembly,
    found_person,
    peaks_of_many,
    possible_limbs,
)
from models.codecs.codec import FloatMap, PictureContext, Placement
from models.codecs.heatmaps import HeatmapCodec
from models.codecs.personlab import AnnotatedPerson
from models.codecs.registry import decoded
from models.labels import COCO17, LIP16, LSP14, LSP14_NECK, JointSet
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


def test_a_limb_is_a_cell_wide_each_way_and_reaches_a_cell_beyond_its_joints() -> None:
    points, known = np.full((14, 2), 11.5, np.float32), np.arange(14) < 2
    points[1] = 11.5, 43.5  # cells (1, 1) to (1, 5)
    fields = AffinityFieldsCodec().encode(
        AffinityFields(joints="LSP-14-neck"),
        [AnnotatedPerson(points, known)],
        Placement((80, 80), (80, 80), 8),
    )
    there = np.zeros((10, 10))
    there[:7, :3] = 1
    shin = LSP14_NECK.bones.index((1, 0))  # from the knee up to the ankle
    np.testing.assert_array_equal(fields[2 * shin + 1], -there)
    assert not fields[2 * shin].any()


ONE_BONE = JointSet("one", ("a", "b"), ((0, 1),))


def limb_scores(
    field: FloatMap, ends: tuple[float, float], assembly: LimbAssembly | None = None
) -> list[float]:
    """Of the limb between two peaks in row 2, by the component of the field along it."""
    peaks = JointPeaks(
        np.array([0, 1]), np.array([e + 2j for e in ends], np.complex64), np.ones(2, np.float32)
    )
    limbs = possible_limbs(ONE_BONE, peaks, field.astype(np.complex64)[None], assembly or LimbAssembly())
    assert limbs.bones.tolist() == [0] * len(limbs.scores)
    return [float(s) for s in limbs.scores]


@pytest.mark.parametrize(("length", "score"), [(4, 1.0), (6, 1.0), (12, 0.5), (24, 0.25)])
def test_limbs_longer_than_half_the_picture_is_high_are_less_likely(length: float, score: float) -> None:
    assert limb_scores(np.ones((12, 30)), (1, 1 + length)) == [pytest.approx(score)]


def test_nine_of_ten_samples_support_a_limb_and_eight_do_not() -> None:
    for first in range(10):
        field = np.ones((20, 12))
        field[:, 1 + first] = 0.05  # no support: it is not above
        assert limb_scores(field, (1, 10)) == [pytest.approx(0.905)]
        for second in range(first + 1, 10):
            worse = field.copy()
            worse[:, 1 + second] = 0.05
            assert limb_scores(worse, (1, 10)) == []
            assert len(limb_scores(worse, (1, 10), LimbAssembly(support=0.7))) == 1
    assert limb_scores(np.ones((12, 12)), (3, 3)) == [], "no length, no direction"
    assert limb_scores(-np.ones((12, 12)), (1, 10)) == []
    assert limb_scores(-np.ones((12, 12)), (10, 1)) == [pytest.approx(1 - 1 / 3)]


def test_peaks_are_higher_than_their_neighbours_and_the_forty_highest_count() -> None:
    heat = np.zeros((2, 21, 30), np.float32)
    heat[1, 1::3, 1::3] = np.linspace(0.5, 0.99, 70).reshape(7, 10)
    found = peaks_of_many(heat, 0.1)
    assert found.joints.tolist() == [1] * 40
    assert (np.diff(found.heights) <= 0).all()
    rows = {round(float(p.imag)) for p in found.places}
    assert rows == {10, 13, 16, 19}
    flat = np.zeros((1, 5, 6), np.float32)
    flat[0, 2, 2:4] = flat[0, 4, 5] = 0.8  # two cells alike are one peak; the corner is one, too
    assert [(round(float(p.real), 1), float(p.imag)) for p in peaks_of_many(flat, 0.1).places] == [
        (5.5, 4.5),
        (2.5, 2),
    ]
    assert not len(peaks_of_many(np.full((1, 4, 4), 0.5, np.float32), 0.5).joints), "not above the least"


def test_a_person_is_boxed_by_the_joints_that_were_found() -> None:
    points, scores = np.zeros((17, 2), np.float32), np.zeros(17, np.float32)
    points[[3, 5, 9]], scores[[3, 5, 9]] = [(10, 50), (30, 20), (15, 90)], 0.5
    person = found_person(COCO17, points, scores, 0.75)
    assert (person.box, person.score) == ((10, 20, 20, 70), 0.75)


def test_settings_say_how_many_people_of_how_many_joints_there_are() -> None:
    assert LimbAssembly() == LimbAssembly(peak=0.1, along=0.05, support=0.8, fewest=3, least=0.2, keep=40)
    people, placement = crowd(COCO17, 4, np.random.default_rng(3))
    seen = [np.arange(17) < 17, np.arange(17) < 11, np.isin(np.arange(17), (5, 7, 9)), np.arange(17) > 12]
    some = [AnnotatedPerson(p.points, s) for p, s in zip(people, seen, strict=True)]
    maps, output = encoded(COCO17, some, placement), AffinityFields(joints="COCO-17")

    def joints(**settings: float) -> list[int]:
        codec = AffinityFieldsCodec(LimbAssembly(**settings))  # type: ignore[arg-type]
        found = codec.decode(output, maps, context(placement)).people
        assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)
        return [int((p.pose.scores > 0).sum()) for p in found if p.pose is not None]

    assert joints() == [17, 11, 3]
    assert joints(fewest=2) == [17, 11, 3, 2, 2]
    assert joints(fewest=4) == [17, 11]
    assert joints(fewest=11, keep=1) == [17]
    assert joints(least=1.5) == [17, 11, 3]
    assert joints(least=3) == []


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
