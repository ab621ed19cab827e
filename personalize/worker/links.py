"""Phase 3, links: patch correspondence between neighbouring frames, and the shot in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from personalize.correspondence import Correspondence, match_window
from personalize.job import PersonalizationJob
from personalize.worker.context import Context
from personalize.worker.person import needs as needs_of_person
from personalize.worker.results import Facts
from personalize.worker.seeds import refuse_nobody


def needs(context: Context) -> list[object]:
    """Inputs of the result, beside the frames."""
    return [context.job.method == "tree", *needs_of_person(context)]


def run(context: Context) -> Facts:
    """Links between all neighbouring frames, for the method that propagates labels; none for others.

    Raises:
        Refusal: there is nobody whose silhouette could be propagated.
    """
    refuse_nobody(context)
    count = context.frames
    if context.job.method != "tree":
        return {"span": [0, count]}
    small = context.results.array("small")
    found = match_window([np.asarray(f) for f in small[:count]], on_pair=context.reporter.progress)
    job, frame = context.job, context.facts["seeds"].get("person", {}).get("frame")
    if frame is not None:  # the shot in which the person was chosen
        job = replace(job, last=None, around=frame)
    first, end = shot_in_use(job, context.facts["reading"]["first"], count, found.shot_changes)
    if found.shot_changes:
        start = context.facts["reading"]["first"]
        context.reporter.notice(
            f"The picture changes abruptly in this range: only frames {start + first} to {start + end - 1},"
            " which are one shot, are learned from."
        )
    for name, targets in (("earlier", found.earlier), ("later", found.later)):
        used = targets[first : end - 1]
        context.results.keep(name, np.stack(used) if used else np.empty((0, 1), np.int32))
    return {"span": [first, end]}


def shot_in_use(job: PersonalizationJob, start: int, count: int, changes: Sequence[int]) -> tuple[int, int]:
    """First frame and end of the shot that holds the chosen frame; of a chosen range, of the longest shot."""
    shots = list(pairwise([0, *changes, count]))
    if job.last is None:
        middle = count // 2 if job.around is None else min(max(job.around - start, 0), count - 1)
        return next((a, b) for a, b in shots if a <= middle < b)
    return max(shots, key=lambda s: s[1] - s[0])


def correspondence(context: Context) -> Correspondence:
    """The matches of the shot in use, from the disk."""
    small = context.array("small")
    earlier, later = (list(np.asarray(context.results.array(name))) for name in ("earlier", "later"))
    return Correspondence((small.shape[1], small.shape[2]), earlier, later)
