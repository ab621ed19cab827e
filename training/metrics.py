"""Measures of a parsing: exact on synthetic people, on real photos by the labels they have.

All functions take label maps and P(person) at the size of the stored picture, so they score a torch model, an
engine and the files of `xfactor parse` alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from models.centroids import part_centroids
from models.labels import IGNORE, S31
from models.results import Parsing
from training.scribbles import Skeleton, distance_to_bones

Labels = NDArray[np.uint8]

LIMBS = (
    ("uarm", "shoulder", "elbow"),
    ("larm", "elbow", "wrist"),
    ("uleg", "hip", "knee"),
    ("lleg", "knee", "ankle"),
)
#: the parts that may stand on a limb's line: its own, or one of its joints'
LIMB_NEIGHBOURS = {
    "uarm": ("uarm", "shoulder", "elbow"),
    "larm": ("larm", "elbow", "wrist"),
    "uleg": ("uleg", "lbody", "knee"),
    "lleg": ("lleg", "knee", "ankle"),
}
CENTROID_JOINTS = ("wrist", "elbow", "shoulder", "knee", "ankle")
HEAD = tuple(i for i, n in enumerate(S31.names, 1) if n.endswith("head"))
TORSO = tuple(i for i, n in enumerate(S31.names, 1) if n.endswith("body"))
FEET = tuple(i for i, n in enumerate(S31.names, 1) if n.endswith(("foot", "ankle")))
LEGS = tuple(
    i for i, n in enumerate(S31.names, 1) if n[1:] in ("uleg", "knee", "lleg", "ankle", "lbody", "foot")
)
BOUNDARY_TOLERANCE = 0.008  # of the image diagonal
PCK_TOLERANCE = 0.2  # of the torso length
PROBE_STEP = 0.125  # grid of the background probe, torso lengths


def silhouette_iou(mask: NDArray[np.bool_], truth: Labels) -> float:
    """Intersection over union with a 0/1 silhouette; 255 is left out; 1 when both are empty."""
    known = truth != IGNORE
    a, b = mask & known, (truth == 1) & known
    union = float(np.count_nonzero(a | b))
    return float(np.count_nonzero(a & b)) / union if union else 1.0


def boundary_f(mask: NDArray[np.bool_], truth: Labels) -> float:
    """F measure of boundary pixels matched within 0.8 % of the diagonal; those beside 255 are left out."""
    h, w = truth.shape
    tolerance = max(1.0, BOUNDARY_TOLERANCE * float(np.hypot(h, w)))
    unknown = _unknown(truth)
    a, b = (_boundary(m) & ~unknown for m in (mask, truth == 1))
    if not a.any() or not b.any():
        return float(a.any() == b.any())
    precision = float((_distance_to(b)[a] <= tolerance).mean())
    recall = float((_distance_to(a)[b] <= tolerance).mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def has_known_edge(truth: Labels) -> bool:
    """True unless all edges of a 0/1 silhouette lie beside 255, where `boundary_f` says nothing."""
    unknown = _unknown(truth)
    return not unknown.any() or bool((_boundary(truth == 1) & ~unknown).any())


def _unknown(truth: Labels) -> NDArray[np.bool_]:
    """255 and the pixels beside it."""
    return np.asarray(cv2.dilate((truth == IGNORE).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _boundary(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    m = mask.astype(np.uint8)
    eroded = np.asarray(cv2.erode(m, np.ones((3, 3), np.uint8)), dtype=np.uint8)
    edge: NDArray[np.bool_] = (m > 0) & (eroded == 0)
    return edge


def _distance_to(points: NDArray[np.bool_]) -> NDArray[np.float32]:
    d = cv2.distanceTransform((~points).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(d, dtype=np.float32)


@dataclass
class HitRates:
    """Hits out of tries by name; means are pooled over everything added."""

    hits: dict[str, float] = field(default_factory=dict)
    tries: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, hits: float, tries: float) -> None:
        """Count `hits` of `tries`."""
        self.hits[name] = self.hits.get(name, 0.0) + hits
        self.tries[name] = self.tries.get(name, 0.0) + tries

    def rate(self, name: str) -> float:
        """Pooled rate; NaN when nothing was tried."""
        return self.hits[name] / self.tries[name] if self.tries.get(name) else float("nan")


def probe_pose(labels: Labels, skeleton: Skeleton, tally: HitRates) -> None:
    """Add one picture's limb, head, torso, background and centroid measures to the tally.

    `labels` (h, w) are S31 labels at the size the true joints of `skeleton` are in.
    """
    for part, a, b in LIMBS:
        for letter, side in (("r", "r_"), ("l", "l_")):
            if skeleton.seen(side + a, side + b):
                _probe_limb(labels, skeleton, tally, part, letter, (side + a, side + b))
    if skeleton.seen("neck", "head_top"):
        head = _sample(labels, skeleton.at("neck"), skeleton.at("head_top"), (0.4, 0.6, 0.8))
        tally.add("head", float(np.isin(head, HEAD).sum()), len(head))
    torso = skeleton.torso_length()
    if torso is None:
        return
    if skeleton.seen("r_shoulder", "l_shoulder", "r_hip", "l_hip"):
        centre = np.mean([skeleton.at(n) for n in ("r_shoulder", "l_shoulder", "r_hip", "l_hip")], axis=0)
        tally.add("torso", float(np.isin(_sample(labels, centre, centre, (0.0,)), TORSO).sum()), 1)
    if (skeleton.visible > 0).all():
        _probe_background(labels, skeleton, torso, tally)
    _probe_centroids(labels, skeleton, torso, tally)


def _probe_limb(
    labels: Labels, s: Skeleton, tally: HitRates, part: str, letter: str, ends: tuple[str, str]
) -> None:
    own = S31.id(letter + part)
    fine = _sample(labels, s.at(ends[0]), s.at(ends[1]), (0.4, 0.5, 0.6))
    tally.add("limb", float((fine == own).sum()), len(fine))
    tally.add(f"limb {part}", float((fine == own).sum()), len(fine))
    coarse = _sample(labels, s.at(ends[0]), s.at(ends[1]), (0.3, 0.4, 0.5, 0.6, 0.7))
    near = [S31.id(letter + n) for n in LIMB_NEIGHBOURS[part]]
    tally.add("limb coarse", float(np.isin(coarse, near).sum()), len(coarse))
    either = near + [S31.mirror_ids[i - 1] for i in near]
    tally.add("limb coarse agnostic", float(np.isin(coarse, either).sum()), len(coarse))


def _probe_background(labels: Labels, s: Skeleton, torso: float, tally: HitRates) -> None:
    h, w = labels.shape
    step = max(1, round(PROBE_STEP * torso))
    far = distance_to_bones(s, (w, h))[::step, ::step] > 0.5 * torso
    tally.add("background", float((labels[::step, ::step][far] == 0).sum()), float(far.sum()))


def _probe_centroids(labels: Labels, s: Skeleton, torso: float, tally: HitRates) -> None:
    view, size = labels.view(), (labels.shape[1], labels.shape[0])
    found = part_centroids(Parsing(S31, size, view, view, view)).points
    for joint in CENTROID_JOINTS:
        for letter, side in (("r", "r_"), ("l", "l_")):
            if s.seen(side + joint):
                away = np.hypot(*(found[S31.id(letter + joint)] - s.at(side + joint)))  # NaN: not found
                tally.add(f"pck {joint}", float(away <= PCK_TOLERANCE * torso), 1)


def _sample(labels: Labels, p: NDArray[np.float32], q: NDArray[np.float32], ts: Sequence[float]) -> Labels:
    """Labels at points of a segment; points outside the picture are left out."""
    t = np.asarray(ts)[:, None]
    x, y = np.round((1 - t) * p + t * q).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < labels.shape[1]) & (y < labels.shape[0])
    out: Labels = labels[y[inside], x[inside]]
    return out


def pose_report(tally: HitRates) -> dict[str, float]:
    """The named measures of a data set with joints."""
    limb, background = tally.rate("limb"), tally.rate("background")
    both = limb + background
    return {
        "probe F": 2 * limb * background / both if both else 0.0,
        "limb probe": limb,
        "background probe": background,
        "limb coarse": tally.rate("limb coarse"),
        "limb coarse agnostic": tally.rate("limb coarse agnostic"),
        "head": tally.rate("head"),
        "torso": tally.rate("torso"),
        "centroid PCK": float(np.nanmean([tally.rate(f"pck {j}") for j in CENTROID_JOINTS])),
        **{f"PCK {j}": tally.rate(f"pck {j}") for j in CENTROID_JOINTS},
        **{f"limb {p}": tally.rate(f"limb {p}") for p, _, _ in LIMBS},
    }


def probe_garments(labels: Labels, garments: Labels, names: Sequence[str], tally: HitRates) -> None:
    """Coarse garments of `ccp`: hair is head, shoes are feet or ankles, trousers are legs or lower body."""
    shoes = ("shoes", "flats", "heels", "loafers", "pumps", "sandals", "sneakers", "wedges", "clogs")
    for name, members, parts in (
        ("hair", ("hair",), HEAD),
        ("shoes", shoes, FEET),
        ("trousers", ("pants", "jeans"), LEGS),
    ):
        at = np.isin(garments, [names.index(m) for m in members])
        tally.add(name, float(np.isin(labels[at], parts).sum()), float(at.sum()))


@dataclass
class Confusion:
    """Pixel confusion over a data set (methods §9.4); always accumulated, never a mean of pictures."""

    classes: int
    counts: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.counts = np.zeros((self.classes, self.classes), dtype=np.int64)

    def add(self, truth: Labels, predicted: Labels) -> None:
        """Count pixels; 255 in the truth is dropped."""
        known = truth != IGNORE
        index = truth[known].astype(np.int64) * self.classes + predicted[known]
        self.counts += np.bincount(index, minlength=self.classes**2).reshape(self.classes, self.classes)

    def iou(self) -> NDArray[np.float64]:
        """(classes,) intersection over union; NaN where a class is neither there nor predicted."""
        hit = np.diag(self.counts).astype(np.float64)
        union = self.counts.sum(0) + self.counts.sum(1) - hit
        rates: NDArray[np.float64] = np.divide(hit, union, out=np.full(self.classes, np.nan), where=union > 0)
        return rates

    def accuracy(self) -> NDArray[np.float64]:
        """(classes,) share of a class's pixels that are right; NaN where it is not there."""
        truth = self.counts.sum(1)
        hit = np.diag(self.counts).astype(np.float64)
        rates: NDArray[np.float64] = np.divide(hit, truth, out=np.full(self.classes, np.nan), where=truth > 0)
        return rates

    def summary(self) -> dict[str, float]:
        """Pixel and mean accuracy, mean and frequency-weighted IoU; classes that are nowhere are left out."""
        truth, total = self.counts.sum(1), max(1, int(self.counts.sum()))
        weighted = np.where(truth > 0, truth * self.iou(), 0).sum() / total
        means = {"mean accuracy": self.accuracy(), "mean IoU": self.iou()}
        return {
            "pixel accuracy": float(np.trace(self.counts)) / total,
            **{k: float(np.nanmean(v)) if np.isfinite(v).any() else float("nan") for k, v in means.items()},
            "frequency-weighted IoU": float(weighted),
        }
