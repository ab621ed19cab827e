"""Persons by their centres: back from their own maps, and as §6.6 read literally groups candidates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.codecs.codec import FloatMap, Placement
from models.codecs.heatmaps import HeatmapCodec
from models.codecs.person_centres import (
    RADIUS_PX,
    CentreGrouping,
    PersonCentresCodec,
    clusters_of,
    persons_of,
)
from models.codecs.personlab import AnnotatedPerson
from models.codecs.registry import decoded
from models.labels import COCO17, LIP16, LSP14, JointSet
from models.outputs import CentreOffsets, Heatmaps
from models.results import Pose
from tests.unit.models.codecs.test_affinity_fields import context, crowd, seconds

CUT_PX = 120.0
LITERAL_ORDER = ("neck", "head_top", "nose", "r_eye", "l_eye", "r_ear", "l_ear", "r_shoulder", "l_shoulder",
                 "r_hip", "l_hip", "r_elbow", "l_elbow", "r_knee", "l_knee", "r_wrist", "l_wrist",
                 "r_ankle", "l_ankle", "pelvis", "thorax")  # fmt: skip
People = set[frozenset[int]]


def literal_people(joint_set: JointSet, joints: list[int], centres: list[complex], cut: float) -> People:
    """Candidates of each person, by loops."""
    clusters = [[i] for i in range(len(joints))]
    while len(clusters) > 1:
        pairs = [(i, j) for i in range(len(clusters)) for j in range(i)]
        means = [sum(centres[m] for m in c) / len(c) for c in clusters]
        i, j = min(pairs, key=lambda pair: abs(means[pair[0]] - means[pair[1]]))
        if abs(means[i] - means[j]) > cut:
            break
        clusters[j] += clusters.pop(i)
    people: list[list[int]] = []
    for cluster in clusters:
        kinds = [joints[m] for m in cluster]
        if len(set(kinds)) == len(kinds):
            people.append(cluster)
            continue
        here: list[list[int]] = []
        for name in (n for n in LITERAL_ORDER if n in joint_set.names):
            left = [m for m in cluster if joints[m] == joint_set.id(name)]
            if not here:
                here = [[m] for m in left]
                continue
            waiting = list(range(len(here)))
            means = [sum(centres[m] for m in p) / len(p) for p in here]
            while left and waiting:
                pairs = [(m, p) for m in left for p in waiting]
                m, p = min(pairs, key=lambda pair: abs(centres[pair[0]] - means[pair[1]]))
                here[p].append(m)
                left.remove(m)
                waiting.remove(p)
            if name in ("head_top", "nose"):
                here += [[m] for m in left]
        people += here
    return {frozenset(p) for p in people}


def found(joint_set: JointSet, joints: NDArray[np.intp], centres: NDArray[np.complex128]) -> People:
    return {frozenset(p.tolist()) for p in persons_of(joint_set, joints, centres, CUT_PX)}


def candidates(seed: int, joint_set: JointSet) -> tuple[NDArray[np.intp], NDArray[np.complex128]]:
    """Joints of some people whose centres may be near each other, some missing, and false ones."""
    rng = np.random.default_rng(seed)
    joints, centres = [], []
    for _ in range(int(rng.integers(1, 5))):
        centre = complex(*rng.uniform(0, 300, 2))
        seen = np.flatnonzero(rng.random(len(joint_set.names)) < 0.8).tolist()
        joints += seen
        centres += [centre + complex(*rng.normal(0, 15, 2)) for _ in seen]
    false = int(rng.integers(0, 4))
    joints += rng.integers(len(joint_set.names), size=false).tolist()
    centres += [complex(*rng.uniform(-100, 400, 2)) for _ in range(false)]
    return np.array(joints, np.intp), np.array(centres, np.complex128)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), joint_set=st.sampled_from((COCO17, LSP14, LIP16)))
def test_grouping_is_the_literal_one_in_any_order_of_candidates(seed: int, joint_set: JointSet) -> None:
    joints, centres = candidates(seed, joint_set)
    people = found(joint_set, joints, centres)
    assert people == literal_people(joint_set, joints.tolist(), centres.tolist(), CUT_PX)
    order = np.random.default_rng(seed).permutation(len(joints))
    shuffled = found(joint_set, joints[order], centres[order])
    assert {frozenset(order[list(p)].tolist()) for p in shuffled} == people
    for person in people:
        assert len({int(joints[m]) for m in person}) == len(person), "a person has a joint twice"


def encoded(joint_set: JointSet, people: list[AnnotatedPerson], placement: Placement) -> dict[str, FloatMap]:
    heat = Heatmaps(joints=joint_set.name, background=True)
    poses = [Pose(joint_set, p.points, p.labelled.astype(np.float32)) for p in people]
    vectors, _ = PersonCentresCodec().encode(CentreOffsets(joints=joint_set.name), people, placement)
    return {"heatmaps": HeatmapCodec().encode(heat, poses, placement), "centres": vectors}


@pytest.mark.parametrize("joint_set", [COCO17, LSP14, LIP16])
@pytest.mark.parametrize("count", [0, 1, 2, 5, 12])
def test_people_come_back_from_their_own_maps(joint_set: JointSet, count: int) -> None:
    """Nearer to each other than the cut, too: their cluster is shared out."""
    people, placement = crowd(joint_set, count, np.random.default_rng(count))
    output = CentreOffsets(joints=joint_set.name)
    result = PersonCentresCodec().decode(output, encoded(joint_set, people, placement), context(placement))
    assert len(result.people) == count
    for person in people:
        away = [np.abs(p.pose.points - person.points).max() for p in result.people if p.pose is not None]
        assert min(away) < 3


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_maps_that_are_no_numbers_are_nobody_or_people_at_places(value: float) -> None:
    output, rng = CentreOffsets(joints="COCO-17"), np.random.default_rng(0)
    people, placement = crowd(COCO17, 2, rng)
    whole = encoded(COCO17, people, placement)
    for share in (0.3, 1.0):
        maps = {
            n: np.where(rng.random(m.shape) < share, value, m).astype(np.float32) for n, m in whole.items()
        }
        for p in PersonCentresCodec().decode(output, maps, context(placement)).people:
            assert p.pose is not None
            assert np.isfinite(p.pose.points).all()


def test_noise_everywhere_is_grouped_in_time() -> None:
    """As many peaks as are kept of every joint: the worst that a network can show."""
    rng, output = np.random.default_rng(0), CentreOffsets(joints="COCO-17")
    placement = Placement((800, 600), (800, 600), 8)
    maps = {"heatmaps": rng.random((18, 75, 100)).astype(np.float32),
            "centres": rng.normal(0, 60, (34, 75, 100)).astype(np.float32)}  # fmt: skip
    assert seconds(lambda: PersonCentresCodec().decode(output, maps, context(placement)), 1) < 0.5


def test_heat_maps_beside_centres_are_not_decoded_alone() -> None:
    outputs = Heatmaps(joints="COCO-17"), CentreOffsets(joints="COCO-17")
    assert decoded(outputs) == outputs[1:]


def test_centres_as_far_apart_as_the_cut_are_one_persons() -> None:
    def groups(*points: complex) -> list[list[int]]:
        return [c.tolist() for c in clusters_of(np.array(points, np.complex128), 120.0)]

    assert groups() == []
    assert groups(5) == [[0]]
    assert groups(0, 120) == [[0, 1]]
    assert groups(0, 120.5j) == [[0], [1]]
    assert groups(0, 100, 180) == [[0], [1, 2]], "the middle of 100 and 180 is further than the cut"
    assert groups(0, 300, 40, 310, 20) == [[0, 2, 4], [1, 3]]


def test_settings_say_how_many_people_of_how_many_joints_there_are() -> None:
    assert CentreGrouping() == CentreGrouping(peak=0.1, cut_px=120.0, fewest=4, keep=40)
    assert pytest.approx(7 * np.sqrt(2 * np.log(100)), abs=0.01) == RADIUS_PX
    people, placement = crowd(COCO17, 4, np.random.default_rng(3))
    some = [AnnotatedPerson(p.points, np.arange(17) < n) for p, n in zip(people, (3, 17, 4, 12), strict=True)]
    maps, output = encoded(COCO17, some, placement), CentreOffsets(joints="COCO-17")

    def joints(**settings: float) -> list[tuple[int, float]]:
        codec = PersonCentresCodec(CentreGrouping(cut_px=30, **settings))  # type: ignore[arg-type]
        found = codec.decode(output, maps, context(placement)).people
        return [(int((p.pose.scores > 0).sum()), p.score) for p in found if p.pose is not None]

    assert [n for n, _ in joints()] == [17, 12, 4]
    assert [n for n, _ in joints(fewest=3)] == [17, 12, 4, 3]
    assert [n for n, _ in joints(fewest=5)] == [17, 12]
    assert [n for n, _ in joints(keep=1)] == [17]
    for n, score in joints(fewest=3):
        assert 0.6 * n / 17 < score <= n / 17, "the mean over all joints, those not found as well"


def test_vectors_are_network_pixels_and_taught_within_the_radius_of_a_joint() -> None:
    """At stride 4; near joints of two people the later one's centre counts, and nobody's teaches nothing."""
    placement, output = Placement((80, 80), (80, 80), 4), CentreOffsets(joints="COCO-17", stride=4)
    points = np.full((17, 2), 41.5, np.float32)
    first, second = AnnotatedPerson(points, np.arange(17) < 1), AnnotatedPerson(points + 8, np.arange(17) < 1)
    nobody = AnnotatedPerson(points, np.zeros(17, bool))
    vectors, taught = PersonCentresCodec().encode(output, [nobody, first, second, nobody], placement)
    y, x = np.mgrid[:20, :20] * 4 + 1.5
    near, nearer = (np.hypot(x - c, y - c) <= 21.24 for c in (41.5, 49.5))
    np.testing.assert_array_equal(taught[0], near | nearer)
    assert not taught[1:].any()
    centre = np.where(nearer, 49.5, 41.5)
    for axis, place in enumerate((x, y)):
        np.testing.assert_allclose(vectors[axis], np.where(near | nearer, centre - place, 0), atol=1e-4)
    assert not vectors[2:].any()


@pytest.mark.parametrize("known", [True, False])
def test_the_centre_is_the_pelvis_or_the_mean_of_what_is_known(*, known: bool) -> None:
    output, pelvis, knee = CentreOffsets(joints="LIP-16"), LIP16.id("pelvis"), LIP16.id("r_knee")
    (person,), placement = crowd(LIP16, 1, np.random.default_rng(1))
    labelled = person.labelled & (known | (np.arange(16) != pelvis))
    expected = person.points[pelvis] if known else person.points[labelled].mean(axis=0)
    alone = [AnnotatedPerson(person.points, labelled)]
    vectors, taught = PersonCentresCodec().encode(output, alone, placement)
    rows, columns = np.nonzero(taught[knee])
    cells = np.stack((columns, rows), axis=1) * 8 + 3.5
    assert np.linalg.norm(cells - person.points[knee], axis=1).max() <= RADIUS_PX
    led = cells + vectors[2 * knee : 2 * knee + 2, rows, columns].T
    np.testing.assert_allclose(led, np.broadcast_to(expected, led.shape), atol=1e-3)
