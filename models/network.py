"""The base of every network, and how one is built from its row (torch)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module

from torch import Tensor, nn

from models.families import FAMILIES, ZooRow


class Network(nn.Module, ABC):
    """A network that can be trained, stored and exported."""

    @abstractmethod
    def stages(self) -> dict[str, nn.Module]:
        """The modules that become ONNX files, by stage name; they share this network's weights and mode.

        Each takes and gives what the row's `StageSpec` of the same name says: pictures as (b, h, w, 3) uint8,
        probabilities instead of logits.
        """

    def start(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """Weights to start from, of a checkpoint's: of the same network, or of one whose layers it shares."""
        return weights


def build(row: ZooRow) -> Network:
    """A new network with random weights."""
    module, _, function = FAMILIES[row.family].build.partition(":")
    network = getattr(import_module(module), function)(row)
    assert isinstance(network, Network)
    return network
