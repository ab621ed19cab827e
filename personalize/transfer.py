"""`xfactor transfer`: move a factor to another kind of pictures, with silhouettes or without any label.

python -m personalize.transfer CHECKPOINT --images DIR --silhouettes DIR --out moved.safetensors
python -m personalize.transfer CHECKPOINT --images DIR --labels grabcut --out moved.safetensors
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.checkpoint import CheckpointError, load_checkpoint, row_of, save_network
from models.factored import FactoredConvNet
from models.labels import IGNORE
from personalize.cuts import grab_cut
from runtime.silhouettes.mask_files import UNKNOWN, MaskCoding, MaskReader
from runtime.system.errors import Refusal
from training.metrics import silhouette_iou
from training.photos import DataError, read_image
from training.prediction import open_network
from training.transfer import TransferConfig, TrunkFeatures, extract, fine_tune, own_silhouettes, targets

log = logging.getLogger(__name__)
Image = NDArray[np.uint8]
PICTURES = (".jpg", ".jpeg", ".png")
PERSON = 128  # of 255: a silhouette's pixel is person from here on


def _arguments() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        prog="xfactor transfer",
        description="Teach the factor another kind of pictures; trunk and head stay as they are, to the bit.",
    )
    p.add_argument("checkpoint", type=Path, help="a .safetensors checkpoint of a Factored ConvNet")
    p.add_argument("--images", type=Path, required=True, help="folder of pictures of the new kind")
    p.add_argument(
        "--silhouettes",
        type=Path,
        help="folder of STEM.png: 0/1, 0/255, grey, or 0/1 with 255 for what to ignore",
    )
    p.add_argument(
        "--labels", choices=("own", "grabcut"), default="grabcut",
        help="without silhouettes: learn from the factor's own, or from these cut along the picture's edges",
    )  # fmt: skip
    p.add_argument("--out", type=Path, required=True, help="checkpoint to write, for xfactor export")
    p.add_argument("--size", type=int, default=256, help="long side of the network's input, px")
    p.add_argument("--epochs", type=float, default=1.0)
    p.add_argument("--lr", type=float, default=TransferConfig.lr)
    p.add_argument("--seed", type=int, default=0)
    return p


def main(argv: list[str] | None = None) -> int:
    """Move the factor; 0 done, 1 stopped with a reason, 2 nothing begun."""
    a = _arguments().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    failed = 2
    try:
        net = open_network(a.checkpoint)
        names, images = read_pictures(a.images)
        given = None if a.silhouettes is None else read_silhouettes(a.silhouettes, names, images)
        failed = 1
        features = extract(net, images, a.size)
        labels = _labels(a, net, features, names, images) if given is None else given
        config = TransferConfig(epochs=a.epochs, lr=a.lr, seed=a.seed)
        moved = fine_tune(net, features, targets(features, labels), config)
        _report(net, moved, features, labels)
        meta = load_checkpoint(a.checkpoint)[1]
        facts = {**meta, "transfer": {"from": a.checkpoint.name, "pictures": len(images)}}
        save_network(a.out, row_of(meta, a.checkpoint), moved, facts)
    except (CheckpointError, DataError, OSError, ValueError) as e:
        sys.stderr.write(f"{e}\n")
        return failed
    log.info("%s: written. xfactor export %s --out DIR makes a model of it.", a.out, a.out)
    return 0


def read_pictures(folder: Path) -> tuple[list[str], list[Image]]:
    """Stems and RGB pictures of a folder in the order of their names; broken ones are named and left out.

    Raises:
        DataError: none can be read.
    """
    names, images = [], []
    for path in sorted(p for p in folder.glob("*") if p.suffix.lower() in PICTURES):
        try:
            images.append(read_image(path))
            names.append(path.stem)
        except ValueError as e:
            log.warning("%s: %s; left out", path, e)
    if not images:
        raise DataError(
            f"{folder}: no readable {', '.join(PICTURES)} in it. Give the folder of the pictures."
        )
    return names, images


def read_silhouettes(folder: Path, names: Sequence[str], images: Sequence[Image]) -> list[Image]:
    """One (h, w) silhouette for each picture: 1 person, 0 background, 255 not known.

    Raises:
        DataError: one is missing, broken or of another size, their values are ambiguous, or all show nobody.
    """
    files = [folder / f"{name}.png" for name in names]
    try:
        reader = MaskReader(files)
        masks = [reader.read(path) for path in files]
    except Refusal as e:
        raise DataError(
            f"{folder}: {e}. Every picture needs its silhouette, or leave --silhouettes out."
        ) from e
    for path, mask, image in zip(files, masks, images, strict=True):
        if mask.shape != image.shape[:2]:
            raise DataError(
                f"{path}: {mask.shape[::-1]} px for a picture of {image.shape[1::-1]}. Make them equal."
            )
    if not any((mask >= PERSON).any() for mask in masks):
        raise DataError(
            f"{folder}: no silhouette shows a person, so there is nothing to learn. Check the masks."
        )
    log.info("silhouettes: values read as %s", reader.coding)
    unknown = UNKNOWN if reader.coding is MaskCoding.IGNORE else -1
    return [np.where(m == unknown, np.uint8(IGNORE), m >= PERSON).astype(np.uint8) for m in masks]


def _labels(
    a: argparse.Namespace,
    net: FactoredConvNet,
    features: TrunkFeatures,
    names: Sequence[str],
    images: Sequence[Image],
) -> list[Image]:
    probable = own_silhouettes(net, features, [(im.shape[0], im.shape[1]) for im in images])
    if a.labels == "own":
        return [(p >= PERSON).astype(np.uint8) for p in probable]
    made = []
    for name, image, p in zip(names, images, probable, strict=True):
        cut = grab_cut(image, p.astype(np.float32) / np.float32(255))
        if cut.notice:
            log.info("%s: %s", name, cut.notice)
        made.append(cut.person.astype(np.uint8))
    return made


def _report(
    net: FactoredConvNet, moved: FactoredConvNet, features: TrunkFeatures, labels: Sequence[Image]
) -> None:
    """Log the J of both factors with what was learnt from; the labels may be the factor's own."""
    sizes = [(m.shape[0], m.shape[1]) for m in labels]
    before, after = (
        np.mean(
            [
                silhouette_iou(p >= PERSON, m)
                for p, m in zip(own_silhouettes(n, features, sizes), labels, strict=True)
            ]
        )
        for n in (net, moved)
    )
    log.info("%d pictures; J with what was learnt from: %.3f before, %.3f after", len(labels), before, after)


if __name__ == "__main__":
    sys.exit(main())
