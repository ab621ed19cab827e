"""Recordings of a process that is killed: they play from the second picture on and lack two seconds at most.

XFACTOR_KILLS sets how many recordings are killed; 200 take two minutes.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runtime.media.clips import Clip
from runtime.system.errors import Refusal
from tests.drawn_media import index_of

RECORDINGS = 8  # of one process, each begun at its own moment and with its own rate
LONGEST_S = 5.0
LOSS_S = 2.0

RECORD = """
import json, sys, threading, time
from pathlib import Path
from runtime.frames import Frame, FrameResult
from runtime.media.recorder import Recorder
from runtime.system.notices import Notices
from tests.drawn_media import picture

def record(path, begin_s, rate):
    time.sleep(begin_s)
    recorder = Recorder(path, lambda p: p.frame.image, Notices(lambda: None), 30.0)  # what the camera claims
    recorder.start()
    began = time.monotonic()
    for i in range(100000):
        time.sleep(max(0.0, began + i / rate - time.monotonic()))
        now = time.monotonic()
        recorder.offer(FrameResult(Frame(picture(i % 256), i, i / rate, now), None, 0, 0.0))
        sys.stdout.write(json.dumps([path.name, i, now]) + chr(10))
        sys.stdout.flush()

for name, begin_s, rate in json.loads(sys.argv[2]):
    threading.Thread(target=record, args=(Path(sys.argv[1]) / name, begin_s, rate)).start()
"""


def killed_at_once(folder: Path, seed: int) -> list[tuple[float, float, float, int]]:
    """Kill a process with several recordings: (length, s, lost at its end, s, rate, pictures offered).

    Lost is what was offered from the first picture that is missing until the kill.
    """
    rng = random.Random(seed)
    end_s = rng.uniform(1.0, LONGEST_S)
    plan = [
        (f"{seed}-{n}.mp4", rng.uniform(0, end_s - 0.1), rng.choice([25.0, 5.0, 5.0, 2.0, 1.0]))
        for n in range(RECORDINGS)
    ]
    offered: dict[str, list[float]] = {name: [] for name, *_ in plan}
    command = [sys.executable, "-c", RECORD, str(folder), json.dumps(plan)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        end_s += time.monotonic()
        while time.monotonic() < end_s:
            lines.append(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        killed_s = time.monotonic()
        lines += process.stdout.read().splitlines()
    for line in lines:
        if line.strip().endswith("]"):
            name, _, at_s = json.loads(line)
            offered[name].append(at_s)
    return [
        (killed_s - times[0], _lost_s(folder / name, times, killed_s), rate, len(times))
        for name, _, rate in plan
        if (times := offered[name])
    ]


def _lost_s(path: Path, times: list[float], killed_s: float) -> float:
    try:
        with Clip(path) as clip:
            frames = list(clip.frames())
    except Refusal:
        return killed_s - times[0]
    assert [index_of(f.image) for f in frames] == [n % 256 for n in range(len(frames))]
    return killed_s - min([*times[len(frames) :], killed_s])


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_c01_a_killed_recording_plays_and_lacks_two_seconds_at_most(tmp_path: Path) -> None:
    count = int(os.environ.get("XFACTOR_KILLS", "8"))
    killed: list[tuple[float, float, float, int]] = []
    for seed in range(count):
        killed += killed_at_once(tmp_path, seed) if len(killed) < count - 2 else []
    lengths, losses, rates, _ = zip(*killed, strict=True)
    unplayable = [(offered, r) for n, lost, r, offered in killed if lost >= n]
    lines = [f"{len(killed)} recordings killed at {min(lengths):.2f} to {max(lengths):.2f} s"]
    for rate in sorted(set(rates)):
        of = sorted(lost for n, lost, r, _ in killed if r == rate and lost < n) or [0.0]
        lines.append(
            f"{rate:g} pictures/s, {len(of)}: lost median {of[len(of) // 2]:.2f}, most {of[-1]:.2f} s"
        )
    lines.append(f"not playable: {[f'{n} pictures at {r:g}/s' for n, r in sorted(unplayable)]}")
    sys.stdout.write("\n  ".join(lines) + "\n")
    assert max(losses) <= LOSS_S
    assert all(offered < 2 + rate / 2 for offered, rate in unplayable)  # half a second for a busy machine
