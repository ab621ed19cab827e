"""RECIPES: how networks of a family are trained unless the command says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from models.families import ZooRow

Optimiser = Literal["muon", "adamw", "sgd", "rmsprop"]


@dataclass(frozen=True)
class TrainingRecipe:
    """Settings of a run.

    Attributes:
        crop: side of the training pictures, px.
        decay_steps: the learning rate falls over so many last ones; 0: it is constant.
        ema: decay of the averaged weights.
        milestones: (share of the steps, factor of the first learning rate from there on), …
    """

    steps: int = 8000
    decay_steps: int = 2000
    batch: int = 16
    crop: int = 256
    lr: float = 1e-3
    optimiser: Optimiser = "muon"
    ema: float = 0.998
    warmup_steps: int = 200
    weight_decay: float = 2e-4
    milestones: tuple[tuple[float, float], ...] = ()


#: of both small PersonLab networks: people of a third of the picture need more pixels than parts of one
PEOPLE = TrainingRecipe(steps=12_000, decay_steps=3000, batch=12, crop=320)
#: Papandreou et al., ECCV 2018, §4.1, with Polyak averaging as a moving one; what differs: docs/training.md
PERSONLAB_PAPER = TrainingRecipe(
    steps=1_000_000, decay_steps=0, batch=8, crop=801, lr=1e-3, optimiser="sgd", ema=0.9999, warmup_steps=0,
    weight_decay=0.0,
)  # fmt: skip
RECIPES = {"personlab": PEOPLE, "people": PEOPLE, "personlab-resnet": PERSONLAB_PAPER}


def recipe_of(row: ZooRow, **given: object) -> TrainingRecipe:
    """The recipe of a row's family, changed where something is given that is not None."""
    changed = {k: v for k, v in given.items() if v is not None}
    return replace(RECIPES.get(row.family, TrainingRecipe()), **changed)  # type: ignore[arg-type]
