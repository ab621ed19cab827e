"""Probes of limbs, head, torso, background and centroids, on a figure whose every probed pixel is known."""

from __future__ import annotations

import numpy as np
import pytest

from models.labels import LSP14, S31
from training.metrics import HitRates, pose_report, probe_garments, probe_pose
from training.photos import GARMENTS
from training.scribbles import Skeleton, distance_to_bones

PLACES = {
    "neck": (250, 150), "head_top": (250, 50), "r_shoulder": (200, 160), "l_shoulder": (300, 160),
    "r_elbow": (100, 160), "l_elbow": (400, 160), "r_wrist": (100, 260), "l_wrist": (400, 260),
    "r_hip": (220, 304), "l_hip": (280, 304), "r_knee": (220, 404), "l_knee": (280, 404),
    "r_ankle": (220, 504), "l_ankle": (280, 504),
}  # fmt: skip
#: a limb of 100 px, and what stands on it after 30, 40, 50, 60 and 70 px
LIMBS = {
    ("shoulder", "elbow"): "shoulder uarm uarm uarm elbow",
    ("elbow", "wrist"): "elbow larm larm larm wrist",
    ("hip", "knee"): "lbody uleg uleg uleg knee",
    ("knee", "ankle"): "knee lleg lleg lleg ankle",
}
TORSO = 144


def figure(**seen: int) -> Skeleton:
    """A person with a torso of 144 px, seen but for what is said."""
    xy = np.array([PLACES[name] for name in LSP14.names], np.float32)
    return Skeleton(xy, np.array([seen.get(name, 2) for name in LSP14.names], np.int8))


def drawn() -> np.ndarray:
    """Nothing but the pixels that are probed."""
    labels = np.zeros((600, 520), np.uint8)
    for (a, b), parts in LIMBS.items():
        for side in "rl":
            p, q = np.array(PLACES[f"{side}_{a}"]), np.array(PLACES[f"{side}_{b}"])
            for share, part in zip((3, 4, 5, 6, 7), parts.split(), strict=True):
                x, y = p + (q - p) * share // 10
                labels[y, x] = S31.id(side + part)
    for y, part in ((110, "luhead"), (90, "rlhead"), (70, "llhead"), (232, "lubody")):
        labels[y, 250] = S31.id(part)
    return labels


def probed(labels: np.ndarray, skeleton: Skeleton) -> HitRates:
    tally = HitRates()
    probe_pose(labels, skeleton, tally)
    return tally


def test_limbs_are_probed_at_tenths_of_their_lengths() -> None:
    right = probed(drawn(), figure())
    names = ("limb", "limb coarse", "limb coarse agnostic", "head", "torso")
    assert [right.rate(n) for n in names] == [1, 1, 1, 1, 1]
    mirrored = probed(S31.mirror()[drawn()], figure())
    assert [mirrored.rate(n) for n in names] == [0, 0, 1, 1, 1]
    assert {n: t for n, t in right.tries.items() if n != "background"} == {
        "limb": 24, "limb coarse": 40, "limb coarse agnostic": 40, "head": 3, "torso": 1,
        **{f"limb {part}": 6 for part in ("uarm", "larm", "uleg", "lleg")},
        **{f"pck {joint}": 2 for joint in ("wrist", "elbow", "shoulder", "knee", "ankle")},
    }  # fmt: skip


def test_the_background_lies_half_a_torso_from_every_bone() -> None:
    far = (distance_to_bones(figure(), (520, 600)) > TORSO / 2)[::18, ::18]
    labels = np.zeros((600, 520), np.uint8)
    labels[::18, ::18][far & (np.arange(29) < 3)] = 7
    tally = probed(labels, figure())
    assert tally.tries["background"] == far.sum()
    assert tally.rate("background") == 1 - far[:, :3].sum() / far.sum()


@pytest.mark.parametrize(
    ("hidden", "absent"),
    [
        ({"l_ankle": 1}, set()),
        ({"l_ankle": 0}, {"background"}),
        ({"head_top": 1}, {"head"}),
        ({"neck": 1}, {"head"}),
        *(({name: 1}, {"torso"}) for name in ("r_shoulder", "l_shoulder", "r_hip", "l_hip")),
        ({"r_hip": 0}, {"torso", "background", *(f"pck {j}" for j in ("wrist", "elbow", "shoulder", "knee",
                                                                     "ankle"))}),
    ],
)  # fmt: skip
def test_what_is_not_seen_is_not_probed(hidden: dict[str, int], absent: set[str]) -> None:
    whole, tally = probed(drawn(), figure()), probed(drawn(), figure(**hidden))
    assert whole.tries.keys() - tally.tries.keys() == absent
    (name,) = hidden
    limbs = sum(name[2:] in ends for ends in LIMBS)
    assert whole.tries["limb"] - tally.tries["limb"] == 3 * limbs
    joint = f"pck {name[2:]}"
    assert tally.tries.get(joint, 1) == whole.tries.get(joint, 2) - 1


@pytest.mark.parametrize(
    ("start", "end", "inside"),
    [
        ((-10, 50), (10, 50), 2), ((-9, 50), (11, 50), 2), ((-11, 50), (9, 50), 1),
        ((90, 50), (110, 50), 1), ((89, 50), (109, 50), 2), ((50, -10), (50, 10), 2),
        ((50, -11), (50, 9), 1), ((50, 70), (50, 90), 1), ((50, 69), (50, 89), 2),
    ],
)  # fmt: skip
def test_points_beyond_the_border_are_left_out(
    start: tuple[int, int], end: tuple[int, int], inside: int
) -> None:
    """Of the three points of a leg in a picture of 100 by 80 px, 2 px apart."""
    xy, seen = np.zeros((14, 2), np.float32), np.zeros(14, np.int8)
    for name, point in (("r_knee", start), ("r_ankle", end)):
        xy[LSP14.id(name)], seen[LSP14.id(name)] = point, 2
    tally = probed(np.full((80, 100), S31.id("rlleg"), np.uint8), Skeleton(xy, seen))
    assert (tally.tries["limb"], tally.rate("limb")) == (inside, 1)


def test_the_report_has_the_rates_and_their_means() -> None:
    tally = HitRates()
    rates = {
        "limb": 0.5, "background": 0.75, "limb coarse": 0.25, "limb coarse agnostic": 0.125, "head": 0.375,
        "torso": 1.0, "pck wrist": 0.25, "pck knee": 0.5, "pck ankle": 0.0, "pck elbow": 0.25,
        "limb uarm": 0.625, "limb larm": 0.875, "limb uleg": 1.0,
    }  # fmt: skip
    for name, rate in rates.items():
        tally.add(name, 5 * rate, 5)
        tally.add(name, 3 * rate, 3)
    nan = pytest.approx(float("nan"), nan_ok=True)
    assert pose_report(tally) == {
        "probe F": pytest.approx(0.6), "limb probe": 0.5, "background probe": 0.75, "limb coarse": 0.25,
        "limb coarse agnostic": 0.125, "head": 0.375, "torso": 1, "centroid PCK": 0.25, "PCK wrist": 0.25,
        "PCK elbow": 0.25, "PCK shoulder": nan, "PCK knee": 0.5, "PCK ankle": 0, "limb uarm": 0.625,
        "limb larm": 0.875, "limb uleg": 1, "limb lleg": nan,
    }  # fmt: skip


def test_trousers_are_the_parts_below_the_waist() -> None:
    names, found = ["null", *GARMENTS], set()
    garments = np.array([[names.index("pants"), names.index("jeans")]], np.uint8)
    for part in S31.names:
        tally = HitRates()
        probe_garments(np.full(garments.shape, S31.id(part), np.uint8), garments, names, tally)
        if tally.rate("trousers"):
            found.add(part)
    below = ("uleg", "knee", "lleg", "ankle", "lbody", "foot")
    assert found == {side + part for side in "rl" for part in below}


def test_shoes_of_every_kind_are_feet_or_ankles() -> None:
    names = ["null", *GARMENTS]
    shoes = ("shoes", "flats", "heels", "loafers", "pumps", "sandals", "sneakers", "wedges", "clogs")
    garments = np.array([[names.index(n) for n in shoes]], np.uint8)
    for part, rate in (("rfoot", 1), ("lankle", 1), ("llleg", 0), ("ruhead", 0)):
        tally = HitRates()
        label = S31.id(part)
        probe_garments(np.full(garments.shape, label, np.uint8), garments, names, tally)
        assert (tally.rate("shoes"), tally.tries["shoes"], tally.tries["hair"]) == (rate, 9, 0)
