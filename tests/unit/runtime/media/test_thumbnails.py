"""Thumbnails: the right moments of a clip, upright, also where key frames are rare."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.media.thumbnails import WALK, thumbnails
from runtime.system.errors import Refusal
from tests.drawn_media import draw_clip, index_of


@pytest.mark.parametrize("gap", [8, 250])
def test_they_are_of_the_middle_of_each_stretch(tmp_path, gap) -> None:
    clip = draw_clip(tmp_path / "a.mp4", 48, options={"g": str(gap)})
    made = dict(thumbnails(clip, 48 / 25, 6, 64))
    assert list(made) == list(range(6))
    assert {image.shape for image in made.values()} == {(64, 96, 3)}
    shown = [index_of(image) for image in made.values()]
    wanted = [4, 12, 20, 28, 36, 44] if gap == 8 else [4, 12, 20, 28, WALK, WALK]
    assert np.abs(np.array(shown) - wanted).max() <= 1


def test_they_are_upright_and_small(tmp_path) -> None:
    clip = draw_clip(tmp_path / "turned.mp4", 12, turn=(90, False))
    assert {image.shape for _, image in thumbnails(clip, 12 / 25, 3, 30)} == {(30, 20, 3)}


def test_what_is_no_clip_is_refused(tmp_path) -> None:
    (tmp_path / "no.mp4").write_bytes(b"no clip")
    with pytest.raises(Refusal):
        list(thumbnails(tmp_path / "no.mp4", 1.0, 3, 30))
