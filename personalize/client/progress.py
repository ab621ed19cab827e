"""Pace: how far a job is, as one number and in words, from the phase that its worker is in."""

from __future__ import annotations

from typing import Final

from personalize.messages import PHASES, Progress

#: Phase → what the user reads, and its share of the CPU time (measured on 61 frames, scaled to 301).
WORDS: Final[dict[str, tuple[str, float]]] = {
    "reading": ("Reading the frames", 0.02),
    "seeds": ("Finding what is surely the person", 0.06),
    "links": ("Matching each frame with the next", 0.16),
    "propagating": ("Following the silhouette through time", 0.03),
    "cuts": ("Sharpening the edges", 0.32),
    "features": ("Looking at every frame once more", 0.05),
    "learning": ("Learning the person", 0.30),
    "writing": ("Writing the factor", 0.01),
    "checking": ("Checking: is it really better?", 0.05),
}
assert tuple(WORDS) == PHASES


def fraction(progress: Progress | None) -> float:
    """0..1 of the whole job; what is not known counts as nothing."""
    if progress is None or progress.phase not in WORDS:
        return 0.0
    before = 0.0
    for phase, (_, share) in WORDS.items():
        if phase == progress.phase:
            inside = progress.done / progress.total if progress.total > 0 else 0.0
            return before + share * min(1.0, max(0.0, inside))
        before += share
    return before


def words(progress: Progress | None) -> str:
    """What the worker does now."""
    if progress is None:
        return "Starting"
    return WORDS.get(progress.phase, (progress.phase[:60], 0.0))[0]


def step(progress: Progress | None) -> str:
    """`step 3 of 9`."""
    if progress is None or progress.phase not in WORDS:
        return ""
    return f"step {PHASES.index(progress.phase) + 1} of {len(PHASES)}"
