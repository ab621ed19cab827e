"""The strip over the time line: small pictures of the clip, read beside the window."""

from __future__ import annotations

import pytest

from app.ui.timeline import PLACES, ROW_PX, STRIP_PX

pytestmark = pytest.mark.gui


def test_a_clip_has_a_strip_that_the_view_menu_takes_away(playing, qtbot) -> None:
    timeline, action = playing.window.transport.timeline, playing.window.actions_["thumbnails"]
    qtbot.waitUntil(lambda: len(timeline._strip or ()) == PLACES)
    assert timeline.sizeHint().height() == ROW_PX + STRIP_PX
    image = timeline.grab().toImage()
    columns = [image.pixelColor(x, STRIP_PX // 2).lightness() for x in range(60, image.width() - 60, 7)]
    assert len(set(columns)) > 5  # pictures, not a bar
    action.trigger()
    playing.tick()
    assert timeline.sizeHint().height() == ROW_PX
    assert not playing.current().thumbnails
    action.trigger()
    playing.tick()
    playing.close_source()
    playing.tick()
    assert timeline._strip is None
