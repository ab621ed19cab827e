"""Training setting of a run of experiments, kept beside its networks."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from runtime.system.files import write_atomic
from training import __main__ as training
from training.photos import DataError

SETTING = "setting.json"
BATCH, LR = 16, 1e-3
#: options that decide the scores of a run, beside those in its folder's name
DECIDING = ("data", "synthetic", "synthetic_folder", "pseudolabels", "test", "limit", "size", "shipped_size",
            "trunk", "shipped")  # fmt: skip


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


def kept_options(a: argparse.Namespace) -> dict[str, str]:
    """The values of DECIDING as given; without folders of scenes where no network learns from any."""
    given = [(option, getattr(a, option)) for option in DECIDING]
    words = {k: " ".join(map(str, v)) if isinstance(v, list) else str(v or "left out") for k, v in given}
    return {option: value for option, value in words.items() if value}


@dataclass(frozen=True)
class TrainingSetting:
    """The training setting of all networks of a run."""

    steps: int
    crop: int  #: side of the pictures, px
    cold: bool  #: all begin with random weights
    note: str = ""  #: what else was other than with today's code
    options: dict[str, str] = field(default_factory=dict)  #: see `kept_options`; earlier versions kept none

    @classmethod
    def of(cls, a: argparse.Namespace) -> TrainingSetting:
        """The setting that the arguments of experiment 7 ask for."""
        return cls(a.steps, a.crop, a.cold)

    @classmethod
    def read(cls, folder: Path) -> TrainingSetting:
        """The setting that a run's folder was made in.

        Raises:
            DataError: the folder is not one.
        """
        try:
            return cls(**json.loads((folder / SETTING).read_text()))
        except (OSError, ValueError, TypeError) as e:
            raise DataError(
                f"{folder}: no run of this experiment ({e}). Give --runs' exp-adaptation-…."
            ) from e

    def keep(self, folder: Path, a: argparse.Namespace) -> None:
        """Write it beside the run's networks, with what decides their scores; with --finished only compare.

        Raises:
            DataError: the scores there are of other options.
        """
        now, there = kept_options(a), self.read(folder) if (folder / SETTING).exists() else self
        for option, value in there.options.items():
            if now.get(option, value) != value:
                words = f"made with --{option.replace('_', '-')} {value}, now it is {now[option]}"
                raise DataError(f"{folder}: its scores were {words}. Give --runs another folder.")
        if not a.finished:
            folder.mkdir(parents=True, exist_ok=True)
            kept = replace(there, options={**there.options, **now})
            write_atomic(folder / SETTING, json.dumps(asdict(kept)).encode())

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
