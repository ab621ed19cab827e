"""The paper's measures of a checkpoint on a published data set (methods §1.8, §1.9).

Parts are scored on the network's own grid, 64x64 for 512x512 px, as the paper does. Other part sets are
compared by summing the posteriors of the parts that merge into one of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.checkpoint import load_network
from models.factored import STRIDE, FactoredConvNet, normalise
from models.labels import FSP14, LIP20, MERGED16, PASCAL7, PASCAL_PARTS, S31, PartMap
from models.network import Network
from runtime.engine.letterbox import Letterbox, NetworkSize
from training.centroids import GROUPS, JOINTS, centroids, expected
from training.datasets.files import Pixels
from training.datasets.samples import Sample
from training.datasets.sets import FSP_PARTS, S31_COARSE
from training.metrics import Confusion, HitRates, pose_report, probe_pose
from training.photos import DataError
from training.prediction import cell_labels

Posteriors = NDArray[np.float32]  # (32, cells, cells)
#: picture, and its silhouette where it is to be shown to the network → posteriors on the grid
Run = Callable[[Pixels, "Pixels | None"], Posteriors]
Scores = dict[str, float]


def fitted(picture: Pixels, side: int) -> Letterbox:
    """The place of a picture (h, w, ...) in a square of `side` px."""
    size = NetworkSize(side, side, padded=True)
    return Letterbox.fit((picture.shape[1], picture.shape[0]), size, stride=STRIDE)


def open_run(checkpoint: Path, side: int) -> Run:
    """A checkpoint of any architecture of this project, to be run at `side` x `side` px.

    Raises:
        CheckpointError: the file is no checkpoint of this project.
    """
    net, _ = load_network(checkpoint)

    @torch.no_grad()
    def run(picture: Pixels, silhouette: Pixels | None) -> Posteriors:
        box = fitted(picture, side)
        x = normalise(torch.from_numpy(box.apply(picture)).permute(0, 3, 1, 2).float())
        person = None if silhouette is None else box.pool((silhouette == 1).astype(np.float32))
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
        box = fitted(picture, side)
        truth = sample.silhouette()
        posteriors = run(picture, truth if show_truth else None)
        if person is None:
            person = Confusion(2)
            merge, names = _space(sample)
            fine = Confusion(len(names) + 1) if names else None
        labels = posteriors.argmax(0).astype(np.uint8)
        person.add(cell_labels(truth, box), np.minimum(labels, 1))
        if fine is not None:
            stored = sample.coarse_labels() if sample.coarse else sample.labels()
            found = labels if merge is None else merge.merge(posteriors).argmax(0).astype(np.uint8)
            fine.add(cell_labels(stored, box), found)
    if person is None:
        raise DataError("nothing to score: no picture of the split can be read. Check the folder first.")
    out = {"silhouette IoU": float(person.iou()[1])}
    return out if fine is None else out | _report(fine, names, sides=merge is None)


def _space(sample: Sample) -> tuple[PartMap | None, tuple[str, ...]]:
    """The merging of S31 posteriors into the classes of a data set, and those classes' names."""
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
            merged = [_mean(rates[1:][ids == i]) for i, _ in enumerate(MERGED16.names, 1)]
            out[f"mean {measure} of 16"] = _mean(np.array(merged))
            out |= {f"{measure} {n}": v for n, v in zip(MERGED16.names, merged, strict=True)}
        else:
            out |= {f"{measure} {n}": float(v) for n, v in zip(names, rates[1:], strict=True)}
    return out


def _mean(rates: NDArray[np.float64]) -> float:
    """Over the classes that are there; NaN when none is."""
    known = rates[np.isfinite(rates)]
    return float(known.mean()) if len(known) else float("nan")


def score_joints(run: Run, samples: Iterable[Sample], side: int) -> Scores:
    """Mean pixel error of joints from part centroids, and over the five worst videos as the paper does."""
    errors: dict[str, dict[str, list[float]]] = {}
    tally = HitRates()
    for sample in samples:
        picture = sample.image()
        box = fitted(picture, side)
        across, down = box.cells
        posteriors = run(picture, None)[:, :down, :across]
        labels = posteriors.argmax(0).astype(np.uint8)
        found = centroids(labels, box.picture)
        stand_in = expected(posteriors, (labels > 0).astype(np.float32), box.picture)
        (person,) = sample.people
        video = errors.setdefault(sample.group, {g: [] for g in GROUPS})
        for i in np.flatnonzero(person.visible):  # YouTube's joints, in the order of ours
            group, missed = JOINTS[i].group, bool(np.isnan(found[i, 0]))
            place = stand_in[i] if missed else found[i]
            video[group].append(float(np.linalg.norm(place - person.xy[i])))
            tally.add(group, missed, 1)
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
    tally = HitRates()
    for sample in samples:
        picture = sample.image()
        (person,) = sample.people
        probe_pose(_full_size(run(picture, None), picture, side), person.skeleton(), tally)
    if not tally.tries:
        raise DataError("nothing to score: no picture of the split can be read. Check the folder first.")
    return pose_report(tally)


def _full_size(posteriors: Posteriors, picture: Pixels, side: int) -> Pixels:
    across, down = fitted(picture, side).cells
    size = picture.shape[:2]
    cut = torch.from_numpy(posteriors[None, :, :down, :across])
    grown = torch.nn.functional.interpolate(cut, size, mode="bilinear", align_corners=False)
    return np.asarray(grown[0].argmax(0).to(torch.uint8).numpy())


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
