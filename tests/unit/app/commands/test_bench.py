"""`xfactor bench`: every step has a number, and the sums are right."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from app.commands import bench
from runtime.engine.engine import load_engine
from runtime.engine.source import Request, Silhouette
from runtime.frames import Frame
from runtime.system.paths import models_dir


@pytest.mark.slow
def test_a_short_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "FRAMES", 2)
    monkeypatch.setattr(bench.measure, "__defaults__", ("cpu", 2))
    clip = bench.drawn_clip(tmp_path / "drawn.mp4", 6)
    assert bench.bench(clip, str(models_dir() / "factored-s31"), "cpu", as_json=True) == 0
    said = json.loads(capsys.readouterr().out)
    steps = ("decode", "preprocess", "network", "labels", "paint")
    for pipeline in ("ours", "naive"):
        assert all(said[pipeline][s] > 0 for s in steps)
        assert said[pipeline]["all"] == pytest.approx(sum(said[pipeline][s] for s in steps), abs=0.01)
    assert said["ratio"] == pytest.approx(said["ours"]["all"] / said["naive"]["all"])
    assert said["frames"] == 2
    assert "CPU" in said["provider"]
    assert said["machine"]
    assert "shipped" in said["naive_graph"]  # this test's home has no plain graph, and it says so


def test_the_text_says_where_the_ratio_against_the_plain_graph_comes_from(
    capsys: pytest.CaptureFixture[str],
) -> None:
    steps = dict.fromkeys(("decode", "preprocess", "network", "labels", "paint", "all"), 1.0)
    for graph, told in (("the shipped one", True), (bench.PLAIN, False)):
        bench.show(bench.Timing("m", "p", "c", "96x96", 2, graph, steps, steps))
        assert ("python -m benchmarks.pipeline" in capsys.readouterr().out.replace("\n", " ")) is told


class Counted:
    """A source that answers nobody and counts how often it is asked."""

    name = "counted"
    sessions = ()
    asked = 0

    def person(self, request: Request) -> Silhouette:
        self.asked += 1
        return request.answer(np.zeros((8, 8), np.uint8))

    def reset(self) -> None:
        """Nothing is remembered."""


def test_the_naive_pipeline_runs_the_factor_too() -> None:
    source = Counted()
    engine = load_engine(models_dir() / "factored-s31", device="cpu").with_factor(source)
    naive = bench.Naive(engine)
    naive._plain = None
    watch = bench.Stopwatch(time.process_time)
    naive.run(Frame(np.zeros((64, 64, 3), np.uint8), 0, 0.0, 0.0), watch)
    assert source.asked == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_no_temporary_folder(
    tmp_path: Path, repository: Path, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "bench"], env={**os.environ, "TMPDIR": str(tmp_path)}, cwd=repository,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    end = time.monotonic() + 60
    while not list(tmp_path.glob("xfactor-bench-*")) and time.monotonic() < end:
        time.sleep(0.02)
    assert list(tmp_path.glob("xfactor-bench-*"))
    process.send_signal(number)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + number
    assert told == ("" if number == signal.SIGINT else f"xfactor: ended by {number.name}\n")
    assert not list(tmp_path.glob("xfactor-bench-*"))
