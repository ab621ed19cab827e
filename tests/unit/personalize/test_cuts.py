"""Cuts: the least energy by brute force, and silhouettes of made-up pictures."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from personalize import cuts
from personalize.contrast import DIRECTIONS, beta, edge_weights, ends
from personalize.cuts import Gaussians, grab_cut, graph_cut, minimise
from personalize.smoothing import mean_field

CUTS = [grab_cut, graph_cut]


def energy(labels, unary, edges):
    """Energy of a labelling; the sum that `minimise` makes smallest."""
    height, width = labels.shape
    total = float(np.where(labels, unary[1], unary[0]).sum())
    for (dy, dx), weights in zip(DIRECTIONS, edges, strict=True):
        for y in range(height - dy):
            row, below = labels[y], labels[y + dy]
            near = slice(max(0, -dx), min(width, width - dx))
            far = slice(max(0, dx), min(width, width + dx))
            total += float(weights[y, near][row[near] != below[far]].sum())
    return total


def least(unary, edges):
    """The least energy over all labellings."""
    shape = unary.shape[1:]
    states = itertools.product((False, True), repeat=shape[0] * shape[1])
    return min(energy(np.array(s).reshape(shape), unary, edges) for s in states)


@settings(max_examples=25)
@given(st.data())
def test_least_energy_of_small_grids(data):
    shape = data.draw(st.sampled_from(((1, 2), (2, 1), (2, 2), (3, 3), (2, 4))))
    values = st.floats(0, 100)
    unary = data.draw(arrays.arrays(np.float64, (2, *shape), elements=values))
    image = data.draw(arrays.arrays(np.uint8, (*shape, 3)))
    edges = edge_weights(image, data.draw(values))
    found = minimise(unary, edges)
    assert energy(found, unary, edges) == pytest.approx(least(unary, edges), abs=1e-6)


def test_two_pixels_by_hand():
    image = np.zeros((1, 2, 3), np.uint8)
    unary = np.array([[[0.0, 6.0]], [[6.0, 0.0]]])  # left wants background, right wants a person
    for gamma, expected in ((5.0, [False, True]), (7.0, None)):
        edges = edge_weights(image, gamma)
        found = minimise(unary, edges)
        assert energy(found, unary, edges) == min(gamma, 6.0)
        if expected is None:
            assert found[0, 0] == found[0, 1]
        else:
            assert found[0].tolist() == expected


def test_without_neighbours_every_pixel_chooses_for_itself():
    random = np.random.default_rng(0)
    unary = random.uniform(-50, 50, (2, 9, 11))
    edges = edge_weights(random.integers(0, 255, (9, 11, 3)).astype(np.uint8), 0.0)
    np.testing.assert_array_equal(minimise(unary, edges), unary[1] < unary[0])


def test_picture_of_one_colour_costs_length_alone():
    image = np.full((5, 6, 3), 77, np.uint8)
    assert beta(image) == 0
    edges = edge_weights(image, 3.0)
    for plane, (dy, dx) in zip(edges, DIRECTIONS, strict=True):
        start, _ = ends(5, 6, dy, dx)
        assert (plane[start] == 3.0 / np.hypot(dy, dx)).all()
        assert plane.sum() == pytest.approx(plane[start].sum())  # nothing leaves the picture
    assert sum(int((plane > 0).sum()) for plane in edges) == 4 * 30 - 3 * 5 - 3 * 6 + 2


@given(arrays.arrays(np.uint8, (4, 5, 3)))
def test_beta_is_the_mean_over_all_edges(image):
    pairs = [
        ((image[y, x].astype(int) - image[y + dy, x + dx]) ** 2).sum()
        for y in range(4)
        for x in range(5)
        for dy, dx in DIRECTIONS
        if y + dy < 4 and 0 <= x + dx < 5
    ]
    mean = np.mean(pairs)
    assert beta(image) == pytest.approx(1 / (2 * mean) if mean else 0.0)


def test_mixture_is_a_density_and_learns_its_colours():
    random = np.random.default_rng(0)
    centres = np.array([[30, 40, 50], [200, 60, 90], [90, 220, 10]])
    colours = np.concatenate([random.normal(c, 4, (300, 3)) for c in centres])
    mixture = Gaussians.of(colours).again(colours)
    assert len(mixture.weights) == 5
    assert mixture.weights.sum() == pytest.approx(1)
    densities = [
        w
        / np.sqrt(np.linalg.det(2 * np.pi * c))
        * np.exp(-0.5 * np.einsum("ni,ij,nj->n", a, np.linalg.inv(c), a))
        for w, a, c in zip(
            mixture.weights,
            colours[:400, None].swapaxes(0, 1) - mixture.means[:, None],
            mixture.covariances,
            strict=True,
        )
    ]
    np.testing.assert_allclose(mixture.energies(colours[:400]), -np.log(sum(densities)), rtol=1e-9)
    near, far = mixture.energies(centres.astype(float)), mixture.energies(np.full((1, 3), 255.0))
    assert near.max() < far.min()
    one = Gaussians.fitted(colours, np.zeros(len(colours), np.int64))
    away = colours[:5] - one.means[0]
    expected = 0.5 * (
        np.einsum("ni,ij,nj->n", away, np.linalg.inv(one.covariances[0]), away)
        + np.linalg.slogdet(2 * np.pi * one.covariances[0])[1]
    )
    np.testing.assert_allclose(one.energies(colours[:5]), expected, rtol=1e-9)


def made_up():
    """A disc of its own colours before a wall, and a factor's coarse idea of it."""
    random = np.random.default_rng(0)
    rows, columns = np.indices((72, 96))
    disc = (rows - 36) ** 2 + (columns - 48) ** 2 < 20**2
    image = np.where(disc[..., None], (190, 90, 60), (60, 110, 120)) + random.normal(0, 12, (72, 96, 3))
    coarse = cv2.resize(disc.astype(np.float32), (12, 9), interpolation=cv2.INTER_AREA)
    person = np.roll(cv2.resize(coarse * 0.9 + 0.05, (96, 72)), 3, axis=1)
    return np.clip(image, 0, 255).astype(np.uint8), person.astype(np.float32), disc


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


@pytest.mark.parametrize("cut", CUTS)
def test_cut_finds_the_edge_the_factor_missed(cut):
    image, person, disc = made_up()
    assert iou(person > 0.5, disc) < 0.85
    found = cut(image, person)
    assert found.notice == ""
    assert iou(found.person, disc) > 0.97
    np.testing.assert_array_equal(found.person, cut(image, person).person)  # the same again


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, np.nan])
def test_one_sided_silhouettes_are_handed_back(cut, value):
    image, _, _ = made_up()
    found = cut(image, np.full((72, 96), value, np.float32))
    side = "background" if value == 1.0 else "a person"
    assert found.notice == f"Not cut: fewer than 50 pixels are likely {side}."
    assert found.person.all() == (value == 1.0)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("pixels", [49, 50])
@pytest.mark.parametrize("side", [0.9, 0.1])
def test_fifty_pixels_of_a_side_are_enough(cut, pixels, side):
    image, _, _ = made_up()
    person = np.full((72, 96), 1 - side, np.float32)
    person.ravel()[:pixels] = side
    assert ("fewer than 50" in cut(image, person).notice) == (pixels == 49)


def test_colours_that_are_all_equal_have_a_small_spread_and_empty_components_go():
    mixture = Gaussians.fitted(np.array([[7.0, 8, 9]] * 3 + [[1, 1, 1]]), np.array([0, 0, 0, 4]))
    np.testing.assert_array_equal(mixture.weights, [0.75, 0.25])
    np.testing.assert_array_equal(mixture.means, [[7, 8, 9], [1, 1, 1]])
    np.testing.assert_allclose(mixture.covariances, [0.01 * np.eye(3)] * 2)


def test_grab_cut_may_change_what_is_neither_well_inside_nor_far_away(monkeypatch):
    """At 256 px a bar is sure 4 px within its sure part, and the wall more than 12 px from what is likely."""
    given = []
    monkeypatch.setattr(cuts, "cut_trimap", lambda *a: given.append(a) or a[1] % 2 == 1)
    person = np.full((20, 256), 0.5, np.float32)
    person[:, 40:120], person[:, 40:100] = 0.6, 0.995
    image = np.random.default_rng(0).integers(0, 255, (20, 256, 3)).astype(np.uint8)
    found = grab_cut(image, person)
    ((bgr, mask, rounds),) = given
    np.testing.assert_array_equal(bgr, image[..., ::-1])
    expected = np.full(256, cv2.GC_BGD)
    expected[28:132], expected[40:120], expected[44:96] = cv2.GC_PR_BGD, cv2.GC_PR_FGD, cv2.GC_FGD
    np.testing.assert_array_equal(mask, [expected] * 20)
    assert rounds == 5
    np.testing.assert_array_equal(found.person, person > 0.5)


@pytest.mark.parametrize(
    ("columns", "notice"),
    [
        (slice(0), "Not cut: colour and silhouette do not go together here."),
        (slice(None), "Not cut: colour and silhouette do not go together here."),
        (slice(70, 90), ""),
        (slice(71, 90), "Not cut: the cut had only 48% in common with the silhouette."),
    ],
)
def test_a_cut_that_ran_away_is_not_taken(monkeypatch, columns, notice):
    image, _, _ = made_up()
    likely, cut = np.zeros((72, 96), np.float32), np.zeros((72, 96), bool)
    likely[:, 50:90], cut[:, columns] = 1, True
    monkeypatch.setattr(cuts, "cut_trimap", lambda *_: cut)
    found = grab_cut(image, likely)
    assert found.notice == notice
    np.testing.assert_array_equal(found.person, likely > 0.5 if notice else cut)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("level", [0, 128])
def test_pictures_of_one_colour_are_survived(cut, level):
    _, person, _ = made_up()
    found = cut(np.full((72, 96, 3), level, np.uint8), person)
    assert found.person.shape == (72, 96)
    assert found.person.dtype == bool
    assert 0 < found.person.sum() < found.person.size


@pytest.mark.parametrize(("strip", "kept"), [(7, False), (8, True)])
def test_where_colours_say_nothing_probability_and_the_length_of_the_edge_do(strip, kept):
    """Down 12 rows an edge costs 10 · (12 + 22 / √2) = 275.6, and each column on the wrong side 12 · 3.06."""
    likely = np.full((12, 200), True)
    likely[:, :strip], likely[:, 100:] = False, False
    found = graph_cut(np.full((12, 200, 3), 77, np.uint8), np.where(likely, np.float32(0.955), 0.045))
    expected = likely.copy()
    expected[:, :strip] = not kept
    assert found.notice == ""
    np.testing.assert_array_equal(found.person, expected)


def test_it_is_cut_until_it_rests_and_at_most_as_often_as_said(monkeypatch):
    image, person, _ = made_up()
    made = []
    monkeypatch.setattr(cuts, "minimise", lambda *given: made.append(minimise(*given)) or made[-1])
    assert (graph_cut(image, person, 1).person == made[0]).all()
    assert len(made) == 1
    assert (graph_cut(image, person).person == made[-1]).all()
    changed = [(a != b).mean() for a, b in itertools.pairwise([person > 0.5, *made[1:]])]
    assert [c < 1e-3 for c in changed] == [False, True]


@pytest.mark.parametrize("cut", CUTS)
def test_what_looks_like_the_person_far_away_is_not_taken(cut):
    image, person, _ = made_up()
    image[:12, :12] = image[30:42, 42:54]  # a piece of the same cloth in the corner
    assert not cut(image, person).person[:12, :12].any()


def test_sure_pixels_are_not_changed(monkeypatch):
    monkeypatch.setattr(cuts, "PROBABILITY", 0.0)
    image, person, _ = made_up()
    surely = person.copy()
    surely[10:62, 2:12] = 1.0  # a sure bar that looks like the wall
    assert graph_cut(image, surely).person[16:56, 5:9].all()


def test_mean_field_leaves_the_unknown_unknown():
    image = np.full((10, 10, 3), 90, np.uint8)
    assert (mean_field(image, np.full((10, 10), 0.5, np.float32), 3.0) == 0.5).all()
    random = np.random.default_rng(0)
    person = random.random((10, 10)).astype(np.float32)
    np.testing.assert_allclose(mean_field(image, person, 0.0), person, atol=1e-5)


def test_five_rounds_of_mean_field_by_hand():
    random = np.random.default_rng(0)
    image = random.integers(0, 255, (4, 12, 3)).astype(np.uint8)
    person = random.uniform(0.3, 0.7, (4, 12)).astype(np.float32)
    person[:, 9:] = 0.999
    places, edges = list(np.ndindex(4, 12)), edge_weights(image, 0.3)
    weight = np.zeros((4, 12, 4, 12))
    for plane, (dy, dx) in zip(edges, DIRECTIONS, strict=True):
        for y, x in places:
            if y + dy < 4 and 0 <= x + dx < 12:
                weight[y, x, y + dy, x + dx] = weight[y + dy, x + dx, y, x] = plane[y, x]
    mean = 2 * person - 1
    for _ in range(5):
        mean = np.tanh(0.5 * (np.log(person / (1 - person)) + np.tensordot(weight, mean)))
    surest = [np.abs(2 * person - 1)[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4].max() for y, x in places]
    surest = np.reshape(surest, (4, 12))
    expected = (1 + np.clip(mean, -surest, surest)) / 2
    np.testing.assert_allclose(mean_field(image, person, 0.3), expected, atol=1e-5)
    assert 0.05 < (np.abs(mean) > surest).mean() < 0.5  # held back


@given(arrays.arrays(np.float32, (9, 9), elements=st.floats(0, 1, width=32)), st.floats(0.1, 5))
def test_mean_field_is_no_surer_than_the_surest_around(person, gamma):
    smooth = mean_field(np.full((9, 9, 3), 90, np.uint8), person, gamma)
    assert np.abs(smooth - 0.5).max() <= np.abs(person - 0.5).max() + 1e-6
