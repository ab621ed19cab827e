"""Links between frames, the shot in use, and what is expected of the work ahead."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from personalize.correspondence import match_window
from personalize.job import PersonChoice
from personalize.messages import PhaseProgress, WorkerNotice, decode
from personalize.phases import PHASES
from personalize.worker import links, phases
from personalize.worker.context import Context
from personalize.worker.reporter import CancelledError, Orders, Reporter
from runtime.system.errors import Refusal
from tests.person_clip import write_clip
from tests.personalising import context_of, job_for, told


def scene(seed: int, count: int) -> list[np.ndarray]:
    """Frames in which a pattern moves to the right by a pixel each."""
    picture = np.random.default_rng(seed).integers(60 * seed, 60 * seed + 60, (12, 16, 3)).astype(np.uint8)
    return [np.roll(picture, k, axis=1) for k in range(count)]


@pytest.fixture
def clip(tmp_path: Path):
    """Call with frames and the changes of a job: the first of them is frame 100 of the clip."""
    every: list[Context] = []

    def context(frames: list[np.ndarray], **changes) -> Context:
        reading = {"first": 100, "frames": len(frames)}
        job = job_for(tmp_path / "clip.mp4", **changes)
        made = context_of(job, tmp_path, (64, 40), reading=reading, seeds={"nobody": "", "person": {}})
        made.results.keep("small", np.stack([*frames, frames[0]]))  # one more was expected, and not read
        every.append(made)
        return made

    yield context
    for made in every:
        made.reporter.close()


def test_one_shot_is_linked_from_end_to_end(clip) -> None:
    frames = scene(0, 4)
    context = clip(frames, first=100, last=103)
    assert links.needs(context) == [True]
    assert links.run(context) == {"span": [0, 4]}
    expected = match_window(frames)
    np.testing.assert_array_equal(context.results.array("earlier"), expected.earlier)
    np.testing.assert_array_equal(context.results.array("later"), expected.later)
    context.facts["links"] = {"span": [0, 4]}
    found = links.correspondence(context)
    assert found.size == (12, 16)
    np.testing.assert_array_equal(found.earlier, expected.earlier)
    np.testing.assert_array_equal(found.later, expected.later)
    events = told(context)
    assert [(e.done, e.total) for e in events if isinstance(e, PhaseProgress)][-1] == (3, 3)
    assert not [e for e in events if isinstance(e, WorkerNotice)]


@pytest.mark.parametrize(
    ("changes", "chosen", "span"),
    [
        ({"first": 100, "last": 110}, None, (4, 11)),  # the longest
        ({"around": 101}, None, (0, 4)),
        ({"around": 104}, None, (4, 11)),
        ({"first": 100, "last": 110}, 103, (0, 4)),  # that in which the person was chosen
        ({"around": 108}, 100, (0, 4)),
    ],
)
def test_of_two_shots_one_is_linked_and_told_of(clip, changes, chosen, span) -> None:
    frames = [*scene(0, 4), *scene(3, 7)]
    context = clip(frames, **changes)
    if chosen is not None:
        context.facts["seeds"]["person"] = {"frame": chosen}
    assert links.run(context) == {"span": [*span]}
    expected = match_window(frames)
    for name, targets in (("earlier", expected.earlier), ("later", expected.later)):
        np.testing.assert_array_equal(context.results.array(name), targets[span[0] : span[1] - 1])
    assert [e.text for e in told(context) if isinstance(e, WorkerNotice)] == [
        f"The picture changes abruptly in this range: only frames {100 + span[0]} to {99 + span[1]},"
        " which are one shot, are learned from."
    ]


def test_a_single_frame_has_no_links(clip) -> None:
    context = clip([*scene(0, 1), *scene(3, 7)], around=100)
    assert links.run(context)["span"] == [0, 1]
    assert [context.results.array(name).shape for name in ("earlier", "later")] == [(0, 1), (0, 1)]


def test_other_methods_need_no_links_but_somebody(clip) -> None:
    context = clip(scene(0, 4), method="none", person=PersonChoice((3, 4), 101), around=101)
    assert links.needs(context) == [False, {"at": (3, 4), "frame": 101}, False, 101]
    assert links.run(context) == {"span": [0, 4]}
    context.facts["seeds"]["nobody"] = "Nobody is there. Choose another range."
    with pytest.raises(Refusal, match=r"^the chosen range: nobody is there. Choose another range$"):
        links.run(context)
    assert told(context) == []


@pytest.mark.parametrize(
    ("method", "frames", "expected"),
    [
        ("tree", 301, {"seeds": 1, "links": 1, "propagating": 1, "cuts": 1, "learning": 1}),
        ("none", 301, {"seeds": 1, "links": 0, "propagating": 1, "cuts": 0, "learning": 1}),
        ("graphcut", 602, {"seeds": 2, "links": 0, "propagating": 2, "cuts": 2, "learning": 1.2}),
    ],
)
def test_the_work_ahead_grows_with_the_frames(method: str, frames: int, expected: dict[str, float]) -> None:
    said: dict[str, float] = {}
    context = SimpleNamespace(job=job_for(Path("clip.mp4"), method=method), frames=frames)
    phases._expect(SimpleNamespace(expect=said.__setitem__), context)  # type: ignore[arg-type]
    assert said == expected


class Expecting(Reporter):
    """Notes what is expected of each phase, and cancels as one of them begins."""

    def __init__(self, folder: Path, until: str) -> None:
        self.orders, self.until = Orders(None), until
        self.said: list[tuple[str, float]] = []
        self.began: list[str] = []
        super().__init__(folder, (folder / "out").open("w"), self.orders, 60.0)

    def expect(self, phase: str, share: float) -> None:
        self.said.append((phase, share))
        super().expect(phase, share)

    def begin(self, phase: str) -> None:
        self.began.append(phase)
        super().begin(phase)
        if phase == self.until:
            self.orders.cancel.set()

    def close(self) -> None:
        self._out.close()
        super().close()


def personalised(folder: Path, job, until: str) -> Expecting:
    reporter = Expecting(folder, until)
    try:
        with pytest.raises(CancelledError):
            phases.personalise(folder, job, reporter)
    finally:
        reporter.close()
    return reporter


def test_phases_that_were_done_are_not_expected_again(tmp_path: Path) -> None:
    job = job_for(write_clip(tmp_path / "clip.mp4", [np.full((32, 48, 3), 90, np.uint8)] * 3))
    every = [(name, 1.0) for name in PHASES]
    ahead = dict.fromkeys(("seeds", "links", "propagating", "cuts", "learning"), 3 / 301)
    first = personalised(tmp_path, job, "seeds")
    assert first.said == [*every, *ahead.items()]
    assert first.began == ["reading", "reading", "seeds"]
    record = json.loads((tmp_path / "cache" / "reading.json").read_text())
    assert record["facts"]["frames"] == 3
    assert 0 <= record["facts"]["cpu_s"] <= record["facts"]["wall_s"] + 0.1 < 20
    again = personalised(tmp_path, job, "seeds")
    assert again.said == [*every, ("reading", 0.0), *ahead.items()]
    other = personalised(tmp_path, replace(job, first=0, last=1), "seeds")
    assert other.said == [*every, *((name, 2 / 301) for name in ahead)]
    lines = [decode(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert lines[0] == PhaseProgress("reading", 0, 1)


def test_a_phase_is_timed_and_its_record_kept(clip, monkeypatch) -> None:
    wall, cpu = iter([10.0, 12.346]), iter([3.0, 3.504])
    clocks = SimpleNamespace(monotonic=lambda: next(wall), process_time=lambda: next(cpu))
    monkeypatch.setattr(phases, "time", clocks)
    context = clip(scene(0, 2))
    phase = phases.Phase("reading", (), lambda _: [], lambda _: {"frames": 2})
    assert phases._do(phase, context, "key") == {"frames": 2, "wall_s": 2.35, "cpu_s": 0.5}
    assert context.results.facts("reading", "key") == {"frames": 2, "wall_s": 2.35, "cpu_s": 0.5}
