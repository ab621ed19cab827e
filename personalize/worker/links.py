"""Phase 3: where every pixel was one frame before and will be one frame later; and which shot is in use."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from personalize.correspondence import Links, Mapping, map_window
from personalize.job import Job
from personalize.worker.context import Context
from personalize.worker.results import Facts
from personalize.worker.seeds import refuse_nobody


def needs(context: Context) -> list[object]:
    """What the result depends on, beside the frames."""
    return [context.job.method == "tree"]


def run(context: Context) -> Facts:
    """Links between all neighbouring frames, for the method that carries labels along; none for others.

    Raises:
        Refusal: there is nobody whose silhouette could be carried.
    """
    refuse_nobody(context)
    count = context.frames
    if context.job.method != "tree":
        return {"span": [0, count], "shot_changes": []}
    small = context.results.array("small")
    mapping = map_window([np.asarray(f) for f in small[:count]], progress=context.teller.progress)
    first, end = shot_in_use(context.job, context.facts["reading"]["first"], count, mapping.shot_changes)
    if mapping.shot_changes:
        start = context.facts["reading"]["first"]
        context.teller.notice(
            f"The picture changes abruptly in this range: only frames {start + first} to {start + end - 1},"
            " which are one shot, are learned from."
        )
    for name, links in (("earlier", mapping.earlier), ("later", mapping.later)):
        best = [link.best for link in links[first : end - 1]]
        context.results.keep(name, np.stack(best) if best else np.empty((0, 1), np.int32))
    return {"span": [first, end], "shot_changes": mapping.shot_changes}


def shot_in_use(job: Job, start: int, count: int, changes: Sequence[int]) -> tuple[int, int]:
    """First frame and end of the shot that holds the chosen frame; of a chosen range, of the longest shot."""
    borders = [0, *changes, count]
    shots = [(a, b) for a, b in pairwise(borders) if b > a]
    if job.last is None:
        middle = count // 2 if job.around is None else min(max(job.around - start, 0), count - 1)
        return next((a, b) for a, b in shots if a <= middle < b)
    return max(shots, key=lambda s: s[1] - s[0])


def mapping_in_use(context: Context) -> Mapping:
    """The links of the shot in use, from the disk."""
    small = context.array("small")
    size = (small.shape[1], small.shape[2])
    made = Mapping(size)
    for name, links in (("earlier", made.earlier), ("later", made.later)):
        for best in context.results.array(name):
            links.append(Links(np.asarray(best)[None], np.zeros((1, 0), np.float32)))
    return made
