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
        objective: a key of `training.objectives.OBJECTIVES`.
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
    objective: str = ""


#: of both small PersonLab networks: people of a third of the picture need more pixels than parts of one
PEOPLE = TrainingRecipe(steps=12_000, decay_steps=3000, batch=12, crop=320)
#: Papandreou et al., ECCV 2018, §4.1, with Polyak averaging as a moving one; what differs: docs/training.md
PERSONLAB_PAPER = TrainingRecipe(
    steps=1_000_000, decay_steps=0, batch=8, crop=801, lr=1e-3, optimiser="sgd", ema=0.9999, warmup_steps=0,
    weight_decay=0.0,
)  # fmt: skip
#: the report's mask and optimiser; learning rate, momentum and decay are not given there (methods §7.2)
PAF_FCN_REPORT = TrainingRecipe(
    steps=100_000, decay_steps=0, batch=10, crop=384, lr=1e-3, optimiser="sgd", ema=0.999, weight_decay=5e-4,
    objective="positive",
)  # fmt: skip
#: Nie et al.'s release for PIL and MuLA: 250 epochs of LIP (methods §5.5); the paper's rates differ
NIE_RELEASE = TrainingRecipe(
    steps=317_000, decay_steps=0, batch=24, lr=1.5e-3, optimiser="rmsprop", ema=0.0, warmup_steps=0,
    weight_decay=0.0, objective="nie", milestones=((0.6, 0.5), (0.68, 0.25), (0.8, 0.1), (0.92, 0.05)),
)  # fmt: skip
#: of GPN: as many epochs of batches of 30; falls of the rate are not given (methods §6.6)
GPN_RELEASE = replace(NIE_RELEASE, steps=254_000, batch=30, lr=3e-3, objective="", milestones=())
NIE_PAPER = replace(NIE_RELEASE, lr=2.5e-3, milestones=((0.6, 0.5), (0.68, 0.25), (0.8, 0.125)))
MULA_PAPER = replace(NIE_PAPER, milestones=(*NIE_PAPER.milestones, (0.92, 0.0625)))  # methods §6.3
#: by row, or by family
RECIPES = {
    "pil-hg2": NIE_RELEASE,
    "pil-vgg16": replace(NIE_RELEASE, lr=1e-4),
    "mula-hg5": NIE_RELEASE,
    "mula-vgg16": replace(NIE_RELEASE, lr=1e-4),
    "gpn": PEOPLE,
    "gpn-hg8": GPN_RELEASE,
    "paf-fcn": PEOPLE,
    "paf-fcn-vgg16": replace(PAF_FCN_REPORT, objective=""),
    "personlab": PEOPLE,
    "people": PEOPLE,
    "personlab-resnet": PERSONLAB_PAPER,
}
#: the papers' own, and those that compare, by name
NAMED = {
    "pil_paper": NIE_PAPER,
    "pil_release": NIE_RELEASE,
    "mula_paper": MULA_PAPER,
    "mula_release": NIE_RELEASE,
    "paf_fcn_report": PAF_FCN_REPORT,
    "paf_fcn_cao": replace(PAF_FCN_REPORT, lr=4e-5, objective="cao"),
    "paf_fcn_parts": replace(PEOPLE, objective="parts alone"),
    "paf_fcn_limbs": replace(PEOPLE, objective="limbs alone"),
}


def fits(row: ZooRow, recipe: str) -> bool:
    """A named recipe is of a row's family, whose name it begins with."""
    return row.name.replace("-", "_").startswith(recipe.rpartition("_")[0])


def recipe_of(row: ZooRow, name: str | None = None, **given: object) -> TrainingRecipe:
    """The recipe of a name, of a row or its family, changed where something is given that is not None."""
    changed = {k: v for k, v in given.items() if v is not None}
    usual = RECIPES.get(row.name) or RECIPES.get(row.family) or TrainingRecipe()
    recipe = NAMED[name] if name else usual
    return replace(recipe, **changed)  # type: ignore[arg-type]
