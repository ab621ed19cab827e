"""`xfactor parse` gives the same files twice, and refuses to save what nobody knows."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from app.commands.parse import checked_saves
from tests.drawn_media import draw_clip
from tests.e2e.command import files
from tests.e2e.test_parse_files import ALL, parse


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    """Row I11. Except the overlay's: x264's macroblock tree chooses otherwise about once in 30 runs."""
    clip = draw_clip(tmp_path / "a.mp4", 6, sound=True)
    assert parse([clip], tmp_path / "one", save=ALL) == parse([clip], tmp_path / "two", save=ALL) == 0
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    videos = [played(tmp_path / run / "a" / "overlay.mp4") for run in ("one", "two")]
    assert one.pop("a/overlay.mp4") != b"" != two.pop("a/overlay.mp4")
    assert one == two
    (times, pictures, sound), (times_again, pictures_again, sound_again) = videos
    assert (times, sound) == (times_again, sound_again)
    assert len(sound) > 0
    error = np.mean(np.square(pictures.astype(np.float32) - pictures_again))
    assert error < 255**2 / 10**4  # 40 dB: less than what coding itself costs


def played(video: Path) -> tuple[list[float], np.ndarray, list[bytes]]:
    """Times and pictures of a video, and the packets of its sound."""
    with av.open(str(video)) as file:
        frames = [(f.time, f.to_ndarray(format="rgb24")) for f in file.decode(video=0)]
    with av.open(str(video)) as file:
        sound = [bytes(p) for p in file.demux(audio=0)]
    return [t for t, _ in frames], np.stack([p for _, p in frames]), sound


@pytest.mark.parametrize("save", ["", "labels,masks", ","])
def test_what_cannot_be_saved(save: str) -> None:
    with pytest.raises(ValueError, match="labels"):
        checked_saves(save)
