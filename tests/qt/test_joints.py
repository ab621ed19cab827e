"""A model that gives joints and no parts, in the window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.ui.look import View

pytestmark = pytest.mark.gui


def test_views_that_need_parts_are_offered_with_them_only(playing, qtbot) -> None:
    session, canvas, actions = playing.session, playing.window.canvas, playing.window.actions_
    of_parts = {v for v in View if v.needs_parts}

    def use(model: str) -> None:
        session.load(replace(session.choice, model=model))
        qtbot.waitUntil(lambda: session.engine.name == model, timeout=20_000)
        qtbot.waitUntil(lambda: canvas.parsed.engine_id == session.engine.id, timeout=20_000)

    def offered() -> set[View]:
        return {v for v in View if actions[f"view-{v}"].isEnabled()}

    assert offered() == set(View)
    use("joints-s31")
    assert canvas.parsed.result is not None
    assert canvas.parsed.parsing is None
    assert offered() == set(View) - of_parts
    assert {View.OVERLAY, View.SKELETON, View.PICTURE} == offered()
    use("factored-s31")
    assert canvas.parsed.parsing is not None
    assert offered() == set(View)


def test_a_silhouette_is_refused_in_words_and_the_joints_stay(playing, qtbot) -> None:
    session, canvas, actions = playing.session, playing.window.canvas, playing.window.actions_
    session.use_motion()
    session.load(replace(session.choice, model="joints-s31"))  # with a silhouette in place
    qtbot.waitUntil(lambda: session.engine.name == "joints-s31", timeout=20_000)
    assert session.xfactor.key == "own"
    qtbot.waitUntil(lambda: canvas.parsed.engine_id == session.engine.id, timeout=20_000)
    for name in ("motion", "plate"):
        actions[name].trigger()
        assert session.xfactor.key == "own"
        assert actions["own"].isChecked()
    assert session.use_brush() is None
    assert "no body parts" in playing.window.banner.notice.text
