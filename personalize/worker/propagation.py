"""Phase 4, propagation: seeds of the network and of the user's brush, propagated through the window."""

from __future__ import annotations

from dataclasses import asdict

import cv2
import numpy as np
from numpy.typing import NDArray

from personalize.chosen_person import alone
from personalize.correspondence import Correspondence
from personalize.job import Correction
from personalize.propagation import SURE, PropagationConfig, propagate, with_stroke
from personalize.worker.context import BACKGROUND, PERSON, UNDECIDED, Context
from personalize.worker.links import correspondence
from personalize.worker.results import Facts
from personalize.worker.seeds import refuse_nobody
from runtime.system.errors import Refusal

SMOOTHNESS = 2.0
AGREEMENT = 0.9  #: 3 links halve what is known: each frame's own evidence weighs most; J .899, at .99 .83
DOUBT = 0.2
Map = NDArray[np.float32]
Mask = NDArray[np.bool_]


def needs(context: Context) -> list[object]:
    """Inputs of the result, beside seeds and links."""
    return [context.job.method, [asdict(s) for s in context.job.strokes]]


def run(context: Context) -> Facts:
    """P(person) of every pixel and frame at the working size.

    Raises:
        Refusal: nothing in the shot is surely a person.
    """
    refuse_nobody(context)
    small = context.array("small")
    way = _propagated if context.job.method == "tree" else _alone
    context.results.keep("carried", way(context, small))
    return {}


def _propagated(context: Context, small: NDArray[np.uint8]) -> Map:
    links = correspondence(context)
    unaries = _with_strokes(context, list(np.array(context.array("unaries"))), links)
    if not any((u > 0.5).any() for u in unaries):
        raise Refusal(
            "the shot in use", "nothing in it is surely the person", "Choose a range in which it is in sight"
        )
    count = len(small)
    shown = 0

    def on_frame(frame: int, person: Map) -> None:
        nonlocal shown
        shown += 1
        context.show(frame, probability_preview(person))
        context.reporter.progress(shown, count)

    return propagate(
        links,
        unaries,
        PropagationConfig(AGREEMENT, SMOOTHNESS),
        frames=[np.asarray(f) for f in small],
        on_frame=on_frame,
    )


def _alone(context: Context, small: NDArray[np.uint8]) -> Map:
    """Every frame's own P(person), for the methods without propagation."""
    across, down = context.letterbox.cells
    height, width = small.shape[1:3]
    persons = context.array("person")
    made = [np.asarray(cv2.resize(p[:down, :across], (width, height)), np.float32) for p in persons]
    if context.job.person is not None:
        made = [alone(m, w, SURE) for m, w in zip(made, context.array("whose"), strict=True)]
    made = _with_strokes(context, made, Correspondence((height, width)))
    for k, person in enumerate(made):
        context.show(k, probability_preview(person))
        context.reporter.progress(k + 1, len(made))
    return np.stack(made)


def _with_strokes(context: Context, unaries: list[Map], links: Correspondence) -> list[Map]:
    for stroke in context.job.strokes:
        frame = stroke.frame - context.first_frame
        if not 0 <= frame < len(unaries):
            context.reporter.notice(f"What was drawn on frame {stroke.frame} is outside the frames in use.")
            continue
        mask = stroke_mask(stroke, context.facts["reading"]["size"], unaries[frame].shape)
        if links.earlier or links.later:
            unaries = with_stroke(links, unaries, frame, mask, person=stroke.person)
        else:
            unaries[frame] = np.where(mask, 1 - SURE if stroke.person else SURE, unaries[frame])
    return unaries


def stroke_mask(stroke: Correction, displayed: tuple[int, int], shape: tuple[int, ...]) -> Mask:
    """The pixels (h, w) of a stroke that was drawn on the displayed picture (width, height)."""
    height, width = shape[0], shape[1]
    scale = np.array([width / displayed[0], height / displayed[1]])
    points = (np.asarray(stroke.points, np.float64) + 0.5) * scale - 0.5
    points = np.clip(points, -2 * width, 3 * width)
    radius = max(1.0, stroke.radius * float(scale.mean()))
    mask = np.zeros((height, width), np.uint8)
    fixed = np.rint(points * 16).astype(np.int32)  # four bits behind the point
    for x, y in fixed.tolist():
        cv2.circle(mask, (x, y), round(radius * 16), 1, cv2.FILLED, shift=4)
    if len(fixed) > 1:
        cv2.polylines(mask, [fixed[:, None]], False, 1, round(2 * radius), shift=4)  # noqa: FBT003
    return mask > 0


def probability_preview(person: Map) -> NDArray[np.uint8]:
    """Picture of a silhouette for previews."""
    picture = np.full(person.shape, UNDECIDED, np.uint8)
    picture[person > 1 - DOUBT], picture[person < DOUBT] = PERSON, BACKGROUND
    return picture
