"""Weak labels drawn from joints."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from models.labels import IGNORE, LSP14, S31
from training.metrics import HitRates, pose_report, probe_pose
from training.scribbles import Skeleton, distance_to_bones, scribble
from training.targets import SET_CODES

# a person facing the camera: their right side is on the left of the picture
STANDING = {
    "head_top": (100, 20),
    "neck": (100, 60),
    "r_shoulder": (75, 70),
    "l_shoulder": (125, 70),
    "r_elbow": (55, 110),
    "l_elbow": (145, 110),
    "r_wrist": (45, 150),
    "l_wrist": (155, 150),
    "r_hip": (85, 150),
    "l_hip": (115, 150),
    "r_knee": (80, 205),
    "l_knee": (120, 205),
    "r_ankle": (78, 260),
    "l_ankle": (122, 260),
}


def standing(visible: int = 2) -> Skeleton:
    xy = np.array([STANDING[n] for n in LSP14.names], dtype=np.float32)
    return Skeleton(xy, np.full(14, visible, dtype=np.int8))


def test_a_scribble_scores_fully_on_the_measures_it_is_meant_for() -> None:
    """The weak labels and the measures must agree on where a limb, a joint and the background are."""
    codes = scribble(standing(), (200, 300))
    labels = np.where(codes == IGNORE, 0, codes).astype(np.uint8)
    labels[labels == SET_CODES["head"]] = S31.id("ruhead")
    tally = HitRates()
    probe_pose(labels, standing(), tally)
    report = pose_report(tally)
    assert report["limb probe"] == 1.0
    assert report["background probe"] == 1.0
    assert report["head"] == 1.0
    assert report["centroid PCK"] == 1.0


def test_right_is_the_persons_own() -> None:
    codes = scribble(standing(), (200, 300))
    assert codes[132, 50] == S31.id("rlarm")
    assert codes[132, 150] == S31.id("llarm")
    assert codes[90, 88] == S31.id("rubody")


@pytest.mark.parametrize(
    ("part", "joints", "ends"),
    [
        ("uleg", ("hip", "knee"), (0.25 - 0.08 * 80 / 55.2, 1 - 2.2 * 0.055 * 80 / 55.2)),
        ("lleg", ("knee", "ankle"), (0.22 - 0.055 * 80 / 55, 0.78 + 0.055 * 80 / 55)),
        ("uarm", ("shoulder", "elbow"), (0.37 - 0.045 * 80 / 44.7, 1 - 2.2 * 0.04 * 80 / 44.7)),
        ("larm", ("elbow", "wrist"), (0.24 - 0.04 * 80 / 41.2, 0.76 + 0.04 * 80 / 41.2)),
    ],
)
def test_a_limb_is_itself_between_its_joints(
    part: str, joints: tuple[str, str], ends: tuple[float, float]
) -> None:
    """From one round end to the other, or to what is not told around the next limb; a torso is 80 px."""
    large = Skeleton(standing().xy * 4, standing().visible)
    codes = scribble(large, (800, 1200))
    for side in "rl":
        p, q = (large.at(f"{side}_{joint}") for joint in joints)
        middle = [(p + t * (q - p)).round().astype(int) for t in np.linspace(0, 1, 501)]
        own = np.flatnonzero([codes[y, x] == S31.id(side + part) for x, y in middle]) / 500
        assert (own[0], own[-1]) == pytest.approx(ends, abs=0.01)


def test_occluded_joints_teach_nothing_but_still_keep_the_background_away() -> None:
    codes = scribble(standing(visible=1), (200, 300))
    assert set(np.unique(codes)) == {0, IGNORE}
    assert codes[132, 50] == IGNORE


def test_few_joints_teach_nothing() -> None:
    s = standing()
    s.visible[3:] = 0
    assert (scribble(s, (200, 300)) == IGNORE).all()


def _standing(right_x: float, left_x: float) -> Skeleton:
    """A person upright, arms and legs straight down, broadside."""
    rows = {"hip": 120, "knee": 170, "ankle": 220, "wrist": 130, "elbow": 95, "shoulder": 60}
    xy = np.zeros((14, 2), np.float32)
    for name, y in rows.items():
        for side, x in (("r_", right_x), ("l_", left_x)):
            xy[LSP14.id(side + name)] = (x, y)
    xy[LSP14.id("neck")], xy[LSP14.id("head_top")] = (100, 50), (100, 15)
    return Skeleton(xy, np.full(14, 2, np.int8))


def test_a_broadside_persons_head_has_two_halves() -> None:
    front, back = (scribble(_standing(*x), (200, 240)) for x in ((80, 120), (120, 80)))
    xs = {name: np.nonzero(front == SET_CODES[f"{name} head"])[1] for name in ("right", "left")}
    assert xs["right"].mean() < 98
    assert xs["left"].mean() > 102
    assert np.nonzero(back == SET_CODES["right head"])[1].mean() > 102


def test_who_is_seen_from_behind() -> None:
    assert _standing(120, 80).from_behind()
    assert not _standing(80, 120).from_behind()
    assert not _standing(98, 102).from_behind()


BROAD = {"shoulder": (60, 50), "hip": (70, 150), "elbow": (40, 100), "wrist": (40, 150), "knee": (70, 200),
         "ankle": (70, 250)}  # fmt: skip
LEFT, TOP = 100, 60  # of the figure in a larger picture


def broad(width: float = 1, **tips: tuple[float, float]) -> Skeleton:
    """A torso of 100 px, the right side on the left; the sides nearer each other by a factor."""
    xy = np.zeros((14, 2), np.float32)
    for i, name in enumerate(LSP14.names):
        side, _, joint = name.partition("_")
        x, y = BROAD.get(joint, (100, 40 if name == "neck" else 0))
        xy[i] = 100 + width * (x - 100) * (-1 if side == "l" else 1) + LEFT, y + TOP
    ends = {k: np.array((x + LEFT, y + TOP), np.float32) for k, (x, y) in tips.items()}
    return Skeleton(xy, np.full(14, 2, np.int8), ends)


RIGHT_SIDE = (
    ("ruleg", ((70, 155), (70, 175), (77, 175), (63, 175), (70, 186))),
    ("rlleg", ((70, 207), (70, 225), (75, 225), (65, 225), (70, 243))),
    ("ruarm", ((52, 70), (48, 81), (46, 86))),
    ("rlarm", ((40, 109), (40, 125), (43, 125), (37, 125), (40, 141))),
    ("rknee", ((70, 200), (75, 200), (65, 200), (70, 205), (70, 195))),
    ("rankle", ((70, 250), (75, 250))),
    ("relbow", ((40, 100), (45, 100), (35, 100))),
    ("rwrist", ((40, 150), (45, 150), (40, 155))),
    ("rshoulder", ((60, 50), (65, 50), (60, 45))),
    ("rubody", ((73, 74), (93, 74), (74, 100), (93, 100))),
    ("rlbody", ((78, 124), (94, 124), (80, 132), (94, 146))),
    (None, ((84, 175), (84, 225), (60, 175), (46, 125), (40, 163), (70, 263), (100, 85), (98, 135), (85, 68),
            (85, 110), (66, 90), (100, 50))),
)  # fmt: skip


def test_every_part_is_drawn_where_it_surely_is() -> None:
    """Places px, worked out by hand from the shares of bones; the left side is the mirror image."""
    codes = scribble(broad(), (400, 400))
    for name, places in RIGHT_SIDE:
        for x, y in places:
            if not (name is None and y == 175):
                right = S31.id(name) if name else IGNORE
                assert codes[y + TOP, x + LEFT] == right, (name, x, y)
                left = S31.id("l" + name[1:]) if name else IGNORE
                assert codes[y + TOP, 200 - x + LEFT] == left, (name, x, y)
    assert codes[175 + TOP, 80 + LEFT] == codes[175 + TOP, 60 + LEFT] == IGNORE
    told = {
        (94, 16): "right head", (106, 16): "left head", (94, 26): "right head", (100, 16): "head",
        (92, 1): None,
        (100, 33): "head", (100, 0): "head", (100, 46): None, (115, 16): None,
    }  # fmt: skip
    for (x, y), name in told.items():
        assert codes[y + TOP, x + LEFT] == (SET_CODES[name] if name else IGNORE), (x, y)
    assert codes[40 + TOP, 100 + LEFT] == codes[40 + TOP, 103 + LEFT] == S31.id("neck")
    assert (codes[44 + TOP, 100 + LEFT], codes[125 + TOP, 91]) == (S31.id("neck"), IGNORE)
    assert (codes[125 + TOP, 88], codes[301 + TOP, 70 + LEFT], codes[298 + TOP, 70 + LEFT]) == (0, 0, IGNORE)


def test_a_narrow_torso_has_no_sides_and_a_limb_before_it_is_not_torso() -> None:
    codes = scribble(broad(0.4), (400, 400))
    for y, name in ((88, "upper body"), (130, "lower body")):
        assert (codes[y + TOP, 91 + LEFT : 110 + LEFT] == SET_CODES[name]).all()
    assert codes[16 + TOP, 94 + LEFT] == codes[16 + TOP, 106 + LEFT] == SET_CODES["head"]
    s = broad()
    s.xy[LSP14.id("r_wrist")] = 140 + LEFT, 88 + TOP
    s.xy[LSP14.id("r_elbow")] = 40 + LEFT, 88 + TOP
    codes = scribble(s, (400, 400))
    column = codes[TOP:, 91 + LEFT]
    assert (column[85:92] == S31.id("rlarm")).all()
    assert (column[81:84] == IGNORE).all(), "2.2 times the arm's half-width of 4"
    assert (column[73:78] == S31.id("rubody")).all()
    assert (column[98:101] == S31.id("rubody")).all()


def test_hands_and_feet_reach_from_past_their_joint_to_their_end() -> None:
    codes = scribble(broad(r_fingers=(40, 190), r_heel=(70, 280), r_toes=(30, 280)), (400, 400))
    hand, foot = (np.argwhere(codes == S31.id(n)) - (TOP, LEFT) for n in ("rhand", "rfoot"))
    assert (hand[:, 0].min(), hand[:, 0].max()) == (
        pytest.approx(174 - 4.5, abs=1),
        pytest.approx(198.5, abs=1),
    )
    assert (hand[:, 1].min(), hand[:, 1].max()) == (pytest.approx(36, abs=1), pytest.approx(44, abs=1))
    assert (foot[:, 1].min(), foot[:, 1].max()) == (
        pytest.approx(34 - 4.5, abs=1),
        pytest.approx(68.5, abs=1),
    )
    assert not {S31.id("lhand"), S31.id("lfoot")} & set(np.unique(codes))
    lone = scribble(broad(r_heel=(70, 280)), (400, 400))
    assert S31.id("rfoot") not in lone


def test_without_a_torso_a_person_is_three_of_its_lengths() -> None:
    """A knee is 0.11 torsos wide: of 3000 px from head to foot 110 px, 55 where torsos vanish."""
    xy, visible = np.zeros((14, 2), np.float32), np.zeros(14, np.int8)
    for name, y in (("head_top", 200), ("r_knee", 2200), ("l_knee", 1200), ("r_ankle", 3200)):
        xy[LSP14.id(name)], visible[LSP14.id(name)] = (1000, y), 2
    flat = xy.copy()
    for name in ("r_shoulder", "l_shoulder", "r_hip", "l_hip"):
        flat[LSP14.id(name)] = 1000, 710 if "hip" in name else 700
    shrunk = visible.copy()
    shrunk[[LSP14.id(n) for n in ("r_shoulder", "l_shoulder", "r_hip", "l_hip")]] = 1
    for s, width in ((Skeleton(xy, visible), 110), (Skeleton(flat, shrunk), 55)):
        codes = scribble(s, (2000, 3400))
        knee = np.flatnonzero(codes[2200] == S31.id("rknee"))
        assert len(knee) == np.ptp(knee) + 1 == pytest.approx(width, abs=2)
        assert knee.mean() == pytest.approx(1000, abs=1)
        assert 0 not in codes, "of joints that nobody knows nothing is far"
    visible[LSP14.id("l_knee")] = 0
    assert (scribble(Skeleton(xy, visible), (2000, 3400)) == IGNORE).all(), "three joints"


def test_a_figure_outside_tells_no_distance() -> None:
    s = broad()
    assert not distance_to_bones(Skeleton(s.xy + 2000, s.visible), (50, 40)).any()
    away = distance_to_bones(s, (400, 400))
    assert away.shape == (400, 400)
    assert away[125 + TOP, 40 + LEFT] == 0
    assert away[125 + TOP, 20 + LEFT] == 20


@pytest.mark.parametrize(("apart", "behind"), [(-26, True), (-24, False), (26, False)])
def test_a_back_has_its_right_a_quarter_torso_to_the_right(apart: float, behind: bool) -> None:
    s = broad(apart / 70)
    assert s.torso_length() == pytest.approx(100)
    assert s.from_behind() == behind
    assert not Skeleton(s.xy * (1, -1), s.visible).from_behind(), "head down, either may be"
    s.visible[LSP14.id("l_hip")] = 0
    assert not s.from_behind()
    assert s.torso_length() is None


def test_what_is_thinner_than_a_pixel_is_one_wide() -> None:
    """A torso of 5 px: a neck of 0.4 px, and one of 10 px: of 0.8 px."""
    for k in (0.05, 0.1):
        s = broad()
        codes = scribble(Skeleton(s.xy * np.float32(k), s.visible), (40, 40))
        assert (codes == S31.id("neck")).sum() == 1


def test_a_narrow_torso_is_told_from_an_eighth_inside_its_edges_to_the_middle() -> None:
    """Shoulders 32 px apart and hips 24: at 88 px, of the quarter from 72 to 102, some 29."""
    s = broad(0.4)
    s.visible[[LSP14.id(n) for n in ("r_elbow", "l_elbow", "r_wrist", "l_wrist")]] = 1
    columns = np.flatnonzero(scribble(s, (400, 400))[88 + TOP] == SET_CODES["upper body"]) - LEFT
    edges = (84 + 0.38 * 4 + 0.12 * 29, 116 - 0.38 * 4 - 0.12 * 29)
    assert (columns.min(), columns.max()) == (pytest.approx(edges[0], abs=1), pytest.approx(edges[1], abs=1))
    assert len(columns) == np.ptp(columns) + 1


def test_a_torso_of_no_height_is_seen_from_neither_side() -> None:
    s = broad(-1)
    assert s.from_behind()
    for name in ("r_hip", "l_hip"):
        s.xy[LSP14.id(name)] = s.at(name.replace("hip", "shoulder"))
    assert not s.from_behind()


def test_sides_of_a_head_are_told_where_the_torso_is_seen_whole() -> None:
    s = broad()
    s.visible[LSP14.id("l_hip")] = 1
    codes = scribble(s, (400, 400))
    assert SET_CODES["head"] in codes
    assert not {SET_CODES["right head"], SET_CODES["left head"]} & set(np.unique(codes))


def test_a_skeleton_cannot_be_changed_and_has_no_tips_unless_told() -> None:
    with pytest.raises(FrozenInstanceError):
        broad().xy = np.zeros(2)  # type: ignore[misc]
    assert dict(standing().tips) == {}
