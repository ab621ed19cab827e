"""Personalising on a clip: the worker's own phases, and the same lessons from other silhouettes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from personalize import factor as factors
from personalize.cuts import grab_cut
from personalize.job import PersonalizationJob, write_job
from personalize.phases import PHASES
from personalize.worker.candidate import FACTOR
from personalize.worker.context import BaseNetwork, Context
from personalize.worker.cuts import CONTRADICTION, IGNORED, UNDECIDED_WITHIN, silhouette
from personalize.worker.finetune import CONFIG, teach
from personalize.worker.phases import personalise
from personalize.worker.reporter import Orders, Reporter
from personalize.worker.results import FOLDER, Results
from runtime.engine.providers import Provider
from runtime.engine.sessions import Session
from runtime.engine.source import Factor

LIMIT_S = 36_000.0  # a busy machine may be slow; nobody waits
SHARED = ("features.json", "replayed_*.npy", "judging_*.npy")  # of the bundled people, of any clip's job
Bytes = NDArray[np.uint8]
Map = NDArray[np.float32]

#: name → codes of a frame from its picture, its own P(person) and the carried one, by the job
VARIANTS: dict[str, Callable[[Bytes, Map, Map, PersonalizationJob], Bytes]] = {
    "none": lambda image, own, _, job: silhouette(image, own, replace(job, method="none"))[0],
    "GrabCut": lambda image, own, _, job: silhouette(image, own, replace(job, method="grabcut"))[0],
    "graph cut": lambda image, own, _, job: silhouette(image, own, replace(job, method="graphcut"))[0],
    "tree": lambda image, _, carried, job: silhouette(image, carried, replace(job, method="none"))[0],
    "tree + GrabCut": lambda image, _, carried, job: _tree_and_grab_cut(image, carried),
}
PROGRAM = "tree + graph cut"  #: what the program does


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
    """How long is learned, in words."""
    return f"at most {CONFIG.epochs} epochs in steps of {CONFIG.batch} frames"


def learned(folder: Path) -> Factor:
    """The factor of a finished job, whatever the gate said."""
    return _factor((folder / FACTOR).read_bytes(), PROGRAM)


def by_variant(folder: Path, job: PersonalizationJob, name: str) -> Factor:
    """The same frames, features and course of learning, from silhouettes made another way; no gate.

    Args:
        folder: of a finished job of `by_the_program`; it is left as it is.
        job: that job.
        name: of `VARIANTS`.
    """
    other = folder.with_name(f"{folder.name}-variant")
    _link(folder / FOLDER, other / FOLDER)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        reporter = Reporter(other, nowhere, Orders(None), LIMIT_S)
        context = Context(other, job, BaseNetwork.of(job), Results(other), reporter)
        for phase in PHASES:
            record = (context.results.folder / f"{phase}.json").read_text("utf-8")
            context.facts[phase] = json.loads(record)["facts"]
        context.results.keep("codes", _codes(context, name))
        made, _ = teach(context, job.seed)
        reporter.close()
    graph = context.network.factor.data
    data = factors.store(made.factor, graph, replace(context.network.spec, name=job.name))
    shutil.rmtree(other)
    return _factor(data, name)


def _codes(context: Context, name: str) -> Bytes:
    small, persons = context.array("small"), context.array("person")
    across, down = context.letterbox.cells
    size = (small.shape[2], small.shape[1])
    codes = []
    for image, person, carried in zip(small, persons, context.results.array("carried"), strict=True):
        own = np.asarray(cv2.resize(person[:down, :across], size), np.float32)
        codes.append(VARIANTS[name](np.asarray(image), own, np.asarray(carried), context.job))
    return np.stack(codes)


def _tree_and_grab_cut(image: Bytes, carried: Map) -> Bytes:
    """As the program's tree, with GrabCut in place of our graph cut."""
    cut = grab_cut(image, carried).person
    wrong = np.where(cut, carried < 0.5 - CONTRADICTION, carried > 0.5 + CONTRADICTION)
    codes = cut.astype(np.uint8)
    codes[wrong | (np.abs(carried - 0.5) < UNDECIDED_WITHIN)] = IGNORED
    return codes


def _factor(data: bytes, name: str) -> Factor:
    return Factor(name, Session("factor", data, Provider.CPU, threads=1))


def _share(source: Path, target: Path) -> None:
    """Features of the bundled people are the same for every clip."""
    (target / FOLDER).mkdir(parents=True, exist_ok=True)
    for pattern in SHARED:
        for file in (source / FOLDER).glob(pattern):
            if not (target / FOLDER / file.name).exists():
                os.link(file, target / FOLDER / file.name)


def _link(source: Path, target: Path) -> None:
    """A copy that shares the files; whoever writes one replaces it."""
    shutil.rmtree(target.parent, ignore_errors=True)
    target.mkdir(parents=True)
    for file in source.iterdir():
        os.link(file, target / file.name)
