"""Dense labels from a teacher and from joints, on teachers and bodies whose truth is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.factored import FactoredConvNet
from models.labels import IGNORE, LSP14, S31
from tests.unit.training.test_batches import data_folder
from training.photos import DataError, Photo
from training.pseudolabels import label, likelihood, main, supports, teach, with_labels, without_others, write
from training.scribbles import Skeleton
from training.targets import SET_CODES, allowed

# LSP order, seen from in front: right ankle, knee, hip, left hip, knee, ankle, right wrist, elbow, …
JOINTS = np.array(
    [[78, 250], [82, 200], [86, 145], [114, 145], [118, 200], [122, 250], [40, 120], [50, 95], [75, 68],
     [125, 68], [150, 95], [160, 120], [100, 58], [100, 15]],
    np.float32,
)  # fmt: skip
WIDTH, HEIGHT = 200, 280
MIRROR = S31.mirror()[: S31.classes].astype(np.int64)


@pytest.fixture(scope="module")
def front():
    return Skeleton(JOINTS, np.full(14, 2, np.int8))


@pytest.fixture(scope="module")
def behind():
    return Skeleton(JOINTS[list(LSP14.mirror_ids)], np.full(14, 2, np.int8))


def photo(skeleton=None, codes=None):
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    unknown = np.full((HEIGHT, WIDTH), IGNORE, np.uint8)
    return Photo("a.jpg", image, unknown if codes is None else codes, skeleton)


def believing(ids, strength=0.9):
    """A teacher that gives each place of an id map this much of its belief."""
    maps = np.full((S31.classes, *ids.shape), (1 - strength) / (S31.classes - 1), np.float32)
    np.put_along_axis(maps, ids[None].astype(np.int64), strength, axis=0)
    return maps


def fitting(skeleton):
    """The part that fits each place best; background where nobody is near."""
    fit = likelihood(skeleton, (WIDTH, HEIGHT))
    near = cv2.dilate((fit.max(0) > 0).astype(np.uint8), np.ones((3, 3))) > 0
    return np.where(near, fit.argmax(0) + 1, 0).astype(np.uint8)


def test_each_joint_fits_its_own_part(front, behind):
    for skeleton in (front, behind):
        fit = likelihood(skeleton, (WIDTH, HEIGHT))
        for side, other in ("rl", "lr"):
            for joint in ("wrist", "elbow", "knee", "ankle"):
                x, y = skeleton.at(f"{side}_{joint}").astype(int)
                assert fit[S31.id(side + joint) - 1, y, x] == 1
                assert fit[S31.id(other + joint) - 1, y, x] < 0.05


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_a_mirrored_body_fits_mirrored_places(seed):
    rng = np.random.default_rng(seed)
    xy = (JOINTS + rng.normal(0, 9, JOINTS.shape)).astype(np.float32)
    visible = rng.choice([0, 2, 2, 2], 14).astype(np.int8)
    order = list(LSP14.mirror_ids)
    turned = Skeleton(np.stack((WIDTH - 1 - xy[:, 0], xy[:, 1]), 1)[order], visible[order])
    one, other = (likelihood(s, (WIDTH, HEIGHT)) for s in (Skeleton(xy, visible), turned))
    assert np.allclose(other[:, :, ::-1][MIRROR[1:] - 1], one, atol=1e-3)


def test_a_teacher_that_takes_a_back_for_a_front_is_put_right(front, behind):
    wrong = believing(fitting(front))
    codes = label(wrong, photo(behind))
    sides_apart = [S31.id(s + p) for s in "rl" for p in ("larm", "uarm", "elbow", "uleg", "lleg", "knee")]
    told = np.isin(codes, sides_apart)
    truth = fitting(behind)
    assert told.sum() > 800
    assert (codes[told] == truth[told]).mean() > 0.97
    without = label(wrong, photo())
    assert (without[told] == truth[told]).mean() < 0.05  # nothing but the joints can know


def test_what_is_known_stays_and_a_set_becomes_only_what_it_allows(front):
    ids = np.full((HEIGHT, WIDTH), S31.id("rfoot"), np.uint8)
    codes = np.full((HEIGHT, WIDTH), SET_CODES["trousers"], np.uint8)
    codes[:40] = 0
    codes[40:60] = S31.id("luleg")
    codes[60:80] = SET_CODES["foot"]
    fresh = label(believing(ids), photo(codes=codes))
    assert (fresh[:40] == 0).all()
    assert (fresh[40:60] == S31.id("luleg")).all()
    assert (fresh[60:80] == S31.id("rfoot")).all()
    assert (fresh[80:] == SET_CODES["trousers"]).all()  # a foot is no trousers, and the rest is a guess


def test_a_limb_the_teacher_has_lost_is_no_background(front):
    nobody = believing(np.zeros((HEIGHT, WIDTH), np.uint8), strength=0.99)
    codes = label(nobody, photo(front))
    for name in LSP14.names:
        x, y = front.at(name).astype(int)
        assert codes[y, x] != 0
    assert (codes[:, :20] == 0).all()
    hidden = Skeleton(front.xy, np.ones(14, np.int8))
    np.testing.assert_array_equal(label(nobody, photo(hidden)), codes)
    hidden.visible[LSP14.id("head_top")] = 0  # without one of them nobody knows how large a body is
    assert (label(nobody, photo(hidden)) == 0).all()


@pytest.mark.parametrize(("person", "told"), [(0.62, S31.id("lwrist")), (0.58, IGNORE)])
def test_a_part_put_right_is_believed_as_its_person_was(behind, person, told):
    belief = np.zeros((S31.classes, HEIGHT, WIDTH), np.float32)
    belief[0], belief[S31.id("rwrist")] = 1 - person, person
    x, y = behind.at("l_wrist").astype(int)
    assert label(belief, photo(Skeleton(behind.xy, np.minimum(behind.visible, range(14)))))[y, x] == told


@pytest.mark.parametrize(
    ("code", "part"), [("trousers", "ruleg"), (min(SET_CODES, key=SET_CODES.__getitem__), "")]
)
def test_what_a_set_allows_shares_all_the_belief(code, part):
    part = S31.id(part) if part else int(allowed()[SET_CODES[code]].argmax())
    belief = np.zeros((S31.classes, 1, 1), np.float32)
    belief[part], belief[0] = 0.4, 0.6
    found = label(
        belief, Photo("a.jpg", np.zeros((1, 1, 3), np.uint8), np.full((1, 1), SET_CODES[code], np.uint8))
    )
    assert found.tolist() == [[part]]


def test_doubt_teaches_nothing():
    even = np.full((S31.classes, HEIGHT, WIDTH), 1 / S31.classes, np.float32)
    even[0, :100] = 0.5
    even[1:, :100] = 0.5 / 31
    codes = label(even, photo())
    assert (codes[:100] == IGNORE).all()
    assert (codes[100:] == SET_CODES["person"]).all()  # 31 of 32 parts: somebody, no more


def test_a_teacher_says_the_mirrored_of_a_mirrored_picture():
    torch.manual_seed(1)
    net = FactoredConvNet().eval()
    image = np.random.default_rng(0).integers(0, 255, (64, 96, 3)).astype(np.uint8)
    one = teach(net, image, (96, 192))
    other = teach(net, np.ascontiguousarray(image[:, ::-1]), (96, 192))
    assert one.shape == (S31.classes, 64, 96)
    assert np.allclose(one.sum(0), 1, atol=1e-4)
    assert np.allclose(other[MIRROR][:, :, ::-1], one, atol=1e-4)


def test_labels_are_written_once_read_back_and_refused_at_another_size(tmp_path, caplog):
    torch.manual_seed(1)
    net = FactoredConvNet().eval()
    small = Photo("a.jpg", np.zeros((64, 64, 3), np.uint8), np.full((64, 64), 5, np.uint8))
    write(net, [small], (64,), tmp_path)
    assert np.array_equal(with_labels([small], tmp_path)[0].codes, small.codes)
    marked = np.full((64, 64), 7, np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), marked)
    write(net, [small], (64,), tmp_path)  # what is there is kept: a stopped run goes on
    assert np.array_equal(with_labels([small], tmp_path)[0].codes, marked)
    assert with_labels([photo()], tmp_path)[0].codes.shape == (HEIGHT, WIDTH)
    assert "not a map of the size of a.jpg" in caplog.text
    with pytest.raises(DataError, match="no such folder"):
        with_labels([small], tmp_path / "none")


def test_other_people_are_not_called_background() -> None:
    codes = np.zeros((100, 100), np.uint8)
    codes[40:60, 10:30] = 5
    belief = np.zeros((32, 100, 100), np.float32)
    belief[0] = 1
    for where in (np.s_[40:60, 31:34], np.s_[40:60, 70:90]):  # at the person's own edge, and far from it
        belief[0][where], belief[3][where] = 0.3, 0.7
    found = without_others(codes, belief)
    assert (found[40:60, 70:90] == IGNORE).all()
    assert (found == IGNORE).sum() == 400
    assert (found[40:60, 31:34] == 0).all()


def test_who_is_nearer_than_six_hundredths_is_the_person_itself() -> None:
    """Everywhere else the network sees somebody, half sure; what is in doubt is nobody's margin."""
    for side, own, margin in ((100, np.s_[40:60, 10:30], 6), (8, np.s_[3:4, 4:5], 1)):
        codes = np.zeros((side, side), np.uint8)
        codes[own] = 5
        codes[-1] = IGNORE
        belief = np.full((32, side, side), 0.5 / 31, np.float32)
        belief[0] = 0.5
        wanted = np.full_like(codes, IGNORE)
        rows, columns = own
        wanted[rows.start - margin : rows.stop + margin, columns.start - margin : columns.stop + margin] = 0
        wanted[own] = 5
        assert np.array_equal(without_others(codes, belief), wanted)
        belief[0] = 0.51
        assert np.array_equal(without_others(codes, belief), codes)


def test_a_pixel_teaches_from_a_probability_on() -> None:
    """A part from 0.6, the background from 0.85, somebody from 0.7."""
    head = S31.id("ruhead")
    rows = [(0.0, 0.61), (0.0, 0.59), (0.29, 0.5), (0.31, 0.5), (0.86, 0.1), (0.84, 0.1)]
    belief = np.zeros((S31.classes, 1, len(rows)), np.float32)
    for i, (nobody, part) in enumerate(rows):
        belief[0, 0, i], belief[head, 0, i] = nobody, part
        belief[head + 1, 0, i] = 1 - nobody - part
    image = np.zeros((1, len(rows), 3), np.uint8)
    somebody = SET_CODES["person"]
    found = label(belief, Photo("a.jpg", image, np.full((1, len(rows)), IGNORE, np.uint8)))
    assert found.tolist() == [[head, somebody, somebody, IGNORE, 0, IGNORE]]


@pytest.mark.parametrize(("known", "corrected"), [(7, False), (8, True), (14, True)])
def test_eight_joints_put_right_a_teacher_who_never_doubts(behind, known: int, corrected: bool) -> None:
    wrong = S31.id("rwrist")
    sure = np.zeros((S31.classes, HEIGHT, WIDTH), np.float32)
    sure[wrong] = 1
    visible = np.zeros(14, np.int8)
    last = [LSP14.id(f"{side}_{n}") for n in ("wrist", "elbow", "shoulder", "hip") for side in "lr"]
    visible[[*last, *range(14)][:known] if known < 14 else range(14)] = 1
    codes = label(sure, photo(Skeleton(behind.xy, visible)))
    x, y = behind.at("l_wrist").astype(int)
    assert codes[y, x] == (S31.id("lwrist") if corrected else wrong)
    x, y = behind.at("r_wrist").astype(int)
    assert codes[y, x] == wrong


BROAD = {"shoulder": (60, 50), "hip": (70, 150), "elbow": (40, 100), "wrist": (40, 150), "knee": (70, 200),
         "ankle": (70, 250)}  # fmt: skip


def broad(width: float = 1) -> Skeleton:
    """A torso of 100 px, the right side on the left; the sides nearer each other by a factor."""
    xy = np.zeros((14, 2), np.float32)
    for i, name in enumerate(LSP14.names):
        side, _, joint = name.partition("_")
        x, y = BROAD.get(joint, (100, 40 if name == "neck" else 0))
        xy[i] = 100 + width * (x - 100) * (-1 if side == "l" else 1), y
    return Skeleton(xy, np.full(14, 2, np.int8))


def test_parts_lie_along_their_bones() -> None:
    """From, to and radius of each right part, px, worked out by hand; the left ones are mirrored."""
    wanted = {
        "uleg": ((70, 157.5), (70, 192), 6), "lleg": ((70, 206), (70, 241), 6),
        "knee": ((70, 200), (70, 200), 8),
        "ankle": ((70, 250), (70, 250), 8), "foot": ((70, 250), (70, 250), 20),
        "elbow": ((40, 100), (40, 100), 8),
        "uarm": ((54.6, 63.5), (43.8, 90.5), 6), "larm": ((40, 107), (40, 140), 6),
        "wrist": ((40, 150), (40, 150), 8), "hand": ((40, 156), (40, 180), 5),
        "neck": ((100, 40), (100, 28), 10),
        "ubody": ((82.52, 70), (83.992, 102), 14), "lbody": ((84.636, 116), (86.2, 150), 14),
        "shoulder": ((60, 50), (84, 50), 10), "lhead": ((90, 24), (90, 15.2), 12),
        "uhead": ((90, 12.8), (90, 0), 12),
    }  # fmt: skip
    found = supports(broad(), 100)
    assert set(found) == {side + part for part in wanted if part != "neck" for side in "rl"} | {"neck"}
    for part, (start, end, radius) in wanted.items():
        for side in "rl" if part != "neck" else ("",):
            (segment,) = found[side + part]
            mirrored = [(200 - x if side == "l" else x, y) for x, y in (start, end)]
            assert np.allclose(segment[:2], mirrored, atol=1e-3), side + part
            assert segment[2] == pytest.approx(radius)


def test_parts_of_a_narrow_body_are_in_the_middle_and_tips_end_hands_and_feet() -> None:
    """Sides 28 px apart, 40 being broadside; fingers and toes continue wrists and heels."""
    tips = {"r_fingers": (40, 170), "r_heel": (70, 255), "r_toes": (50, 265)}
    narrow = broad(0.4)
    s = Skeleton(narrow.xy, narrow.visible, {k: np.array(v, np.float32) for k, v in tips.items()})
    found = supports(s, 100)
    for part, start, end, radius in (
        ("rubody", (100, 70), (100, 102), 10), ("llbody", (100, 116), (100, 150), 10),
        ("lshoulder", (116, 50), (106.4, 50), 10), ("rlhead", (100, 24), (100, 15.2), 12),
        ("rhand", (63.4, 157), (29.2, 176), 5), ("rfoot", (70, 255), (50, 265), 7),
    ):  # fmt: skip
        (segment,) = found[part]
        assert np.allclose(segment[:2], (start, end), atol=1e-3), part
        assert segment[2] == pytest.approx(radius)


def test_a_part_fits_less_the_further_it_is_than_the_nearest() -> None:
    """20 px beside the right wrist: 12 px to it, 15.88 to the hand, 35 to a foot nobody knows."""
    s = broad()
    s.visible[LSP14.id("r_ankle")] = 0
    fit = likelihood(s, (200, 280))[:, 150, 20]
    assert fit[S31.id("rwrist") - 1] == 1
    beyond = np.hypot(20, 6) - 5 - 12
    assert fit[S31.id("rhand") - 1] == pytest.approx(np.exp(-0.5 * (beyond / 10) ** 2), abs=1e-3)
    assert fit[S31.id("rfoot") - 1] == pytest.approx(np.exp(-0.5 * 2.3**2), abs=1e-3)
    assert fit[S31.id("lfoot") - 1] == pytest.approx(np.exp(-0.5 * 3.5**2), abs=1e-4)


def test_all_that_may_be_trained_on_is_labelled(tmp_path, capsys) -> None:
    data, net = data_folder(tmp_path / "data"), "assets/checkpoints/factored-s31.safetensors"
    asked = [net, "--data", str(data), "--out", str(tmp_path / "made")]
    assert main([*asked, "--only", "lspet", "ccp_unlabelled"]) == 0
    made = {str(p.relative_to(tmp_path / "made").with_suffix("")) for p in (tmp_path / "made").rglob("*.png")}
    assert made == {"lspet/003", "ccp_unlabelled/006"}
    told = cv2.imread(str(tmp_path / "made/lspet/003.png"), cv2.IMREAD_UNCHANGED)
    assert told is not None
    assert 0 < told[24, 12] < IGNORE, "the teacher's silhouette says who is person"
    cuts = tmp_path / "cuts/lsp"
    cuts.mkdir(parents=True)
    for stem in ("000", "002"):  # the teacher has a silhouette of the first, not of the other
        cv2.imwrite(str(cuts / f"{stem}.png"), np.ones((60, 40), np.uint8))
    assert main([*asked, "--silhouettes", str(cuts.parent)]) == 0
    made = sorted(p.parent.name + p.stem for p in (tmp_path / "made").rglob("*.png"))
    assert made == ["ccp004", "ccp005", "ccp_unlabelled006", "lsp000", "lsp001", "lsp002", "lspet003"]
    first, third = (
        cv2.imread(str(tmp_path / f"made/lsp/{n}.png"), cv2.IMREAD_UNCHANGED) for n in ("000", "002")
    )
    assert first is not None
    assert third is not None
    assert first[30, 38] == 0
    assert third[30, 38] > 0, "the cut calls all of it person"
    assert main([str(tmp_path / "none"), *asked[1:]]) == 1
    assert "none" in capsys.readouterr().err
