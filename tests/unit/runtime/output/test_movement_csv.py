"""movement.csv: what is measured is written, and what is written is read again."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.labels import COCO17, S31
from models.results import Parsing, PersonResult, Result
from runtime.frames import Frame
from runtime.movement.history import MovementHistory
from runtime.movement.measures import curves
from runtime.movement.sides import SideSwap
from runtime.movement.sightings import EVERYBODY, BodyPlaces, Landmarks, are_merged
from runtime.output.coco import Origin
from runtime.output.movement_csv import MovementTable, columns, read, table
from tests.unit.runtime.movement.test_sides import HEIGHT, MARKS, walk, with_swaps


def history() -> MovementHistory:
    """Two people, one of whom is away for a while, with legs that change places at frame 30."""
    made, track = MovementHistory(MARKS), with_swaps(walk(), SideSwap(30, "legs"))
    for i, (frame, time_s) in enumerate(zip(track.frames, track.times_s, strict=True)):
        seen = BodyPlaces(track.areas[i], track.points[i], track.visibility[i], HEIGHT)
        made.add(int(frame), float(time_s), {1: seen, 7: seen} if not 10 <= frame < 20 else {1: seen})
    return made


def test_everything_measured_is_in_the_table() -> None:
    rows = list(csv.DictReader(table(history())))
    assert list(rows[0]) == columns(MARKS)
    assert [(int(r["person"]), int(r["frame"])) for r in rows] == [
        *((1, f) for f in range(60)), *((7, f) for f in range(60) if not 10 <= f < 20),
    ]  # fmt: skip
    mine, track = rows[:60], history().track(1)
    assert [int(r["frame"]) for r in mine if r["swapped"]] == [30]
    assert mine[30]["swapped"] == "legs"
    assert (mine[0]["rhand_px_s"], mine[0]["height_px"]) == ("", "300.0")
    for measure, words, column in (
        ("area", "right hand", "rhand_area_px"),
        ("speed", "right hand", "rhand_px_s"),
        ("x", "left knee (joint)", "joint_l_knee_x_px"),
        ("symmetry", "foot", "foot_symmetry"),
        ("angle", "left elbow", "l_elbow_deg"),
    ):
        expected = curves(track, measure, range(len(MARKS.names)))[words][1]
        found = [float(r[column] or math.nan) for r in mine]
        np.testing.assert_allclose(found, expected, atol=0.006)


def test_a_table_is_read_back_and_corrected() -> None:
    again = MovementHistory(MARKS)
    for frame, (time_s, people) in read(table(history()), MARKS).items():
        again.add(frame, time_s, people)
    assert again.people == (1, 7)
    for person in again.people:
        one, other = again.track(person), history().track(person)
        np.testing.assert_array_equal(one.frames, other.frames)
        np.testing.assert_allclose(one.points, other.points, atol=0.006)
        np.testing.assert_allclose(one.times_s, other.times_s, atol=1e-6)
    rows = list(csv.DictReader(table(again, [SideSwap(30, "legs")])))
    assert not any(r["swapped"] for r in rows)
    with pytest.raises(ValueError, match="other columns"):
        read(table(again), Landmarks(S31))


def test_a_clip_gets_one_row_a_frame(tmp_path: Path) -> None:
    stream = MovementTable(tmp_path / "movement.csv", Origin("a.mp4", 0, 0.0, "a"))
    for i in range(5):
        labels = np.zeros((20, 40), np.uint8)
        labels[5:10, i : i + 4] = S31.id("rhand")
        full = np.full(labels.shape, 255, np.uint8)
        frame = Frame(np.zeros((40, 80, 3), np.uint8), i, i * 0.1, 0.0)
        stream.write(frame, Result(Parsing(S31, (80, 40), labels, full, full.copy())))
    assert not (tmp_path / "movement.csv").exists()
    assert stream.finish() == ""
    rows = list(csv.DictReader((tmp_path / "movement.csv").read_text().splitlines()))
    assert [r["rhand_area_px"] for r in rows] == ["80"] * 5
    assert [r["rhand_px_s"] for r in rows] == ["", *["20.00"] * 3, ""]
    assert {r["person"] for r in rows} == {str(EVERYBODY)}
    assert {r["lhand_x_px"] for r in rows} == {""}


def body(*boxes: tuple[int, int, int, int]) -> Result:
    """Boxes (x, y, width, height) of one part, of people who are not told apart."""
    labels = np.zeros((240, 320), np.uint8)
    for x, y, width, height in boxes:
        labels[y : y + height, x : x + width] = 3
    return Result(Parsing(S31, (320, 240), labels, labels, labels))


@pytest.mark.parametrize(
    ("second", "several", "told"),
    [
        ((200, 20, 40, 100), 2, "2 of 10 frames"),
        ((200, 20, 40, 100), 1, ""),  # under 20 % of the frames
        ((200, 20, 40, 28), 10, ""),  # under 30 % of the first: a hand, a bag
        ((90, 20, 40, 100), 10, ""),  # they touch
    ],
)
def test_people_measured_as_one_are_told(
    tmp_path: Path, second: tuple[int, int, int, int], several: int, told: str
) -> None:
    written, one = MovementTable(tmp_path / "movement.csv", Origin("a.mp4", 0, 0.0, "a")), (50, 20, 40, 100)
    for n in range(10):
        boxes = (one, second) if n < several else (one,)
        written.write(Frame(np.zeros((240, 320, 3), np.uint8), n, n / 25, 0.0), body(*boxes))
    notice = written.finish()
    assert (told in notice and notice.endswith("use people-s31 to measure each")) if told else not notice


def test_one_of_several_who_are_told_apart_is_not_everybody() -> None:
    two = body((50, 20, 40, 100), (200, 20, 40, 100))
    mask = np.ones((60, 80), np.uint8)
    for people, joints, merged in (
        ((), None, True),
        ((), COCO17, False),  # no row at all
        ((PersonResult((0, 0, 9, 9), 0.9, track_id=1),), COCO17, True),  # a skeleton, and everybody's parts
        ((PersonResult((0, 0, 9, 9), 0.9, None, mask, 1),), COCO17, False),
    ):
        assert are_merged(replace(two, people=people), Landmarks(S31, joints)) is merged
