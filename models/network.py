"""The base of every network, and how one is built from its row (torch)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from typing import Self

from torch import Tensor, nn

from models.families import FAMILIES, ZooRow


class Network(nn.Module, ABC):
    """A network that can be trained, stored and exported."""

    frozen: tuple[nn.Module, ...] = ()  #: stay as they are while the rest is trained

    def freeze(self, *names: str) -> None:
        """Leave these modules' weights and statistics as they are from now on.

        Raises:
            ValueError: there is no such module.
        """
        for name in names:
            try:
                module = self.get_submodule(name)
            except AttributeError:
                known = ", ".join(n for n, _ in self.named_children())
                raise ValueError(f"the network has no layers {name!r}; it has {known}") from None
            module.requires_grad_(requires_grad=False)
            self.frozen = (*self.frozen, module)
        self.train(self.training)

    def keep_statistics(self) -> None:
        """Leave the means and variances of all norms as they are from now on; the weights go on learning."""
        self.frozen = (*self.frozen, *(m for m in self.modules() if isinstance(m, nn.BatchNorm2d)))

    def train(self, mode: bool = True) -> Self:  # noqa: FBT001, FBT002 - torch's signature
        """Training mode, but for the statistics of what is frozen."""
        super().train(mode)
        for module in self.frozen:
            module.eval()
        return self

    @abstractmethod
    def stages(self) -> dict[str, nn.Module]:
        """The modules that become ONNX files, by stage name; they share this network's weights and mode.

        Each takes and gives what the row's `StageSpec` of the same name says: pictures as (b, h, w, 3) uint8,
        probabilities instead of logits.
        """

    def start(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """Weights to start from, of a checkpoint's: of the same network, or of one whose layers it shares."""
        return weights

    def fitting(self, given: dict[str, Tensor]) -> dict[str, Tensor]:
        """Its weights, with those of the same name and shape in place of its own."""
        own = self.state_dict()
        return own | {k: v for k, v in given.items() if k in own and v.shape == own[k].shape}


def build(row: ZooRow) -> Network:
    """A new network with random weights."""
    module, _, function = FAMILIES[row.family].build.partition(":")
    network = getattr(import_module(module), function)(row)
    assert isinstance(network, Network)
    return network
