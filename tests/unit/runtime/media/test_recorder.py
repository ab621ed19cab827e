"""Recordings that play, drop pictures rather than hold up the view, and stop before the disk is full."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest

from runtime.frames import Frame, FrameResult
from runtime.media import recorder as module
from runtime.media import video_file
from runtime.media.clips import Clip
from runtime.media.recorder import Recorder, fit, free_name, save_snapshot
from runtime.system.notices import Level, Notices


def parsed(index: int, size: tuple[int, int] = (64, 48)) -> FrameResult:
    image = np.full((size[1], size[0], 3), index * 5 % 256, np.uint8)
    return FrameResult(Frame(image, index, index / 25, 100 + index / 25), None, 0, 0.0)


def pictures_in(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(f.pts * f.time_base) for f in container.decode(video=0)]


@pytest.fixture
def notices() -> Notices:
    return Notices(lambda: None)


def record(path: Path, notices: Notices, results, render=lambda p: p.frame.image) -> Recorder:
    recorder = Recorder(path, render, notices, 25.0)
    recorder.start()
    for result in results:
        while recorder._queue.full():
            time.sleep(0.005)
        recorder.offer(result)
    recorder.finish()
    recorder.join(20)
    assert not recorder.is_alive()
    return recorder


def test_what_was_watched_is_in_the_file_at_its_times(tmp_path, notices) -> None:
    path = tmp_path / "clip.mp4"
    recorder = record(path, notices, [parsed(i) for i in (0, 1, 2, 5, 9)])
    assert pictures_in(path) == pytest.approx([0, 0.04, 0.08, 0.2, 0.36], abs=1e-3)
    assert (recorder.written, recorder.dropped, recorder.open) == (5, 0, False)
    assert str(path) in notices.drain()[-1].text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600  # J04: it shows people


def test_a_picture_of_another_size_does_not_end_the_recording(tmp_path, notices) -> None:
    path = tmp_path / "clip.mp4"
    record(path, notices, [parsed(0), parsed(1, (33, 71)), parsed(2)])
    assert len(pictures_in(path)) == 3


def test_an_encoder_that_is_too_slow_drops_and_never_blocks(tmp_path, notices) -> None:
    """C08."""

    def slowly(result: FrameResult):
        time.sleep(0.1)
        return result.frame.image

    recorder = Recorder(tmp_path / "clip.mp4", slowly, notices, 25.0)
    recorder.start()
    began = time.monotonic()
    for i in range(60):
        recorder.offer(parsed(i))
    assert time.monotonic() - began < 3.0  # half of what the pictures take
    recorder.finish()
    recorder.join(20)
    assert recorder.dropped >= 40
    assert recorder.written + recorder.dropped == 60
    assert "left out" in notices.drain()[-1].text


def test_c02_what_was_synced_plays_after_a_power_cut(tmp_path, notices, monkeypatch) -> None:
    """All that is lost at worst is what came after the last sync: the file is cut off there."""
    path = tmp_path / "clip.mp4"
    synced: list[bytes] = []
    sync = os.fsync

    def noting(descriptor: int) -> None:
        sync(descriptor)
        if os.fstat(descriptor).st_ino == path.stat().st_ino:
            synced.append(path.read_bytes())

    monkeypatch.setattr(os, "fsync", noting)
    monkeypatch.setattr(video_file, "_SYNC_S", 0.02)
    record(path, notices, [parsed(i) for i in range(200)])
    # whole fragments: the last one in a file may be half written when the file is synced
    lasting = [data for data in synced if data.count(b"moof") > 1]
    assert len(lasting) >= 3
    for data in lasting:
        path.write_bytes(data)
        with Clip(path) as clip:
            shown = len(list(clip.frames()))
        assert shown >= 12
    assert shown > 100


OUTGROWN = """
import resource, sys
from pathlib import Path
import numpy as np
from runtime.frames import Frame, FrameResult
from runtime.media import recorder
from runtime.media.clips import Clip
from runtime.system.notices import Notices
recorder.OUTGROWN_BYTES = 100_000
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
noise = np.random.default_rng(0).integers(0, 255, (90, 96, 160, 3), dtype=np.uint8)
notices = Notices(lambda: None)
path = Path(sys.argv[1]) / "a.mp4"
recording = recorder.Recorder(path, lambda p: p.frame.image, notices, 25.0)
recording.start()
for i, picture in enumerate(noise):
    while recording.is_alive() and recording._queue.full():
        pass
    recording.offer(FrameResult(Frame(picture, i, i / 25, i / 25), None, 0, 0.0))
recording.finish()
recording.join(30)
for notice in notices.drain():
    print(notice.text)
"""


def test_c06_where_no_larger_file_is_allowed_it_goes_on_in_the_next(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OUTGROWN, str(tmp_path)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    files = sorted(tmp_path.iterdir(), key=lambda p: (len(p.name), p.name))
    assert [p.name for p in files][:3] == ["a.mp4", "a (2).mp4", "a (3).mp4"]
    shown = []
    for path in files:
        with Clip(path) as clip:
            shown.append(len(list(clip.frames())))
    assert min(shown[:-1]) > 10
    assert 90 - 13 * (len(files) - 1) <= sum(shown) <= 90  # half a second of 25 a second at each end
    assert "a.mp4 is as large as this disk allows; the recording goes on in a (2).mp4." in done.stdout


def test_c05_an_existing_file_is_never_replaced(tmp_path, notices) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"precious")
    record(path, notices, [parsed(0)])
    assert path.read_bytes() == b"precious"
    assert notices.drain()[-1].level is Level.ERROR
    assert free_name(tmp_path, "clip", ".mp4").name == "clip (2).mp4"


def test_recording_does_not_start_on_a_full_disk(tmp_path, notices, monkeypatch) -> None:
    monkeypatch.setattr(module, "FREE_BYTES", 1 << 60)
    record(tmp_path / "clip.mp4", notices, [parsed(0)])
    assert "are free" in notices.drain()[-1].text
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_is_told(tmp_path, notices) -> None:
    record(tmp_path / "gone" / "clip.mp4", notices, [parsed(0)])
    notice = notices.drain()[-1]
    assert notice.level is Level.ERROR
    assert "gone" in notice.text


def test_a_painter_that_fails_ends_the_recording_and_keeps_the_file(tmp_path, notices) -> None:
    def fails_later(result: FrameResult):
        if result.frame.index == 3:
            raise ZeroDivisionError
        return result.frame.image

    path = tmp_path / "clip.mp4"
    record(path, notices, [parsed(i) for i in range(4)], fails_later)
    assert len(pictures_in(path)) == 3
    assert notices.drain()[-1].level is Level.ERROR


def test_many_short_recordings_all_play(tmp_path, notices) -> None:
    """C09, ten of the two hundred."""
    for number in range(10):
        path = tmp_path / f"{number}.mp4"
        record(path, notices, [parsed(i) for i in range(number % 3 + 1)])
        assert len(pictures_in(path)) == number % 3 + 1


def test_nothing_to_record_leaves_nothing(tmp_path, notices) -> None:
    record(tmp_path / "clip.mp4", notices, [])
    assert list(tmp_path.iterdir()) == []


def test_a_snapshot_is_exact_and_private(tmp_path) -> None:
    from PIL import Image

    picture = np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8)
    path = save_snapshot(picture, tmp_path / "s.png")
    assert (np.array(Image.open(path)) == picture).all()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("size", [(64, 48), (10, 100), (300, 2), (1, 1)])
def test_fit_fills_the_canvas_exactly(size) -> None:
    out = fit(np.full((size[1], size[0], 3), 255, np.uint8), (64, 48))
    assert out.shape == (48, 64, 3)
    assert out.max() == 255
