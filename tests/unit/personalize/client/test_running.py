"""Whatever the worker does, a run ends once, in time, with words; the process is gone afterwards (H04)."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.client import job_folders
from personalize.client.supervisor import Ending, Supervisor, Timeouts
from personalize.messages import Finished, FrameSilhouette, PhaseProgress, WorkerNotice, decode, encode
from runtime.system.errors import Refusal
from runtime.system.processes import LineBuffer

SCRIPT = Path(__file__).with_name("scripted_worker.py")
HASTY = Timeouts(back_off_s=0.05, leave_s=0.4, silence_s=20, limit_s=20)
CALM = replace(HASTY, leave_s=20)  # for a worker that is to leave by itself, on a busy machine too
DONE = {"event": "Done", "path": "f.onnx", "sha256": "0" * 64, "accepted": True, "report": {"frames": 3}}
FAILED = {"event": "Failed", "what": "clip x.mp4", "reason": "nobody is in it", "remedy": "Choose another"}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Supervisor]]:
    runs: list[Supervisor] = []

    def begin(*attempts: list[list[object]], patience: Timeouts = HASTY) -> Supervisor:
        (tmp_path / "script.json").write_text(json.dumps(attempts))
        run = Supervisor(tmp_path, lambda: None, command=(sys.executable, str(SCRIPT)), patience=patience)
        runs.append(run)
        run.start()
        return run

    yield begin
    for run in runs:
        run.cancel()
        run.join(20)
        assert not run.is_alive()


def ended(run: Supervisor) -> Supervisor:
    run.join(30)
    assert run.outcome is not None
    return run


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_events_arrive_and_done_counts_with_exit_code_0(start) -> None:
    steps = [
        ["say", {"event": "Progress", "phase": "seeds", "done": 1, "total": 2, "left_s": 3.5}],
        ["say", {"event": "Silhouette", "frame": 7, "path": "a.png"}],
        ["say", {"event": "Invented", "by": "a newer worker"}],
        ["text", "no json\n"],
        ["say", {"event": "Notice", "text": "the camera moves"}],
        ["say", DONE],
        ["exit", 0],
    ]
    run = ended(start(steps))
    assert run.progress == PhaseProgress("seeds", 1, 2, 3.5)
    assert run.drain() == [FrameSilhouette(7, "a.png"), WorkerNotice("the camera moves")]
    assert run.outcome.how is Ending.DONE
    assert run.outcome.done == Finished("f.onnx", "0" * 64, accepted=True, report={"frames": 3})
    assert run.attempts == 1


def test_a_failure_is_told_in_the_worker_s_words_and_not_tried_again(start) -> None:
    run = ended(start([["say", FAILED], ["exit", 1]]))
    assert (run.outcome.how, run.attempts) == (Ending.FAILED, 1)
    assert run.outcome.words == "clip x.mp4: nobody is in it. Choose another"


def test_a_worker_that_leaves_slowly_after_its_last_word_is_waited_for(start) -> None:
    """Tearing torch down takes seconds on a busy machine: the result still counts."""
    run = ended(start([["say", DONE], ["close"], ["sleep", 1.0], ["exit", 0]]))
    assert (run.outcome.how, run.attempts) == (Ending.DONE, 1)


def test_a_crash_is_tried_again_and_may_succeed(start) -> None:
    run = ended(start([["kill"]], [["text", "half a line"], ["exit", 1]], [["say", DONE], ["exit", 0]]))
    assert (run.outcome.how, run.attempts, run.pid) == (Ending.DONE, 3, None)


def test_the_wait_before_another_attempt_doubles_and_its_last_error_is_kept(start) -> None:
    began = time.monotonic()
    run = ended(start([["exit", 9]], [["exit", 9]], [["error", "no memory"], ["exit", 9]],
                      patience=Timeouts(back_off_s=0.2)))  # fmt: skip
    assert time.monotonic() - began >= 0.2 + 0.4
    assert "no memory" in run.outcome.details


@pytest.mark.parametrize(
    ("event", "code", "how"),
    [
        (FAILED, 2, Ending.PAUSED),
        ({"event": "Cancelled"}, 2, Ending.PAUSED),
        ({"event": "Cancelled"}, 3, Ending.CANCELLED),
        ({"event": "Cancelled"}, 4, Ending.PAUSED),
    ],
)
def test_a_last_word_counts_with_its_own_exit_code_only(start, event, code, how) -> None:
    run = ended(start([["say", event], ["exit", code]], patience=Timeouts(attempts=1)))
    assert run.outcome.how is how


def test_of_events_that_nobody_fetches_the_last_two_thousand_are_kept(start) -> None:
    says = [["say", {"event": "Notice", "text": str(i)}] for i in range(2001)]
    run = ended(start([*says, ["say", DONE], ["exit", 0]]))
    assert run.drain() == [WorkerNotice(str(i)) for i in range(1, 2001)]


@pytest.mark.parametrize(
    "steps",
    [
        [["kill"]],
        [["say", DONE], ["kill"]],
        [["say", DONE], ["exit", 1]],
        [["say", FAILED], ["exit", 0]],
        [["exit", 0]],
        [["exit", 3]],
    ],
)
def test_after_three_breakdowns_it_is_paused_and_said(start, steps) -> None:
    run = ended(start(steps))
    assert (run.outcome.how, run.attempts) == (Ending.PAUSED, 3)
    assert "after 3 attempts" in run.outcome.words
    assert "unchanged" in run.outcome.words
    assert run.outcome.done is None


def test_stop_early_is_a_line_and_the_result_counts(start) -> None:
    steps = [["say", {"event": "Notice", "text": "up"}], ["stdin"], ["say", DONE], ["exit", 0]]
    run = start(steps, patience=CALM)
    wait(run.drain)
    run.stop_early()
    assert ended(run).outcome.how is Ending.DONE
    assert (run.folder / "heard.txt").read_bytes() == b"stop\n"


def test_a_worker_that_speaks_now_and_then_does_not_hang(start) -> None:
    steps = 9 * [["say", {"event": "Notice", "text": "up"}], ["sleep", 0.3]]
    run = ended(start([*steps, ["say", DONE], ["exit", 0]], patience=Timeouts(attempts=1, silence_s=2.0)))
    assert run.outcome.how is Ending.DONE


def test_a_worker_is_told_to_stop_once(start) -> None:
    run = start([["say", {"event": "Notice", "text": "up"}], ["stdin"], ["sleep", 0.5], ["stdin"]])
    wait(run.drain)
    assert not run.stopping_early
    run.stop_early()
    assert run.stopping_early
    wait((run.folder / "heard.txt").exists)
    time.sleep(0.5)
    assert not run.cancelled
    run.cancel()
    assert run.cancelled
    assert ended(run).outcome.how is Ending.CANCELLED
    assert (run.folder / "heard.txt").read_bytes() == b""


@pytest.mark.parametrize(
    ("steps", "patience", "leave_s"),
    [
        ([["sleep", 60]], {"leave_s": 60}, 0.2),
        ([["close"], ["sleep", 60]], {"leave_s": 60}, 0.2),
        ([["close"], ["sleep", 60]], {"leave_s": 0.2}, None),
        ([["close"], ["sleep", 60]], {"exit_s": 0.2, "leave_s": 60}, 60),
    ],
)
def test_how_long_a_worker_may_take_to_leave_can_be_said(start, steps, patience, leave_s) -> None:
    run = start([["say", {"event": "Notice", "text": "up"}], *steps], patience=Timeouts(**patience))
    wait(run.drain)
    began, pid = time.monotonic(), run.pid
    run.cancel(leave_s)
    assert ended(run).outcome.how is Ending.CANCELLED
    assert time.monotonic() - began < 30
    assert gone(pid)


def test_a_worker_that_does_not_leave_after_its_last_word_is_killed(start) -> None:
    patience = Timeouts(attempts=1, exit_s=0.3)
    run = ended(start([["say", DONE], ["close"], ["sleep", 60]], patience=patience))
    assert (run.outcome.how, run.outcome.done) == (Ending.PAUSED, None)
    assert "after 1 attempts: its process was killed, " in run.outcome.words


def test_cancel_closes_stdin(start) -> None:
    run = start([["say", {"event": "Notice", "text": "up"}], ["stdin"]], patience=CALM)
    wait(run.drain)
    run.cancel()
    assert ended(run).outcome.how is Ending.CANCELLED
    assert (run.folder / "heard.txt").read_bytes() == b""


def test_a_worker_that_does_not_leave_is_killed(start) -> None:
    run = start([["say", {"event": "Notice", "text": "up"}], ["sleep", 60]])
    wait(run.drain)
    pid = run.pid
    began = time.monotonic()
    run.cancel()
    assert ended(run).outcome.how is Ending.CANCELLED
    assert time.monotonic() - began < 30
    assert gone(pid)


@pytest.mark.parametrize(
    ("limit", "told"),
    [("silence_s", "it said nothing for 0 s"), ("limit_s", "it did not finish in 0 minutes")],
)
def test_a_worker_that_hangs_is_killed_and_told(start, limit: str, told: str) -> None:
    """H12."""
    patience = Timeouts(**{"attempts": 1, "leave_s": 0.4, "silence_s": 9, "limit_s": 9, limit: 0.5})
    run = ended(start([["sleep", 60]], patience=patience))
    assert run.outcome.how is Ending.PAUSED
    assert run.outcome.words == (
        f"Personalising stopped after 1 attempts: {told}. The factor in use is unchanged. Resume tries again"
        " where it stopped."
    )


def test_what_is_overdue_is_told_in_its_unit(tmp_path: Path) -> None:
    run = Supervisor(tmp_path, lambda: None, patience=Timeouts(leave_s=1, silence_s=40, limit_s=180))
    assert run._overdue(181, 0, None) == "it did not finish in 3 minutes"
    assert run._overdue(179, 41, None) == "it said nothing for 40 s"
    assert run._overdue(179, 39, 1.5) == "it did not leave when it was asked to"
    assert run._overdue(180, 40, 1) == run._overdue(0, 0, None) == ""
    usual = Supervisor(tmp_path, lambda: None)
    assert usual._overdue(1501, 0, None) == "it did not finish in 25 minutes"
    assert usual._overdue(1500, 241, None) == "it said nothing for 240 s"
    assert usual._overdue(1500, 240, 3.1) == "it did not leave when it was asked to"
    assert usual._overdue(1500, 240, 3) == ""


def test_what_cannot_start_ends_too(tmp_path: Path) -> None:
    run = Supervisor(tmp_path, lambda: None, command=(str(tmp_path / "nothing"),), patience=HASTY)
    assert run.daemon, "the program's end does not wait for it"
    run.start()
    assert ended(run).outcome.how is Ending.PAUSED
    assert run.outcome.words == (
        "Personalising could not start: No such file or directory. Free some memory and try again."
    )
    other = Supervisor(tmp_path, lambda: None, command=("a\0b",), patience=HASTY)
    other.start()
    assert ended(other).outcome.how is Ending.PAUSED
    assert other.outcome.words.startswith(
        "Personalising broke down: embedded null byte. The factor in use is"
    )


def test_a_job_is_worked_on_once(start, tmp_path, monkeypatch) -> None:
    """Two windows: the second one neither runs a job of the first nor deletes it."""
    run = start([["say", {"event": "Notice", "text": "up"}], ["stdin"], ["say", DONE], ["exit", 0]])
    wait(run.drain)
    second = Supervisor(tmp_path, lambda: None, command=(sys.executable, str(SCRIPT)), patience=HASTY)
    second.start()
    assert ended(second).outcome.how is Ending.PAUSED
    assert "another window" in second.outcome.words
    monkeypatch.setattr(job_folders, "jobs_dir", lambda: tmp_path.parent)
    with pytest.raises(Refusal):
        job_folders.remove(tmp_path)
    run.stop_early()
    assert ended(run).outcome.how is Ending.DONE
    job_folders.remove(tmp_path)
    assert not tmp_path.exists()
    tmp_path.mkdir()


def test_cancelling_between_two_attempts_ends_at_once(start) -> None:
    run = start([["kill"]], patience=Timeouts(back_off_s=30))
    wait(lambda: run.attempts == 1 and run.pid and gone(run.pid))
    run.cancel()
    assert ended(run).outcome.how is Ending.CANCELLED


@given(
    st.lists(st.builds(WorkerNotice, st.text(max_size=40)), max_size=6),
    st.lists(st.integers(1, 30), min_size=1),
)
def test_lines_come_whole_however_the_pipe_cuts_them(events, cuts) -> None:
    data = "".join(encode(e) + "\n" for e in events).encode()
    lines, received, at = LineBuffer(), [], 0
    while at < len(data):
        step = cuts[at % len(cuts)]
        received += [decode(line) for line in lines.feed(data[at : at + step])]
        at += step
    assert received == events


def test_an_endless_line_costs_no_memory_and_no_later_event() -> None:
    lines = LineBuffer()
    for _ in range(40):
        assert list(lines.feed(b"x" * 100_000)) == []
    assert len(lines._rest) <= 1 << 21
    assert lines.feed(b"x\nafter\n") == ["after"]


def wait(condition: Callable[[], object]) -> None:
    end_s = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.01)
