"""Running the worker's phases inside a test, on a small clip."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from personalize.finetune import FinetuneConfig
from personalize.job import PersonalizationJob, write_job
from personalize.messages import Failure, Finished, Message, PhaseProgress, WorkerNotice, decode
from personalize.replay import read_regression
from personalize.worker import finetune, process, replay
from personalize.worker.context import BaseNetwork, Context
from personalize.worker.reporter import LOG, Orders, Reporter
from personalize.worker.results import Results
from runtime.engine.letterbox import NetworkSize
from runtime.model_files.metadata import describe
from runtime.system import paths


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two epochs instead of ten, and a quarter of the bundled people: for tests about something else."""
    people = read_regression(paths.assets_dir() / "regression")
    few = replace(people, pictures=people.pictures[:32], silhouettes=people.silhouettes[:32])
    monkeypatch.setattr(finetune, "CONFIG", FinetuneConfig(epochs=2))
    monkeypatch.setattr(replay, "read_regression", lambda _folder: few)


def job_for(clip: Path, **changes: Any) -> PersonalizationJob:
    """A job on the shipped model."""
    return PersonalizationJob(
        clip, changes.pop("name", "ann"), paths.models_dir() / "factored-s31", **changes
    )


@dataclass
class Told:
    """What a run told."""

    code: int
    events: list[Message]

    @property
    def end(self) -> Message:
        """The last event."""
        return self.events[-1]

    @property
    def done(self) -> Finished:
        """The result."""
        assert isinstance(self.end, Finished), self.end
        return self.end

    @property
    def failed(self) -> Failure:
        """Why there is none."""
        assert isinstance(self.end, Failure), self.end
        return self.end

    @property
    def notices(self) -> str:
        """All notices in one."""
        return " ".join(e.text for e in self.events if isinstance(e, WorkerNotice))

    @property
    def worked(self) -> list[str]:
        """Phases in which something was done, in order."""
        return list(dict.fromkeys(e.phase for e in self.events if isinstance(e, PhaseProgress) and e.done))


@cache
def small_network() -> BaseNetwork:
    """The shipped one, for pictures of 64 px."""
    return replace(BaseNetwork.of(job_for(Path("clip.mp4"))), size=NetworkSize(64))


def context_of(job: PersonalizationJob, folder: Path, size: tuple[int, int], **facts: Any) -> Context:
    """The phases' context for pictures of a size, without networks; a cell is 8 px, and a side 64."""
    spec = describe("factor.onnx", (job.model / "factor.onnx").read_bytes())
    network = BaseNetwork(None, None, spec, NetworkSize(64))  # type: ignore[arg-type]
    reporter = Reporter(folder, io.StringIO(), Orders(None), job.limit_s)
    facts["reading"] = {"size": list(size), **facts.get("reading", {})}
    return Context(folder, job, network, Results(folder), reporter, facts)


def told(context: Context) -> list[Message]:
    """What a context has told; nothing more is told."""
    context.reporter.close()
    lines = (context.folder / LOG).read_text("utf-8").splitlines()
    return [e for e in map(decode, lines) if e is not None]


def run(folder: Path, job: PersonalizationJob, orders: Orders | None = None) -> Told:
    """Do a job to its end in this process."""
    write_job(folder, job)
    out = io.StringIO()
    reporter = Reporter(folder, out, orders or Orders(None), job.limit_s)
    try:
        code = process.run(folder, job, reporter)
    finally:
        reporter.close()
    events = [e for e in map(decode, out.getvalue().splitlines()) if e is not None]
    return Told(code, events)
