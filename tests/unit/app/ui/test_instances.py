"""Instances on the screen, and the viewport that glides after somebody."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QPointF, QRectF, QSize

from app.ui.layers import rendered
from app.ui.viewport import FOLLOW_MAX, Viewport, fraction
from models.labels import COCO17, S31
from models.results import Parsing, PersonResult, Pose, Result
from runtime.frames import Frame, FrameResult
from runtime.output.palettes import person_colour
from runtime.output.style import DisplayStyle, ViewMode

pytestmark = pytest.mark.usefixtures("qapp")  # letters need one
WIDTH, HEIGHT = 160, 120
VIEW = DisplayStyle(ViewMode.INSTANCES)
WIDGET, PICTURE = QSize(800, 600), QSize(WIDTH, HEIGHT)


def person(left: int, track: int, *, pose: Pose | None = None) -> PersonResult:
    """Ten columns of a 40 by 30 grid, in its lower two thirds."""
    mask = np.zeros((30, 40), np.uint8)
    mask[10:, left : left + 10] = 1
    return PersonResult((4.0 * left, 40.0, 40.0, 80.0), 0.8, pose, mask, track)


def shown(*people: PersonResult, style: DisplayStyle = VIEW, parsing: Parsing | None = None) -> np.ndarray:
    frame = Frame(np.full((HEIGHT, WIDTH, 3), 90, np.uint8), 0, 0.0, 0.0)
    return rendered(FrameResult(frame, Result(parsing, people), 1, 1.0), style).astype(int)


def tint(track: int, *, colour_blind: bool = False) -> np.ndarray:
    return 90 * 0.55 + np.array(person_colour(track, colour_blind=colour_blind)) * 0.45


def test_everybody_has_the_colour_of_their_track_also_mirrored_and_for_colour_blind_people() -> None:
    picture = shown(person(2, 5), person(25, 1))
    assert np.abs(picture[100, 28] - tint(5)).max() < 3
    assert np.abs(picture[100, 120] - tint(1)).max() < 3
    assert (picture[:, 64:84] == 90).all()
    mirrored = shown(person(2, 5), style=replace(VIEW, mirror=True))
    assert np.abs(mirrored[100, WIDTH - 28] - tint(5)).max() < 3
    assert (mirrored[:, :100] == 90).all()
    safe = shown(person(2, 5), style=replace(VIEW, colour_blind=True))
    assert np.abs(safe[100, 28] - tint(5, colour_blind=True)).max() < 3


def test_the_outline_and_the_number_stand_out() -> None:
    picture = shown(person(15, 2))
    assert np.linalg.norm(picture[100, 56:64] - person_colour(2), axis=1).min() < 60
    tag = picture[18:38, 70:90].reshape(-1, 3)
    assert (np.abs(tag - person_colour(2)).max(axis=1) < 8).sum() > 60, "over the head"
    assert (tag.max(axis=1) < 60).sum() > 5, "a dark number on it"


def test_hidden_people_are_not_painted_and_one_alone_is() -> None:
    people = person(2, 1), person(25, 2)
    hidden = shown(*people, style=replace(VIEW, hidden_people=frozenset({1})))
    assert (hidden[:, :60] == 90).all()
    assert (hidden != 90).any()
    alone = shown(*people, style=replace(VIEW, person=1, alone=True))
    assert (alone[:, 80:] == 90).all()
    assert (alone != 90).any()
    assert (shown(*people, style=replace(VIEW, bare=True)) == 90).all()


def test_parts_of_hidden_people_go_in_every_view() -> None:
    labels = np.full((30, 40), S31.id("lhand"), np.uint8)
    parsing = Parsing(S31, (WIDTH, HEIGHT), labels, np.full_like(labels, 255), np.full_like(labels, 200))
    people, style = (person(2, 1), person(25, 2)), DisplayStyle(ViewMode.SILHOUETTE, person=2, alone=True)
    silhouette = shown(*people, style=style, parsing=parsing)
    assert (silhouette[100, 112:128] == 255).all()
    assert (silhouette[100, 12:36] == 0).all()
    overlay = shown(*people, style=DisplayStyle(hidden_people=frozenset({1})), parsing=parsing)
    assert (overlay[100, 20:40] == 90).all()
    assert (overlay[100, 112:128] != 90).any()


def test_a_view_that_hides_the_room_keeps_it_hidden_with_people_alone() -> None:
    for view in (ViewMode.PARTS, ViewMode.SILHOUETTE, ViewMode.CUT_OUT):
        picture = shown(person(15, 2), style=DisplayStyle(view))
        assert (picture[100, :50] == 0).all()
        assert picture[100, 80].max() > 60


def test_boxes_and_joints_that_are_not_sure() -> None:
    points = np.full((17, 2), 300, np.float32)
    points[COCO17.id("l_shoulder")], points[COCO17.id("l_elbow")] = (20, 20), (70, 20)
    pictures = []
    for score in (0.0, 0.1, 0.9):
        scores = np.zeros(17, np.float32)
        scores[[COCO17.id("l_shoulder"), COCO17.id("l_elbow")]] = score
        pictures.append(shown(person(25, 1, pose=Pose(COCO17, points, scores))))
    absent, faint, sure = (np.abs(p[20, 40] - 90).max() for p in pictures)
    assert absent == 0 < faint < sure
    large = replace(person(25, 1), box=(90.0, 30.0, 60.0, 85.0))
    boxed = shown(large, style=replace(VIEW, boxes=True)) - shown(large)
    assert np.abs(boxed[30, 92:100]).max(axis=1).all()


def test_a_hundred_people_and_nobody() -> None:
    assert (shown() == 90).all()
    assert (shown(*(person(i % 30, i + 1) for i in range(100))) != 90).any()


def glided(view: Viewport, box: QRectF | None, *, first: bool = True) -> QRectF:
    view.follow(box, first=first)
    for _ in range(400):
        if not view.glide(0.03):
            break
    else:
        pytest.fail("it never arrives")
    return view.area(WIDGET, PICTURE)


def test_the_view_glides_to_a_person_and_back() -> None:
    view, box = Viewport(), QRectF(0.3, 0.5, 0.1, 0.2)
    view.follow(box, first=True)
    assert view.glide(0.03)
    assert view.area(WIDGET, PICTURE).width() < 1200, "not in one step"
    middle = fraction(QPointF(400, 300), glided(view, box))
    assert abs(middle.x() - 0.35) < 0.01
    assert abs(middle.y() - 0.6) < 0.01
    assert 2 < view.area(WIDGET, PICTURE).width() / WIDGET.width() <= FOLLOW_MAX
    whole = glided(view, None)
    assert abs(whole.width() - 800) < 4
    assert abs(whole.left()) < 4


def test_the_view_never_leaves_the_picture_and_zoom_by_hand_counts() -> None:
    view = Viewport()
    corner = glided(view, QRectF(0, 0, 0.1, 0.1))
    assert corner.left() == pytest.approx(0, abs=1)
    assert corner.top() == pytest.approx(0, abs=1)
    view.zoom(-100, QPointF(400, 300), WIDGET, PICTURE)
    assert view.area(WIDGET, PICTURE).width() == 800
    view.zoom(4, QPointF(400, 300), WIDGET, PICTURE)
    before = view.area(WIDGET, PICTURE).width()
    assert glided(view, QRectF(0.6, 0.6, 0.1, 0.1), first=False).width() == before
