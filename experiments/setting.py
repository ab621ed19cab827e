"""Training setting of a run of experiments, kept beside its networks."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from runtime.system.files import write_atomic
from training import __main__ as training
from training.photos import DataError

SETTING = "setting.json"
BATCH, LR = 16, 1e-3


def fit(row: str, out: Path, words: Sequence[str], synthetic: Sequence[Path]) -> None:
    """Train a network of an experiment, `words` beside the arguments that all have.

    Raises:
        DataError: the training stopped.
    """
    words = [row, "--out", str(out), "--batch", str(BATCH), "--lr", str(LR), "--ema", "0.99", *words]
    if training.main([*words, "--synthetic", *map(str, synthetic)]) != 0:
        raise DataError(f"{out}: the training stopped; the reason stands above")


def photos(a: argparse.Namespace) -> list[str]:
    """The arguments of a training that learns from photos, too."""
    return ["--data", str(a.data), *(["--pseudolabels", str(a.pseudolabels)] if a.pseudolabels else [])]


def command(a: argparse.Namespace, more: str = "") -> str:
    """The command that makes a page of experiment 7 again."""
    words = [f"python -m experiments seven{more} --steps {a.steps} --crop {a.crop} --shipped {a.shipped}"]
    words += ["--cold"] if a.cold else []
    for option in ("synthetic", "synthetic_folder", "tried"):
        paths = " ".join(map(str, getattr(a, option)))
        words += [f"--{option.replace('_', '-')} {paths}"] if paths else []
    words += [f"--pseudolabels {a.pseudolabels}"] if a.pseudolabels else []
    return " ".join([*words, f"--test {a.test} --out {a.out}"])


@dataclass(frozen=True)
class TrainingSetting:
    """The training setting of all networks of a run."""

    steps: int
    crop: int  #: side of the pictures, px
    cold: bool  #: all begin with random weights
    note: str = ""  #: what else was other than with today's code

    @classmethod
    def of(cls, a: argparse.Namespace) -> TrainingSetting:
        """As the arguments say."""
        return cls(a.steps, a.crop, a.cold)

    @classmethod
    def read(cls, folder: Path) -> TrainingSetting:
        """Of a run.

        Raises:
            DataError: the folder is not one.
        """
        try:
            return cls(**json.loads((folder / SETTING).read_text()))
        except (OSError, ValueError, TypeError) as e:
            raise DataError(
                f"{folder}: no run of this experiment ({e}). Give --runs' exp-adaptation-…."
            ) from e

    def write(self, folder: Path) -> None:
        """Keep it with the run's networks."""
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / SETTING, json.dumps(asdict(self)).encode())

    @property
    def name(self) -> str:
        """The end of the run's folder name."""
        return f"{self.steps}-{self.crop}" + "-cold" * self.cold

    def words(self) -> list[str]:
        """The arguments of the training that follow from it."""
        return f"--steps {self.steps} --decay-steps {self.steps // 2} --crop {self.crop}".split()

    def beside(self, usual: TrainingSetting) -> str:
        """Words for the difference from the `usual` one."""
        parts = ["encoders from random weights"] if self.cold and not usual.cold else []
        parts += ["encoders from the parser"] if usual.cold and not self.cold else []
        parts += [f"{self.steps} steps"] if self.steps != usual.steps else []
        parts += [f"pictures of {self.crop} px"] if self.crop != usual.crop else []
        parts += [self.note] if self.note else []
        return ", ".join(parts) or "the same setting"
