"""Label propagation through time along patch correspondences, by exact sum-product.

After Budvytis, Badrinarayanan and Cipolla (CVPR 2011; PAMI 2013). Every pixel is linked to the patch it came
from in the neighbouring frame, so the window is a forest, on which sum-product is exact: once up, once down.
One forest reaches back in time and one reaches ahead; their probabilities are averaged. Linked pixels have
one label with probability λ, so a label fades with distance from its seed. With two labels one number per
pixel says all: the log-odds d = log P(person) - log(1 - P(person)).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personalize.correspondence import Correspondence, Picture, Targets
from personalize.smoothing import mean_field

Map = NDArray[np.float32]
LogOdds = NDArray[np.floating]
OnFrame = Callable[[int, Map], None]  #: (frame, P(person)), as they are ready; may raise to stop the work

SURE = 1e-4  #: probability of the other label where the user drew
REACH = 30  #: frames before and after a stroke in which seeds on its track are replaced
FADE = 0.98  #: what is left of that knowledge on the next frame of the stroke's track


@dataclass(frozen=True)
class PropagationConfig:
    """Settings of the propagation.

    Attributes:
        agreement: λ, the probability that linked pixels have one label; 34 links halve what is known at 0.99.
        smoothness: γ of the smoothing within each frame, 0 for none.
    """

    agreement: float = 0.99
    smoothness: float = 0.0

    def __post_init__(self) -> None:
        if not 0.5 <= self.agreement < 1:
            raise ValueError(f"{self}: agreement must be in [0.5, 1)")


def propagate(
    links: Correspondence,
    unaries: Sequence[Map],
    config: PropagationConfig | None = None,
    *,
    frames: Sequence[Picture] = (),
    on_frame: OnFrame | None = None,
) -> Map:
    """Propagate seeds through a window, in both directions of time.

    Args:
        links: the window's correspondence.
        unaries: (h, w) P(person) per frame where it is known, one half elsewhere; never exactly 0 or 1.
        config: settings.
        frames: the window's pictures; only smoothing needs them.
        on_frame: gets every frame's silhouette when it is ready, the last frame first.

    Returns:
        (frames, h, w) float32 P(person); one half where nothing is known.
    """
    config = config or PropagationConfig()
    if len(unaries) != len(links.earlier) + 1 or any(u.shape != links.size for u in unaries):
        raise ValueError(f"propagate: expected {len(links.earlier) + 1} maps of {links.size}")
    if config.smoothness > 0 and len(frames) != len(unaries):
        raise ValueError("propagate: smoothing needs the pictures")
    evidence = [log_odds(u).ravel() for u in unaries]
    person = np.empty((len(evidence), *links.size), np.float32)
    for k, belief in enumerate(sum_product(evidence, links.earlier, config.agreement)):
        person[k] = probability(belief).reshape(links.size)
    ahead = sum_product(evidence[::-1], links.later[::-1], config.agreement)
    for k, belief in zip(reversed(range(len(evidence))), ahead, strict=True):
        person[k] = (person[k] + probability(belief).reshape(links.size)) / 2
        if config.smoothness > 0:
            person[k] = mean_field(frames[k], person[k], config.smoothness)
        if on_frame is not None:
            on_frame(k, person[k])
    return person


def sum_product(
    evidence: Sequence[LogOdds], parents: Sequence[Targets], agreement: float
) -> Iterator[LogOdds]:
    """Exact beliefs of every frame in turn, in log-odds, on the forest whose roots are in the first frame.

    One number per pixel is kept: the evidence of it and its descendants. Its message is computed twice.

    Args:
        evidence: (pixels) log-odds of each frame's own seeds.
        parents: item k holds frame k+1's pixels' places in frame k, -1 for none.
        agreement: λ.
    """
    below = [np.array(e) for e in evidence]
    for k in range(len(parents) - 1, -1, -1):
        linked = parents[k] >= 0
        messages = mix(below[k + 1], agreement)[linked]
        arrived = np.bincount(parents[k][linked], weights=messages, minlength=below[k].size)
        below[k] += arrived.astype(below[k].dtype)
    belief = below[0]
    yield belief
    for parent, own in zip(parents, below[1:], strict=True):
        from_above = mix(belief[parent] - mix(own, agreement), agreement)
        from_above[parent < 0] = 0  # a root of its own
        belief = own + from_above
        yield belief


def mix(d: LogOdds, agreement: float) -> LogOdds:
    """Log-odds across a link: log (λe^d + 1-λ) / ((1-λ)e^d + λ), so written that it cannot overflow."""
    half = d.dtype.type(0.5)
    return 2 * np.arctanh(d.dtype.type(2 * agreement - 1) * np.tanh(d * half))


def log_odds(person: Map) -> Map:
    """P(person), strictly between 0 and 1, as log-odds; NaN counts as one half."""
    safe = np.clip(np.nan_to_num(np.asarray(person, np.float64), nan=0.5), 1e-6, 1 - 1e-6)
    return np.log(safe / (1 - safe)).astype(np.float32)


def probability(d: LogOdds) -> LogOdds:
    """Log-odds as P(person)."""
    half = d.dtype.type(0.5)
    return half + half * np.tanh(d * half)


def with_stroke(
    links: Correspondence,
    unaries: Sequence[Map],
    frame: int,
    drawn: NDArray[np.bool_],
    *,
    person: bool,
) -> list[Map]:
    """Seeds after a stroke of the brush: sure where drawn, and along its track ever less so.

    Without the second part the wrong seeds of the frames around would outvote the stroke at once.

    Args:
        links: the window's correspondence.
        unaries: the seeds so far; not changed.
        frame: where it was drawn.
        drawn: (h, w) the stroke.
        person: the label drawn.
    """
    changed = [np.array(u) for u in unaries]
    for targets, step in ((links.earlier, 1), (links.later, -1)):
        track, sure = drawn.ravel(), np.float32(0.49)
        for k in range(frame + step, max(-1, min(len(changed), frame + step * (REACH + 1))), step):
            sure *= np.float32(FADE)
            parent = targets[k - 1 if step > 0 else k]
            track = track[parent] & (parent >= 0)
            if not track.any():
                break
            seeds = changed[k].ravel()  # a view: np.array made it contiguous
            at_least = np.maximum(seeds, 0.5 + sure) if person else np.minimum(seeds, 0.5 - sure)
            seeds[track] = at_least[track]
    changed[frame][drawn] = 1 - SURE if person else SURE
    return changed
