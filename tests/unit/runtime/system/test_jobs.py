"""Slow work beside the window: one after the other, cancelled when asked, failing in words."""

from __future__ import annotations

import threading
import time

import pytest

from runtime.system.errors import Refusal
from runtime.system.jobs import BackgroundJob, BackgroundJobs, JobState


@pytest.fixture
def jobs():
    made = BackgroundJobs(lambda: None)
    yield made
    made.stop().join(5)


def settle(jobs: BackgroundJobs, job: BackgroundJob, until) -> None:
    until(lambda: job.state not in {JobState.WAITING, JobState.RUNNING}, "the job")
    until(lambda: job in jobs.collect(), "its collection")


def test_the_result_arrives_where_it_is_collected(jobs, until) -> None:
    got: list[tuple[int, int]] = []
    job = jobs.start("sum", lambda _: 2 + 2, lambda r: got.append((r, threading.get_ident())))
    settle(jobs, job, until)
    assert got == [(4, threading.get_ident())]


def test_a_cancelled_job_ends_and_its_result_is_not_used(jobs, until) -> None:
    got: list[object] = []

    def work(job: BackgroundJob) -> int:
        for step in range(1000):
            job.progress(step / 1000)
            time.sleep(0.01)
            if step == 20:
                early.append(job.left_s)
        return 1

    early: list[float | None] = []
    job = jobs.start("long", work, got.append)
    until(lambda: job.share and job.share > 0.03, "progress")
    assert jobs.shown() == [job]
    assert job.left_s > 0
    assert early == [None]  # the first moments load: their pace tells nothing
    job.cancel()
    settle(jobs, job, until)
    assert (job.state, got, jobs.shown()) == (JobState.CANCELLED, [], [])


def test_a_cancel_before_the_start_costs_nothing(jobs, until) -> None:
    gate = threading.Event()
    first = jobs.start("first", lambda _: gate.wait(5), lambda _: None)
    second = jobs.start("second", lambda _: pytest.fail("it ran"), lambda _: None)
    second.cancel()
    gate.set()
    settle(jobs, second, until)
    assert (first.state, second.state) == (JobState.DONE, JobState.CANCELLED)


def test_failures_are_words_and_the_next_job_runs(jobs, until) -> None:
    def refuse(_: BackgroundJob) -> None:
        raise Refusal("a.onnx", "it is no model", "Choose another")

    def crash(_: BackgroundJob) -> None:
        raise ZeroDivisionError("oops")

    refused, crashed = jobs.start("a", refuse, print), jobs.start("b", crash, print)
    fine = jobs.start("c", lambda _: 1, lambda _: None, quiet=True)
    until(lambda: fine.state is JobState.DONE, "the last")
    assert (refused.state, refused.error, refused.details) == (
        JobState.FAILED,
        "a.onnx: it is no model. Choose another",
        "",
    )
    assert crashed.state is JobState.FAILED
    assert "ZeroDivisionError" in crashed.details
    assert "b failed" in crashed.error


def test_stopping_cancels_what_runs(until) -> None:
    jobs = BackgroundJobs(lambda: None)

    def work(job: BackgroundJob) -> None:
        while True:
            job.progress()
            time.sleep(0.005)

    job = jobs.start("endless", work, print)
    until(lambda: job.state is JobState.RUNNING, "the start")
    thread = jobs.stop()
    thread.join(2)
    assert not thread.is_alive()
    assert job.state is JobState.CANCELLED


def test_what_runs_beside_holds_nobody_up_and_ends_with_the_rest(until) -> None:
    jobs = BackgroundJobs(lambda: None)
    gate = threading.Event()

    def wait(job: BackgroundJob) -> None:
        while not gate.wait(0.01):
            job.progress()

    long = jobs.start("long", wait, lambda _: pytest.fail("it was cancelled"), beside=True)
    short = jobs.start("short", lambda _: None, lambda _: None)
    settle(jobs, short, until)
    assert jobs.shown() == [long]
    jobs.stop().join(5)
    assert long.state is JobState.CANCELLED
    assert jobs.shown() == []
    late = jobs.start("late", lambda _: pytest.fail("it ran"), lambda _: None, beside=True)
    assert late.state is JobState.WAITING
