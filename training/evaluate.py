"""Score a checkpoint, a model as it ships, or what `xfactor parse` wrote, on test photos.

python -m training.evaluate runs/first/last.safetensors --data DATA
python -m training.evaluate assets/models/factored-s31 --data DATA
python -m training.evaluate out/ --data DATA --set ccp
python -m training.evaluate MODEL --own PHOTOS
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from models.checkpoint import CheckpointError
from models.factored import STRIDE, FactoredConvNet
from models.labels import IGNORE, MERGED16, S31, PartSet, from_s31
from runtime.engine.augmentation import chosen
from runtime.engine.detail import FULL
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import Letterbox, NetworkSize
from runtime.frames import Frame
from runtime.output.scaling import full_labels, full_person
from runtime.system.errors import Refusal
from training.batches import packed
from training.metrics import (
    Confusion,
    HitRates,
    boundary_f,
    pose_report,
    probe_garments,
    probe_pose,
    silhouette_iou,
)
from training.own_photos import read_own
from training.own_scores import score_own
from training.photos import DEVELOPMENT_TEST, DataError, Photo, read_ccp, read_lsp
from training.pose_scores import scored
from training.prediction import Inject, Prediction, open_network, predict

DEFAULT_SIZES = (384, 256)  # long side of the network's input on ccp and lsp, px
LONGEST_OWN_PX = 512  # of the network's input on one's own photos
#: a labelled photo → its prediction
Predict = Callable[[Photo], Prediction]


@dataclass(frozen=True)
class StreetPhotos:
    """Photos of `ccp` with their silhouettes (0, 1, 255 unknown) and garments."""

    photos: Sequence[Photo]
    silhouettes: Sequence[NDArray[np.uint8]]
    garments: Sequence[NDArray[np.uint8]]
    names: Sequence[str]

    @classmethod
    def read(cls, data: Path) -> StreetPhotos:
        """The test photos of the development split.

        Raises:
            DataError: they are not there.
        """
        root = data / "ccp"
        photos = read_ccp(root, "test")
        silhouettes, garments = (
            [np.asarray(Image.open(root / kind / f"{Path(p.name).stem}.png"), np.uint8) for p in photos]
            for kind in ("silhouettes", "labels")
        )
        return cls(photos, silhouettes, garments, json.loads((root / "labels.json").read_text()))

    def score(self, predict: Callable[[int], Prediction]) -> dict[str, float]:
        """Silhouette and garment measures; `predict` is asked for one photo after the other by its place."""
        rows: dict[str, list[float]] = {"J": [], "boundary F": [], "parts J": [], "parts boundary F": []}
        tally = HitRates()
        for i, (truth, garments) in enumerate(zip(self.silhouettes, self.garments, strict=True)):
            p = predict(i)
            mask, known = p.person >= 0.5, truth < IGNORE
            for name, found in (("", mask), ("parts ", p.labels > 0)):
                rows[f"{name}J"].append(silhouette_iou(found, truth))
                rows[f"{name}boundary F"].append(boundary_f(found, truth))
            tally.add("factor accuracy", float((mask == (truth == 1))[known].sum()), float(known.sum()))
            tally.add("background", float((p.labels == 0)[truth == 0].sum()), float((truth == 0).sum()))
            probe_garments(p.labels, garments, self.names, tally)
        return {k: float(np.mean(v)) for k, v in rows.items()} | {k: tally.rate(k) for k in tally.tries}


def score_silhouettes(run: Predict, data: Path) -> dict[str, float]:
    """Silhouette and garment measures on `ccp`."""
    street = StreetPhotos.read(data)
    return street.score(lambda i: run(street.photos[i]))


def score_poses(run: Predict, data: Path) -> dict[str, float]:
    """Limb, head, torso, background and centroid measures on `lsp`."""
    tally = HitRates()
    for photo in read_lsp(data / "lsp", "test"):
        assert photo.skeleton is not None
        probe_pose(run(photo).labels, photo.skeleton, tally)
    return pose_report(tally)


def score_injection(net: FactoredConvNet, data: Path, long_side: int) -> dict[str, float]:
    """Silhouette J of the parts with the factor zeroed, its own, and the true silhouette shown to the head.

    A head that ignores the factor scores the same three times.
    """
    rows: dict[str, list[float]] = {"zeroed": [], "own": [], "true": []}
    street = StreetPhotos.read(data)
    for photo, truth in zip(street.photos, street.silhouettes, strict=True):
        for name, inject in (
            ("zeroed", torch.zeros_like),
            ("own", None),
            ("true", _injector(truth, long_side)),
        ):
            p = predict(net, photo.image, long_side, inject)
            rows[name].append(silhouette_iou(p.labels > 0, truth))
    return {f"parts J, factor {k}": float(np.mean(v)) for k, v in rows.items()}


def _injector(truth: NDArray[np.uint8], long_side: int) -> Inject:
    """The true silhouette on the head's grid by area averaging."""
    size = NetworkSize(long_side)
    letterbox = Letterbox.fit((truth.shape[1], truth.shape[0]), size, stride=STRIDE)
    grid = torch.from_numpy(letterbox.pool((truth == 1).astype(np.float32)))[None, None]
    return lambda _own: grid


def by_engine(engine: Engine) -> Callable[[NDArray[np.uint8]], Prediction]:
    """A prediction of pictures (h, w, 3) as `xfactor parse` writes it with this engine."""
    full = engine.with_detail(FULL)

    def run(picture: NDArray[np.uint8]) -> Prediction:
        parsing = full.parsing(Frame(np.array(picture), 0, 0.0, 0.0))
        return Prediction(full_labels(parsing), full_person(parsing).astype(np.float32) / np.float32(255))

    return run


def score_synthetic(run: Callable[[NDArray[np.uint8]], Prediction], stem: Path) -> dict[str, float]:
    """Intersection over union on held-out synthetic people, accumulated over the set (methods §1.8)."""
    held_out = packed(stem)
    confusion = Confusion(S31.classes)
    merged = Confusion(len(MERGED16.names) + 1)
    table = MERGED16.table()
    for image, truth in zip(held_out.images, held_out.labels, strict=True):
        p = run(np.asarray(image))
        confusion.add(truth, p.labels)
        merged.add(table[truth], table[p.labels])
    iou = confusion.iou()
    person = float(confusion.counts[1:, 1:].sum() / (confusion.counts.sum() - confusion.counts[0, 0]))
    return {
        "mean IoU of 31 parts": float(np.nanmean(iou[1:])),
        "mean IoU of 16 merged parts": float(np.nanmean(merged.iou()[1:])),
        "mean accuracy of 31 parts": float(np.nanmean(confusion.accuracy()[1:])),
        "parts>0 IoU": person,
        **{f"IoU {n}": float(v) for n, v in zip(MERGED16.names, merged.iou()[1:], strict=True)},
    }


def score_merged(
    run: Callable[[NDArray[np.uint8]], Prediction], stem: Path, part_set: PartSet
) -> dict[str, float]:
    """Intersection over union of a set that the 31 parts are merged into, on held-out synthetic people."""
    confusion, table = Confusion(part_set.classes), from_s31(part_set)
    held_out = packed(stem)
    for image, truth in zip(held_out.images, held_out.labels, strict=True):
        confusion.add(table[truth], run(np.asarray(image)).labels)
    iou = confusion.iou()
    each = {f"IoU {n}": float(v) for n, v in zip(part_set.names, iou[1:], strict=True)}
    return {f"mean IoU of {len(part_set.names)} parts": float(np.nanmean(iou[1:])), **each}


def parsed_files(out: Path) -> Predict:
    """The files that `xfactor parse` wrote for a folder of photos, by the names of these."""

    def run(photo: Photo) -> Prediction:
        name = f"{Path(photo.name).stem}.png"
        labels, person = (np.asarray(Image.open(out / kind / name)) for kind in ("labels", "silhouettes"))
        return Prediction(labels.astype(np.uint8), (person / np.float32(255)).astype(np.float32))

    return run


def report(
    checkpoint: Path,
    data: Path,
    *,
    sizes: tuple[int, int] = DEFAULT_SIZES,
    synthetic: Path | None = None,
    injection: bool = False,
) -> dict[str, dict[str, float]]:
    """All measures of a checkpoint by data set; `sizes` are the input's long sides on ccp and lsp, px."""
    net = open_network(checkpoint)
    scores = {
        "ccp": score_silhouettes(lambda photo: predict(net, photo.image, sizes[0]), data),
        "lsp": score_poses(lambda photo: predict(net, photo.image, sizes[1]), data),
    }
    if synthetic is not None:
        scores["synthetic"] = score_synthetic(lambda im: predict(net, im, max(im.shape)), synthetic)
    if injection:
        scores["injection"] = score_injection(net, data, sizes[0])
    return scores


def score_product(
    bundle: Path, data: Path, views: str, synthetic: Path | None = None
) -> dict[str, dict[str, float]]:
    """The measures of a model as it ships, by data set; without those of parts it has not.

    Raises:
        Refusal: the bundle cannot be used.
    """
    engine = load_engine(bundle, device="cpu").with_views(chosen(views, video=False))
    run = by_engine(engine)
    if (parts := engine.part_set) != S31:
        merged = {"synthetic": score_merged(run, synthetic, parts)} if synthetic and parts else {}
        joints = (
            {"lsp joints": scored(engine, read_lsp(data / "lsp", "test"))} if engine.spec.joint_set else {}
        )
        return merged | joints
    scores = {
        "ccp": score_silhouettes(lambda photo: run(photo.image), data),
        "lsp": score_poses(lambda photo: run(photo.image), data),
    }
    return scores | ({"synthetic": score_synthetic(run, synthetic)} if synthetic is not None else {})


def score_folder(folder: Path, name: str, data: Path) -> dict[str, float]:
    """Measures of what `xfactor parse` wrote for the test photos of `ccp` or `lsp`.

    Raises:
        DataError: a test photo was not parsed.
    """
    run = parsed_files(folder)
    try:
        return (score_silhouettes if name == "ccp" else score_poses)(run, data)
    except FileNotFoundError as e:
        remedy = f"Parse the last {DEVELOPMENT_TEST} photos of {name} into it with xfactor parse."
        raise DataError(f"{e.filename}: not there, so {folder} cannot be scored. {remedy}") from e


def report_own(model: Path, folders: Sequence[Path], views: str) -> dict[str, dict[str, float]]:
    """Measures of a checkpoint or a model's folder on labelled photos of one's own.

    Raises:
        DataError: no photo has labels.
        Refusal: the model cannot be used.
    """
    photos = read_own(folders)
    if not model.is_dir():
        net = open_network(model)
        return {"own": score_own(lambda im: predict(net, im, min(max(im.shape), LONGEST_OWN_PX)), photos)}
    engine = load_engine(model, device="cpu").with_views(chosen(views, video=False))
    scores: dict[str, dict[str, float]] = {}
    if engine.part_set is not None:
        scores["own"] = score_own(by_engine(engine), photos, engine.part_set)
    if engine.spec.joint_set and (posed := [p for p in photos if p.skeleton is not None]):
        scores["own joints"] = scored(engine, posed)
    return scores


def main(argv: list[str] | None = None) -> int:
    """Print the measures as one JSON object; 2 where what is to be scored, or on what, cannot be used."""
    p = argparse.ArgumentParser(
        prog="xfactor eval", description="Score a model on photos that it was not trained on."
    )
    p.add_argument(
        "model",
        type=Path,
        help="a .safetensors checkpoint, a model's folder, or a folder xfactor parse wrote",
    )
    p.add_argument("--set", choices=("ccp", "lsp"), help="the test set that a folder was parsed from")
    p.add_argument("--views", choices=("1", "2", "6"), default="6", help="of a picture, by a model's folder")
    p.add_argument("--synthetic", type=Path, help="packed held-out synthetic people")
    p.add_argument(
        "--injection", action="store_true", help="also with the factor zeroed and the true silhouette"
    )
    p.add_argument("--data", type=Path, help="folder with the test sets ccp/ and lsp/ (docs/datasets.md)")
    own_help = "instead: labelled photos of one's own, laid out as for xfactor train --own"
    p.add_argument("--own", type=Path, nargs="+", default=[], metavar="DIR", help=own_help)
    p.add_argument(
        "--ccp-size", type=int, default=DEFAULT_SIZES[0], help="of a checkpoint's input on ccp, px"
    )
    p.add_argument(
        "--lsp-size", type=int, default=DEFAULT_SIZES[1], help="of a checkpoint's input on lsp, px"
    )
    a = p.parse_args(argv)
    if bool(a.own) == bool(a.data):
        p.error("give --own DIR or --data DIR, and not both")
    torch.set_num_threads(1)
    try:
        scores = report_own(a.model, a.own, a.views) if a.own else _scores(a)
    except (CheckpointError, DataError, Refusal, OSError) as e:
        sys.stderr.write(f"{e}\n")
        return 2
    sys.stdout.write(json.dumps(scores, indent=1) + "\n")
    return 0


def _scores(a: argparse.Namespace) -> dict[str, dict[str, float]]:
    if not a.model.is_dir():
        sizes = (a.ccp_size, a.lsp_size)
        return report(a.model, a.data, sizes=sizes, synthetic=a.synthetic, injection=a.injection)
    if any(a.model.glob("*.onnx")):
        return score_product(a.model, a.data, a.views, a.synthetic)
    if a.set is None:
        raise DataError(
            f"{a.model}: a folder of parsed pictures. Say with --set which test set it was parsed from."
        )
    return {a.set: score_folder(a.model, a.set, a.data)}


if __name__ == "__main__":
    sys.exit(main())
