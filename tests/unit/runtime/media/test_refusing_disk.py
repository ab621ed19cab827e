"""A disk that refuses at any byte: the process lives, and what the message says is saved plays."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

#: Prints (limit of the file's size, words, frames that decode) of each attempt; may die of it.
#: A negative limit is counted from the size of the whole file.
ATTEMPTS = """
import json, resource, sys
from pathlib import Path
import numpy as np
from runtime.media.clips import Clip
from runtime.media.recorder import Recorder
from runtime.media.sound import SoundTrack
from runtime.media.writing import VideoWriter
from runtime.frames import Frame, FrameResult
from runtime.system.errors import Refusal
from runtime.system.notices import Notices

kind, folder, limits = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
pictures = np.random.default_rng(0).integers(0, 255, (90, 96, 160, 4), dtype=np.uint8)
whole = resource.getrlimit(resource.RLIMIT_FSIZE)[1]

def decoded(path):
    try:
        with Clip(path) as clip:
            return len(list(clip.frames()))
    except Refusal:
        return 0

def write(path):
    alpha = kind != "mp4"
    try:
        sound = SoundTrack(folder / "sound.mp4", 0.0)
        with VideoWriter(path, (160, 96), 25, alpha=alpha, sound=sound) as writer:
            for i, picture in enumerate(pictures):
                writer.write(picture if alpha else picture[..., :3], i / 25)
        return ""
    except Refusal as e:
        return str(e)

def record(path):
    notices = Notices(lambda: None)
    recorder = Recorder(path, lambda p: p.frame.image, notices, 25.0)
    recorder.start()
    for i, picture in enumerate(pictures):
        while recorder.is_alive() and recorder._queue.full():
            pass
        recorder.offer(FrameResult(Frame(picture[..., :3], i, i / 25, i / 25), None, 0, 0.0))
    recorder.finish()
    recorder.join(30)
    return notices.drain()[-1].text

suffix = kind if kind != "recorder" else "mp4"
(record if kind == "recorder" else write)(folder / f"whole.{suffix}")
size = (folder / f"whole.{suffix}").stat().st_size
for limit in limits:
    path = folder / f"{limit}.{suffix}"
    limit = limit if limit >= 0 else size + limit
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, whole))
    words = record(path) if kind == "recorder" else write(path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (whole, whole))
    print(json.dumps([limit, words, decoded(path)]), flush=True)
"""

LIMITS = {
    "mp4": [0, 100, 4_000, 40_000, 110_000, 175_000, 400_000, -1_200, -400, -1],
    "mov": [0, 100, 4_000, 40_000, 400_000, 4_000_000, -1_200, -1],
    "webm": [0, 100, 4_000, 40_000, 400_000, -1],
    "recorder": [0, 100, 4_000, 40_000, 110_000, 400_000, -1],
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", LIMITS)
def test_c04_what_is_said_to_be_saved_plays(tmp_path: Path, kind: str) -> None:
    from tests.drawn_media import draw_clip

    draw_clip(tmp_path / "sound.mp4", 90, sound=True)
    done = subprocess.run(
        [sys.executable, "-c", ATTEMPTS, kind, str(tmp_path), json.dumps(LIMITS[kind])],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    attempts = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(attempts) == len(LIMITS[kind])
    for _, words, decoded in attempts:
        assert "the largest size this disk allows" in words
        said = int(words.split("the first ")[1].split()[0]) if "saved and play" in words else 0
        assert decoded - 1 <= said <= decoded  # a frame whose end is missing may still be shown in part
    assert attempts[-1][2] >= 88


FULL = """
import sys
from runtime.media.writing import VideoWriter
from runtime.system.errors import Refusal
from tests.drawn_media import picture
import numpy as np
for path in sys.argv[1:]:
    alpha = not path.endswith("mp4")
    try:
        with VideoWriter(path, (96, 64), alpha=alpha) as writer:
            for i in range(60):
                writer.write(np.dstack([picture(i), picture(i)[..., :1]]) if alpha else picture(i), i / 25)
    except Refusal as e:
        print(e)
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
def test_c04_a_full_disk_from_the_first_byte_on(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.mp4", "a.mov", "a.webm")]
    for path in paths:
        path.symlink_to("/dev/full")
    done = subprocess.run([sys.executable, "-c", FULL, *paths], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    for line, path in zip(lines, paths, strict=True):
        assert line.startswith(f"{path.name}: the disk is full. Make room")
