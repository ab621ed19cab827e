"""Phases of a personalisation: order, words for a reader, and the usual work of each, for bar and time left.

Imported by the program as well, so there is no torch here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from personalize.messages import PhaseProgress

USUAL_FRAMES: Final = 301  #: of the clip that the usual times were measured on


@dataclass(frozen=True)
class PhaseSpec:
    """One phase.

    Attributes:
        words: for a reader of the progress bar.
        usual_s: CPU seconds for 301 frames of 720p on one core (`python -m benchmarks.personalisation`).
        by_frame: it takes longer for more frames.
    """

    words: str
    usual_s: float
    by_frame: bool = False


PHASES: Final[dict[str, PhaseSpec]] = {
    "reading": PhaseSpec("Reading the frames", 2.0, by_frame=True),
    "seeds": PhaseSpec("Finding what is the person", 9.5, by_frame=True),
    "links": PhaseSpec("Matching each frame with the next", 6.6, by_frame=True),
    "propagating": PhaseSpec("Following the silhouette through time", 2.3, by_frame=True),
    "cuts": PhaseSpec("Sharpening the edges", 5.0, by_frame=True),
    "features": PhaseSpec("Reading the bundled pictures of other people", 0.8),
    "learning": PhaseSpec("Learning the person", 15.0),
    "writing": PhaseSpec("Writing the factor", 0.2),
    "checking": PhaseSpec("Checking: is it really better?", 0.9),
}


def usual_s(frames: int) -> float:
    """Seconds that a personalisation from so many frames usually takes."""
    return sum(p.usual_s * (frames / USUAL_FRAMES if p.by_frame else 1.0) for p in PHASES.values())


def fraction(progress: PhaseProgress | None) -> float:
    """Share of the whole work that is done, 0..1; an unknown phase counts as nothing."""
    if progress is None or progress.phase not in PHASES:
        return 0.0
    names = list(PHASES)
    before = sum(PHASES[name].usual_s for name in names[: names.index(progress.phase)])
    inside = progress.done / progress.total if progress.total > 0 else 0.0
    done = before + PHASES[progress.phase].usual_s * min(1.0, max(0.0, inside))
    return done / sum(phase.usual_s for phase in PHASES.values())


def words(progress: PhaseProgress | None) -> str:
    """The phase at hand, for a reader."""
    if progress is None:
        return "Starting"
    return PHASES[progress.phase].words if progress.phase in PHASES else progress.phase[:60]


def step(progress: PhaseProgress | None) -> str:
    """`step 3 of 9`."""
    if progress is None or progress.phase not in PHASES:
        return ""
    return f"step {list(PHASES).index(progress.phase) + 1} of {len(PHASES)}"
