"""Steps of the phases that need no network: which labels, what is kept and what is told."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from personalize.job import PersonalizationJob, PersonChoice
from personalize.messages import PhaseProgress, decode
from personalize.worker import candidate, reporter
from personalize.worker.candidate import FACTOR, REPORT
from personalize.worker.cuts import silhouette
from personalize.worker.evidence import judged_frames
from personalize.worker.finetune import grid_labels, useful_frames
from personalize.worker.links import shot_in_use
from personalize.worker.person import _region, refuse_outside
from personalize.worker.results import Results, digest
from runtime.system.errors import Refusal


def job(**changes: object) -> PersonalizationJob:
    return PersonalizationJob(Path("clip.mp4"), "ann", Path("model"), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("judged", "count", "frames"),
    [
        (range(5, 85, 10), 100, [5, 15, 25, 35, 45, 55, 65, 75]),
        (range(5, 95, 10), 100, [5, 9, 25, 45, 65, 85]),
        ([1], 3, [0, 1, 2]),
        ([2], 12, [1, 2, 3, 5, 7, 9]),
        ([5], 100, [5, 9, 27, 45, 63, 81]),
    ],
)
def test_frames_that_are_judged_are_few_and_spread(judged: list[int], count: int, frames: list[int]) -> None:
    assert judged_frames([*judged], count) == frames


def test_frames_are_useful_with_enough_of_both() -> None:
    codes = np.zeros((5, 40, 50), np.uint8)
    for code, pixels in zip(codes, (9, 10, 1800, 1801, 0), strict=True):
        code.ravel()[:pixels] = 1
        code.ravel()[-20:] = 255
    assert useful_frames(codes) == [1, 2]


def test_a_sample_is_what_most_of_its_known_part_is() -> None:
    codes = np.zeros((1, 16, 16), np.uint8)  # 2 x 2 pixels a sample, of a grid of 2 x 2 cells
    codes[0, :2, :8] = [[1, 1, 1, 1, 1, 0, 255, 255], [1, 1, 1, 0, 1, 0, 1, 0]]
    codes[0, 2:4, :4] = [[255, 1, 255, 255], [1, 0, 1, 255]]
    expected = np.zeros((1, 8, 8), np.uint8)
    expected[0, 0, :4], expected[0, 1, :2] = [1, 1, 0, 255], [1, 255]
    np.testing.assert_array_equal(grid_labels(codes, (2, 2)), expected)
    assert grid_labels(np.zeros((3, 8, 8), np.uint8), (3, 2)).shape == (3, 8, 12)


def test_a_region_has_the_colours_of_its_thirds() -> None:
    image = np.zeros((9, 4, 3), np.uint8)
    image[:3], image[3:6], image[6:] = (10, 0, 0), (0, 20, 0), (0, 0, 30)
    mask = np.zeros((9, 4), bool)
    mask[:, 1:] = True
    seen = _region(image, mask)
    np.testing.assert_array_equal(seen.colours, [(10, 0, 0), (0, 20, 0), (0, 0, 30)])
    np.testing.assert_array_equal(seen.points, [(2, 4)])
    assert (seen.size, seen.score) == (np.sqrt(27), 1.0)


@pytest.mark.parametrize(
    ("choice", "around", "refused"),
    [
        (None, None, ""),
        (PersonChoice(), None, ""),
        (PersonChoice((0, 0), 10), None, ""),
        (PersonChoice((319.5, 179.5), 19), None, ""),
        (PersonChoice((1, 1)), None, ""),
        (PersonChoice((1, 1)), 99, ""),
        (PersonChoice((1, 1), 9), None, "frame 9: frames 10 to 19 are learned from, and it is none of them"),
        (PersonChoice((1, 1), 20), None, "frame 20: frames 10 to 19 are learned from"),
        (PersonChoice((320, 1), 10), None, "point 320,1: the picture has 320x180 pixels"),
        (
            PersonChoice((1, 180)),
            0,
            "point 1,180: the picture has 320x180 pixels. Give a point from 0,0 to 319,179",
        ),
        (PersonChoice((-0.5, 1)), None, "point -0.5,1: the picture has 320x180 pixels"),
        (PersonChoice((1, -0.5)), None, "point 1,-0.5: the picture has 320x180 pixels"),
    ],
)
def test_a_point_has_to_be_in_a_frame_that_is_read(
    choice: PersonChoice | None, around: int | None, refused: str
) -> None:
    reading = {"first": 10, "size": (320, 180)}
    context = SimpleNamespace(job=job(person=choice, around=around), facts={"reading": reading}, frames=10)
    if not refused:
        refuse_outside(context)  # type: ignore[arg-type]
    else:
        with pytest.raises(Refusal) as e:
            refuse_outside(context)  # type: ignore[arg-type]
        assert str(e.value).startswith(refused)


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


@pytest.mark.parametrize(("text", "stops"), [("go\nstop \n", True), ("stopp\n", False), ("", False)])
def test_orders_are_a_line_and_the_end(text: str, stops: bool) -> None:
    orders = reporter.Orders(io.StringIO(text))
    assert orders.cancel.wait(10)
    assert orders.stop.is_set() is stops


def test_only_what_is_nearly_sure_is_learned_from_where_nothing_is_cut() -> None:
    person = np.array([[0.1, 0.21, 0.5, 0.79, 0.9]], np.float32)
    codes, notice = silhouette(np.zeros((1, 5, 3), np.uint8), person, "none")
    assert (codes.tolist(), notice) == ([[0, 255, 255, 255, 1]], "")


def test_where_what_was_propagated_contradicts_the_cut_or_says_nothing_is_doubt() -> None:
    """A white half is the person: by their colours a cut takes the patches with it."""
    image = np.zeros((60, 80, 3), np.uint8)
    image[:, 40:] = 255
    person = np.where(image[..., 0] > 0, 0.95, 0.05).astype(np.float32)
    patches = [np.s_[8 + 12 * i : 12 + 12 * i] for i in range(4)]
    for rows, odds in zip(patches, (0.25, 0.35, 0.46, 0.54), strict=True):
        person[rows, 50:54], person[rows, 20:24] = odds, 1 - odds
    cut = (image[..., 0] > 0).astype(np.uint8)
    for method in ("graphcut", "grabcut"):
        codes, notice = silhouette(image, person, method)
        assert notice == ""
        np.testing.assert_array_equal(codes, cut)
    codes, _ = silhouette(image, person, "tree")
    assert [set(codes[rows, 50:54].ravel().tolist()) for rows in patches] == [{255}, {1}, {255}, {255}]
    assert [set(codes[rows, 20:24].ravel().tolist()) for rows in patches] == [{255}, {0}, {255}, {255}]
    assert (codes == 255).sum() == 6 * 16


@pytest.mark.parametrize("person", [None, {"words": "at 3,4"}])
def test_the_report_names_the_frames_in_use_and_what_was_measured(tmp_path: Path, person: object) -> None:
    took = {"wall_s": 2.5, "cpu_s": 1.5}
    facts: dict[str, dict[str, object]] = {
        "seeds": {"person": person, **took},
        "learning": {"epoch": 3, "losses": [0.5, 0.25], **took},
        "checking": {"sha256": "ab", "accepted": False, "reason": "Worse.", "regression": 0.5, **took},
    }
    context = SimpleNamespace(facts=facts, first_frame=40, span=slice(10, 25), folder=tmp_path)
    finished = candidate.done(context)  # type: ignore[arg-type]
    assert (finished.path, finished.sha256, finished.accepted) == (str(tmp_path / FACTOR), "ab", False)
    assert finished.report == {
        "reason": "Worse.",
        "regression": 0.5,
        "accepted": False,
        "frames": 15,
        "window": [40, 54],
        **({"person": person} if person else {}),
        "epoch": 3,
        "losses": [0.5, 0.25],
        "seconds": dict.fromkeys(facts, 2.5),
        "cpu_seconds": dict.fromkeys(facts, 1.5),
    }
    assert json.loads((tmp_path / REPORT).read_bytes()) == finished.report


@pytest.mark.parametrize(
    ("changes", "shot"),
    [
        ({}, (10, 40)),
        ({"around": 109}, (0, 10)),
        ({"around": 110}, (10, 40)),
        ({"around": 3}, (0, 10)),
        ({"around": 999}, (40, 60)),
        ({"first": 100, "last": 159}, (10, 40)),
    ],
)
def test_one_shot_is_learned_from(changes: dict[str, int], shot: tuple[int, int]) -> None:
    """Frames 100 to 159 of a clip, cut before 110 and 140."""
    assert shot_in_use(job(**changes), 100, 60, [10, 40]) == shot
