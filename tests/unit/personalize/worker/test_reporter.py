"""What a worker keeps of its phases, and what it tells of them."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from personalize.messages import PhaseProgress, decode
from personalize.worker import reporter
from personalize.worker.results import Results, digest


def test_what_a_phase_found_holds_for_its_key_until_it_begins_again(tmp_path: Path) -> None:
    results = Results(tmp_path)
    assert results.facts("seeds", "a") is None
    results.finish("seeds", "a", {"frames": 3})
    assert (results.facts("seeds", "a"), results.facts("seeds", "b")) == ({"frames": 3}, None)
    results.begin("seeds")
    results.begin("seeds")
    assert results.facts("seeds", "a") is None
    for damaged in ("[1]", "{", '{"key": "a", "facts": 3}', '{"key": "a"}'):
        (results.folder / "seeds.json").write_text(damaged)
        assert results.facts("seeds", "a") is None
    assert digest([1, {"a": 2, "b": 3}]) == digest((1, {"b": 3, "a": 2})) != digest([1, 2])
    assert len(digest([])) == 32


def test_an_array_has_its_name_once_it_is_filled(tmp_path: Path) -> None:
    results = Results(tmp_path)
    filled = results.new("masks", (2, 3), np.uint8)
    path = results.folder / "masks.npy.part"
    assert (path.stat().st_mode & 0o777, path.stat().st_blocks > 0) == (0o600, True)
    filled[:] = [[1, 2, 3], [4, 5, 6]]
    with pytest.raises(FileNotFoundError):
        results.array("masks")
    results.keep("masks", filled)
    results.keep("more", np.arange(6).reshape(2, 3).T)
    results.new("left", (1,), np.float32)
    for again in (results, Results(tmp_path)):
        np.testing.assert_array_equal(again.array("masks"), [[1, 2, 3], [4, 5, 6]])
        np.testing.assert_array_equal(again.array("more"), [[0, 3], [1, 4], [2, 5]])
    assert sorted(p.name for p in results.folder.iterdir()) == ["masks.npy", "more.npy"]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(reporter, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_progress_is_told_four_times_a_second_with_the_time_left(tmp_path: Path, clock: list[float]) -> None:
    """Of seeds that usually take 9.5 s and links that take twice their 6.6 s."""
    out = io.StringIO()
    told = reporter.Reporter(tmp_path, out, reporter.Orders(None), 60)
    told.expect("seeds", 1.0)
    told.expect("links", 2.0)
    for at_s, phase, done, total in (
        (100.0, "seeds", 0, 10), (100.2, "seeds", 1, 10), (100.25, "seeds", 2, 10), (101.9, "seeds", 4, 10),
        (104.0, "seeds", 5, 10), (109.5, "links", 0, 3), (109.6, "links", 1, 3), (109.6, "links", 3, 3),
    ):  # fmt: skip
        clock[0] = at_s
        told.begin(phase)
        told.progress(done, total)
    told.close()
    assert [decode(line) for line in out.getvalue().splitlines()] == [
        PhaseProgress("seeds", 0, 10),
        PhaseProgress("seeds", 2, 10),
        PhaseProgress("seeds", 4, 10),
        PhaseProgress("seeds", 5, 10, 15.1),
        PhaseProgress("links", 0, 3, 13.2),
        PhaseProgress("links", 3, 3, 0.0),
    ]
    log = tmp_path / reporter.LOG
    assert (log.read_text(), log.stat().st_mode & 0o777) == (out.getvalue(), 0o600)


def test_work_ends_at_its_limit_or_when_nobody_listens(tmp_path: Path, clock: list[float]) -> None:
    orders, out = reporter.Orders(None), io.StringIO()
    told = reporter.Reporter(tmp_path, out, orders, 60)
    clock[0] = 160.0
    told.check()
    clock[0] = 160.1
    with pytest.raises(reporter.LimitError, match=r"^it took longer than 60 s$"):
        told.progress(1, 2)
    out.close()
    told.notice("anybody?")
    with pytest.raises(reporter.CancelledError):
        told.check()
    assert not told.stop_early
    orders.stop.set()
    assert told.stop_early
    told.close()


@pytest.mark.parametrize(
    ("text", "stops"), [("go\nstop \n", True), ("go\n", False), ("stopp\n", False), ("", False)]
)
def test_orders_are_a_line_and_the_end(text: str, stops: bool) -> None:
    orders = reporter.Orders(io.StringIO(text))
    assert orders.cancel.wait(10)
    assert orders.stop.is_set() is stops
