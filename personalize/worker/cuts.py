"""Phase 5, cuts: silhouettes of the frames that teach, cut along their picture's edges; doubt is ignored."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from personalize.chosen_person import NOBODY, OTHER
from personalize.cuts import ITERATIONS, grab_cut, graph_cut
from personalize.job import Method
from personalize.seeds import MOST_STUDIED
from personalize.worker.context import BACKGROUND, PERSON, UNDECIDED, Context
from personalize.worker.propagation import stroke_mask
from personalize.worker.results import Facts

IGNORED = 255
CONTRADICTION = 0.2  #: P(person) this far on the other side of one half contradicts the cut
UNDECIDED_WITHIN = 0.05  #: of one half: nothing was propagated here
ROUNDS: Final = {"tree": 1, "graphcut": ITERATIONS}
Map = NDArray[np.float32]
Codes = NDArray[np.uint8]


def needs(context: Context) -> list[object]:
    """Inputs of the result, beside the propagated silhouettes."""
    return [context.job.method]


def run(context: Context) -> Facts:
    """1 person, 0 background, 255 in doubt, for every frame at the working size."""
    small, propagated = context.array("small"), context.results.array("carried")
    codes = np.empty(propagated.shape, np.uint8)
    uncut = 0
    all_teach, studied = len(codes) <= MOST_STUDIED, set(context.studied)
    for k, person in enumerate(propagated):
        method = context.job.method if all_teach or k in studied else "none"
        codes[k], notice = silhouette(np.asarray(small[k]), np.asarray(person), method)
        uncut += bool(notice)
        if context.job.person is not None:
            whose = np.asarray(context.array("whose")[k])
            codes[k][whose == OTHER] = 0
            if context.job.method != "tree":  # nothing was propagated that could say whose it is
                codes[k][(whose == NOBODY) & (codes[k] == 1)] = IGNORED
        for stroke in context.job.strokes:
            if stroke.frame == context.first_frame + k:  # what was drawn is so, whatever the edges say
                mask = stroke_mask(stroke, context.facts["reading"]["size"], person.shape)
                codes[k][mask] = stroke.person
        context.show(k, codes_preview(codes[k]))
        context.reporter.progress(k + 1, len(codes))
    if uncut:
        context.reporter.notice(f"{uncut} of {len(codes)} frames could not be cut along the picture's edges.")
    context.results.keep("codes", codes)
    return {}


def silhouette(image: Codes, person: Map, method: Method) -> tuple[Codes, str]:
    """One frame's codes by a method, and why it was not cut, if it was not."""
    if method == "none":
        return _by_probability(person), ""
    cut = grab_cut(image, person) if method == "grabcut" else graph_cut(image, person, ROUNDS[method])
    codes = cut.person.astype(np.uint8)
    if method == "tree":
        wrong = np.where(cut.person, person < 0.5 - CONTRADICTION, person > 0.5 + CONTRADICTION)
        codes[wrong | (np.abs(person - 0.5) < UNDECIDED_WITHIN)] = IGNORED
    return codes, cut.notice


def _by_probability(person: Map) -> Codes:
    """Only what is nearly sure."""
    codes = np.full(person.shape, IGNORED, np.uint8)
    codes[person > 1 - CONTRADICTION], codes[person < CONTRADICTION] = 1, 0
    return codes


def codes_preview(codes: Codes) -> NDArray[np.uint8]:
    """Picture of codes for previews."""
    picture = np.full(codes.shape, UNDECIDED, np.uint8)
    picture[codes == 1], picture[codes == 0] = PERSON, BACKGROUND
    return picture
