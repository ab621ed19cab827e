"""A silhouette cut along the picture's edges, from probabilities: GrabCut, and a graph cut of our own.

The energy is that of Rother, Kolmogorov and Blake (2004) with the probabilities as a further term: what a
pixel costs on either side by colour and by P(person), and what it costs to separate neighbours that look
alike. `maxflow` holds Python's lock while it cuts, so `graph_cut` belongs in a process of its own; `grab_cut`
does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import maxflow
import numpy as np
from numpy.typing import NDArray

from personalize.contrast import DIRECTIONS, edge_weights
from runtime.silhouettes.grabcut import cut_trimap

Picture = NDArray[np.uint8]
Map = NDArray[np.float32]
Mask = NDArray[np.bool_]
Energies = NDArray[np.float64]

GAMMA = 10.0  #: cost of separating two equal neighbours; 50 in the paper, too smooth for people 60 px tall
ITERATIONS = 5  #: rounds of learning the colours and cutting, at most
PROBABILITY = 1.0  #: weight of -log P beside the colours
COMPONENTS = 5  #: Gaussians per side
LEAST_PIXELS = 50  #: per side; fewer cannot hold five Gaussians
FORBIDDEN = 1e9  #: more than all colours and edges round a pixel can cost
LEAST_IOU = 0.5  #: with what it started from; below this the cut has run away
CLIP = 0.01
INNER, OUTER, SIDE = (
    8,
    24,
    512,
)  #: px a sure person is eroded by, a sure background is away by, at this long side


@dataclass(frozen=True)
class FrameCut:
    """A silhouette.

    Attributes:
        person: (h, w).
        notice: why it is the input at one half instead of a cut; empty when it was cut.
    """

    person: Mask
    notice: str = ""


def grab_cut(image: Picture, person: Map) -> FrameCut:
    """OpenCV's GrabCut, started from probabilities.

    Args:
        image: (h, w, 3) RGB.
        person: (h, w) P(person).
    """
    likely = _known(person) > 0.5
    if refusal := _too_few(likely):
        return FrameCut(likely, refusal)
    mask = _trimap(_known(person))
    try:
        cut = cut_trimap(np.ascontiguousarray(image[..., ::-1]), mask, ITERATIONS)
    except cv2.error as error:
        return FrameCut(likely, f"GrabCut gave up: {error.err}.")
    return _guarded(cut, likely)


def graph_cut(image: Picture, person: Map, iterations: int = ITERATIONS) -> FrameCut:
    """Minimum cut of colour, probability and contrast, learned and cut again until it rests.

    Args:
        image: (h, w, 3) RGB.
        person: (h, w) P(person).
        iterations: rounds at most; from P(person) that is nearly right one changes what five would.
    """
    known = _known(person)
    likely = known > 0.5
    if refusal := _too_few(likely):
        return FrameCut(likely, refusal)
    edges = edge_weights(image, GAMMA)
    sure = _trimap(known)
    clipped = np.clip(known.astype(np.float64), CLIP, 1 - CLIP)
    by_probability = -np.log(np.stack([1 - clipped, clipped]))
    colours = image.reshape(-1, 3).astype(np.float64)
    sides = [Gaussians.of(colours[side.ravel()]) for side in (~likely, likely)]
    now = likely
    for _ in range(iterations):
        if min(now.sum(), (~now).sum()) < LEAST_PIXELS:
            break
        sides = [sides[0].again(colours[~now.ravel()]), sides[1].again(colours[now.ravel()])]
        by_colour = np.stack([g.energies(colours).reshape(now.shape) for g in sides])
        unary = by_colour + PROBABILITY * by_probability
        _forbid(unary, sure)
        before, now = now, minimise(unary, edges)
        if np.mean(before != now) < 1e-3:
            break
    return _guarded(now, likely)


def minimise(unary: Energies, edges: Energies) -> Mask:
    """The labelling of least energy, True for person.

    Args:
        unary: (2, h, w) cost of background and of person at each pixel.
        edges: (4, h, w) cost of separating each pixel from its neighbour in each of `DIRECTIONS`.
    """
    graph = maxflow.Graph[float]()
    nodes = graph.add_grid_nodes(unary.shape[1:])
    for (dy, dx), weights in zip(DIRECTIONS, edges, strict=True):
        structure = np.zeros((3, 3))
        structure[1 + dy, 1 + dx] = 1
        graph.add_grid_edges(nodes, weights=weights, structure=structure, symmetric=True)
    paid = unary - unary.min(axis=0)
    graph.add_grid_tedges(
        nodes, paid[1], paid[0]
    )  # a pixel on the sink's side is a person and cuts its source
    graph.maxflow()
    return np.asarray(graph.get_grid_segments(nodes), np.bool_)


@dataclass(frozen=True)
class Gaussians:
    """A mixture of full Gaussians over colours from 0 to 255."""

    weights: Energies  #: (k)
    means: Energies  #: (k, 3)
    covariances: Energies  #: (k, 3, 3)

    @classmethod
    def of(cls, colours: Energies) -> Gaussians:
        """A first mixture of at least as many colours: k-means, ten iterations."""
        cv2.setRNGSeed(0)
        start = np.zeros(len(colours), np.int32)
        criteria = (cv2.TERM_CRITERIA_MAX_ITER, 10, 0.0)
        _, chosen, _ = cv2.kmeans(
            colours.astype(np.float32), COMPONENTS, start, criteria, 1, cv2.KMEANS_PP_CENTERS
        )
        return cls.fitted(colours, np.asarray(chosen, np.int64).ravel())

    @classmethod
    def fitted(cls, colours: Energies, chosen: NDArray[np.integer]) -> Gaussians:
        """The mixture of which every colour belongs to the component chosen for it; empty ones go."""
        groups = [colours[chosen == k] for k in np.unique(chosen)]
        covariances = [
            np.einsum("ni,nj->ij", g - g.mean(axis=0), g - g.mean(axis=0)) / len(g) + 0.01 * np.eye(3)
            for g in groups
        ]
        weights = np.array([len(g) / len(colours) for g in groups])
        return cls(weights, np.array([g.mean(axis=0) for g in groups]), np.array(covariances))

    def again(self, colours: Energies) -> Gaussians:
        """Fitted anew: every colour to its best component, then every component to its colours."""
        return Gaussians.fitted(colours, np.asarray(self._parts(colours).argmax(axis=1)))

    def energies(self, colours: Energies) -> Energies:
        """(n) -log of the mixture's density at (n, 3) colours."""
        parts = self._parts(colours)
        most = parts.max(axis=1)
        made: Energies = -(most + np.log(np.exp(parts - most[:, None]).sum(axis=1)))
        return made

    def _parts(self, colours: Energies) -> Energies:
        """(n, k) log of weight times density of each component."""
        made = np.empty((len(colours), len(self.weights)))
        for k, (weight, mean, covariance) in enumerate(
            zip(self.weights, self.means, self.covariances, strict=True)
        ):
            lower = np.linalg.cholesky(covariance)
            away = np.linalg.solve(lower, (colours - mean).T)
            spread = 2 * np.log(np.diag(lower)).sum() + 3 * np.log(2 * np.pi)
            made[:, k] = np.log(weight) - 0.5 * ((away**2).sum(axis=0) + spread)
        return made


def _known(person: Map) -> Map:
    return np.clip(np.nan_to_num(np.asarray(person, np.float32), nan=0.5), 0, 1)


def _too_few(likely: Mask) -> str:
    """Why this cannot be cut, or nothing."""
    if likely.sum() < LEAST_PIXELS:
        return f"Not cut: fewer than {LEAST_PIXELS} pixels are likely a person."
    if (~likely).sum() < LEAST_PIXELS:
        return f"Not cut: fewer than {LEAST_PIXELS} pixels are likely background."
    return ""


def _trimap(person: Map) -> NDArray[np.uint8]:
    """GrabCut's mask: sure well inside a sure person and far from any likely one, probable elsewhere."""
    scale = max(person.shape) / SIDE
    likely = person > 0.5
    mask = np.where(likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    mask[_eroded(person > 1 - CLIP, INNER * scale)] = cv2.GC_FGD
    away = cv2.distanceTransform(np.asarray(~likely, np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    mask[np.asarray(away) > OUTER * scale] = cv2.GC_BGD
    return mask


def _eroded(mask: Mask, radius: float) -> Mask:
    """Pixels farther than `radius` from what is outside the mask; the picture's border counts as inside."""
    away = cv2.distanceTransform(np.asarray(mask, np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.asarray(away) > radius, np.bool_)


def _forbid(unary: Energies, sure: NDArray[np.uint8]) -> None:
    """Let no cut change what is sure."""
    for label, forbidden in ((cv2.GC_FGD, 0), (cv2.GC_BGD, 1)):
        where = sure == label
        unary[1 - forbidden][where] = 0
        unary[forbidden][where] = FORBIDDEN


def _guarded(cut: Mask, likely: Mask) -> FrameCut:
    """The cut, or what it started from when it is empty, full or somewhere else."""
    iou = (cut & likely).sum() / (cut | likely).sum()
    if not cut.any() or cut.all():
        return FrameCut(likely, "Not cut: colour and silhouette do not go together here.")
    if iou < LEAST_IOU:
        return FrameCut(likely, f"Not cut: the cut had only {iou:.0%} in common with the silhouette.")
    return FrameCut(np.asarray(cut, np.bool_))
