"""A model that gives joints and no parts, in the window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.ui.style import ViewMode

pytestmark = pytest.mark.gui


def test_views_that_need_parts_are_offered_with_them_only(playing, qtbot) -> None:
    workspace, canvas, actions = playing.workspace, playing.window.canvas, playing.window.actions_
    of_parts = {v for v in ViewMode if v.needs_parts}

    def use(model: str) -> None:
        workspace.load(replace(workspace.choice, model=model))
        qtbot.waitUntil(lambda: workspace.engine.name == model, timeout=20_000)
        qtbot.waitUntil(lambda: canvas.parsed.engine_id == workspace.engine.id, timeout=20_000)

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
    qtbot.waitUntil(lambda: workspace.engine.name == "joints-s31", timeout=20_000)
    assert workspace.xfactor.key == "own"
    qtbot.waitUntil(lambda: canvas.parsed.engine_id == workspace.engine.id, timeout=20_000)
    for name in ("motion", "plate"):
        actions[name].trigger()
        assert workspace.xfactor.key == "own"
        assert actions["own"].isChecked()
    assert workspace.use_brush() is None
    assert "no body parts" in playing.window.banner.notice.text
