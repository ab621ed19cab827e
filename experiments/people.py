"""Held-out synthetic people, and how a parsing of them is scored (methods §1.8), all at 64 x 64."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from models.factored import FactoredConvNet, normalise
from models.labels import IGNORE
from models.network import Network
from training.batches import packed
from training.injection import hard_constraint, on_head_grid, parse
from training.photos import read_ccp

Image = NDArray[np.uint8]
GRID = 64
BATCH = 20
PHOTO = 256  # side of a photo's square, px
SIDES = (64 / 512, 192 / 512)  # of a rectangle, in sides of the picture: 64 to 192 px of the paper's 512


@dataclass(frozen=True)
class HeldOut:
    """Pictures (n, s, s, 3) and labels (n, s, s), uint8: codes of `training.targets`, 255 unknown."""

    images: Image
    labels: Image

    @classmethod
    def read(cls, stem: Path, limit: int | None = None) -> HeldOut:
        """A packed set, or its first `limit` pictures.

        Raises:
            DataError: there is none.
        """
        found = packed(stem)
        return cls(np.array(found.images[:limit]), np.array(found.labels[:limit]))

    @classmethod
    def street(cls, data: Path, limit: int | None = None, part: str = "test") -> HeldOut:
        """Real photos of a part of the development split of `ccp`, in squares; their padding is unknown.

        Raises:
            DataError: they are not there.
        """
        found = read_ccp(data / "ccp", part)[:limit]
        images = np.full((len(found), PHOTO, PHOTO, 3), 128, np.uint8)
        labels = np.full((len(found), PHOTO, PHOTO), IGNORE, np.uint8)
        for image, label, photo in zip(images, labels, found, strict=True):
            k = PHOTO / max(photo.codes.shape)
            h, w = (max(1, round(k * side)) for side in photo.codes.shape)
            image[:h, :w] = cv2.resize(photo.image, (w, h), interpolation=cv2.INTER_AREA)
            label[:h, :w] = cv2.resize(photo.codes, (w, h), interpolation=cv2.INTER_NEAREST)
        return cls(images, labels)

    def silhouettes(self, part: slice) -> Tensor:
        """True ones of some of the pictures, (n, s, s) bool."""
        return torch.from_numpy((self.labels[part] > 0) & (self.labels[part] < IGNORE))

    def cells(self) -> Image:
        """Labels (n, 64, 64) sampled at the cells' centres."""
        at = np.floor((np.arange(GRID) + 0.5) * self.labels.shape[1] / GRID).astype(np.int64)
        return np.asarray(self.labels[:, at][:, :, at])

    def changed(self, change: Callable[[np.random.Generator, Image, Image], Image], seed: int) -> HeldOut:
        """The same people with every picture changed; `change` sees its labels too."""
        made = [
            change(np.random.default_rng((seed, i)), image, labels)
            for i, (image, labels) in enumerate(zip(self.images, self.labels, strict=True))
        ]
        return HeldOut(np.stack(made), self.labels)


def inputs(images: Image, size: int) -> Tensor:
    """(n, s, s, 3) pictures as the network takes them, (n, 3, size, size)."""
    method = cv2.INTER_AREA if size < images.shape[1] else cv2.INTER_LINEAR
    small = np.stack([cv2.resize(image, (size, size), interpolation=method) for image in images])
    return normalise(torch.from_numpy(small).permute(0, 3, 1, 2).float())


def parsings(
    net: Network, people: HeldOut, size: int, *, given: bool = False, forced: bool = False
) -> Iterator[Image]:
    """Labels (64, 64) of each picture; `given` the true silhouettes, `forced` as a hard constraint."""
    for start in range(0, len(people.images), BATCH):
        part = slice(start, start + BATCH)
        true = people.silhouettes(part) if given else None
        x = inputs(people.images[part], size)
        yield from parse(net, x, (GRID, GRID), true, inject=not forced).numpy()


@torch.no_grad()
def ways(net: Network, people: HeldOut, part: slice, size: int) -> dict[str, Image]:
    """Labels (n, 64, 64) by the network alone, and with the true silhouettes forced or injected."""
    x, true, grid = inputs(people.images[part], size), people.silhouettes(part), (GRID, GRID)
    factored = isinstance(net, FactoredConvNet)
    own = interpolate(net(x)[1] if factored else net(x), grid, mode="bilinear", align_corners=False)
    labels = {
        "own": own.argmax(1),
        "forced": hard_constraint(own, on_head_grid(true, grid)[:, 0] >= 0.5),
    }
    if factored:
        labels["injected"] = parse(net, x, grid, true)
    return {way: found.to(torch.uint8).numpy() for way, found in labels.items()}


def black_out(rng: np.random.Generator, image: Image, labels: Image) -> Image:
    """The picture (h, w, 3) with a black rectangle centred on a random pixel of a person."""
    out = image.copy()
    ys, xs = np.nonzero((labels > 0) & (labels < 255))
    if not len(ys):
        return out
    i = int(rng.integers(len(ys)))
    h, w = (int(v) for v in np.round(rng.uniform(*SIDES, 2) * image.shape[0]))
    top, left = int(ys[i]) - h // 2, int(xs[i]) - w // 2
    out[max(0, top) : top + h, max(0, left) : left + w] = 0
    return out
