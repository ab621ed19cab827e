"""Predictions of a torch network by the product's own letterbox and decision of labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.checkpoint import CheckpointError, load_network
from models.codecs.parts import decide
from models.factored import STRIDE, FactoredConvNet, normalise, person_probability
from models.labels import IGNORE
from runtime.engine.detail import FULL
from runtime.engine.letterbox import Letterbox, NetworkSize
from runtime.engine.source import Request
from runtime.frames import Frame

Picture = NDArray[np.uint8]
Map = NDArray[np.float32]
#: the factor's own P(person) → what the head is shown, both on the head's grid
Inject = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Prediction:
    """Maps at the size of the picture: labels (h, w) uint8 and P(person) (h, w) float32."""

    labels: NDArray[np.uint8]
    person: Map


@dataclass(frozen=True)
class NetworkInput:
    """A picture as the network takes it: x (1, 3, H, W) normalised, and where it came from."""

    x: torch.Tensor
    request: Request

    @property
    def letterbox(self) -> Letterbox:
        """The place of the picture in the input."""
        return self.request.letterbox

    @classmethod
    def of(cls, picture: Picture, size: NetworkSize | int) -> NetworkInput:
        """Bring (h, w, 3) RGB into the box of a size, or to a long side in px."""
        box = size if isinstance(size, NetworkSize) else NetworkSize(size)
        letterbox = Letterbox.fit((picture.shape[1], picture.shape[0]), box, stride=STRIDE)
        canvas = letterbox.apply(picture)
        x = normalise(torch.from_numpy(canvas).permute(0, 3, 1, 2).float())
        x = x.contiguous(memory_format=torch.channels_last)
        return cls(x, Request(Frame(np.array(picture), 0, 0.0, 0.0), letterbox, canvas, {}))


def open_network(path: Path) -> FactoredConvNet:
    """The averaged weights of a checkpoint, in eval mode.

    Raises:
        CheckpointError: when it holds another architecture.
    """
    net, _ = load_network(path)
    if not isinstance(net, FactoredConvNet):
        raise CheckpointError(f"{path}: not a Factored ConvNet. Give a checkpoint trained as factored.")
    return net.to(memory_format=torch.channels_last)  # type: ignore[no-any-return,call-overload]


def decided(logits: torch.Tensor, person: torch.Tensor, request: Request) -> Prediction:
    """Part logits (1, 32, gh, gw) and P(person) (1, 1, gh, gw) as the files of `xfactor parse` have them."""
    across, down = request.letterbox.cells
    parts = np.ascontiguousarray(logits.softmax(1)[0, :, :down, :across].numpy(), np.float32)
    mask = np.ascontiguousarray(person[0, 0, :down, :across].numpy(), np.float32)
    found = decide(mask, parts, request.context(FULL.size(request.letterbox)))
    size = request.frame.size
    labels = cv2.resize(found.labels, size, interpolation=cv2.INTER_NEAREST_EXACT)
    full = cv2.resize(found.person, size).astype(np.float32) / np.float32(255)
    return Prediction(np.asarray(labels, np.uint8), full)


@torch.no_grad()
def predict(
    net: FactoredConvNet, picture: Picture, size: NetworkSize | int, inject: Inject | None = None
) -> Prediction:
    """Labels and silhouette of (h, w, 3) RGB by the torch network, one view."""
    given = NetworkInput.of(picture, size)
    features = net.trunk(given.x)
    person = person_probability(net.factor(features))
    logits = net.head(features, person if inject is None else inject(person))
    return decided(logits, person, given.request)


def cell_labels(labels: Picture, letterbox: Letterbox) -> Picture:
    """(h, w) labels → (gh, gw): the label at each cell's centre, 255 in the padding (methods §1.4)."""
    out = np.full(letterbox.grid[::-1], IGNORE, np.uint8)
    across, down = letterbox.cells
    y, x = (
        ((np.arange(n) + 0.5) * s / n).astype(int) for n, s in zip((down, across), labels.shape, strict=True)
    )
    out[:down, :across] = labels[np.ix_(y, x)]
    return out
