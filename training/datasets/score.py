"""The paper's measures of a checkpoint on a published data set (methods §1.8, §1.9).

Parts are scored on the network's own grid, 64x64 for 512x512 px, as the paper does. Other part sets are
compared by summing the posteriors of the parts that merge into one of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.checkpoint import load_network
from models.factored import STRIDE, FactoredConvNet, normalise
from models.grid import Grid
from models.labels import FSP14, IGNORE, MERGED16, PASCAL7, S31, PartMap
from models.network import Network
from training.datasets.files import Pixels
from training.datasets.samples import Sample
from training.datasets.sets import FSP_PARTS, LIP20, PASCAL_PARTS, S31_COARSE, YOUTUBE7
from training.metrics import Confusion, Tally, pose_report, probe_pose
from training.photos import DataError

PADDING = 128  # grey, as everywhere else in this project

Posteriors = NDArray[np.float32]  # (32, cells, cells)
#: picture, and its silhouette where it is to be shown to the network → posteriors on the grid
Run = Callable[[Pixels, "Pixels | None"], Posteriors]
Scores = dict[str, float]


@dataclass(frozen=True)
class Letterbox:
    """A picture scaled into the top left corner of a square of `side` px."""

    width: int
    height: int
    side: int

    @property
    def content(self) -> tuple[int, int]:
        """(width, height) of the scaled picture, px."""
        k = self.side / max(self.width, self.height)
        return max(1, round(self.width * k)), max(1, round(self.height * k))

    def image(self, picture: Pixels) -> Pixels:
        """(h, w, 3) → (side, side, 3)."""
        out = np.full((self.side, self.side, 3), PADDING, dtype=np.uint8)
        w, h = self.content
        shrinks = w < self.width
        out[:h, :w] = cv2.resize(
            picture, (w, h), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        return out

    def labels(self, labels: Pixels) -> Pixels:
        """(h, w) → (cells, cells): the label at each cell's centre, 255 in the padding (methods §1.4)."""
        at = np.arange(STRIDE // 2, self.side, STRIDE)
        w, h = self.content
        out = np.full((len(at), len(at)), IGNORE, dtype=np.uint8)
        rows, columns = at[at < h], at[at < w]
        y = np.minimum((rows + 0.5) * self.height / h, self.height - 1).astype(int)
        x = np.minimum((columns + 0.5) * self.width / w, self.width - 1).astype(int)
        out[: len(y), : len(x)] = labels[np.ix_(y, x)]
        return out

    def person(self, silhouette: Pixels) -> NDArray[np.float32]:
        """(h, w) 0/1/255 → (cells, cells) share of each cell that is person (methods §1.7)."""
        w, h = self.content
        out = np.zeros((self.side, self.side), dtype=np.float32)
        out[:h, :w] = cv2.resize((silhouette == 1).astype(np.float32), (w, h), interpolation=cv2.INTER_AREA)
        n = self.side // STRIDE
        share: NDArray[np.float32] = out.reshape(n, STRIDE, n, STRIDE).mean(axis=(1, 3))
        return share

    def to_picture(self, cells: NDArray[np.float64]) -> NDArray[np.float64]:
        """Cell coordinates (…, 2) x, y → pixels of the picture."""
        w, h = self.content
        pixel = Grid.CENTRE.to_pixel(cells, STRIDE)
        return (pixel + 0.5) * (self.width / w, self.height / h) - 0.5


def open_run(checkpoint: Path, side: int) -> Run:
    """A checkpoint of any architecture of this project, to be run at `side` x `side` px.

    Raises:
        CheckpointError: the file is no checkpoint of this project.
    """
    net, _ = load_network(checkpoint)

    @torch.no_grad()
    def run(picture: Pixels, silhouette: Pixels | None) -> Posteriors:
        box = Letterbox(picture.shape[1], picture.shape[0], side)
        x = normalise(torch.from_numpy(box.image(picture))[None].permute(0, 3, 1, 2).float())
        person = None if silhouette is None else box.person(silhouette)
        return _posteriors(net, x, person)

    return run


def _posteriors(net: Network, x: torch.Tensor, person: NDArray[np.float32] | None) -> Posteriors:
    """Given a silhouette, the factored network is shown it, the others are held to it (methods §1.7)."""
    if isinstance(net, FactoredConvNet):
        shown = None if person is None else torch.from_numpy(person)[None, None]
        return np.asarray(net(x, shown)[1].softmax(1)[0].numpy(), dtype=np.float32)
    logits = net(x)[0]
    if person is not None:
        inside = torch.from_numpy(person >= 0.5)
        logits[0, inside] = -torch.inf  # before the softmax: a certain background leaves nothing to the parts
        logits[1:, ~inside] = -torch.inf
    return np.asarray(logits.softmax(0).numpy(), dtype=np.float32)


def score_parts(run: Run, samples: Iterable[Sample], side: int, *, show_truth: bool = False) -> Scores:
    """Mean class accuracy and IoU over the data set, in the data set's own classes."""
    fine = person = merge = None
    names: tuple[str, ...] = ()
    for sample in samples:
        picture = sample.image()
        box = Letterbox(picture.shape[1], picture.shape[0], side)
        truth = sample.silhouette()
        posteriors = run(picture, truth if show_truth else None)
        if person is None:
            person = Confusion(2)
            merge, names = _space(sample)
            fine = Confusion(len(names) + 1) if names else None
        labels = posteriors.argmax(0).astype(np.uint8)
        person.add(box.labels(truth), np.minimum(labels, 1))
        if fine is not None:
            stored = sample.coarse_labels() if sample.coarse else sample.labels()
            found = labels if merge is None else merge.merge(posteriors).argmax(0).astype(np.uint8)
            fine.add(box.labels(stored), found)
    if person is None:
        raise DataError("nothing to score: no picture of the split can be read. Check the folder first.")
    out = {"silhouette IoU": float(person.iou()[1])}
    return out if fine is None else out | _report(fine, names, sides=merge is None)


def _space(sample: Sample) -> tuple[PartMap | None, tuple[str, ...]]:
    """How S31 posteriors become the classes of a data set, and those classes' names."""
    if sample.label_set is S31:
        return None, S31.names
    merge = {LIP20.name: S31_COARSE, PASCAL_PARTS.name: PASCAL7, FSP_PARTS.name: FSP14}
    found = merge.get(sample.label_set.name) if sample.label_set else None
    return found, found.names if found else ()


def _report(fine: Confusion, names: tuple[str, ...], *, sides: bool) -> Scores:
    """Means without and with the background; of S31, left and right are averaged into 16 classes."""
    out: Scores = {}
    for measure, rates in (("accuracy", fine.accuracy()), ("IoU", fine.iou())):
        out[f"mean {measure}"] = _mean(rates[1:])
        out[f"mean {measure} with background"] = _mean(rates)
        out[f"{measure} background"] = float(rates[0])
        if sides:
            ids = np.array(MERGED16.ids)
            merged = [_mean(rates[1:][ids == i]) for i in range(1, len(MERGED16.names) + 1)]
            out[f"mean {measure} of 16"] = _mean(np.array(merged))
            out |= {f"{measure} {n}": v for n, v in zip(MERGED16.names, merged, strict=True)}
        else:
            out |= {f"{measure} {n}": float(v) for n, v in zip(names, rates[1:], strict=True)}
    return out


def _mean(rates: NDArray[np.float64]) -> float:
    """Over the classes that are there; NaN when none is."""
    known = rates[np.isfinite(rates)]
    return float(known.mean()) if len(known) else float("nan")


#: parts whose common centroid is the joint (methods §1.8)
CENTROIDS: dict[str, tuple[int, ...]] = {
    "head": tuple(S31.id(n) for n in ("luhead", "ruhead", "rlhead", "llhead")),
    **{n: (S31.id(n.replace("_", "")),) for n in YOUTUBE7.names[1:]},
}
GROUPS = {"head": "head", "wrists": "wrist", "elbows": "elbow", "shoulders": "shoulder"}


def centroid(posteriors: Posteriors, parts: tuple[int, ...]) -> tuple[NDArray[np.float64], bool]:
    """(2,) x, y in cells, and whether the parts were found at all.

    Where no cell carries them: the centroid of their posterior over the person, or over everything.
    """
    labels = posteriors.argmax(0)
    weight = np.isin(labels, parts).astype(np.float64)
    found = bool(weight.any())
    if not found:
        weight = posteriors[list(parts)].sum(0).astype(np.float64)
        if (labels > 0).any():
            weight = np.where(labels > 0, weight, 0)
        weight += 1e-12  # a class without any probability lies in the middle
    rows, columns = np.indices(labels.shape)
    return np.array(((weight * columns).sum(), (weight * rows).sum())) / weight.sum(), found


def score_joints(run: Run, samples: Iterable[Sample], side: int) -> Scores:
    """Mean pixel error of joints from part centroids, and over the five worst videos as the paper does."""
    errors: dict[str, dict[str, list[float]]] = {}
    tally = Tally()
    for sample in samples:
        picture = sample.image()
        box = Letterbox(picture.shape[1], picture.shape[0], side)
        posteriors = run(picture, None)
        (person,) = sample.people
        video = errors.setdefault(sample.group, {g: [] for g in GROUPS})
        for i, name in enumerate(YOUTUBE7.names):
            if person.visible[i]:
                cell, found = centroid(posteriors, CENTROIDS[name])
                group = next(g for g, stem in GROUPS.items() if name.endswith(stem))
                video[group].append(float(np.linalg.norm(box.to_picture(cell) - person.xy[i])))
                tally.add(group, not found, 1)
    if not errors:
        raise DataError("nothing to score: no frame of the split can be read. Check the folder first.")
    means = {v: float(np.mean([e for es in g.values() for e in es])) for v, g in errors.items()}
    worst = sorted(means, key=lambda v: -means[v])[:5]
    out: Scores = {}
    for title, videos in (("all videos", list(errors)), ("five worst videos", worst)):
        for group in GROUPS:
            out[f"{group}, px, {title}"] = float(np.mean([e for v in videos for e in errors[v][group]]))
    out |= {f"{g}, share without a cell": tally.rate(g) for g in GROUPS}
    return out | {f"mean of {v}, px": m for v, m in means.items()}


def score_probes(run: Run, samples: Iterable[Sample], side: int) -> Scores:
    """The limb, head, torso, background and centroid measures of training/metrics.py."""
    tally = Tally()
    for sample in samples:
        picture = sample.image()
        (person,) = sample.people
        probe_pose(_full_size(run(picture, None), picture, side), person.skeleton(), tally)
    if not tally.tries:
        raise DataError("nothing to score: no picture of the split can be read. Check the folder first.")
    return pose_report(tally)


def _full_size(posteriors: Posteriors, picture: Pixels, side: int) -> Pixels:
    h, w = picture.shape[:2]
    content = Letterbox(w, h, side).content
    grown = torch.nn.functional.interpolate(
        torch.from_numpy(posteriors)[None], (side, side), mode="bilinear", align_corners=False
    )[0]
    labels = grown.argmax(0).to(torch.uint8).numpy()[: content[1], : content[0]]
    return np.asarray(cv2.resize(labels, (w, h), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)


def score(name: str, run: Run, samples: Iterator[Sample], side: int, *, show_truth: bool = False) -> Scores:
    """The measures of a data set by its name in the registry.

    Raises:
        DataError: nothing of it can be scored by a network of 31 parts.
    """
    if name in ("lsp", "lspet"):
        return score_probes(run, samples, side)
    if name == "youtube-pose":
        return score_joints(run, samples, side)
    if name in ("up-s31", "lip", "pascal-person-part", "fsp", "coco"):
        return score_parts(run, samples, side, show_truth=show_truth)
    raise DataError(f"{name}: it has joints of several people only. Score one of the other data sets.")
