"""The command on real video, where it lies beside the checkout."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import av
import pytest

from app.batch.options import FrameSpan
from app.commands.parse import parse_all
from runtime.media.clips import Clip
from tests.e2e.command import manifest

pytestmark = pytest.mark.slow


def first_seconds(source: Path, target: Path, seconds: float) -> Path:
    """The start of a clip, packets copied as they are."""
    with av.open(str(source)) as given, av.open(str(target), "w") as cut:
        copies = {
            s.index: cut.add_stream_from_template(s) for s in (*given.streams.video, *given.streams.audio)
        }
        for packet in given.demux(*(given.streams[i] for i in copies)):
            if packet.dts is None:
                continue
            if float(packet.pts * packet.time_base) < seconds:
                packet.stream = copies[packet.stream.index]
                cut.mux(packet)
    return target


@pytest.mark.parametrize("name", ["taichi.mp4", "street.avi", "two_men.mp4"])
def test_frames_in_are_frames_out(shared_data: Path, tmp_path: Path, name: str) -> None:
    source = shared_data / "clips" / name
    if not source.is_file():
        pytest.skip(f"{source.name} is not among the development data")
    clip = tmp_path / name
    if name.endswith("avi"):
        shutil.copyfile(source, clip)
        clip.write_bytes(clip.read_bytes()[: 250 * 1024])  # as after a copy that broke off
    else:
        first_seconds(source, clip, 0.4)
    with Clip(clip) as media:
        size, pts = media.size, [f.pts_s for f in media.frames()]
        whole = media.complete
    assert len(pts) > 5
    options = {"size": "96", "device": "cpu"}
    assert parse_all([str(clip)], tmp_path / "out", options, progress="none") == (0 if whole else 1)
    folder = tmp_path / "out" / clip.stem
    assert len(list((folder / "labels").iterdir())) == len(pts)
    assert len(list((folder / "silhouettes").iterdir())) == len(pts)
    assert manifest(tmp_path / "out")[name]["frames"] == len(pts)
    with Clip(folder / "overlay.mp4") as overlay:
        shown = [f.pts_s for f in overlay.frames()]
        assert overlay.size == size
    assert shown == pytest.approx(pts, abs=1e-3)
    with av.open(str(folder / "overlay.mp4")) as out, av.open(str(clip)) as given:
        assert len(out.streams.audio) == len(given.streams.audio)


def test_sides_of_a_real_walk_are_not_called_swapped(shared_data: Path, tmp_path: Path) -> None:
    """Measured with the network's own size: no mark in 1 261 frames of five clips (docs/movement.md)."""
    source = shared_data / "clips" / "juggling.mp4"
    if not source.is_file():
        pytest.skip(f"{source.name} is not among the development data")
    options = {"size": "256", "device": "cpu", "save": ("movement",), "span": FrameSpan(0, 19)}
    assert parse_all([str(source)], tmp_path / "out", options, progress="none") == 0
    with (tmp_path / "out" / "juggling" / "movement.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == 20
    assert not any(row["swapped"] for row in rows)
    assert sum(bool(row["r_knee_deg"]) for row in rows) > 10
