"""RECIPES: how networks of a family are trained unless the command says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from models.families import ZooRow
from training.augment import Labels
from training.step import StepConfig
from training.stream import Augmentation

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
        target_stride: px per label cell; `labels`: which pixel of a cell tells its code.
        setting_shares: of the noise settings 1..4 (noise.py), and `true_silhouettes` of pictures of setting 3
            whose head is shown the truth: Factored ConvNets alone.
        dropout: of every bottleneck; None: 0.01 in the first stage and 0.1 after it, as ENet's.
        clip: gradients longer than this are shortened; 0: none.
        agg_bn_recalibrate: so many batches without noise measure the normalisation after training: of the
            Factored ConvNet the head's, of others all.
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
    target_stride: int = 4
    setting_shares: tuple[float, float, float, float] = StepConfig.setting_shares
    true_silhouettes: float = StepConfig.inject
    dropout: float | None = 0.0
    augmentation: Augmentation = "ours"
    labels: Labels = "centre"
    clip: float = 5.0
    bf16: bool = True
    agg_bn_recalibrate: int = 0


#: Factored ConvNet (methods §1.4-1.6): 260 epochs of UP-S31's 6 812 pictures; its batch is not given
FACTORED_PAPER = TrainingRecipe(
    steps=221_390, decay_steps=0, batch=8, crop=512, lr=5e-4, optimiser="rmsprop", ema=0.0, warmup_steps=0,
    weight_decay=2e-4, objective="mean", target_stride=8, setting_shares=(0.25, 0.25, 0.25, 0.25),
    true_silhouettes=0.0, dropout=None, augmentation="paper", clip=0.0, bf16=False,
)  # fmt: skip
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
#: Nie et al.'s release for PIL and MuLA: 250 epochs of LIP (methods §5.5); the paper's rates differ. Each
#: stage of MuLA squares what running averages of earlier weights miss: after few steps a test would overflow
NIE_RELEASE = TrainingRecipe(
    steps=317_000, decay_steps=0, batch=24, lr=1.5e-3, optimiser="rmsprop", ema=0.0, warmup_steps=0,
    weight_decay=0.0, objective="nie", milestones=((0.6, 0.5), (0.68, 0.25), (0.8, 0.1), (0.92, 0.05)),
    agg_bn_recalibrate=8,
)  # fmt: skip
#: of GPN: as many epochs of batches of 30; falls of the rate are not given (methods §6.6)
GPN_RELEASE = replace(NIE_RELEASE, steps=254_000, batch=30, lr=3e-3, objective="", milestones=())
NIE_PAPER = replace(NIE_RELEASE, lr=2.5e-3, milestones=((0.6, 0.5), (0.68, 0.25), (0.8, 0.125)))
MULA_PAPER = replace(NIE_PAPER, milestones=(*NIE_PAPER.milestones, (0.92, 0.0625)))  # methods §6.3
#: by row, or by family
RECIPES = {
    "pil-hg2": NIE_RELEASE,
    "pil-hg2-lip": NIE_RELEASE,
    "pil-vgg16": replace(NIE_RELEASE, lr=1e-4),
    "mula-hg5": NIE_RELEASE,
    "mula-hg5-lip": NIE_RELEASE,
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
    "factored_paper": FACTORED_PAPER,
    "pil_paper": NIE_PAPER,
    "pil_release": NIE_RELEASE,
    "mula_paper": MULA_PAPER,
    "mula_release": NIE_RELEASE,
    "paf_fcn_report": PAF_FCN_REPORT,
    "paf_fcn_cao": replace(PAF_FCN_REPORT, lr=4e-5, objective="cao"),
    "paf_fcn_parts": replace(PEOPLE, objective="parts alone"),
    "paf_fcn_limbs": replace(PEOPLE, objective="limbs alone"),
}


#: rows that `xfactor train RECIPE` means: the papers' own networks
PAPERS = {"factored_paper": "factored-s31-paper", "pil_paper": "pil-hg2", "mula_paper": "mula-hg5"}
COMPARED = {"factored_paper": ("baseline", "enet")}  #: families that a paper trains beside its own


def fits(row: ZooRow, recipe: str) -> bool:
    """A named recipe is of a row's family, whose name it begins with, or of one compared with it."""
    own = row.name.replace("-", "_").startswith(recipe.rpartition("_")[0])
    return own or row.family in COMPARED.get(recipe, ())


def recipe_of(row: ZooRow, name: str | None = None, **given: object) -> TrainingRecipe:
    """The recipe of a name, of a row or its family, changed where something is given that is not None."""
    changed = {k: v for k, v in given.items() if v is not None}
    usual = RECIPES.get(row.name) or RECIPES.get(row.family) or TrainingRecipe()
    recipe = NAMED[name] if name else usual
    return replace(recipe, **changed)  # type: ignore[arg-type]
