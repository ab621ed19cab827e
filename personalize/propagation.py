"""Labels carried through time along links between neighbouring frames, with honest confidence.

After Budvytis, Badrinarayanan and Cipolla (CVPR 2011; PAMI 2013). Every pixel is linked to the patch it came
from in the neighbouring frame, so the window is a forest, on which sum-product is exact: once up, once down.
One forest reaches back in time and one reaches ahead. A link agrees with probability λ, so what is said fades
with distance from where it was known. Where the two forests contradict each other, something was hidden. With
two labels one number per pixel says all: the log-odds d = log P(person) - log(1 - P(person)).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from personalize.correspondence import Links, Mapping, Picture
from personalize.smoothing import mean_field

Map = NDArray[np.float32]
LogOdds = NDArray[np.floating]
OnFrame = Callable[[int, Map], None]  #: (frame, P(person)), as they are ready; may raise to stop the work

IGNORED = 255
SURE = 1e-4  #: what is left for the other label where somebody drew
LEAST_TEMPERATURE = 1e-4  #: of the colours' variance; keeps weights of equal patches finite


class Combine(StrEnum):
    """How the two forests' answers become one."""

    MEAN = "mean"  #: of the probabilities
    AGREE = "agree"  #: undecided unless both say the same, both with a margin


@dataclass(frozen=True)
class Tree:
    """How labels are carried.

    Attributes:
        agreement: λ, the probability that linked pixels have one label; 34 links halve what is known.
        combine: how the two forests' answers become one.
        margin: how far from one half both must be to agree, or to contradict each other.
        sweeps: passes up and down when pixels have several links; with one link each, one is exact.
        smoothness: γ of the smoothing within each frame, 0 for none.
        forest: a second round with what a random forest learned from the first (scikit-learn).
    """

    agreement: float = 0.99
    combine: Combine = Combine.MEAN
    margin: float = 0.1
    sweeps: int = 3
    smoothness: float = 0.0
    forest: bool = False

    def __post_init__(self) -> None:
        if not 0.5 <= self.agreement < 1 or self.sweeps < 1:
            raise ValueError(f"{self}: agreement must be in [0.5, 1) and sweeps at least 1")


@dataclass(frozen=True)
class Propagated:
    """What is known of every frame of the window.

    Attributes:
        person: (frames, h, w) float32 P(person); one half where nothing is known.
        occluded: (frames, h, w) the two directions of time contradict each other here.
        notices: what the user should know.
    """

    person: Map
    occluded: NDArray[np.bool_]
    notices: list[str]


def propagate(
    mapping: Mapping,
    unaries: Sequence[Map],
    tree: Tree | None = None,
    *,
    frames: Sequence[Picture] = (),
    on_frame: OnFrame | None = None,
) -> Propagated:
    """Carry seeds through a window, both ways.

    Args:
        mapping: the window's links.
        unaries: (h, w) P(person) per frame where it is known, one half elsewhere; never exactly 0 or 1.
        tree: how.
        frames: the window's pictures; only smoothing and the forest need them.
        on_frame: gets every frame's silhouette when it is ready, the last frame first.
    """
    tree = tree or Tree()
    if len(unaries) != len(mapping.earlier) + 1 or any(u.shape != mapping.size for u in unaries):
        raise ValueError(f"propagate: expected {len(mapping.earlier) + 1} maps of {mapping.size}")
    if (tree.forest or tree.smoothness > 0) and len(frames) != len(unaries):
        raise ValueError("propagate: smoothing and the forest need the pictures")
    once = replace(tree, forest=False)
    if tree.forest:
        from personalize.forest import second_opinion  # noqa: PLC0415 - scikit-learn takes a second to load

        first = propagate(mapping, unaries, replace(once, smoothness=0.0))
        unaries = second_opinion(frames, first.person, unaries)
    evidence = [log_odds(u).ravel() for u in unaries]
    person = np.empty((len(evidence), *mapping.size), np.float32)
    occluded = np.zeros(person.shape, np.bool_)
    for k, belief in enumerate(carry(evidence, mapping.earlier, once)):
        person[k] = probability(belief).reshape(mapping.size)
    ahead = carry(evidence[::-1], mapping.later[::-1], once)
    for k, belief in zip(reversed(range(len(evidence))), ahead, strict=True):
        other = probability(belief).reshape(mapping.size)
        occluded[k] = contradicting(person[k], other, tree.margin)
        person[k] = combined(person[k], other, once)
        if tree.smoothness > 0:
            person[k] = mean_field(frames[k], person[k], tree.smoothness)
        if on_frame is not None:
            on_frame(k, person[k])
    return Propagated(person, occluded, mapping.notices)


def carry(evidence: Sequence[LogOdds], links: Sequence[Links], tree: Tree) -> Iterator[LogOdds]:
    """Beliefs of every frame in turn, in log-odds, from the forest whose roots are in the first frame.

    Args:
        evidence: (pixels) log-odds of each frame's own knowledge.
        links: item k links the pixels of frame k+1 into frame k.
        tree: how.
    """
    if any(len(link.target) > 1 for link in links):
        return carry_mixture(evidence, links, tree)
    return carry_exactly(evidence, [link.best for link in links], tree.agreement)


def carry_exactly(
    evidence: Sequence[LogOdds], parents: Sequence[NDArray[np.int32]], agreement: float
) -> Iterator[LogOdds]:
    """Exact sum-product on a forest: `parents[k]` holds frame k+1's pixels' places in frame k, -1 for none.

    One number per pixel is kept: what it and its descendants know. Its message is worked out twice.
    """
    below = [np.array(e) for e in evidence]
    for k in range(len(parents) - 1, -1, -1):
        below[k] += _arrived(parents[k], mix(below[k + 1], agreement), below[k])
    belief = below[0]
    yield belief
    for parent, own in zip(parents, below[1:], strict=True):
        from_above = mix(belief[parent] - mix(own, agreement), agreement)
        from_above[parent < 0] = 0  # a root of its own
        belief = own + from_above
        yield belief


def carry_mixture(evidence: Sequence[LogOdds], links: Sequence[Links], tree: Tree) -> Iterator[LogOdds]:
    """The same when a pixel may come from any of several places, each with its weight.

    No longer a forest: messages to the places of one pixel depend on each other, and loops close. A few
    sweeps of loopy sum-product come close; with one place each they are exact, as `carry_exactly` is.
    """
    weights = [link_weights(link) for link in links]
    told = [np.zeros(link.target.shape, evidence[0].dtype) for link in links]
    beliefs: list[LogOdds] = [np.zeros_like(e) for e in evidence]
    below: list[LogOdds] = []
    for _ in range(tree.sweeps):
        below = [np.array(e) for e in evidence]
        for k in range(len(links) - 1, -1, -1):
            link, weight = links[k], weights[k]
            expected = _expected(beliefs[k], link, told[k], tree.agreement)
            told[k] = _to_places(below[k + 1], expected, weight, tree.agreement)
            below[k] += _arrived(link.target, told[k], below[k])
        beliefs[0] = below[0]
        for k, (link, weight) in enumerate(zip(links, weights, strict=True)):
            expected = _expected(beliefs[k], link, told[k], tree.agreement)
            share = weight.sum(axis=0)
            mean = (weight * expected).sum(axis=0) + (1 - share) / 2  # all cut: one half
            beliefs[k + 1] = below[k + 1] + np.log(mean / (1 - mean))
    yield from beliefs


def _arrived(target: NDArray[np.int32], told: LogOdds, like: LogOdds) -> LogOdds:
    """Everything a frame's pixels are told, summed up pixel by pixel."""
    linked = target >= 0
    return np.bincount(target[linked], weights=told[linked], minlength=like.size).astype(like.dtype)


def _expected(above: LogOdds, link: Links, told: LogOdds, agreement: float) -> LogOdds:
    """(links, pixels) P(person) that each place lets expect, leaving out what this pixel itself told it."""
    place = probability(mix(above[link.target] - told, agreement))
    return np.where(link.target >= 0, place, place.dtype.type(0.5))


def _to_places(own: LogOdds, expected: LogOdds, weight: NDArray[np.floating], agreement: float) -> LogOdds:
    """(links, pixels) log-odds that a pixel tells each of its places, given what the others let expect."""
    person = probability(own)
    background = 1 - person
    fit = person * expected + background * (1 - expected)
    others = (weight * fit).sum(axis=0) - weight * fit
    if_person = person * agreement + background * (1 - agreement)
    if_background = person * (1 - agreement) + background * agreement
    lost = np.where(weight.sum(axis=0) > 0, 0.0, 1.0)  # no place at all: nothing is told
    told: LogOdds = np.log((weight * if_person + others + lost) / (weight * if_background + others + lost))
    return told.astype(own.dtype)


def link_weights(link: Links) -> NDArray[np.float32]:
    """(links, pixels) weights exp(-cost / 2φ), φ a usual cost; they sum to 1, or 0 where all are cut."""
    temperature = max(float(np.median(link.cost[0])), LEAST_TEMPERATURE)
    weight = np.exp(-(link.cost - link.cost[:1]) / (2 * temperature)) * (link.target >= 0)
    total = weight.sum(axis=0, keepdims=True)
    return np.asarray(np.divide(weight, total, out=np.zeros_like(weight), where=total > 0), np.float32)


def mix(d: LogOdds, agreement: float) -> LogOdds:
    """Log-odds across a link: log (λe^d + 1-λ) / ((1-λ)e^d + λ), so written that it cannot overflow."""
    half = d.dtype.type(0.5)
    return 2 * np.arctanh(d.dtype.type(2 * agreement - 1) * np.tanh(d * half))


def log_odds(person: Map) -> Map:
    """P(person), strictly between 0 and 1, as log-odds; what is no number counts as one half."""
    safe = np.clip(np.nan_to_num(np.asarray(person, np.float64), nan=0.5), 1e-6, 1 - 1e-6)
    return np.log(safe / (1 - safe)).astype(np.float32)


def probability(d: LogOdds) -> LogOdds:
    """Log-odds as P(person)."""
    half = d.dtype.type(0.5)
    return half + half * np.tanh(d * half)


def combined(one: Map, other: Map, tree: Tree) -> Map:
    """One answer from two: their mean, or one half unless both agree with a margin."""
    mean = np.asarray((one + other) / 2, np.float32)
    if tree.combine is Combine.MEAN:
        return mean
    low, high = np.minimum(one, other), np.maximum(one, other)
    agree = (low > 0.5 + tree.margin) | (high < 0.5 - tree.margin)
    return np.where(agree, mean, np.float32(0.5)).astype(np.float32)


def contradicting(one: Map, other: Map, margin: float) -> NDArray[np.bool_]:
    """Where one says person and the other background, both with a margin."""
    return (np.minimum(one, other) < 0.5 - margin) & (np.maximum(one, other) > 0.5 + margin)


def with_stroke(
    mapping: Mapping,
    unaries: Sequence[Map],
    frame: int,
    drawn: NDArray[np.bool_],
    *,
    person: bool,
    reach: int = 30,
) -> list[Map]:
    """The seeds after a stroke of the brush: sure where drawn, and no seed against it left on its track.

    Without the second part the wrong seeds of the frames around would outvote the stroke at once.

    Args:
        mapping: the window's links.
        unaries: the seeds so far; not changed.
        frame: where it was drawn.
        drawn: (h, w) the stroke.
        person: what it says.
        reach: frames before and after in which contradicting seeds are withdrawn.
    """
    changed = [np.array(u) for u in unaries]
    for links, step in ((mapping.earlier, 1), (mapping.later, -1)):
        track = drawn.ravel()
        for k in range(frame + step, max(-1, min(len(changed), frame + step * (reach + 1))), step):
            parent = links[k - 1 if step > 0 else k].best
            track = track[parent] & (parent >= 0)
            if not track.any():
                break
            seeds = changed[k].ravel()  # a view: np.array made it contiguous
            seeds[track & ((seeds < 0.5) if person else (seeds > 0.5))] = 0.5
    changed[frame][drawn] = 1 - SURE if person else SURE
    return changed


@dataclass(frozen=True)
class Labels:
    """What a factor is trained on.

    Attributes:
        labels: (frames, h, w) uint8 on the factor's grid: 1 person, 0 background, 255 not sure.
        used: (frames) False for frames with next to no person, or hardly anything else.
    """

    labels: NDArray[np.uint8]
    used: NDArray[np.bool_]


def labels(person: Map, grid: tuple[int, int], *, doubt: float = 0.2) -> Labels:
    """Sure cells of the factor's grid from carried silhouettes.

    Args:
        person: (frames, h, w) P(person).
        grid: (width, height) in cells.
        doubt: a cell is person above 1 - doubt, background below doubt, after averaging P over the cell.
    """
    cells = np.stack([cv2.resize(p, grid, interpolation=cv2.INTER_AREA) for p in person])
    sure = np.full(cells.shape, IGNORED, np.uint8)
    sure[cells > 1 - doubt], sure[cells < doubt] = 1, 0
    share = (sure == 1).mean(axis=(1, 2))
    return Labels(sure, np.asarray((share >= 0.005) & (share <= 0.9), np.bool_))
