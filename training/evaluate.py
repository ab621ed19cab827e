"""Score a checkpoint, or what `xfactor parse` wrote, on the development test sets.

python -m training.evaluate runs/first/last.safetensors --data ../shared/data
python -m training.evaluate out/ --data ../shared/data --set ccp
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn.functional import interpolate

from models.checkpoint import CheckpointError, load_network
from models.factored import STRIDE, FactoredConvNet, normalise, person_probability
from models.labels import MERGED16, S31
from training.metrics import (
    Confusion,
    Tally,
    boundary_f,
    pose_report,
    probe_garments,
    probe_pose,
    silhouette_iou,
)
from training.photos import DEVELOPMENT_TEST, DataError, Photo, read_ccp, read_lsp

MULTIPLE = 32
DEFAULT_SIZES = (384, 256)  # long side of the network's input on ccp and lsp, px


@dataclass(frozen=True)
class Prediction:
    """Maps at the size of the picture: labels (h, w) uint8 and P(person) (h, w) float32."""

    labels: NDArray[np.uint8]
    person: NDArray[np.float32]


Predict = Callable[[NDArray[np.uint8]], Prediction]
#: what the head is shown: the factor's own output, nothing, or a given P(person) on the head's grid
Inject = Callable[[torch.Tensor], torch.Tensor]


def open_network(path: Path) -> FactoredConvNet:
    """The averaged weights of a checkpoint, in eval mode.

    Raises:
        CheckpointError: when it holds another architecture.
    """
    net, _ = load_network(path)
    if not isinstance(net, FactoredConvNet):
        raise CheckpointError(f"{path}: not a Factored ConvNet. Give a checkpoint trained as factored.")
    return net.to(memory_format=torch.channels_last)  # type: ignore[no-any-return,call-overload]


@dataclass(frozen=True)
class Letterboxed:
    """A picture as the network takes it, (1, 3, H, W) normalised, and the (h, w) of it that is no padding."""

    x: torch.Tensor
    content: tuple[int, int]


def letterbox(image: NDArray[np.uint8], long_side: int) -> Letterboxed:
    """Bring (h, w, 3) RGB to `long_side`, grey below and to the right up to multiples of 32."""
    h, w = image.shape[:2]
    k = long_side / max(h, w)
    ch, cw = max(1, round(h * k)), max(1, round(w * k))
    content = cv2.resize(image, (cw, ch), interpolation=cv2.INTER_AREA if k < 1 else cv2.INTER_LINEAR)
    ph, pw = (-(-v // MULTIPLE) * MULTIPLE for v in (ch, cw))
    canvas = np.full((ph, pw, 3), 128, dtype=np.uint8)
    canvas[:ch, :cw] = content
    x = normalise(torch.from_numpy(canvas)[None].permute(0, 3, 1, 2).float())
    return Letterboxed(x.contiguous(memory_format=torch.channels_last), (ch, cw))


def restore(
    parts: torch.Tensor, person: torch.Tensor, content: tuple[int, int], size: tuple[int, int]
) -> Prediction:
    """Part logits (1, 32, h, w) and P(person) (1, 1, h, w) at the size (height, width) of the picture."""
    ch, cw = content
    grid = (parts.shape[2] * STRIDE, parts.shape[3] * STRIDE)
    parts, person = (interpolate(t, grid, mode="bilinear", align_corners=False)[0] for t in (parts, person))
    labels = parts.argmax(0).to(torch.uint8).numpy()[:ch, :cw]
    mask = person[0].numpy()[:ch, :cw]
    h, w = size
    full = cv2.resize(labels, (w, h), interpolation=cv2.INTER_NEAREST)
    return Prediction(
        full.astype(np.uint8, copy=False), cv2.resize(mask, (w, h)).astype(np.float32, copy=False)
    )


@torch.no_grad()
def predict(
    net: FactoredConvNet, image: NDArray[np.uint8], long_side: int, inject: Inject | None = None
) -> Prediction:
    """Letterbox (h, w, 3) RGB to `long_side`, run, and bring the parts back to the picture's size."""
    boxed = letterbox(image, long_side)
    features = net.trunk(boxed.x)
    person = person_probability(net.factor(features))
    parts = net.head(features, person if inject is None else inject(person))
    return restore(parts, person, boxed.content, (image.shape[0], image.shape[1]))


def _stored(data: Path, kind: str, photo: Photo) -> NDArray[np.uint8]:
    """A label file of `ccp` beside its picture; the reader has checked that it is there."""
    path = data / "ccp" / kind / f"{Path(photo.name).stem}.png"
    return np.asarray(Image.open(path), dtype=np.uint8)


def score_silhouettes(run: Predict, data: Path, part: str = "test") -> dict[str, float]:
    """Silhouette and garment measures on `ccp`."""
    names: list[str] = json.loads((data / "ccp" / "labels.json").read_text())
    rows: dict[str, list[float]] = {"J": [], "boundary F": [], "parts J": [], "parts boundary F": []}
    tally = Tally()
    for photo in read_ccp(data / "ccp", part):
        truth, garments = (_stored(data, kind, photo) for kind in ("silhouettes", "labels"))
        p = run(photo.image)
        for name, mask in (("", p.person >= 0.5), ("parts ", p.labels > 0)):
            rows[f"{name}J"].append(silhouette_iou(mask, truth))
            rows[f"{name}boundary F"].append(boundary_f(mask, truth))
        probe_garments(p.labels, garments, names, tally)
    return {k: float(np.mean(v)) for k, v in rows.items()} | {k: tally.rate(k) for k in tally.tries}


def score_poses(run: Predict, data: Path, part: str = "test") -> dict[str, float]:
    """Limb, head, torso, background and centroid measures on `lsp`."""
    tally = Tally()
    for photo in read_lsp(data / "lsp", part):
        assert photo.skeleton is not None
        probe_pose(run(photo.image).labels, photo.skeleton, tally)
    return pose_report(tally)


def score_injection(net: FactoredConvNet, data: Path, long_side: int) -> dict[str, float]:
    """Silhouette J of the parts with the factor zeroed, its own, and the true silhouette shown to the head.

    A head that ignores the factor scores the same three times.
    """
    rows: dict[str, list[float]] = {"zeroed": [], "own": [], "true": []}
    for photo in read_ccp(data / "ccp", "test"):
        truth = _stored(data, "silhouettes", photo)
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
    k = long_side / max(truth.shape)
    h, w = (max(1, round(v * k)) for v in truth.shape)
    small = cv2.resize((truth == 1).astype(np.float32), (w, h), interpolation=cv2.INTER_AREA)

    def inject(own: torch.Tensor) -> torch.Tensor:
        canvas = np.zeros((own.shape[2] * STRIDE, own.shape[3] * STRIDE), dtype=np.float32)
        canvas[:h, :w] = small
        return torch.nn.functional.avg_pool2d(torch.from_numpy(canvas)[None, None], STRIDE)

    return inject


def score_synthetic(run: Predict, packed: Path) -> dict[str, float]:
    """Intersection over union on held-out synthetic people, accumulated over the set (methods §1.8)."""
    images, labels = (np.load(f"{packed}.{kind}.npy", mmap_mode="r") for kind in ("images", "labels"))
    confusion = Confusion(S31.classes)
    merged = Confusion(len(MERGED16.names) + 1)
    table = MERGED16.table()
    for image, truth in zip(images, labels, strict=True):
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


def parsed_files(out: Path, images: Path) -> Predict:
    """Read what `xfactor parse` wrote for a folder of pictures, in the order of the test set."""
    stems = iter(sorted(p.stem for p in images.iterdir())[-DEVELOPMENT_TEST:])

    def run(_image: NDArray[np.uint8]) -> Prediction:
        stem = next(stems)
        labels = np.asarray(Image.open(out / "labels" / f"{stem}.png"))
        person = np.asarray(Image.open(out / "silhouettes" / f"{stem}.png"))
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
        "ccp": score_silhouettes(lambda im: predict(net, im, sizes[0]), data),
        "lsp": score_poses(lambda im: predict(net, im, sizes[1]), data),
    }
    if synthetic is not None:
        scores["synthetic"] = score_synthetic(lambda im: predict(net, im, max(im.shape)), synthetic)
    if injection:
        scores["injection"] = score_injection(net, data, sizes[0])
    return scores


def main(argv: list[str] | None = None) -> int:
    """Print the measures as one JSON object."""
    p = argparse.ArgumentParser(
        prog="xfactor eval", description="Score a checkpoint on the development test sets."
    )
    p.add_argument("checkpoint", type=Path, help="a .safetensors checkpoint, or a folder xfactor parse wrote")
    p.add_argument(
        "--set", choices=("ccp", "lsp"), help="which development test set the folder was parsed from"
    )
    p.add_argument("--synthetic", type=Path, help="packed held-out synthetic people")
    p.add_argument(
        "--injection", action="store_true", help="also with the factor zeroed and the true silhouette"
    )
    p.add_argument("--data", type=Path, required=True)
    p.add_argument(
        "--ccp-size", type=int, default=DEFAULT_SIZES[0], help="long side of the network's input on ccp, px"
    )
    p.add_argument(
        "--lsp-size", type=int, default=DEFAULT_SIZES[1], help="long side of the network's input on lsp, px"
    )
    a = p.parse_args(argv)
    torch.set_num_threads(1)
    try:
        scores = _score_folder(a) if a.checkpoint.is_dir() else _score_network(a)
    except (CheckpointError, DataError, OSError) as e:
        sys.stderr.write(f"{e}\n")
        return 1
    sys.stdout.write(json.dumps(scores, indent=1) + "\n")
    return 0


def score_folder(folder: Path, name: str, data: Path) -> dict[str, float]:
    """Measures of what `xfactor parse` wrote for the test photos of `ccp` or `lsp`.

    Raises:
        DataError: a test photo was not parsed.
    """
    run = parsed_files(folder, data / name / "images")
    try:
        return (score_silhouettes if name == "ccp" else score_poses)(run, data)
    except FileNotFoundError as e:
        remedy = f"Parse the last {DEVELOPMENT_TEST} photos of {name} into it with xfactor parse."
        raise DataError(f"{e.filename}: not there, so {folder} cannot be scored. {remedy}") from e


def _score_folder(a: argparse.Namespace) -> dict[str, dict[str, float]]:
    if a.set is None:
        raise DataError(
            f"{a.checkpoint}: a folder of parsed pictures. Say with --set which test set it was parsed from."
        )
    return {a.set: score_folder(a.checkpoint, a.set, a.data)}


def _score_network(a: argparse.Namespace) -> dict[str, dict[str, float]]:
    sizes = (a.ccp_size, a.lsp_size)
    return report(a.checkpoint, a.data, sizes=sizes, synthetic=a.synthetic, injection=a.injection)


if __name__ == "__main__":
    sys.exit(main())
