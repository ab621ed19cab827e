"""Phase 2, seeds: features and P(person) of every frame, of some by several averaged."""

from __future__ import annotations

import numpy as np

from personalize.chosen_person import alone
from personalize.seeds import CLIP, NoSeedsError, evidence
from personalize.worker.augmentation import AveragedViews
from personalize.worker.context import Context, person
from personalize.worker.person import follow_chosen, refuse_outside
from personalize.worker.person import needs as needs_of_person
from personalize.worker.results import Facts
from runtime.system.errors import Refusal


def needs(context: Context) -> list[object]:
    """Inputs of the result, beside the frames."""
    network = context.network
    return [network.trunk_sha256, network.factor.sha256, *needs_of_person(context)]


def run(context: Context) -> Facts:
    """Features and P(person) of every frame, and the seeds; none when no person is found, or nothing else.

    Raises:
        Refusal: the chosen person is not there.
    """
    canvas, small, large = (context.results.array(name) for name in ("canvas", "small", "large"))
    refuse_outside(context)  # now, not after a minute of looks
    count, (columns, rows), (across, down) = context.frames, context.letterbox.grid, context.letterbox.cells
    averaged = AveragedViews(context.network, context.facts["reading"]["size"])
    studied = context.facts["reading"]["studied"]
    features = context.results.new("features", (count, 128, rows, columns), np.float16)
    persons, maps = np.empty((count, rows, columns), np.float32), []
    for k in range(count):
        seen = context.network.features(canvas[k])
        features[k] = seen
        persons[k] = person(context.network.factor, seen)
        cells = persons[k, :down, :across]
        if k in studied:
            cells = averaged.person((large[studied.index(k)], canvas[k]), persons[k])
        maps.append(averaged.along_edges(cells, canvas[k], np.asarray(small[k])))
        context.reporter.progress(k + 1, count)
    size = (small.shape[2], small.shape[1])
    why = ""
    try:
        unaries = evidence(maps, size)
    except NoSeedsError as e:
        unaries, why = np.full((count, *size[::-1]), 0.5, np.float32), str(e)
    whose, chosen = follow_chosen(context, persons)
    if whose is not None:
        unaries = alone(unaries, whose, CLIP)
        context.results.keep("whose", whose)
    context.results.keep("features", features)
    context.results.keep("person", persons)
    context.results.keep("unaries", unaries)
    return {"nobody": why, "person": chosen}


def refuse_nobody(context: Context) -> None:
    """Say that there is nothing to learn from, unless the user has drawn where the person is.

    Raises:
        Refusal: no person was found, or nothing else.
    """
    why = context.facts["seeds"]["nobody"]
    if why and not any(s.person for s in context.job.strokes):
        reason, _, remedy = why.rstrip(".").partition(". ")
        raise Refusal("the chosen range", reason[:1].lower() + reason[1:], remedy)
