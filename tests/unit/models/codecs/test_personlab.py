"""PersonLab: people encoded and found again, and every step beside a slow, literal reading of the paper."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.codecs.codec import PictureContext, Placement
from models.codecs.decoding import PAPER, Decoding
from models.codecs.greedy_poses import Poses, decode_poses, soft_nms
from models.codecs.hough import HoughMaps, local_maxima, vote
from models.codecs.instance_masks import instance_masks, memberships
from models.codecs.personlab import AnnotatedPerson, PersonLabCodec, directed_bones, encode_people
from models.codecs.vector_fields import Fields, complex_places
from models.grid import Grid
from models.labels import COCO17
from models.outputs import JointDisks
from models.personlab import Refinement
from models.results import Result

STANDING = np.array(
    [(0, -9), (0.4, -9.4), (-0.4, -9.4), (0.8, -9.1), (-0.8, -9.1), (2, -7), (-2, -7), (3, -4.5), (-3, -4.5),
     (3.3, -2), (-3.3, -2), (1.3, -2), (-1.3, -2), (1.4, 2), (-1.4, 2), (1.5, 6), (-1.5, 6)], np.float32
)  # fmt: skip
ENDS = (3, 4, 9, 10, 15, 16)  # of the tree: ears, wrists, ankles
OUTPUT = JointDisks(joints=COCO17.name)
RADIUS = OUTPUT.radius_px


def placed(size: tuple[int, int], stride: int = 8, grid: Grid = Grid.CENTRE) -> Placement:
    return Placement(size, size, stride, grid)


def standing(x: float, y: float, scale: float = 8.0) -> AnnotatedPerson:
    points = (STANDING * scale + np.array((x, y), np.float32)).astype(np.float32)
    return AnnotatedPerson(points, np.ones(17, bool))


def maps_of(
    people: list[AnnotatedPerson], placement: Placement, *, noise: int = 0, radius_px: float = RADIUS
) -> dict[str, NDArray]:
    """Maps of a perfect network; vectors where none are defined are noise, as a network's are."""
    columns, rows = placement.cells
    cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1)
    pixels = placement.to_picture(cells)
    owners = np.zeros((rows, columns), int)
    for i, p in enumerate(people, start=1):
        low, high = p.points.min(0) - 10, p.points.max(0) + 10
        owners[((pixels >= low) & (pixels <= high)).all(-1)] = i
    maps = encode_people(COCO17, people, owners, placement, radius_px)
    if (around := 1.5 * placement.stride) > radius_px:  # else a joint between four cells has no vectors
        maps = {**encode_people(COCO17, people, owners, placement, around), "disks": maps["disks"]}
    rng = np.random.default_rng(noise)
    for name in ("short", "mid", "long"):
        known = np.repeat(maps.pop(f"{name}_known"), 2, 0) > 0
        maps[name] = np.where(known, maps[name], rng.normal(0, 30, maps[name].shape)).astype(np.float32)
    maps["person"] = (owners > 0).astype(np.float32)[None]
    return maps


def decoded(people: list[AnnotatedPerson], placement: Placement, noise: int = 0) -> Result:
    maps = maps_of(people, placement, noise=noise)
    blank = np.zeros((placement.picture[1], placement.picture[0], 3), np.uint8)
    context = PictureContext(placement, blank, blank, placement.picture)
    return PersonLabCodec().decode(OUTPUT, maps, context)


def error(result: Result, person: AnnotatedPerson) -> NDArray[np.float64]:
    """Distances (joints,) of the found person that is nearest, of the labelled joints."""
    away = [np.linalg.norm(p.pose.points - person.points, axis=1) for p in result.people if p.pose]
    return min((a[person.labelled] for a in away), key=np.mean)


@st.composite
def crowds(draw: st.DrawFn, stride: int) -> list[AnnotatedPerson]:
    """1 to 30 people whose joints of one type are three cells apart, at the borders too; ends missing."""
    people: list[AnnotatedPerson] = []
    for _ in range(draw(st.integers(1, 30))):
        person = standing(draw(st.floats(0, 799)), draw(st.floats(0, 527)), draw(st.floats(4, 12)))
        if all((np.linalg.norm(person.points - p.points, axis=1) > 3 * stride).all() for p in people):
            missing = draw(st.sets(st.sampled_from(ENDS)))
            people.append(AnnotatedPerson(person.points, np.array([k not in missing for k in range(17)])))
    return people


@st.composite
def incomplete(draw: st.DrawFn) -> list[AnnotatedPerson]:
    """One person, any joints missing: what leads to and from them is noise."""
    person = standing(draw(st.floats(0, 799)), draw(st.floats(0, 527)), draw(st.floats(4, 12)))
    missing = draw(st.sets(st.integers(0, 16), max_size=16))
    return [AnnotatedPerson(person.points, np.array([k not in missing for k in range(17)]))]


@pytest.mark.parametrize(("stride", "radius_px"), [(8, 16.0), (8, 32.0), (16, 16.0), (16, 32.0), (32, 32.0)])
@settings(
    max_examples=10, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.reuse, Phase.generate)
)
@given(st.data(), st.sampled_from(Grid), st.integers(0, 3))
def test_people_come_back_within_half_a_cell(
    stride: int, radius_px: float, data: st.DataObject, grid: Grid, noise: int
) -> None:
    people = data.draw(crowds(stride) | incomplete())
    size = (800, 544) if grid is Grid.CENTRE else (801, 545)
    placement = placed(size, stride, grid)
    maps = maps_of(people, placement, noise=noise, radius_px=radius_px)
    fields = Fields(maps["short"], maps["mid"], maps["long"], placement)
    hough = vote(maps["disks"], fields.short, placement, radius_px)
    found = decode_poses(COCO17, maps["disks"], fields, hough, radius_px, Decoding(keep=1000)).points
    all_are_among(found, people, size, stride / 2)


def all_are_among(
    found: NDArray[np.float32], people: list[AnnotatedPerson], size: tuple[int, int], most: float
) -> None:
    for person in people:
        inside = ((person.points > 0) & (person.points < np.array(size) - 1)).all(1)
        joined = together(person.labelled & inside)
        if joined.any():
            away = np.linalg.norm(found[:, joined] - person.points[joined], axis=-1)
            assert away.max(axis=1).min() < most


@pytest.mark.parametrize(("seed", "noise", "radius_px"), [(71, 3, 16.0), (72, 0, 32.0)])
def test_joints_outside_the_picture_do_not_join_two_people(seed: int, noise: int, radius_px: float) -> None:
    """A pose that left the picture and came back as somebody else hides nobody."""
    rng = np.random.default_rng(seed)
    people: list[AnnotatedPerson] = []
    for _ in range(40):
        person = standing(rng.uniform(0, 799), rng.uniform(0, 527), rng.uniform(4, 12))
        if all((np.linalg.norm(person.points - p.points, axis=1) > 24).all() for p in people):
            ends = [k for k in ENDS if rng.random() < 0.3]
            people.append(AnnotatedPerson(person.points, ~np.isin(np.arange(17), ends)))
    placement = placed((800, 544))
    maps = maps_of(people, placement, noise=noise, radius_px=radius_px)
    fields = Fields(maps["short"], maps["mid"], maps["long"], placement)
    hough = vote(maps["disks"], fields.short, placement, radius_px)
    found = decode_poses(COCO17, maps["disks"], fields, hough, radius_px, Decoding(keep=1000)).points
    all_are_among(found, people, (800, 544), 4)


def together(seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The joints seen that bones between joints seen lead to from the first of them."""
    joined = np.arange(17) == seen.argmax()
    for _ in range(17):
        for a, b in COCO17.bones:
            joined[[a, b]] |= seen[a] and seen[b] and bool(joined[a] or joined[b])
    return joined & seen


def test_one_person_is_one_and_nobody_nobody() -> None:
    placement = placed((512, 288))
    (found,) = decoded([standing(250, 150, 12)], placement).people
    assert found.score > 0.8
    assert found.mask is not None
    assert found.mask.mean() > 0.05
    assert decoded([], placement).people == ()


def test_a_person_is_found_in_displayed_pixels() -> None:
    placement = Placement((1024, 576), (512, 288), 8)
    person = AnnotatedPerson(standing(500, 300, 20).points, np.ones(17, bool))
    result = decoded([person], placement)
    assert error(result, person).max() < 8
    x, y, w, h = result.people[0].box
    low, high = person.points.min(0), person.points.max(0)
    assert x < low[0] + 10
    assert y < low[1] + 10
    assert x + w > high[0] - 10
    assert y + h > high[1] - 10


def test_a_hundred_people_and_one_that_fills_the_frame() -> None:
    placement = placed((800, 528))
    many = [standing(30 + 74 * (i % 10), 60 + 48 * (i // 10), 2.5) for i in range(100)]
    assert 0 < len(decoded(many, placement).people) <= 20
    huge = standing(400, 300, 36)
    result = decoded([huge], placement)
    inside = ((huge.points > 0) & (huge.points < (799, 527))).all(1)
    known = AnnotatedPerson(huge.points, together(inside))
    assert known.labelled.sum() > 5
    assert error(result, known).max() < 4


def test_contradicting_people_at_one_place_are_one() -> None:
    result = decoded([standing(250, 150), standing(252, 151)], placed((512, 288)))
    assert sum(p.score > 0.3 for p in result.people) == 1


def test_soft_suppression_counts_each_joint_once() -> None:
    points = np.zeros((3, 17, 2), np.float32)
    points[1] += 100
    points[2, :8] += 100
    points[2, 8:] += 300
    scores = np.tile(np.array([0.9, 0.8, 0.7], np.float32)[:, None], (1, 17))
    np.testing.assert_allclose(soft_nms(points, scores), [0.9, 0.8, 0.7 * 9 / 17], atol=1e-6)


def test_refinement_of_the_decoder_is_that_of_the_losses() -> None:
    placement = placed((160, 128))
    rng = np.random.default_rng(3)
    raw = {
        n: rng.normal(0, 12, (c, 16, 20)).astype(np.float32)
        for n, c in (("short", 34), ("mid", 64), ("long", 34))
    }
    refined = Refinement(COCO17)({k: torch.from_numpy(v)[None] for k, v in raw.items()})
    fields = Fields(raw["short"], raw["mid"], raw["long"], placement)
    cells = np.stack(np.meshgrid(np.arange(20), np.arange(16)), -1).reshape(-1, 2)
    at = complex_places(placement.grid.to_pixel(cells, 8))
    long = refined["long"][0].numpy().reshape(17, 2, -1).transpose(0, 2, 1)
    np.testing.assert_allclose(fields.long_at(at).view(np.float32).reshape(long.shape), long, atol=2e-2)
    targets = [b for _, b in directed_bones(COCO17)]
    for e in (0, 15, 16, 31):
        found = fields.refined(at + fields.mid_at(np.full(len(at), e), at), np.full(len(at), targets[e])) - at
        mid = refined["mid"][0, 2 * e : 2 * e + 2].numpy().reshape(2, -1).T
        np.testing.assert_allclose(found.view(np.float32).reshape(mid.shape), mid, atol=2e-2)


def test_masks_give_each_cell_to_the_person_it_points_at() -> None:
    placement = placed((512, 288))
    people = [standing(120, 150, 10), standing(380, 150, 10)]
    maps = maps_of(people, placement)
    poses = Poses(np.stack([p.points for p in people]), np.ones((2, 17), np.float32), np.ones(2, np.float32))
    fields = Fields(maps["short"], maps["mid"], maps["long"], placement)
    left, right = memberships(maps["person"], maps["disks"], fields, poses, Decoding()) >= 0.5
    assert left[18, 15]
    assert right[18, 47]
    assert not (left & right).any()
    assert (left | right).sum() == (maps["person"] > 0.5).sum()


def test_peaks_lie_between_cells() -> None:
    density = np.zeros((1, 20, 30), np.float32)
    ys, xs = np.mgrid[:20, :30]
    density[0] = np.exp(-((xs - 12.3) ** 2 + (ys - 7.6) ** 2) / 4)
    joints, places, _ = local_maxima(HoughMaps.of(density, 4.0, RADIUS), 0.5, 5)
    assert joints.tolist() == [0]
    np.testing.assert_allclose(places[0], (12.3 * 4 + 1.5, 7.6 * 4 + 1.5), atol=0.3)


def test_settings_change_scores_and_thinning() -> None:
    assert Decoding() == Decoding(keep=20, least_score=0.05)
    placement = placed((512, 288))
    people = [standing(150, 150, 10), standing(163, 153, 10), standing(400, 150, 10)]
    maps = maps_of(people, placement)

    def scored(decoding: Decoding) -> list[float]:
        blank = np.zeros((288, 512, 3), np.uint8)
        codec = PersonLabCodec(decoding)
        return [
            p.score
            for p in codec.decode(OUTPUT, maps, PictureContext(placement, blank, blank, (512, 288))).people
        ]

    soft, hard = scored(Decoding()), scored(Decoding(nms="hard"))
    assert len(soft) == 3
    assert len(hard) == 2  # the one beside another is alike to it
    assert scored(Decoding(scoring="hough", nms="hard")) != hard
    assert len(scored(Decoding(keep=1))) == 1
    assert scored(Decoding(least_score=0.99)) == []
    assert 0 < Decoding().least_score < min(soft), "chance meetings are nobody, unless told otherwise"


def test_without_refinement_vectors_are_as_the_network_gave_them() -> None:
    placement = placed((160, 128))
    maps = maps_of([standing(80, 60, 6)], placement)
    fields = Fields(maps["short"], maps["mid"], maps["long"], placement, 0)
    at = complex_places(placement.grid.to_pixel([(5, 5), (9, 8)], 8))
    np.testing.assert_array_equal(
        fields.long_at(at)[:, 1:].copy().view(np.float32).ravel(), maps["long"][:, 8, 9]
    )


@pytest.mark.parametrize("grid", Grid)
@pytest.mark.parametrize("decoding", [Decoding(), PAPER])
def test_the_border_of_a_mask_lies_between_cells(grid: Grid, decoding: Decoding) -> None:
    placement = placed((128, 64) if grid is Grid.CENTRE else (129, 65), 8, grid)
    columns, rows = placement.cells
    person, belongs = np.ones((1, rows, columns), np.float32), np.zeros((2, rows, columns), np.float32)
    belongs[0, :, :5], belongs[1, :, 9:] = 1, 1
    first, second = instance_masks(person, belongs, placement, decoding)
    ends = [grid.to_pixel(u, 8) for u in (4.5, 8.5)]
    assert first.sum(1).tolist() == pytest.approx([ends[0] / 2] * len(first), abs=0.6)
    assert second.sum(1).tolist() == pytest.approx([(128 - ends[1]) / 2] * len(second), abs=0.6)


def test_where_somebody_covers_a_joint_cells_still_belong_to_whom_they_are_of() -> None:
    """Long-range vectors beside a covered joint are those of the other person."""
    placement = placed((512, 288))
    behind, before = standing(250, 150, 10), standing(286, 160, 10)
    maps = maps_of([behind, before], placement)
    poses = Poses(
        np.stack([behind.points, before.points]), np.ones((2, 17), np.float32), np.ones(2, np.float32)
    )
    fields = Fields(maps["short"], maps["mid"], maps["long"], placement)
    ours, paper = (memberships(maps["person"], maps["disks"], fields, poses, d) for d in (Decoding(), PAPER))
    own = maps["long"][0] + placement.grid.to_pixel(np.arange(64), 8) < 268  # cells of whose nose is there
    there = (maps["person"][0] > 0.5) & own
    assert (ours[0][there] >= 0.5).mean() > 0.95
    assert (paper[0][there] >= 0.5).mean() < (ours[0][there] >= 0.5).mean()


@pytest.mark.parametrize("decoding", [Decoding(), PAPER])
def test_a_pixel_of_a_mask_is_a_persons_and_not_clearly_more_somebody_elses(decoding: Decoding) -> None:
    person, belongs = np.ones((1, 4, 4), np.float32), np.ones((4, 4, 4), np.float32)
    person[0, :, 2:], person[0, 2:, 0] = 0, 0.5
    belongs *= np.float32([0, 0.5, 0.5625, 0.625])[:, None, None]
    masks = instance_masks(person, belongs, Placement((32, 32), (32, 32), 8), decoding)
    there = np.zeros((16, 16))
    there[:, :8] = 1
    shown = [0, 0, 1, 1] if decoding.masks == "votes" else [0, 1, 1, 1]
    np.testing.assert_array_equal(masks, [there * s for s in shown])


def test_a_place_on_the_edge_of_the_margin_is_outside() -> None:
    """Half a pixel and the margin before the first pixel of 32 by 24, and the margin behind the last."""
    none = np.zeros((2, 3, 4), np.float32)
    fields = Fields(none, none, none, Placement((32, 24), (32, 24), 8))
    for margin in (0, 10):
        low, right, below = -0.5 - margin, 32 + margin, 24 + margin
        at = np.complex64([complex(x, 5) for x in (low, low + 0.01, right - 0.01, right)])
        assert fields.inside(at, margin).tolist() == [False, True, True, False]
        at = np.complex64([complex(5, y) for y in (low, low + 0.01, below - 0.01, below)])
        assert fields.inside(at, margin).tolist() == [False, True, True, False]
