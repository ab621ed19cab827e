"""Phases in their order: each is skipped when its result for the same inputs is there."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from personalize.job import PersonalizationJob
from personalize.messages import Finished
from personalize.phases import PHASES, USUAL_FRAMES
from personalize.worker import candidate, cuts, finetune, frames, links, propagation, replay, seeds
from personalize.worker.context import BaseNetwork, Context
from personalize.worker.reporter import Reporter
from personalize.worker.results import Facts, Results, digest

log = logging.getLogger("xfactor.worker")


@dataclass(frozen=True)
class Phase:
    """One step of the work.

    Attributes:
        name: of `personalize.phases.PHASES`.
        after: phases whose results it uses.
        needs: what else its result depends on.
        run: does it.
    """

    name: str
    after: tuple[str, ...]
    needs: Callable[[Context], list[object]]
    run: Callable[[Context], Facts]


ALL: Final = (
    Phase("reading", (), frames.needs, frames.run),
    Phase("seeds", ("reading",), seeds.needs, seeds.run),
    Phase("links", ("reading",), links.needs, links.run),  # and whether there is anybody to follow
    Phase("propagating", ("seeds", "links"), propagation.needs, propagation.run),
    Phase("cuts", ("propagating",), cuts.needs, cuts.run),
    Phase("features", (), replay.needs, replay.run),
    Phase("learning", ("seeds", "cuts", "features"), finetune.needs, finetune.run),
    Phase("writing", ("learning",), candidate.needs_of_writing, candidate.write),
    Phase("checking", ("writing", "cuts"), candidate.needs_of_checking, candidate.check),
)
assert tuple(p.name for p in ALL) == tuple(PHASES)


def personalise(folder: Path, job: PersonalizationJob, reporter: Reporter) -> Finished:
    """Do everything that is not done yet.

    Raises:
        Exception: whatever ends the work; what finished phases found stays in the folder.
    """
    for phase in ALL:
        reporter.expect(phase.name, 1.0)
    reporter.begin(ALL[0].name)
    reporter.progress(0, 1)
    context = Context(folder, job, BaseNetwork.of(job), Results(folder), reporter)
    keys: dict[str, str] = {}
    for phase in ALL:
        key = digest([phase.name, *(keys[p] for p in phase.after), phase.needs(context)])
        keys[phase.name] = key
        facts = context.results.facts(phase.name, key)
        reporter.begin(phase.name)
        if facts is None:
            facts = _do(phase, context, key)
        else:
            log.info("%s was done before", phase.name)
            reporter.expect(phase.name, 0.0)
        context.facts[phase.name] = facts
        if phase.name == "reading":
            _expect(reporter, context)
    reporter.end()
    return candidate.done(context)


def _do(phase: Phase, context: Context, key: str) -> Facts:
    wall, cpu = time.monotonic(), time.process_time()
    context.results.begin(phase.name)
    facts = phase.run(context)
    facts |= {"wall_s": round(time.monotonic() - wall, 2), "cpu_s": round(time.process_time() - cpu, 2)}
    context.results.finish(phase.name, key, facts)
    log.info("%s: %.1f s, %.1f s of CPU", phase.name, facts["wall_s"], facts["cpu_s"])
    return facts


def _expect(reporter: Reporter, context: Context) -> None:
    """The work ahead grows with the frames."""
    share = context.frames / USUAL_FRAMES
    linked = float(context.job.method == "tree")
    reporter.expect("seeds", share)
    reporter.expect("links", share * linked)
    reporter.expect("propagating", share)
    reporter.expect("cuts", share * float(context.job.method != "none"))
    reporter.expect("learning", min(1.2, share))
