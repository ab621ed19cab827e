"""Twelve frames of the sample clip through the real worker, as the window sees it."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from app.ui.personalize_form import PersonalizeRequest
from personalize.client import job_folders
from personalize.client.supervisor import Ending
from runtime.system import paths
from tests.qt.conftest import parsed_with_parts, pause

pytestmark = [pytest.mark.gui, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="the worker needs torch")
def test_a_real_job_ends_in_numbers_and_the_window_lives_on(desktop, qtbot) -> None:
    torch_before = "torch" in sys.modules  # other tests of this run may have loaded it
    desktop.open(str(paths.sample_clip()))
    qtbot.waitUntil(lambda: parsed_with_parts(desktop))
    pause(desktop)
    desktop.playing.set_span(60, 71)
    desktop.personalization.show()
    desktop.personalization.start(PersonalizeRequest("sample", marked=True, method="tree", go_on=False))
    task = desktop.personalization._task
    strip = desktop.window.personalise.progress.strip
    qtbot.waitUntil(lambda: len(strip.frames) == 8, timeout=400_000)
    assert set(strip.frames) <= set(range(60, 72))
    desktop.window.actions_["stop-early"].trigger()
    qtbot.waitUntil(lambda: task.outcome is not None, timeout=400_000)
    assert task.outcome.how is Ending.DONE, task.outcome.words + task.outcome.details
    assert set(task.silhouettes) == set(range(60, 72))

    result = desktop.window.personalise.result
    qtbot.waitUntil(lambda: desktop.window.personalise.page is result)
    assert {"held_out_J", "boundary_F", "regression"} <= set(task.outcome.done.report)
    assert result._bars.count() == 4
    if task.outcome.done.accepted:
        qtbot.waitUntil(lambda: desktop.workspace.xfactor.name == "sample")
        desktop.window.actions_["discard-factor"].trigger()
    else:
        result._close.click()
    assert desktop.workspace.xfactor.name == "own factor"
    qtbot.waitUntil(lambda: job_folders.left_over() == [])
    assert ("torch" in sys.modules) == torch_before, "learning belongs to the worker's process"
