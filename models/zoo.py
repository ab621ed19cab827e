"""ZOO: every network this project trains and ships, by name. A row here adds its contract tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.blocks import Activation
from models.factored import BaselineConvNet, FactoredConvNet, enet
from models.spec import Stage

FACTORED: tuple[Stage, ...] = ("trunk", "factor", "head")
SINGLE: tuple[Stage, ...] = ("network",)


@dataclass(frozen=True)
class Entry:
    """One network: how to build it, and what must be true of it."""

    build: Callable[[], FactoredConvNet | BaselineConvNet]
    stages: tuple[Stage, ...]  #: one ONNX file each, in the order of the data
    activation: Activation
    parameters: int
    part_set: str = "S31"


ZOO: dict[str, Entry] = {
    "factored-s31": Entry(lambda: FactoredConvNet(act="relu"), FACTORED, "relu", 500_318),
    "factored-s31-paper": Entry(lambda: FactoredConvNet(act="prelu"), FACTORED, "prelu", 505_742),
    "baseline": Entry(lambda: BaselineConvNet(act="prelu"), SINGLE, "prelu", 488_460),
    "enet": Entry(lambda: enet(act="prelu"), SINGLE, "prelu", 342_284),
}
