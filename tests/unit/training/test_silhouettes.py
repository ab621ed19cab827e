"""Silhouettes cut from photos with joints, on a drawn person whose silhouette is known."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import cv2
import numpy as np
import pytest

from models.labels import IGNORE, LSP14
from runtime.silhouettes.grabcut import cut_trimap
from tests.unit.training.test_batches import data_folder
from training.photos import Photo
from training.scribbles import Skeleton, distance_to_bones, scribble
from training.silhouettes import (
    SilhouetteCut,
    _joined,
    body,
    cut,
    main,
    merged,
    torso_length,
    with_silhouettes,
    write,
)
from training.targets import SET_CODES

# LSP order: right ankle, knee, hip, left hip, knee, ankle, right wrist, elbow, shoulder, left ones, neck, top
JOINTS = np.array(
    [[78, 250], [82, 200], [86, 145], [114, 145], [118, 200], [122, 250], [40, 120], [50, 95], [75, 68],
     [125, 68], [150, 95], [160, 120], [100, 58], [100, 15]],
    np.float32,
)  # fmt: skip
SIZE = (200, 280)


@pytest.fixture(scope="module")
def skeleton():
    return Skeleton(JOINTS, np.full(14, 2, np.int8))


@pytest.fixture(scope="module")
def drawn(skeleton):
    """A person in red and blue on a green lawn with grain, and the true mask."""
    rng = np.random.default_rng(1)
    truth = body(skeleton, SIZE)
    image = np.full((SIZE[1], SIZE[0], 3), (90, 150, 60), np.float32)
    rows = np.arange(SIZE[1])[:, None] < 150
    person = np.where(rows[..., None], (190, 60, 50), (50, 60, 140))
    image = np.where(truth[..., None] > 0, person, image) + rng.normal(0, 9, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), truth


def test_the_drawn_person_is_found(drawn, skeleton):
    image, truth = drawn
    found = cut(image, skeleton)
    assert found is not None
    assert found.plausible
    sure = found.mask != IGNORE
    assert sure.mean() > 0.9
    assert (found.mask[sure] == truth[sure]).mean() > 0.985
    person = found.mask == 1
    assert (person & (truth > 0)).sum() / (person | (truth > 0)).sum() > 0.8


def test_the_same_photo_gives_the_same_cut(drawn, skeleton):
    a, b = (cut(drawn[0], skeleton) for _ in range(2))
    assert np.array_equal(a.mask, b.mask)


def test_a_person_who_cannot_be_told_from_the_ground_is_refused(skeleton):
    rng = np.random.default_rng(2)
    found = cut(rng.integers(90, 130, (SIZE[1], SIZE[0], 3)).astype(np.uint8), skeleton)
    assert found is not None
    assert not found.plausible or (found.mask == IGNORE).mean() > 0.1
    assert found.agreement < 1, "a narrow and a wide start do not end alike"


def test_nothing_is_said_without_all_joints(drawn, skeleton):
    visible = skeleton.visible.copy()
    visible[6] = 0
    assert cut(drawn[0], Skeleton(skeleton.xy, visible)) is None
    assert cut(drawn[0], Skeleton(skeleton.xy - 60, skeleton.visible)) is None


def test_scribbles_win_and_doubt_stays_unknown(skeleton):
    codes = scribble(skeleton, SIZE)
    mask = np.full(codes.shape, IGNORE, np.uint8)
    mask[:, :100], mask[:, 100:150] = 1, 0
    out = merged(codes, mask)
    said = codes != IGNORE
    assert np.array_equal(out[said], codes[said])
    assert set(np.unique(out[~said & (mask == 1)])) == {SET_CODES["person"]}
    assert set(np.unique(out[~said & (mask == 0)])) == {0}
    assert set(np.unique(out[~said & (mask == IGNORE)])) == {IGNORE}


def test_cuts_are_written_and_merged_by_name(tmp_path, drawn, skeleton, caplog):
    codes = scribble(skeleton, SIZE)
    photos = [Photo("one.jpg", drawn[0], codes, skeleton), Photo("two.jpg", drawn[0], codes)]
    assert write(photos, tmp_path) == (2, 1)
    assert [p.name for p in tmp_path.iterdir()] == ["one.png"]
    one, two = with_silhouettes(photos, tmp_path)
    assert (one.codes == SET_CODES["person"]).sum() > (codes == SET_CODES["person"]).sum()
    assert two is photos[1]
    cv2.imwrite(str(tmp_path / "two.png"), np.zeros((3, 3), np.uint8))
    assert with_silhouettes(photos, tmp_path)[1] is photos[1]
    assert "two.png" in caplog.text


@pytest.mark.parametrize("values", [(0.2, 1, 1), (1.9, 1, 1), (1, 0.3, 1), (1, 1, 0.2)])
def test_implausible_cuts_are_left_out(values):
    assert not SilhouetteCut(np.zeros((2, 2), np.uint8), *values).plausible


def test_a_cut_is_plausible_up_to_its_limits():
    nothing, low, high = np.zeros((2, 2), np.uint8), 0.65, 1.25
    for values in ((low, 0.88, 0.8), (high, 0.88, 0.8), (1, 1, 1)):
        assert SilhouetteCut(nothing, *values).plausible
    for values in ((low - 0.01, 1, 1), (high + 0.01, 1, 1), (1, 0.87, 1), (1, 1, 0.79)):
        assert not SilhouetteCut(nothing, *values).plausible


def half_widths(mask, places):
    """How far the mask reaches to the left of each place of a figure that is upright, px."""
    return [x - int(np.flatnonzero(mask[y, : x + 1] == 0).max()) - 1 if mask[y, x] else -1 for x, y in places]


# the right side of a figure with a torso of 100 px, arms held out level at the shoulders' height
OUT = {"r_shoulder": (160, 150), "l_shoulder": (240, 150), "r_hip": (170, 250), "l_hip": (230, 250),
       "r_elbow": (100, 150), "l_elbow": (300, 150), "r_wrist": (50, 150), "l_wrist": (350, 150),
       "r_knee": (170, 330), "l_knee": (230, 330), "r_ankle": (170, 410), "l_ankle": (230, 410),
       "neck": (200, 140), "head_top": (200, 100)}  # fmt: skip


def out(**moved):
    return Skeleton(np.array([(OUT | moved)[n] for n in LSP14.names], np.float32), np.full(14, 2, np.int8))


@pytest.mark.parametrize(
    ("given", "widths", "hand", "foot"),
    [
        ({"sure": True}, (10, 6, 5.5, 4.5, 11, 5), None, None),
        ({}, (19, 14, 13, 11, 20, 15), (25, 10), (12, 13)),
        ({"widen": 0.5}, (9.5, 7, 6.5, 5.5, 10, 7.5), (25, 5), (12, 6.5)),
    ],
)
def test_a_body_is_as_wide_as_its_limbs(given, widths, hand, foot):
    """Half-widths px of a torso of 100; hands and feet reach beyond wrists and ankles."""
    thigh, shank, upper_arm, forearm, head, neck = widths
    mask = body(out(), (400, 450), **given)
    assert set(np.unique(mask)) == {0, 1}
    wide = half_widths(mask, [(170, 300), (170, 380), (200, 118)])
    assert wide == [pytest.approx(v, abs=1.1) for v in (thigh, shank, head)]
    for x, half in ((120, upper_arm), (70, forearm)):
        rows = np.flatnonzero(mask[:, x])
        assert np.ptp(rows) / 2 == pytest.approx(half, abs=1.1)
        assert rows.mean() == pytest.approx(150, abs=1)
    end = int(np.flatnonzero(mask[150]).min())
    bottom = int(np.flatnonzero(mask[:, 170]).max())
    if hand is None:
        assert (50 - end, bottom - 410) == (pytest.approx(4.5, abs=1.5), pytest.approx(6, abs=1.5))
    else:
        assert 50 - end == pytest.approx(sum(hand), abs=1.5)
        assert bottom - 410 == pytest.approx(sum(foot), abs=1.5)
    top = int(np.flatnonzero(mask[:, 200]).min())
    reach = 0.8 if given.get("sure") else 0.88
    assert top == pytest.approx(140 - 40 * reach - head, abs=1.5)
    raised = body(out(head_top=(200, 0)), (400, 450), **given)
    assert half_widths(raised, [(200, 80)])[0] == pytest.approx(max(neck, head), abs=1.1)
    low = 0.45 if given.get("sure") else 0.4
    y = round(140 - 140 * low + head + 3)  # below the head only the neck
    assert half_widths(raised, [(200, y)])[0] == pytest.approx(neck, abs=1.6)


def test_a_torso_is_its_joints_hull_with_clothes_on_or_four_fifths_of_it():
    plain, sure, wide = (body(out(), (400, 450), **g) for g in ({}, {"sure": True}, {"widen": 2}))
    for mask, half in ((plain, 35 + 14), (wide, 35 + 28)):
        assert half_widths(mask, [(200, 200)])[0] == pytest.approx(half, abs=2)
        assert mask[200, 200 + half - 2] == 1
    assert half_widths(sure, [(200, 200)])[0] == pytest.approx(0.8 * 35, abs=2)
    assert np.flatnonzero(sure[:, 200]).max() == pytest.approx(200 + 0.8 * 50, abs=1)
    assert np.flatnonzero(plain[:, 200]).max() == pytest.approx(250 + 14, abs=2)


@pytest.mark.parametrize(("moved", "length"), [({}, 100), ({"r_hip": (160, 150), "l_hip": (240, 150)}, None)])
def test_a_torso_is_a_sixth_of_the_body_at_least(moved, length):
    wanted = length or np.hypot(300, 310) / 6
    assert torso_length(out(**moved)) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("moved", "cut_at_all"),
    [
        ({}, True),
        ({"r_wrist": (0, 150)}, True),
        ({"l_wrist": (399.5, 150)}, True),
        ({"l_wrist": (400, 150)}, False),
        ({"head_top": (200, -1)}, False),
    ],
)
def test_joints_on_the_edge_are_inside(moved, cut_at_all):
    image = np.full((450, 400, 3), (90, 150, 60), np.uint8)
    image[body(out(), (400, 450)) > 0] = (200, 40, 40)
    assert (cut(image, out(**moved)) is not None) == cut_at_all


def test_a_large_photo_is_cut_small_and_a_tiny_figure_not_at_all(drawn, skeleton):
    """Four times as large the same is found; a torso of less than 12 px shows nothing."""
    image, _ = drawn
    large = cv2.resize(image, None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    found = cut(large, Skeleton(skeleton.xy * 4, skeleton.visible))
    small = cut(image, skeleton)
    assert found is not None
    assert small is not None
    assert found.mask.shape == (4 * SIZE[1], 4 * SIZE[0])
    assert np.mean(found.mask[::4, ::4] == small.mask) > 0.95
    assert found.area == pytest.approx(small.area, abs=0.05)
    for torso, seen in ((11.5, False), (12.5, True)):
        k = torso / 77
        shrunk = cv2.resize(image, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
        assert (cut(shrunk, Skeleton(skeleton.xy * np.float32(k), skeleton.visible)) is not None) == seen


def test_every_photo_that_may_be_trained_on_is_cut(tmp_path, capsys):
    data = data_folder(tmp_path / "data")
    assert main(["--data", str(data), "--out", str(tmp_path / "cuts")]) == 0
    assert sorted(p.name for p in (tmp_path / "cuts").iterdir()) == ["lsp", "lspet"]
    assert main(["--data", str(tmp_path), "--out", str(tmp_path / "cuts")]) == 1
    assert "lsp" in capsys.readouterr().err
    (tmp_path / "file").write_bytes(b"")
    assert main(["--data", str(data), "--out", str(tmp_path / "file")]) == 1
    assert "file" in capsys.readouterr().err
    for words in (["--data", str(data)], ["--out", str(tmp_path)]):
        with pytest.raises(SystemExit):
            main(words)


def test_only_what_hangs_together_with_the_body_is_kept_and_holes_below_two_thousandths_are_filled():
    """Of 100 by 100 px: 20 px are two thousandths."""
    person, sure = np.zeros((100, 100), np.uint8), np.zeros((100, 100), np.uint8)
    person[10:50, 10:50], sure[20:22, 20:22], sure[90, 90] = 1, 1, 1
    person[30:31, 12:31] = 0  # 19 px
    person[40:42, 12:22] = 0  # 20 px
    wanted = person > 0
    wanted[30] |= (np.arange(100) >= 12) & (np.arange(100) < 31)
    person[50:60, 50:60] = 1  # touches at a corner only
    person[70:80, 10:20] = 1
    assert np.array_equal(_joined(person, sure), wanted)


def test_of_a_tiny_body_a_forearm_is_a_pixel_wide():
    tiny = out()
    surely = body(Skeleton(tiny.xy / 10, tiny.visible), (40, 45), sure=True)
    assert surely[:, 7].sum() == surely[:, 33].sum() == 1
    cloth = body(Skeleton(tiny.xy / 20, tiny.visible), (20, 23))  # 0.7 px of it
    assert np.flatnonzero(cloth[10]).tolist() == [8, 9, 10, 11, 12]


def test_a_limb_that_ends_where_it_begins_points_nowhere():
    folded = body(out(r_wrist=(100, 150)), (400, 450))
    assert np.flatnonzero(folded[150]).min() == pytest.approx(100 - 13, abs=1.5), "the upper arm's end"


def test_a_body_of_few_joints_is_as_long_as_they_are_apart():
    xy, visible = np.zeros((14, 2), np.float32), np.zeros(14, np.int8)
    xy[[3, 5]], visible[[3, 5]] = ((1, 1), (1, 4)), 1
    assert torso_length(Skeleton(xy, visible)) == pytest.approx(0.5)


def test_what_is_not_seen_of_the_body_and_what_lies_too_far_from_it_stay_in_doubt():
    """An arm as green as the lawn; cloth of the trousers' colour 30 to 46 px beside the bone of a thigh."""
    person = out()
    truth = body(person, (400, 450)) > 0
    truth[:, 300:] = False  # the left forearm
    truth[262:318, 122:170] = True
    rng = np.random.default_rng(1)
    image = np.where(truth[..., None], (190, 60, 50), (90, 150, 60)) + rng.normal(0, 5, (450, 400, 3))
    found = cut(image.clip(0, 255).astype(np.uint8), person)
    assert found is not None
    lost, cloth = np.flatnonzero(found.mask[:, 330]), np.flatnonzero(found.mask[290, :190] == 1)
    assert (lost.min(), lost.max()) == (pytest.approx(143.4, abs=1.5), pytest.approx(156.6, abs=1.5)), (
        "0.6 of 11"
    )
    assert cloth.min() == pytest.approx(170 - 1.35 * 19, abs=1.5)
    assert (found.mask[270:310, 127:142] == IGNORE).all()
    assert (found.mask[270:310, 152:186] == 1).all()
    assert not found.mask[270:310, 20:100].any()
    ring = np.ones((3, 3), np.uint8)
    small = cv2.resize(found.mask, None, fx=208 / 450, fy=208 / 450, interpolation=cv2.INTER_NEAREST)
    beside = cv2.dilate((small == 1).astype(np.uint8), ring) > 0
    assert not (beside & (small == 0)).any(), "between them an edge is in doubt"
    assert found.covered < 1
    with pytest.raises(FrozenInstanceError):
        found.area = 1  # type: ignore[misc]
    assert found.area > 0.7
    assert found.agreement > 0.8


@pytest.mark.parametrize(
    ("narrow", "size"), [((1, 1), (149, 208)), ((0.05, 1), (8, 208)), ((1, 0.025), (200, 8))]
)
def test_a_cut_is_what_two_starts_agree_on(skeleton, narrow, size):
    """On a longest side of 208 px and 8 at least, in three rounds from 0.75 and 1.35 of the usual width."""
    width, height = (int(side * share) for side, share in zip(SIZE, narrow, strict=True))
    grain = np.random.default_rng(1).integers(90, 130, (height, width, 3)).astype(np.uint8)
    image = (grain + np.linspace(0, 80, width)[None, :, None]).clip(0, 255).astype(np.uint8)
    person = Skeleton(skeleton.xy * np.array(narrow, np.float32), skeleton.visible)
    k = min(1, 208 / max(width, height))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    bones = Skeleton(person.xy * np.float32(k), skeleton.visible)
    sure, cuts = body(bones, size, sure=True), []
    for widen in (0.75, 1.35):
        labels = np.where(body(bones, size, widen=widen) > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        labels[distance_to_bones(bones, size) > 0.5 * torso_length(bones)] = cv2.GC_BGD
        labels[sure > 0] = cv2.GC_FGD
        cuts.append(_joined(cut_trimap(small, labels, 3).astype(np.uint8), sure))
    (both, either), core = (cuts[0] & cuts[1], cuts[0] | cuts[1]), body(bones, size, widen=0.6) > 0
    found = cut(image, person)
    assert found is not None
    assert found.agreement == both.sum() / either.sum()
    assert found.area == both.sum() / body(bones, size).sum()
    assert found.covered == (both & core).sum() / core.sum()
    ring, known = np.ones((3, 3), np.uint8), both.astype(np.uint8)
    wanted = np.where(both & (body(bones, size, widen=1.35) > 0), 1, IGNORE * (either | core)).astype(
        np.uint8
    )
    wanted[cv2.dilate(known, ring) != cv2.erode(known, ring)] = IGNORE
    wanted = cv2.resize(wanted, (width, height), interpolation=cv2.INTER_NEAREST)
    assert np.array_equal(found.mask, wanted)
