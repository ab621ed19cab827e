r"""Freiburg Sitting People (methods §10.7): its file layout is not published, so `fsp.toml` describes it.

    images = "images/*.png"
    labels = "labels/*.png"          # paired with the pictures by stem
    pair = "(\d+)"                    # optional: by what this finds in both stems instead
    subject = "^(s\d+)_"             # found in the picture's stem
    [subjects]
    train = ["s1", "s2"]
    test = ["s3", "s4", "s5", "s6"]
    [label_map]                      # stored value, or "r,g,b", to a part of FSP-14, or 0, or 255
    0 = 0
    "255,0,0" = 1

TOML is in the standard library; YAML would be one more dependency, and one that can build objects.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.labels import IGNORE
from training.datasets.files import BrokenError, Pixels, inside, read_stored, read_text, shown
from training.datasets.problems import Problems
from training.datasets.samples import Sample
from training.datasets.sets import FSP_PARTS
from training.photos import DataError

CONFIG = "fsp.toml"


@dataclass(frozen=True)
class Layout:
    """The contents of `fsp.toml`."""

    images: str
    labels: str
    pair: re.Pattern[str]
    subject: re.Pattern[str]
    subjects: dict[str, tuple[str, ...]]
    values: dict[int, int]  #: stored value → part
    colours: dict[int, int]  #: r·65536 + g·256 + b → part


def read_layout(root: Path) -> Layout:
    """The description beside the data.

    Raises:
        DataError: it is missing, or says something that cannot be followed.
    """
    path = root / CONFIG
    try:
        held = tomllib.loads(read_text(path))
        subjects = {str(k): tuple(map(str, v)) for k, v in _table(held, "subjects").items()}
        values, colours = _label_map(_table(held, "label_map"))
        return Layout(
            _glob(held, root, "images"), _glob(held, root, "labels"),
            _pattern(held, "pair", "^(.*)$"), _pattern(held, "subject", None), subjects, values, colours,
        )  # fmt: skip
    except (ValueError, TypeError) as e:
        raise DataError(f"{path}: {e}. Write it as docs/datasets.md shows.") from e


def _table(held: dict[str, Any], name: str) -> dict[str, Any]:
    table = held.get(name)
    if not isinstance(table, dict) or not table:
        raise BrokenError(f"[{name}] is missing")
    return table


def _glob(held: dict[str, Any], root: Path, name: str) -> str:
    value = held.get(name)
    if not isinstance(value, str):
        raise BrokenError(f"`{name}` is missing")
    return inside(root, value).relative_to(root).as_posix()  # never above the folder


def _pattern(held: dict[str, Any], name: str, default: str | None) -> re.Pattern[str]:
    value = held.get(name, default)
    if not isinstance(value, str):
        raise BrokenError(f"`{name}` is missing")
    try:
        pattern = re.compile(value)
    except re.error as e:
        raise BrokenError(f"`{name}` is no regular expression ({e})") from e
    if pattern.groups != 1:
        raise BrokenError(f"`{name}` must have one group in parentheses")
    return pattern


def _label_map(table: dict[str, Any]) -> tuple[dict[int, int], dict[int, int]]:
    values: dict[int, int] = {}
    colours: dict[int, int] = {}
    for key, part in table.items():
        numbers = [int(v) for v in key.split(",")]
        if len(numbers) not in (1, 3) or not all(0 <= n <= 255 for n in numbers):
            raise BrokenError(f'label_map: {shown(key)} is neither a value nor "r,g,b", 0 to 255')
        if not isinstance(part, int) or not (0 <= part < FSP_PARTS.classes or part == IGNORE):
            raise BrokenError(f"label_map: {shown(key)} maps to {shown(part)}; parts are 0 to 14, or 255")
        if len(numbers) == 1:
            values[numbers[0]] = part
        else:
            colours[int.from_bytes(numbers, "big")] = part
    return values, colours


def splits(root: Path, _problems: Problems) -> tuple[str, ...]:
    """The lists of subjects."""
    return tuple(read_layout(root).subjects)


def samples(root: Path, split: str, problems: Problems) -> Iterator[Sample]:
    """Pictures of the split's subjects with their 14 parts."""
    layout = read_layout(root)
    labels = _by_key(root, layout, problems)
    known = {s for names in layout.subjects.values() for s in names}
    pictures = sorted(p for p in root.glob(layout.images) if p.is_file())
    if not pictures:
        raise DataError(f"{root}: no picture matches `{layout.images}`. Correct `images` in {CONFIG}.")
    for path in pictures:
        found = layout.subject.search(path.stem)
        if found is None or found[1] not in known:
            problems.add(path.name, "its subject is in none of the lists")
        elif found[1] in layout.subjects[split]:
            key = layout.pair.search(path.stem)
            mask = labels.get(key[1]) if key else None
            if mask is None:
                problems.add(path.name, f"no label picture of `{layout.labels}` belongs to it")
                continue
            yield Sample(
                path.stem, split, path, label_set=FSP_PARTS, group=found[1],
                read_labels=partial(read_mapped, mask, layout),
            )  # fmt: skip


def _by_key(root: Path, layout: Layout, problems: Problems) -> dict[str, Path]:
    out: dict[str, Path] = {}
    for path in sorted(root.glob(layout.labels)):
        key = layout.pair.search(path.stem)
        if key is None or key[1] in out:
            problems.add(path.name, "cannot be told from other label pictures by `pair`")
        else:
            out[key[1]] = path
    return out


def read_mapped(path: Path, layout: Layout) -> Pixels:
    """(h, w) parts; ValueError names a stored value that the map does not have."""
    stored = read_stored(path)
    if stored.ndim == 3 and layout.colours:
        weights = np.array((1 << 16, 1 << 8, 1))
        return _mapped(stored[..., :3] @ weights, layout.colours, path)
    if stored.ndim == 3 and (stored[..., :1] == stored[..., :3]).all():
        stored = stored[..., 0]
    if stored.ndim == 3:
        raise BrokenError(f"{shown(path)} is a colour picture, but label_map has no colours")
    return _mapped(stored.astype(np.int64), layout.values, path)


def _mapped(stored: NDArray[np.int64], table: dict[int, int], path: Path) -> Pixels:
    values, index = np.unique(stored, return_inverse=True)
    strange = [int(v) for v in values if int(v) not in table]
    if strange:
        raise BrokenError(f"{shown(path)} holds the value {strange[0]:#x}, which label_map does not have")
    parts = np.array([table[int(v)] for v in values], dtype=np.uint8)
    return parts[index].reshape(stored.shape)
