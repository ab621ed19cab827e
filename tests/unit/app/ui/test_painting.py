"""Colours, layers, joints: what is painted is what the parsing says, on screen and in files."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtCore import QMimeData, QRectF, QUrl
from PyQt6.QtGui import QImage, QPainter

from app.ui.drop_data import dropped, is_model
from app.ui.layers import layers, paint, rendered
from app.ui.menu_entries import literal
from app.ui.timeline import timecode
from models.centroids import S31_JOINTS, pose_of_parts
from models.labels import COCO17, PASCAL_PARTS, S31
from models.results import Parsing, PersonResult, Pose, Result
from runtime.frames import Beside, Frame, FrameResult
from runtime.output.backdrop import Backdrop, BackdropKind, cover
from runtime.output.composition import VIRIDIS
from runtime.output.palettes import colours, tints
from runtime.output.skeleton import posed
from runtime.output.style import DisplayStyle, ViewMode, visible

WIDTH, HEIGHT = 64, 48


def parsed(labels: np.ndarray, person: np.ndarray | None = None) -> FrameResult:
    image = np.random.default_rng(3).integers(30, 220, (HEIGHT, WIDTH, 3), np.uint8)
    if person is None:
        person = np.where(labels > 0, 255, 0).astype(np.uint8)
    confidence = np.full(labels.shape, 200, np.uint8)
    return FrameResult(
        Frame(image, 0, 0.0, 0.0), Result(Parsing(S31, (WIDTH, HEIGHT), labels, person, confidence)), 1, 1.0
    )


@pytest.fixture
def halves() -> FrameResult:
    """The left hand fills the right half of the picture."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[:, WIDTH // 2 :] = S31.id("lhand")
    return parsed(labels)


LEFT, RIGHT = np.s_[:, : WIDTH // 2 - 2], np.s_[:, WIDTH // 2 + 2 :]


def test_the_safe_palette_tells_left_from_right_without_red_and_green() -> None:
    """Under deuteranopia red and green fall together; blue against yellow remains."""
    table = colours(S31, colour_blind=True).astype(float)
    blueness = table[:, 2] - table[:, :2].mean(axis=1)
    for part, name in enumerate(S31.names, start=1):
        if name[0] in "rl" and S31.mirror_ids[part - 1] != part:
            right, left = sorted((part, S31.mirror_ids[part - 1]), key=lambda p: S31.names[p - 1][0] == "l")
            assert blueness[left] - blueness[right] > 60, name


def test_the_safe_palette_has_no_two_equal_neighbours_along_a_limb() -> None:
    table = colours(S31, colour_blind=True).astype(int)
    for _, members in S31.headings():
        for a, b in pairwise(members):
            assert np.abs(table[a] - table[b]).sum() > 50, (a, b)


@given(alpha=st.floats(0, 1), part=st.integers(1, 31))
def test_tints_are_premultiplied(alpha: float, part: int) -> None:
    values = tints(S31.palette(), np.full(256, alpha, np.float32))
    argb = int(values[part])
    a, rgb = argb >> 24, ((argb >> 16) & 255, (argb >> 8) & 255, argb & 255)
    assert a == pytest.approx(255 * alpha, abs=1)
    assert all(c <= a + 1 for c in rgb)


def test_the_overlay_mixes_and_leaves_the_rest_alone(halves) -> None:
    out = rendered(halves, DisplayStyle(opacity=0.5)).astype(int)
    image = halves.frame.image.astype(int)
    assert (out[LEFT] == image[LEFT]).all()
    mixed = (image[RIGHT] + np.array(colours(S31, colour_blind=False)[S31.id("lhand")], int)) / 2
    assert np.abs(out[RIGHT] - mixed).max() <= 2


def test_opacity_nothing_is_the_picture_and_hidden_overlays_too(halves) -> None:
    assert (rendered(halves, DisplayStyle(opacity=0.0)) == halves.frame.image).all()
    assert (rendered(halves, DisplayStyle(bare=True)) == halves.frame.image).all()
    assert (rendered(halves, DisplayStyle(view=ViewMode.PICTURE)) == halves.frame.image).all()


def test_a_closed_eye_and_solo(halves) -> None:
    hand = S31.id("lhand")
    assert (rendered(halves, DisplayStyle(hidden=frozenset({hand}))) == halves.frame.image).all()
    assert (rendered(halves, DisplayStyle().with_solo(hand)) != halves.frame.image).any()
    assert (rendered(halves, DisplayStyle().with_solo(hand + 1)) == halves.frame.image).all()
    assert DisplayStyle().with_solo(3).with_solo(3) == DisplayStyle()
    assert not visible(S31, DisplayStyle())[0]


@pytest.mark.parametrize(
    "behind",
    [
        Backdrop(),
        Backdrop(BackdropKind.COLOUR, (255, 0, 0)),
        Backdrop(BackdropKind.IMAGE, image=np.full((10, 200, 3), 7, np.uint8)),
        Backdrop(BackdropKind.CHECKS),
        Backdrop(BackdropKind.BLUR),
    ],
)
def test_a_cut_out_keeps_the_person_and_replaces_the_room(halves, behind) -> None:
    out = rendered(halves, DisplayStyle(view=ViewMode.CUT_OUT, behind=behind))
    assert np.abs(out[RIGHT][..., :3].astype(int) - halves.frame.image[RIGHT]).max() <= 1
    room = out[LEFT].reshape(-1, out.shape[2])
    if behind.kind is BackdropKind.COLOUR:
        assert (room == behind.colour).all()
    if behind.kind is BackdropKind.IMAGE:
        assert (room == 7).all()
    if behind.kind is BackdropKind.CHECKS:
        assert not room.any()  # a file has no checks, and nothing of the room
        assert (out[RIGHT][..., 3] == 255).all()
    if behind.kind is BackdropKind.BLUR:
        assert room.std() < halves.frame.image[LEFT].std() / 3


def test_confidence_runs_from_violet_to_yellow(halves) -> None:
    assert VIRIDIS.shape == (256, 3)
    values = np.where(np.arange(HEIGHT)[:, None] < HEIGHT // 2, 10, 245).astype(np.uint8)
    parsing = replace(halves.parsing, confidence=np.repeat(values, WIDTH, axis=1))
    seen = rendered(replace(halves, result=Result(parsing)), DisplayStyle(view=ViewMode.CONFIDENCE)).astype(
        int
    )
    unsure, sure = (seen[rows, WIDTH // 2 + 2 :].mean(axis=(0, 1)) for rows in (np.s_[:16], np.s_[-16:]))
    assert sure[1] - unsure[1] > 100  # green: yellow has it, violet has not
    assert unsure[2] > sure[2]


def test_the_silhouette_is_grey_by_its_probability() -> None:
    person = np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))
    out = rendered(parsed(np.ones((HEIGHT, WIDTH), np.uint8), person), DisplayStyle(view=ViewMode.SILHOUETTE))
    assert np.abs(out[..., 0].astype(int) - person).max() <= 1


@pytest.mark.parametrize("view", list(ViewMode))
def test_without_a_result_no_view_that_hides_the_room_shows_it(view: ViewMode) -> None:
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    out = rendered(FrameResult(Frame(image, 0, 0.0, 0.0), None, 0, 0.0), DisplayStyle(view=view))
    expected = 0 if view.hides_picture else 90
    assert (out == expected).all()


def test_a_split_is_the_picture_left_and_the_view_right() -> None:
    labels = np.full((HEIGHT, WIDTH), 1, np.uint8)
    both = parsed(labels)
    split = rendered(both, DisplayStyle(view=ViewMode.PARTS, split=True, split_at=0.5))
    assert (split[LEFT] == both.frame.image[LEFT]).all()
    assert (split[RIGHT] == S31.palette()[1]).all()


def test_a_comparison_shows_the_other_engine_left_of_the_line() -> None:
    old, new = (np.full((HEIGHT, WIDTH), label, np.uint8) for label in (1, 2))
    both = replace(parsed(new), beside=Beside(parsed(old).result))
    style = DisplayStyle(view=ViewMode.PARTS, split=True)
    for mirror in (False, True):
        split = rendered(both, replace(style, mirror=mirror))
        assert (split[LEFT] == S31.palette()[1]).all()
        assert (split[RIGHT] == S31.palette()[2]).all()
    assert (rendered(both, replace(style, split=False)) == S31.palette()[2]).all()


def test_mirroring_flips_the_picture_but_not_the_sides_of_the_split(halves) -> None:
    style = DisplayStyle(view=ViewMode.PARTS, mirror=True)
    assert (rendered(halves, style)[:, ::-1] == rendered(halves, replace(style, mirror=False))).all()
    full = parsed(np.full((HEIGHT, WIDTH), 1, np.uint8))
    split = rendered(full, replace(style, split=True))
    assert (split[RIGHT] == S31.palette()[1]).all()
    assert (split[LEFT] == full.frame.image[:, ::-1][LEFT]).all()


@given(
    size=st.tuples(st.integers(1, 50), st.integers(1, 50)),
    want=st.tuples(st.integers(1, 60), st.integers(1, 60)),
)
def test_cover_fills_exactly(size: tuple[int, int], want: tuple[int, int]) -> None:
    out = cover(np.full((size[1], size[0], 3), 9, np.uint8), want)
    assert out.shape == (want[1], want[0], 3)
    assert (out == 9).all()


def test_joints_are_the_centroids_of_their_parts() -> None:
    labels = np.zeros((12, 16), np.uint8)
    labels[2:4, 4:6] = S31.id("rwrist")
    labels[8:10, 4:8] = S31.id("relbow")
    found = posed(pose_of_parts(Parsing(S31, (160, 120), labels, labels.copy(), labels.copy())))
    assert found.joints["r_wrist"] == pytest.approx((50, 30))
    assert found.joints["r_elbow"] == pytest.approx((60, 90))
    assert found.bones == [("r_elbow", "r_wrist")]
    assert [found.side(j) for j in ("r_wrist", "l_knee", "neck", "head")] == ["r", "l", "", ""]


def test_bones_have_the_colour_of_their_side_and_the_pelvis_of_neither() -> None:
    """The right thigh begins at the right hip, as the pelvis does."""
    n = len(S31_JOINTS.names)
    found = posed(Pose(S31_JOINTS, np.zeros((n, 2), np.float32), np.ones(n, np.float32)))
    bones = {bone: found.bone_side(*bone) for bone in found.bones}
    assert bones["r_hip", "r_knee"] == bones["r_shoulder", "r_hip"] == bones["neck", "r_shoulder"] == "r"
    assert bones["l_hip", "l_knee"] == "l"
    assert bones["r_hip", "l_hip"] == bones["head", "neck"] == ""


def standing(scores: np.ndarray | None = None) -> FrameResult:
    """Joints and no parts: the left wrist right of the middle, as of somebody seen from in front."""
    points = np.full((17, 2), (WIDTH / 2, HEIGHT / 2), np.float32)
    points[COCO17.id("l_wrist")] = (50, 10)
    points[COCO17.id("l_elbow")] = (50, 30)
    pose = Pose(COCO17, points, np.ones(17, np.float32) if scores is None else scores)
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    person = PersonResult((32, 10, 18, 20), 0.9, pose)
    return FrameResult(Frame(image, 0, 0.0, 0.0), Result(people=(person,)), 1, 1.0)


@pytest.mark.parametrize("view", [ViewMode.OVERLAY, ViewMode.SKELETON])
def test_joints_without_parts_are_painted_as_bones(view: ViewMode) -> None:
    shown = rendered(standing(), DisplayStyle(view)).astype(int)
    bone = shown[20, 48:53].max(axis=0)  # between the left elbow and the left wrist
    assert bone[2] > bone[0] + 60, "left is blue"
    assert (shown[40, 5] == 90).all(), "elsewhere it is the picture"
    mirrored = rendered(standing(), DisplayStyle(view, mirror=True)).astype(int)
    bone = mirrored[20, WIDTH - 53 : WIDTH - 48].max(axis=0)
    assert bone[2] > bone[0] + 60, "mirrored on the screen, left stays the person's own left"
    absent = np.zeros(17, np.float32)
    assert (rendered(standing(absent), DisplayStyle(view)) == 90).all()


def test_a_view_that_hides_the_room_shows_the_joints_on_black() -> None:
    shown = rendered(standing(), DisplayStyle(ViewMode.PARTS))
    assert (shown[40, 5] == 0).all()
    assert shown.max() > 100


def test_nobody_has_no_joints() -> None:
    zeros = np.zeros((12, 16), np.uint8)
    assert posed(pose_of_parts(Parsing(S31, (160, 120), zeros, zeros.copy(), zeros.copy()))).joints == {}


@pytest.mark.parametrize(
    ("index", "rate", "text"),
    [
        (0, 25, "00:00.000"),
        (1, 24, "00:00.042"),
        (25 * 61, 25, "01:01.000"),
        (25 * 3600, 25, "1:00:00.000"),
        (5, 0, "00:00.000"),
    ],
)
def test_time_codes(index: int, rate: float, text: str) -> None:
    assert timecode(index, rate) == text


def test_names_from_outside_are_literal_in_menus() -> None:
    assert literal("a & b\nc") == "a && b c"
    assert len(literal("x" * 500)) == 80


def test_what_was_dropped(tmp_path) -> None:
    data = QMimeData()
    assert dropped(None) == dropped(data) == ""
    data.setUrls([QUrl("https://example.org/v"), QUrl.fromLocalFile(str(tmp_path))])
    assert dropped(data) == "https://example.org/v"
    text = QMimeData()
    text.setText("  https://example.org/v?x=1 ")
    assert dropped(text) == "https://example.org/v?x=1"
    text.setText("see https://example.org for more")
    assert dropped(text) == ""
    assert is_model("/a/b.ONNX")
    assert not is_model("/a/onnx.mp4")


def joined(halves: FrameResult, *, inside: bool) -> FrameResult:
    """The left wrist of somebody in the half of the left hand, or beside it."""
    points, scores = np.zeros((17, 2), np.float32), np.zeros(17, np.float32)
    points[COCO17.id("l_wrist")] = (48, 24) if inside else (16, 24)
    scores[COCO17.id("l_wrist")] = 0.9
    person = PersonResult((0.0, 0.0, 64.0, 48.0), 0.9, Pose(COCO17, points, scores))
    assert halves.result is not None
    return replace(halves, result=replace(halves.result, people=(person,)))


@pytest.mark.parametrize("view", [ViewMode.OVERLAY, ViewMode.PARTS, ViewMode.SKELETON, ViewMode.INSTANCES])
def test_a_joint_outside_its_part_has_a_square_around_it(halves: FrameResult, view: ViewMode, qapp) -> None:
    style = DisplayStyle(view)
    good, bad = (layers(joined(halves, inside=inside), style) for inside in (True, False))
    assert (good.in_parts, bad.in_parts) == (1.0, 0.0)
    assert good.skeletons[0].outside == frozenset()
    assert bad.skeletons[0].outside == {"l_wrist"}
    pictures = []
    for layer in (bad, replace(bad, skeletons=(replace(bad.skeletons[0], outside=frozenset()),))):
        image = QImage(WIDTH, HEIGHT, QImage.Format.Format_Grayscale8)
        painter = QPainter(image)
        paint(painter, QRectF(0, 0, WIDTH, HEIGHT), layer, style)
        painter.end()
        pictures.append([[image.pixelColor(x, y).red() for x in range(WIDTH)] for y in range(HEIGHT)])
    changed = np.abs(np.subtract(*pictures)) > 60
    assert changed[18:31, 10:23].sum() == changed.sum() >= 12, "a form, whatever the colours"


def test_parts_and_joints_are_together_until_joints_are_switched_off(halves: FrameResult, qapp) -> None:
    both, off = DisplayStyle(), DisplayStyle(joints=False)
    of = joined(halves, inside=True)
    assert len(layers(of, both).skeletons) == 1
    assert layers(of, off).skeletons == ()
    assert layers(of, off).in_parts is None
    assert (rendered(of, off) == rendered(halves, both)).all()
    for view in (ViewMode.SILHOUETTE, ViewMode.CUT_OUT, ViewMode.CONFIDENCE):
        assert layers(of, DisplayStyle(view)).skeletons == (), "what is exported has no bones in it"
    assert len(layers(of, replace(off, view=ViewMode.SKELETON)).skeletons) == 1


def test_a_hidden_part_is_not_hidden_in_a_model_of_other_parts(halves: FrameResult) -> None:
    """Side by side the legend is of the model in use; the same id is another part in another set."""
    own = halves.parsing
    assert own is not None
    hand = S31.id("lhand")
    labels = np.minimum(own.labels, PASCAL_PARTS.id("lower arms")).astype(np.uint8)
    other = replace(own, part_set=PASCAL_PARTS, labels=labels)
    style = DisplayStyle(split=True, hidden=frozenset({hand, PASCAL_PARTS.id("lower arms")}))
    for beside, painted in ((own, False), (other, True)):
        both = layers(replace(halves, beside=Beside(Result(beside))), style)
        assert both.before is not None
        assert both.before.upper is not None
        assert (both.before.upper.pixelColor(48, 24).alpha() > 0) == painted
