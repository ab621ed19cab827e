"""A model that gives joints and no parts, in the window."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import Qt

from app.ui.actions import SOURCES
from models.labels import COCO17, S31
from models.results import PersonResult, Pose
from runtime.output.style import ViewMode

pytestmark = pytest.mark.gui


def test_views_that_need_parts_are_offered_with_them_only(playing, qtbot) -> None:
    workspace, canvas, actions = playing.workspace, playing.window.canvas, playing.window.actions_
    of_parts = {v for v in ViewMode if v.needs_parts}

    def use(model: str) -> None:
        workspace.load(replace(workspace.choice, model=model))
        qtbot.waitUntil(lambda: workspace.engine.name == model)
        qtbot.waitUntil(lambda: canvas.parsed.engine_id == workspace.engine.id)

    def offered() -> set[ViewMode]:
        return {v for v in ViewMode if actions[f"view-{v}"].isEnabled()}

    assert offered() == set(ViewMode) - {ViewMode.INSTANCES}
    use("joints-s31")
    assert canvas.parsed.result is not None
    assert canvas.parsed.parsing is None
    assert offered() == set(ViewMode) - of_parts
    assert {ViewMode.OVERLAY, ViewMode.SKELETON, ViewMode.INSTANCES, ViewMode.PICTURE} == offered()
    use("factored-s31")
    assert canvas.parsed.parsing is not None
    assert offered() == set(ViewMode) - {ViewMode.INSTANCES}


def test_a_silhouette_is_refused_in_words_and_the_joints_stay(playing, qtbot) -> None:
    workspace, canvas, actions = playing.workspace, playing.window.canvas, playing.window.actions_
    workspace.use_motion()
    workspace.load(replace(workspace.choice, model="joints-s31"))  # with a silhouette in place
    qtbot.waitUntil(lambda: workspace.engine.name == "joints-s31")
    assert workspace.xfactor.key == "own"
    qtbot.waitUntil(lambda: canvas.parsed.engine_id == workspace.engine.id)
    assert "no body parts" in playing.window.banner.notice.text
    playing.window.status.clearMessage()
    for use in (workspace.use_motion, workspace.use_plate, workspace.use_brush):
        assert use() is None
        assert workspace.xfactor.key == "own"
        assert actions["own"].isChecked()
    assert "swapped" not in playing.window.status.currentMessage(), "nothing changed"
    assert workspace.previous is None
    qtbot.waitUntil(lambda: "no body parts" in playing.window.banner.notice.text)
    workspace.load(replace(workspace.choice, model="factored-s31"))
    qtbot.waitUntil(lambda: playing.window.banner.notice is None)
    workspace.use_motion()
    assert "swapped" in playing.window.status.currentMessage()
    playing.window.status.clearMessage()
    workspace.resize(128)
    assert not playing.window.status.currentMessage(), "another size is no swap"


def test_a_model_without_parts_offers_neither_parts_nor_an_x_factor(playing, qtbot) -> None:
    """Entries that would be refused say why; of a model with parts but no factor they stay."""
    workspace, window = playing.workspace, playing.window
    actions, panel = window.actions_, window.controls
    names = [*SOURCES, "open-factor", "open-network"]

    def use(model: str) -> None:
        workspace.load(replace(workspace.choice, model=model))
        qtbot.waitUntil(lambda: workspace.engine.name == model)
        playing.tick()

    for model, takes in (("joints-s31", False), ("pil-small", True)):
        use(model)
        assert {actions[name].isEnabled() for name in names} == {takes}, model
        assert panel.legend.isVisibleTo(panel) is takes
        assert panel._none.isVisibleTo(panel) is not takes
        assert window.status._xfactor.isVisibleTo(window.status) is takes
    use("joints-s31")
    assert "no body parts" in actions["people"].toolTip()
    qtbot.keyClick(window.canvas, Qt.Key.Key_3)
    assert window.status.currentMessage() == "joints-s31 finds no body parts", (
        "a key that does nothing says why"
    )
    playing.close_source()
    use("pil-small")
    assert not actions["motion"].isEnabled()
    assert actions["motion"].toolTip() == "Open a source first"


def test_the_share_of_joints_in_their_parts_is_in_the_status_bar(playing, qtbot) -> None:
    workspace, window = playing.workspace, playing.window
    words = window.status._in_parts.text
    playing.tick()
    assert words() == "", "no joints, no share"
    workspace.load(replace(workspace.choice, model="people-s31"))
    qtbot.waitUntil(lambda: workspace.engine.name == "people-s31")
    of = window.canvas.parsed
    pose = Pose(COCO17, np.full((17, 2), 10, np.float32), np.full(17, 0.9, np.float32))
    person = PersonResult((0.0, 0.0, 9.0, 9.0), 0.9, pose, None, 1)
    playing.pipeline.parsed.take(0)
    with qtbot.waitSignal(window.canvas.painted):
        labels = np.full_like(of.parsing.labels, S31.id("rhand"))
        shown = replace(of.result, parsing=replace(of.parsing, labels=labels), people=(person,))
        window.canvas.show_parsed(replace(of, result=shown))
    playing.tick()
    assert words() == "joints in their parts 6 %", "one of 17: the right wrist"
    window.actions_["joints"].trigger()
    window.canvas.grab()
    playing.tick()
    assert words() == ""
    assert not window.display.style.joints
