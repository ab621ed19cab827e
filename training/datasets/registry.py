"""DATA_SETS: every published data set that can be read, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from training.datasets import coco, fsp, lip, lsp, mpii, pascal, up, youtube
from training.datasets.problems import Problems
from training.datasets.samples import Sample


@dataclass(frozen=True)
class DatasetReader:
    """One data set: what it is, and how it is read."""

    title: str
    licence: str
    splits: Callable[[Path, Problems], tuple[str, ...]]
    samples: Callable[[Path, str, Problems], Iterator[Sample]]  #: lazily, in a fixed order
    scored_on: str = ""  #: the split the paper's tables are made on


DATA_SETS: dict[str, DatasetReader] = {
    "up-s31": DatasetReader(
        "UP-S31, 31 parts, prepared",
        "CC BY-NC 4.0, and SMPL's",
        up.prepared_splits,
        up.prepared,
        "paper-test",
    ),
    "up-3d": DatasetReader("UP-3D, raw, joints only", "CC BY-NC 4.0, and SMPL's", up.raw_splits, up.raw),
    "lip": DatasetReader("Look into Person, single", "research only", lip.splits, lip.samples, "val"),
    "pascal-person-part": DatasetReader(
        "PASCAL-Person-Part, extended", "Flickr's terms, research", pascal.splits, pascal.samples, "val"
    ),
    "mpii": DatasetReader("MPII Human Pose", "research only", mpii.splits, mpii.samples),
    "coco": DatasetReader(
        "COCO people", "annotations CC BY 4.0, Flickr's terms", coco.splits, coco.samples, "val2017"
    ),
    "lsp": DatasetReader("Leeds Sports Pose", "research", lsp.lsp_splits, lsp.lsp_samples, "test"),
    "lspet": DatasetReader(
        "Leeds Sports Pose, extended", "research", lsp.lspet_splits, lsp.lspet_samples, "train"
    ),
    "fsp": DatasetReader("Freiburg Sitting People", "research", fsp.splits, fsp.samples, "test"),
    "youtube-pose": DatasetReader("YouTube Pose", "research", youtube.splits, youtube.samples, "all"),
}
