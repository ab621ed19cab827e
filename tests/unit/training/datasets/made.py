"""Small made data sets: pictures, label pictures and MATLAB structs in the layouts of the releases."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat

from models.labels import IGNORE
from training.batches import sources
from training.datasets.problems import Problems
from training.datasets.registry import DATA_SETS
from training.datasets.samples import Sample
from training.published import parse_data
from training.stream import BatchShape, Mixture, make_batch

WIDTH, HEIGHT = 40, 30


def picture(path: Path, size: tuple[int, int] = (WIDTH, HEIGHT), seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def stored(path: Path, labels: NDArray[np.uint8]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(labels).save(path)
    return path


def palette(path: Path, labels: NDArray[np.uint8]) -> Path:
    """Indices with colours, as PASCAL stores labels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(labels).convert("P")
    image.putdata(labels.ravel().tolist())
    image.putpalette([(i * 37) % 256 for i in range(768)])
    image.save(path)
    return path


def blank(value: int = 0) -> NDArray[np.uint8]:
    return np.full((HEIGHT, WIDTH), value, dtype=np.uint8)


def text(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def mat(path: Path, **variables: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, variables)
    return path


def cells(values: Sequence[object]) -> NDArray[np.object_]:
    """A 1×n cell array."""
    out = np.empty((1, len(values)), dtype=object)
    for i, v in enumerate(values):
        out[0, i] = v
    return out


def struct_row(rows: Sequence[dict[str, object]]) -> NDArray[np.void]:
    """A 1×n struct array; all rows have the fields of the first."""
    out = np.empty((1, len(rows)), dtype=[(k, object) for k in rows[0]])
    for i, row in enumerate(rows):
        for k, v in row.items():
            out[0, i][k] = v
    return out


def read(name: str, root: Path, split: str, problems: Problems | None = None) -> list[Sample]:
    problems = Problems() if problems is None else problems
    loader = DATA_SETS[name]
    assert split in loader.splits(root, problems)
    return list(loader.samples(root, split, problems))


def said(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING)


def taught(name: str, root: Path) -> set[int]:
    """Codes that a network meets which is trained on this set alone, unknown pixels aside."""
    found = sources(None, [], published=parse_data([f"{name}={root}"])[1])
    shape = BatchShape(24, 64, 2)
    codes = np.concatenate(
        [make_batch(found, Mixture(), shape, seed=0, step=i).targets["codes"] for i in (0, 1)]
    )
    return {*np.unique(codes).tolist()} - {IGNORE}
