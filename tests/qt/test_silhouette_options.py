"""The bar under the picture: what chroma key, plate and motion can be told."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtWidgets import QPushButton, QSlider

from app.xfactor import XFactor
from runtime.silhouettes.chroma_key import ChromaKey
from tests.unit.runtime.silhouettes.test_sources import request

pytestmark = pytest.mark.gui


def slider(desktop, name: str) -> QSlider:
    return desktop.window.source_bar.findChild(QSlider, name)


def test_thresholds_are_moved_while_the_source_is_in_use(playing, qtbot) -> None:
    workspace, bar = playing.workspace, playing.window.source_bar
    assert not bar.isVisible()
    workspace.use_motion()
    playing.tick()
    assert bar.isVisible()
    before = workspace.xfactor.source
    slider(playing, "threshold").setValue(0)
    slider(playing, "history").setValue(200)
    assert (before.threshold, before.history) == (4.0, 2000.0)
    playing.tick()
    assert slider(playing, "threshold").value() == 0, "the bar is not built anew under the mouse"
    model = before._model
    bar.findChild(QPushButton).click()
    assert before._model is not model, "it learns again"
    assert workspace.xfactor.source is before
    workspace.use_own()
    playing.tick()
    assert not bar.isVisible()


def test_a_wider_tolerance_keys_more_and_the_swap_back_stays(playing, qtbot) -> None:
    workspace, canvas = playing.workspace, playing.window.canvas
    workspace.use_motion()
    workspace.use(XFactor("chroma", "chroma key", ChromaKey((120, 160, 110))))
    playing.tick()
    previous, seen = workspace.previous, []
    for step in (0, 200):
        slider(playing, "softness").setValue(step)
        slider(playing, "tolerance").setValue(step)
        source = workspace.xfactor.source
        assert source.key == (120, 160, 110)
        mask = source.person(request(canvas.parsed.frame.image)).fine
        seen.append(float(np.mean(mask)))
    assert workspace.previous is previous
    assert seen[0] > seen[1], "what is keyed is no person"
    playing.close_source()
    playing.tick()
    assert not playing.window.source_bar.isVisible()
