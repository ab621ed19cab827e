"""Phase 2: the network looks at every frame once; what it is sure of are the seeds."""

from __future__ import annotations

import numpy as np

from app.errors import Refusal
from personalize.seeds import CLIP, THRESHOLDS, NoSeedsError, confident
from personalize.worker.context import Context, person
from personalize.worker.results import Facts


def needs(context: Context) -> list[object]:
    """What the result depends on, beside the frames."""
    network = context.network
    drawn_upon = any(s.person for s in context.job.strokes)
    return [network.trunk_sha256, network.factor.sha256, drawn_upon]


def run(context: Context) -> Facts:
    """Features and P(person) of every frame, and the seeds.

    Raises:
        Refusal: no person is found, or nothing else, and the user has drawn none either.
    """
    canvas, small = context.results.array("canvas"), context.results.array("small")
    count, (columns, rows) = context.frames, context.letterbox.grid
    features = context.results.new("features", (count, 128, rows, columns), np.float16)
    persons = np.empty((count, rows, columns), np.float32)
    for k in range(count):
        seen = context.network.features(canvas[k])
        features[k] = seen
        persons[k] = person(context.network.factor, seen)
        context.teller.progress(k + 1, count)
    size = (small.shape[2], small.shape[1])
    across, down = context.letterbox.cells
    cells = list(persons[:, :down, :across])
    try:
        seeds = confident(cells, size)
    except NoSeedsError as e:
        if not any(s.person for s in context.job.strokes):
            what, _, remedy = str(e).rstrip(".").partition(". ")
            raise Refusal("the chosen range", what[:1].lower() + what[1:], remedy) from e
        unaries, above = np.full((count, *size[::-1]), 0.5, np.float32), 1.0
        notices = ["The model finds nobody here: only what you drew is known of the person."]
    else:
        unaries, above, notices = seeds.unaries, seeds.person_above, seeds.notices
    for text in notices:
        context.teller.notice(text)
    context.results.keep("features", features)
    context.results.keep("person", persons)
    context.results.keep("unaries", np.clip(unaries, CLIP, 1 - CLIP))
    return {"threshold": above, "usual_threshold": THRESHOLDS[0]}
