"""`xfactor bench`: every step has a number, and the sums are right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.commands import bench
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
