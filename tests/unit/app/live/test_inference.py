"""Parsing the newest frame: swaps without a torn or lost frame, faults that cost a frame and no more."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from app.live import inference as module
from app.live.inference import Inference, Work
from app.live.pipeline import Pipeline
from models.results import Result
from runtime.engine.sessions import NoResultError
from runtime.engine.temporal import Smoother
from runtime.frames import Frame, FrameResult
from runtime.system.latest import Latest
from runtime.system.notices import Notices
from tests.unit.runtime.tracking.scenes import person


class Results(Latest[FrameResult]):
    """A mailbox that also remembers everything put into it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[FrameResult] = []

    def put(self, value: FrameResult) -> None:
        self.seen.append(value)
        super().put(value)


class Bench:
    """An inference thread between two mailboxes."""

    def __init__(self) -> None:
        self.frames: Latest[Frame] = Latest()
        self.results = Results()
        self.notices = Notices(lambda: None)
        self.inference = Inference(self.frames, self.results, self.notices)
        self._index = 0

    def give(self, pts_s: float | None = None) -> None:
        index, self._index = self._index, self._index + 1
        image = np.zeros((32, 32, 3), np.uint8)
        self.frames.put(Frame(image, index, index / 25 if pts_s is None else pts_s, time.monotonic()))

    def words(self) -> list[str]:
        return [n.text for n in self.notices.drain()]


@pytest.fixture
def bench():
    made = Bench()
    made.inference.start()
    yield made
    made.frames.close()
    made.inference.join(5)
    assert not made.inference.is_alive()


def one(bench: Bench, until) -> FrameResult:
    before = len(bench.results.seen)
    bench.give()
    until(lambda: len(bench.results.seen) > before, "a result")
    return bench.results.seen[-1]


def test_without_an_engine_the_picture_goes_on_alone(bench, until) -> None:
    parsed = one(bench, until)
    assert (parsed.parsing, parsed.engine_id, parsed.notice) == (None, 0, "")


def test_a_result_belongs_to_its_own_frame_and_engine(bench, tiny, until) -> None:
    for tag in (3, 7):
        bench.inference.engine = engine = tiny(tag)
        parsed = one(bench, until)
        assert parsed.engine_id == engine.id
        assert set(np.unique(parsed.parsing.labels)) == {tag}
        assert parsed.parsing.size == parsed.frame.size


class Crowd:
    """A parser that finds two people who walk."""

    id, name, notice = 1, "crowd", ""

    def expected_s(self, frame: Frame, *, first: bool = False) -> float:
        return 0.01

    def parse(self, frame: Frame, smoothing: Smoother | None = None) -> Result:
        return Result(people=(person(100 + frame.index), person(400 - frame.index)))


def test_people_have_numbers_that_begin_at_one_with_every_source(bench, until) -> None:
    bench.inference.engine = Crowd()
    for source in (1, 2):
        for i in range(3):
            before = len(bench.results.seen)
            bench.frames.put(Frame(np.zeros((360, 640, 3), np.uint8), i, i / 25, time.monotonic(), source))
            until(lambda n=before: len(bench.results.seen) > n, "a result")
    assert [[p.track_id for p in r.result.people] for r in bench.results.seen] == [[1, 2]] * 6


def test_the_thread_that_takes_the_place_of_a_stuck_one_knows_who_was_there() -> None:
    pipeline = Pipeline(lambda: None)

    def numbers(i: int) -> list[int | None]:
        frame = Frame(np.zeros((360, 640, 3), np.uint8), i, i / 25, 0.0, 1)
        found = Result(people=tuple(person(x) for x in (100, 300, 500)[: i + 1]))
        return [p.track_id for p in pipeline._inference.tracker.track(frame, found).people]

    assert [numbers(0), numbers(1)] == [[1], [1, 2]]
    stuck = pipeline._inference
    stuck.work = Work(Crowd(), -1.0)
    assert pipeline.give_up_stuck() is stuck.work.engine
    assert pipeline._inference is not stuck
    assert numbers(2) == [1, 2, 3]
    assert pipeline.stop() == []


def test_one_bad_frame_is_told_once_and_withdrawn_when_all_is_well(bench, tiny, until) -> None:
    """G03."""
    bench.inference.engine = tiny(fault=lambda i: ValueError("bad axis") if i == 1 else None)
    notices = []
    for _ in range(4):
        parsed = one(bench, until)
        notices.append(bool(parsed.notice))
        assert (parsed.parsing is None) == bool(parsed.notice)
    assert notices == [False, True, False, False]
    assert [bool(w) for w in bench.words()] == [True, False]


def test_a_fault_in_every_frame_is_not_told_in_every_frame(bench, tiny, until) -> None:
    bench.inference.engine = tiny(fault=lambda i: ValueError(f"frame {i}"))
    for _ in range(50):
        assert one(bench, until).parsing is None
    assert len(bench.words()) == 1
    assert bench.inference.is_alive()


def test_an_unexpected_fault_has_its_trace_behind_the_fold(bench, tiny, until, monkeypatch) -> None:
    monkeypatch.setattr(module, "FAULT_EVERY_S", 0.0)
    bench.inference.engine = tiny(fault=lambda _i: ZeroDivisionError("oops"))
    one(bench, until)
    (notice,) = bench.notices.drain()
    assert "ZeroDivisionError" in notice.details
    bench.inference.engine = tiny(fault=lambda _i: NoResultError("head failed"))
    one(bench, until)
    assert [n.details for n in bench.notices.drain() if n.text] == [""]


def test_the_words_of_an_engine_reach_the_banner(bench, tiny, until) -> None:
    bench.inference.engine = tiny(notice="head failed 3 times and was rebuilt on CPU")
    for _ in range(3):
        assert one(bench, until).parsing is not None
    assert bench.words() == ["tiny: head failed 3 times and was rebuilt on CPU"]


class RecordingSmoother(Smoother):
    resets = 0

    def reset(self) -> None:
        type(self).resets += 1
        super().reset()


def test_smoothing_forgets_at_a_cut_and_only_there(bench, tiny, until) -> None:
    bench.inference._smoother = RecordingSmoother()
    RecordingSmoother.resets = 0
    bench.inference.engine = tiny()

    def resets_after(pts_s: float) -> int:
        before = len(bench.results.seen)
        bench.give(pts_s)
        until(lambda: len(bench.results.seen) > before, "a result")
        return RecordingSmoother.resets

    assert resets_after(0.0) == 0 + RecordingSmoother.resets
    base = RecordingSmoother.resets
    assert [resets_after(t) - base for t in (0.04, 0.08, 0.3)] == [0, 0, 0]
    assert resets_after(5.0) - base == 1  # a jump
    assert resets_after(1.0) - base == 2  # back
    bench.inference.engine = tiny()
    assert resets_after(1.04) - base == 3  # another engine


def test_a_thousand_swaps_under_load_tear_no_frame(bench, real_engine, until) -> None:
    """G10, with the real engine: every result is of one engine as a whole, frames never go back."""

    class Everywhere:
        """Says that the person is everywhere, or nowhere."""

        sessions = ()

        def __init__(self, value: int) -> None:
            self.name = f"all {value}"
            self.value = value

        def person(self, request):
            width, height = request.letterbox.content
            return request.answer(np.full((height, width), self.value, np.uint8))

        def reset(self) -> None:
            pass

    engines = [real_engine.with_factor(Everywhere(v)) for v in (0, 255)]
    expected = {e.id: v for e, v in zip(engines, (0, 255), strict=True)}
    bench.inference.smooth = False
    done = threading.Event()

    def camera() -> None:
        while not done.is_set():
            bench.give()
            time.sleep(0.001)

    feeding = threading.Thread(target=camera)
    feeding.start()
    try:
        for swap in range(1000):
            bench.inference.engine = engines[swap % 2]
            time.sleep(0.0005)
        until(lambda: len(bench.results.seen) > 30, "results")
    finally:
        done.set()
        feeding.join()
    parsed = [p for p in bench.results.seen if p.engine_id]
    assert {p.engine_id for p in parsed} == set(expected)
    for p in parsed:
        assert not p.notice
        assert set(np.unique(p.parsing.person)) == {expected[p.engine_id]}
    indices = [p.frame.index for p in bench.results.seen]
    assert indices == sorted(set(indices))
    assert bench.words() == []


def test_sessions_that_fail_are_rebuilt_while_the_picture_goes_on(bench, real_engine, until) -> None:
    """G04: three failures, a rebuild, and parts come back; every frame was shown meanwhile."""
    head = real_engine.stages.head
    good = head._session

    class Broken:
        def run(self, *_):
            raise RuntimeError("device lost")

    bench.inference.engine = real_engine
    head._session = Broken()
    try:
        shown = [one(bench, until) for _ in range(5)]
    finally:
        head._session = good if isinstance(head._session, Broken) else head._session
        words = bench.words()
        head.notice, head.rebuilds = "", 0
    assert [p.parsing is None for p in shown] == [True, True, True, False, False]
    assert "device lost" in words[0]
    assert any("rebuilt" in w for w in words)


def test_a_thread_given_up_takes_no_frame_and_leaves_no_snapshot_waiting(tiny, monkeypatch, until) -> None:
    begun, go = threading.Event(), threading.Event()

    def endless(engine: object, before: object, shown: FrameResult) -> FrameResult:
        begun.set()
        go.wait(20)
        return shown

    monkeypatch.setattr(module, "Engine", tiny)
    monkeypatch.setattr(module, "can_be_refined", lambda engine, _: engine is not None)
    monkeypatch.setattr(module, "refined", endless)
    pipeline = Pipeline(lambda: None)
    pipeline.start()
    pipeline.use(tiny())
    shown = FrameResult(Frame(np.zeros((32, 32, 3), np.uint8), 0, 0.0, 0.0), None, 1, 0.0)
    _, second = pipeline.refined(shown), pipeline.refined(shown)
    assert begun.wait(5)
    stuck = pipeline._inference
    stuck.work = Work(tiny(), -1.0)
    assert pipeline.give_up_stuck() is stuck.work.engine
    assert second.result(5) is shown
    go.set()
    stuck.join(5)
    assert not stuck.is_alive(), "it would take the next frame"
    assert pipeline.stop() == []
