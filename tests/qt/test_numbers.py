"""All numbers of the frame on show, in a table that can be copied."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtGui import QGuiApplication

from app.controllers.numbers import table_of
from models.labels import COCO17, S31
from models.results import Parsing, PersonResult, Pose, Result
from runtime.movement.sightings import Landmarks

pytestmark = pytest.mark.gui


def test_the_table_follows_the_picture_and_is_copied(playing, qtbot) -> None:
    playing.window.actions_["numbers"].trigger()
    dialog = playing.numbers.dialog
    assert dialog.isVisible()
    assert dialog.table.rowCount() > 3
    before = dialog._frame.text()
    assert before == "Frame 0"
    playing.window.actions_["forward"].trigger()
    qtbot.waitUntil(lambda: playing.window.canvas.parsed.frame.index == 1)
    playing.tick()
    assert dialog._frame.text() == "Frame 1"
    dialog.copy()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert len(lines) == dialog.table.rowCount() + 1
    assert lines[0].split("\t")[1] == "Area, px"
    assert float(lines[1].split("\t")[1]) > 0
    playing.close_source()
    playing.tick()
    assert (dialog.table.rowCount(), dialog._frame.text()) == (0, "")


def test_numbers_are_those_of_the_result() -> None:
    labels = np.zeros((40, 60), np.uint8)
    labels[10:20, 30:50] = S31.id("rhand")
    full = np.full(labels.shape, 255, np.uint8)
    points = np.zeros((17, 2), np.float32)
    for name, at in {"r_shoulder": (5, 5), "r_elbow": (15, 5), "r_wrist": (15, 15)}.items():
        points[COCO17.names.index(name)] = at
    scores = np.where(points.any(axis=1), 0.8, 0).astype(np.float32)
    person = PersonResult((0, 0, 60, 40), 0.9, Pose(COCO17, points, scores), None, 3)
    result = Result(Parsing(S31, (60, 40), labels, full, full), (person,))
    number, rows = table_of(result, Landmarks(S31, COCO17))
    table = {row[0].lower(): row[1:] for row in rows}
    assert number == 3
    assert table["right hand"] == ["200", "100", "39.5", "14.5", ""]
    assert table["right elbow (joint)"] == ["", "80", "15.0", "5.0", "90.0"]
