"""Phase 2, seeds: features and P(person) of every frame; pixels without doubt are the seeds."""

from __future__ import annotations

import numpy as np

from personalize.chosen_person import alone
from personalize.seeds import CLIP, THRESHOLDS, NoSeedsError, confident
from personalize.worker.context import Context, person
from personalize.worker.person import follow_chosen
from personalize.worker.person import needs as needs_of_person
from personalize.worker.results import Facts
from runtime.system.errors import Refusal


def needs(context: Context) -> list[object]:
    """Inputs of the result, beside the frames."""
    network = context.network
    return [network.trunk_sha256, network.factor.sha256, *needs_of_person(context)]


def run(context: Context) -> Facts:
    """Features and P(person) of every frame, and the seeds; none when no person is found, or nothing else."""
    canvas, small = context.results.array("canvas"), context.results.array("small")
    count, (columns, rows) = context.frames, context.letterbox.grid
    features = context.results.new("features", (count, 128, rows, columns), np.float16)
    persons = np.empty((count, rows, columns), np.float32)
    for k in range(count):
        seen = context.network.features(canvas[k])
        features[k] = seen
        persons[k] = person(context.network.factor, seen)
        context.reporter.progress(k + 1, count)
    size = (small.shape[2], small.shape[1])
    across, down = context.letterbox.cells
    cells = list(persons[:, :down, :across])
    try:
        seeds = confident(cells, size)
    except NoSeedsError as e:
        unaries, above, why = np.full((count, *size[::-1]), 0.5, np.float32), 1.0, str(e)
    else:
        unaries, above, why = seeds.unaries, seeds.person_above, ""
        for text in seeds.notices:
            context.reporter.notice(text)
    whose, chosen = follow_chosen(context, persons)
    if whose is not None:
        unaries = alone(unaries, whose, CLIP)
        context.results.keep("whose", whose)
    context.results.keep("features", features)
    context.results.keep("person", persons)
    context.results.keep("unaries", np.clip(unaries, CLIP, 1 - CLIP))
    return {"threshold": above, "usual_threshold": THRESHOLDS[0], "nobody": why, "person": chosen}


def refuse_nobody(context: Context) -> None:
    """Say that there is nothing to learn from, unless the user has drawn where the person is.

    Raises:
        Refusal: no person was found, or nothing else.
    """
    why = context.facts["seeds"]["nobody"]
    if why and not any(s.person for s in context.job.strokes):
        reason, _, remedy = why.rstrip(".").partition(". ")
        raise Refusal("the chosen range", reason[:1].lower() + reason[1:], remedy)
