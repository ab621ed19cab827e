"""A network that does not end its frame: it is named and dropped, and pictures go on."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from app.desktop import Desktop
from app.live import inference
from app.live.model_choice import ModelChoice
from app.xfactor import XFactor
from runtime.engine.providers import Provider
from runtime.engine.sessions import Session
from runtime.engine.source import FactorSource
from tests.unit.runtime.model_files import crafted, hostile

pytestmark = pytest.mark.gui

ROUNDS = 6_000_000  # of a loop: some three seconds, after which the thread that was given up ends


@pytest.fixture
def loaded(desktop: Desktop, clip: Path, tmp_path: Path, qtbot, monkeypatch: pytest.MonkeyPatch) -> Desktop:
    """A window that plays through a tiny model, with less patience."""
    monkeypatch.setattr(inference, "STUCK_S", 0.5)
    bundle = crafted.bundle(tmp_path / "tiny")
    desktop.workspace.load(ModelChoice(str(bundle)))
    qtbot.waitUntil(lambda: desktop.workspace.engine is not None)
    qtbot.waitUntil(lambda: desktop.workspace.engine.name == "tiny")
    desktop.window.actions_["loop"].trigger()
    desktop.open(str(clip))
    qtbot.waitUntil(lambda: desktop.window.canvas.parsed is not None)
    return desktop


def endless(desktop: Desktop) -> XFactor:
    """A factor that its trial would refuse."""
    trunk = desktop.workspace.engine.stages.sessions[0]
    session = Session("factor", hostile.long_factor(trunk.data, ROUNDS), Provider.CPU)
    return XFactor("endless", "Endless", FactorSource("Endless", session), trunk.sha256)


def test_g08_a_factor_that_does_not_end_is_dropped_and_pictures_go_on(loaded: Desktop, qtbot) -> None:
    engine, began_s = loaded.workspace.engine, time.monotonic()
    loaded.workspace.use(endless(loaded))
    qtbot.waitUntil(lambda: loaded.pipeline.stuck == 1)
    qtbot.waitUntil(lambda: loaded.window.banner.notice is not None)
    assert time.monotonic() - began_s < 20
    assert "Endless" in loaded.window.banner.notice.text
    assert "given up" in loaded.window.banner.notice.text
    shown = loaded.window.canvas.parsed

    def others() -> bool:
        parsed = loaded.window.canvas.parsed
        return parsed is not shown and parsed.parsing is not None and parsed.notice == ""

    for _ in range(3):
        qtbot.waitUntil(others)
        shown = loaded.window.canvas.parsed
    assert loaded.pipeline.stuck == 1  # all the while, and nothing of it is taken for a result
    assert loaded.workspace.xfactor.key == "own"
    assert loaded.workspace.engine.stages is engine.stages
    qtbot.waitUntil(lambda: loaded.pipeline.stuck == 0)  # it ends at last
    assert loaded.window.canvas.parsed.engine_id == loaded.workspace.engine.id


def test_g08_what_takes_long_and_was_expected_to_is_waited_for(loaded: Desktop, qtbot) -> None:
    loaded.workspace._engine = replace(loaded.workspace.engine, pace_s=1.0)
    loaded.workspace.use(endless(loaded))
    qtbot.wait(1500)
    assert loaded.pipeline.stuck == 0
    loaded.workspace.use_own()
    shown = loaded.window.canvas.parsed
    qtbot.waitUntil(lambda: loaded.window.canvas.parsed is not shown)
    assert loaded.pipeline.stuck == 0


def test_g08_a_model_that_does_not_end_leaves_the_picture_and_the_second_asks_for_a_restart(
    loaded: Desktop, qtbot
) -> None:
    loaded.workspace.use(endless(loaded))
    qtbot.waitUntil(lambda: loaded.pipeline.stuck == 1)
    engine = loaded.workspace.engine
    factor = Session("factor", hostile.long_factor(engine.stages.sessions[0].data, ROUNDS), Provider.CPU)
    loaded.workspace._use(replace(engine, stages=replace(engine.stages, factor=factor)))
    qtbot.waitUntil(lambda: loaded.workspace.engine is None)
    qtbot.waitUntil(lambda: "Choose another model" in loaded.window.banner.notice.text)
    assert "restart xfactor" in loaded.window.banner.notice.text
    shown = loaded.window.canvas.parsed
    qtbot.waitUntil(lambda: loaded.window.canvas.parsed is not shown)
    assert loaded.window.canvas.parsed.parsing is None
    qtbot.waitUntil(lambda: loaded.pipeline.stuck == 0)
