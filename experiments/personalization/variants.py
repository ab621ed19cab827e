"""Personalising on a clip by the worker's own phases, from silhouettes made by one of its methods."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from personalize.job import Method, PersonalizationJob, write_job
from personalize.worker.candidate import FACTOR
from personalize.worker.finetune import CONFIG
from personalize.worker.phases import personalise
from personalize.worker.reporter import Orders, Reporter
from personalize.worker.results import FOLDER
from runtime.engine.providers import Provider
from runtime.engine.sessions import Session
from runtime.engine.source import FactorSource

LIMIT_S = 36_000.0  # a busy machine may be slow; nobody waits
SHARED = ("features.json", "replayed_*.npy", "judging_*.npy")  # of the bundled people, of any clip's job
#: name on the page → method of the job; the program's own makes its silhouettes by the tree, then cuts them
VARIANTS: dict[str, Method] = {"none": "none", "GrabCut": "grabcut", "graph cut": "graphcut"}
PROGRAM = "tree + graph cut"


def by_the_program(folder: Path, job: PersonalizationJob, people: Path | None) -> dict[str, Any]:
    """Personalise as the worker does, in this process; `people` is a job folder to take the people from.

    Returns:
        The report, with `accepted` and its `reason`.
    """
    write_job(folder, job)
    if people is not None and people != folder:
        _share(people, folder)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        reporter = Reporter(folder, nowhere, Orders(None), LIMIT_S)
        done = personalise(folder, job, reporter)
        reporter.close()
    return done.report


def course() -> str:
    """The length of learning, in words."""
    return f"at most {CONFIG.epochs} epochs in steps of {CONFIG.batch} frames"


def learned(folder: Path) -> FactorSource:
    """The factor of a finished job, whatever the gate said."""
    session = Session("factor", (folder / FACTOR).read_bytes(), Provider.CPU, threads=1)
    return FactorSource(folder.name, session)


def _share(source: Path, target: Path) -> None:
    """Features of the bundled people are the same for every clip."""
    (target / FOLDER).mkdir(parents=True, exist_ok=True)
    for pattern in SHARED:
        for file in (source / FOLDER).glob(pattern):
            if not (target / FOLDER / file.name).exists():
                os.link(file, target / FOLDER / file.name)
