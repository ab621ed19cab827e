"""Leeds Sports Pose and its extended set as released: one `joints.mat` and a folder of pictures (§10.6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from models.labels import LSP14
from training.datasets.files import Numbers, existing, numbers, read_mat
from training.datasets.problems import Problems
from training.datasets.samples import Sample, person
from training.photos import DataError

LSP_TRAIN = 1000  # the first thousand pictures


@dataclass(frozen=True)
class Release:
    """Differences between the two sets."""

    picture: str
    people_last: tuple[int, ...]  #: axes of the stored array that give (people, joints, 3)
    shape: tuple[int, int]  #: of one person as stored

    def rows(self, root: Path) -> Numbers:
        """(people, 14, 3) x, y and the stored flag."""
        stored = numbers(read_mat(root / "joints.mat", "joints"))
        if stored.ndim == 2:  # MATLAB drops the last axis of a single person
            stored = stored[..., None]
        if stored.ndim != 3 or stored.shape[:2] != self.shape:
            a, b = self.shape
            raise DataError(
                f"{root / 'joints.mat'}: its joints are {stored.shape}, {a}x{b}xN is expected."
                " Take the file of the other of the two sets, lsp or lspet."
            )
        return stored.transpose(self.people_last)


LSP = Release("im{:04d}.jpg", (2, 1, 0), (3, 14))
LSPET = Release("im{:05d}.jpg", (2, 0, 1), (14, 3))


def _need(root: Path) -> None:
    if not (root / "joints.mat").is_file() or not (root / "images").is_dir():
        raise DataError(f"{root}: joints.mat or images/ is not in it. Point at the folder of the release.")


def lsp_splits(root: Path, _problems: Problems) -> tuple[str, ...]:
    """The official halves."""
    _need(root)
    return ("train", "test")


def lspet_splits(root: Path, _problems: Problems) -> tuple[str, ...]:
    """All of it is training data."""
    _need(root)
    return ("train",)


def lsp_samples(root: Path, split: str, problems: Problems) -> Iterator[Sample]:
    """LSP; every joint is annotated, its flag says visible or occluded."""
    rows = LSP.rows(root)
    flags = rows[..., 2]
    # The released array stores 1 for occluded, converted copies store 1 for visible. Most joints are visible.
    stored_visible = bool(np.nanmean(flags) > 0.5) if flags.size else False
    if stored_visible:
        problems.note(root / "joints.mat", "most flags are 1, so 1 is taken as visible (a converted copy)")
    visible = np.where(np.isin(flags, (0, 1)), 1 + (flags == stored_visible), np.abs(flags) + 3)
    yield from _samples(root, LSP, rows, visible, split, problems)


def lspet_samples(root: Path, split: str, problems: Problems) -> Iterator[Sample]:
    """LSPET; 1 is visible, and a joint that is not was not annotated."""
    rows = LSPET.rows(root)
    flags = rows[..., 2]
    visible = np.where(np.isin(flags, (0, 1)), 2 * flags, np.abs(flags) + 3)
    yield from _samples(root, LSPET, rows, visible, split, problems)


def _samples(
    root: Path, release: Release, rows: Numbers, visible: Numbers, split: str, problems: Problems
) -> Iterator[Sample]:
    n = len(rows)
    wanted = range(n)
    if release is LSP:
        wanted = range(min(LSP_TRAIN, n)) if split == "train" else range(LSP_TRAIN, n)
    for i in wanted:
        name = release.picture.format(i + 1)
        sample = problems.attempt(name, partial(_sample, root, name, rows[i], visible[i], split))
        if sample is not None:
            yield sample
    if release is LSPET or split == "test":
        expected = {release.picture.format(i + 1) for i in range(n)}
        for path in sorted((root / "images").glob("im*.jpg")):
            if path.name not in expected:
                problems.add(path.name, f"a picture without joints; joints.mat has {n} people")


def _sample(root: Path, name: str, rows: Numbers, visible: Numbers, split: str) -> Sample:
    picture = existing(root / "images" / name)
    return Sample(Path(name).stem, split, picture, (person(LSP14, rows[:, :2], visible),))
