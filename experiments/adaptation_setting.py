"""Training setting of a run of experiment 7, kept beside its networks."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from runtime.system.files import write_atomic
from training.photos import DataError

SETTING = "setting.json"


@dataclass(frozen=True)
class AdaptationSetting:
    """The training setting of all networks of a run."""

    steps: int
    crop: int  #: side of the pictures, px
    cold: bool  #: encoders begin with random weights

    @classmethod
    def of(cls, a: argparse.Namespace) -> AdaptationSetting:
        """As the arguments say."""
        return cls(a.steps, a.crop, a.cold)

    @classmethod
    def read(cls, folder: Path) -> AdaptationSetting:
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

    def beside(self, usual: AdaptationSetting) -> str:
        """Words for the difference from the `usual` one."""
        parts = ["encoders from random weights"] if self.cold and not usual.cold else []
        parts += ["encoders from the parser"] if usual.cold and not self.cold else []
        parts += [f"{self.steps} steps"] if self.steps != usual.steps else []
        parts += [f"pictures of {self.crop} px"] if self.crop != usual.crop else []
        return ", ".join(parts) or "the same setting"
