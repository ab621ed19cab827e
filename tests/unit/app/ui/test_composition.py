"""What is exported is what was seen: the file's painting against the window's, view by view."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from app.ui.layers import rendered
from models.labels import COCO17, S31
from models.results import Parsing, PersonResult, Pose, Result
from runtime.frames import Frame, FrameResult
from runtime.output.backdrop import Backdrop, BackdropKind
from runtime.output.composition import composed
from runtime.output.products import PRODUCTS, products_in
from runtime.output.style import DisplayStyle, ViewMode

WIDTH, HEIGHT = 320, 180


@pytest.fixture(scope="module")
def seen() -> FrameResult:
    """Two people, each a column of parts with joints; the labels are as fine as the picture."""
    rng = np.random.default_rng(5)
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    people = []
    for number, left in enumerate((40, 180), start=1):
        for part in range(1, S31.classes):
            labels[10 + 5 * part : 15 + 5 * part, left : left + 60] = part
        points = rng.uniform((left + 5, 20), (left + 55, 160), (17, 2)).astype(np.float32)
        pose = Pose(COCO17, points, np.full(17, 0.9, np.float32))
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[15:170, left : left + 60] = 1
        people.append(PersonResult((left, 15.0, 60.0, 155.0), 0.9, pose, mask, number))
    person = np.where(labels > 0, 255, 0).astype(np.uint8)
    confidence = rng.integers(60, 255, labels.shape).astype(np.uint8)
    image = np.full((HEIGHT, WIDTH, 3), (90, 120, 150), np.uint8)
    parsing = Parsing(S31, (WIDTH, HEIGHT), labels, person, confidence)
    return FrameResult(Frame(image, 0, 0.0, 0.0), Result(parsing, tuple(people)), 1, 1.0)


STYLES = {
    **{view: DisplayStyle(view=view) for view in ViewMode},
    "parts without joints": DisplayStyle(joints=False, opacity=0.3, contours=True, hidden=frozenset({3, 4})),
    "one part": DisplayStyle(joints=False, solo=7, colour_blind=True),
    "a split": DisplayStyle(split=True, split_at=0.4),
    "boxes": DisplayStyle(view=ViewMode.INSTANCES, boxes=True),
    "a blurred room": DisplayStyle(view=ViewMode.CUT_OUT, behind=Backdrop(BackdropKind.BLUR)),
}


@pytest.mark.parametrize("name", STYLES)
def test_the_file_is_painted_like_the_window(qapp, seen, name) -> None:
    style = STYLES[name]
    file = composed(seen.frame.image, seen.result, style).astype(int)
    apart = np.abs(file - rendered(seen, style)).max(axis=2)
    drawn = {ViewMode.SKELETON, ViewMode.INSTANCES, ViewMode.OVERLAY, ViewMode.PARTS}
    if style.view in drawn and style.joints:  # lines are smooth in two ways
        assert apart.mean() < (15 if style.boxes else 9)
        assert (apart > 60).mean() < (0.1 if style.boxes else 0.075)
    else:
        assert apart.max() <= 2, name


@pytest.mark.parametrize("name", STYLES)
def test_two_styles_differ_in_the_file_and_by_their_digest(seen, name) -> None:
    usual = composed(seen.frame.image, seen.result, DisplayStyle())
    same = np.array_equal(usual, composed(seen.frame.image, seen.result, STYLES[name]))
    assert same == (STYLES[name].digest == DisplayStyle().digest) == (name == "overlay")


def test_a_style_crosses_to_another_process_whole() -> None:
    image = np.random.default_rng(1).integers(0, 255, (8, 9, 3), np.uint8)
    behind = Backdrop(BackdropKind.IMAGE, (1, 2, 3), image)
    style = DisplayStyle(ViewMode.CUT_OUT, split=True, hidden=frozenset({2, 9}), behind=behind)
    back = DisplayStyle.from_json(json.loads(json.dumps(style.to_json())))
    assert replace(back, behind=behind) == style
    assert (back.behind.kind, back.behind.colour) == (BackdropKind.IMAGE, (1, 2, 3))
    assert np.array_equal(back.behind.image, image)
    assert DisplayStyle.from_json({}).view is ViewMode.OVERLAY


def test_only_the_overlay_follows_a_style() -> None:
    styled = products_in(DisplayStyle(opacity=0.1))
    assert {name for name in PRODUCTS if styled[name] is not PRODUCTS[name]} == {"overlay"}
    assert products_in(None) is PRODUCTS
