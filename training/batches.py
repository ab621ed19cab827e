"""BATCHES: where the pictures for each type of output come from."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from models.outputs import Heatmaps, JointDisks, Output, PartProbabilities
from training.coco_batches import make_coco_batch, read_coco
from training.crowd_batches import CrowdSources, make_crowd_batch, whole_photos
from training.joint_batches import JointSources, make_joint_batch
from training.joint_photos import read_joint_photos
from training.own_photos import read_own
from training.person_cutouts import annotated_people, cut_out, read_rendered
from training.photos import DataError, read_backgrounds, read_ccp, read_cutouts, read_lsp, read_unlabelled
from training.pseudolabels import with_labels
from training.silhouettes import with_silhouettes
from training.stream import Batches, BatchShape, Mixture, Packed, Sources, make_batch
from training.teacher_labels import cutout, with_joints

log = logging.getLogger(__name__)
PRECISE_SPORT = 3  # lsp is drawn this often for once lspet, whose joints are noisy and poses extreme
#: people seen from behind are drawn this often on top: one in five, and the front is the easy guess
FROM_BEHIND = 2


SPORT = ("lsp", "lspet")  # photos with annotated joints
BACKGROUNDS = ("indoor", "outdoor", "mixed")  # folders of pictures without people


@dataclass(frozen=True)
class DataFolders:
    """Folders of training data; see `python -m training --help`."""

    data: Path | None = None
    synthetic: Sequence[Path] = ()
    silhouettes: Path | None = None
    pseudolabels: Path | None = None
    strict: bool = False
    coco: Path | None = None
    mixture: Mixture = field(default_factory=Mixture)
    own: Sequence[Path] = ()


def packed(stem: Path) -> Packed:
    """Open a set that `python -m synthetic --packed` wrote, memory-mapped.

    Raises:
        DataError: there is none, or it is not whole.
    """
    try:
        images, labels = (np.load(f"{stem}.{kind}.npy", mmap_mode="r") for kind in ("images", "labels"))
    except (OSError, ValueError) as e:
        remedy = "Make it with python -m synthetic --packed."
        raise DataError(f"{stem}: not a packed synthetic set ({e}). {remedy}") from e
    return Packed(images, labels)


def sources(
    data: Path | None,
    synthetic: Sequence[Path],
    *,
    silhouettes: Path | None = None,
    pseudolabels: Path | None = None,
    strict: bool = False,
    own: Sequence[Path] = (),
) -> Sources:
    """Read the training parts of every set that is there.

    `silhouettes` holds cuts of lsp/ and lspet/, `pseudolabels` dense labels of theirs and of ccp/ and
    ccp_unlabelled/. `data`/teacher adds joints and silhouettes where it is there (teacher_labels.py).

    Raises:
        DataError: when a folder named by the user cannot be used.
    """
    people = [packed(stem) for stem in synthetic]
    mine = read_own(own, strict=strict) if own else []
    if data is None:
        return Sources(people, own=mine)
    photos = {
        "lsp": read_lsp(data / "lsp", "train", strict=strict),
        "lspet": read_lsp(data / "lspet", "all", strict=strict),
        "ccp": read_ccp(data / "ccp", "train", strict=strict),
    }
    if pseudolabels is not None:
        photos["ccp_unlabelled"] = read_unlabelled(data / "ccp_unlabelled", strict=strict)
    cutouts = read_cutouts(data / "cutouts", strict=strict)
    for name, found in photos.items():
        teacher = data / "teacher" / name
        taught = with_joints(found, teacher) if teacher.is_dir() else found
        if silhouettes is not None and name in SPORT:
            taught = with_silhouettes(taught, silhouettes / name)
        if pseudolabels is not None:
            taught = with_labels(taught, pseudolabels / name)
        photos[name] = taught
        alone = [c for p in taught if (c := cutout(p, teacher)) is not None]
        log.info("%s: %d photos, %d of them with a person to cut out", name, len(taught), len(alone))
        cutouts += alone
    precise, extreme = (photos[name] for name in SPORT)
    return Sources(
        people,
        photos["ccp"] + photos.get("ccp_unlabelled", []),
        precise * PRECISE_SPORT
        + [p for p in precise if p.skeleton and p.skeleton.from_behind()] * FROM_BEHIND
        + extreme,
        cutouts,
        read_backgrounds([data / "backgrounds" / k for k in BACKGROUNDS]),
        mine,
    )


def part_batches(_: Output, folders: DataFolders, shape: BatchShape, seed: int) -> Batches:
    """Code maps of parts and silhouettes.

    Raises:
        DataError: a folder named by the user cannot be used.
    """
    found = sources(
        folders.data, folders.synthetic, silhouettes=folders.silhouettes, pseudolabels=folders.pseudolabels,
        strict=folders.strict, own=folders.own,
    )  # fmt: skip
    return partial(make_batch, found, folders.mixture, shape, seed=seed)


def heatmap_batches(output: Output, folders: DataFolders, shape: BatchShape, seed: int) -> Batches:
    """Heat maps of joints on the network's own grid.

    Raises:
        DataError: a folder cannot be used, or none is given.
    """
    assert isinstance(output, Heatmaps)  # the row of BATCHES
    if folders.data is None:
        raise DataError(
            "joints need photos. Give --data DIR with lsp/, lspet/, ccp/, teacher/, backgrounds/."
        )
    photos = read_joint_photos(folders.data, output.joint_set)
    backgrounds = read_backgrounds([folders.data / "backgrounds" / k for k in BACKGROUNDS])
    cells = BatchShape(shape.size, shape.crop, output.stride)
    return partial(make_joint_batch, JointSources(output, photos, backgrounds), cells, seed=seed)


def crowd_batches(output: Output, folders: DataFolders, shape: BatchShape, seed: int) -> Batches:
    """Photos of COCO where they are given; else scenes of several people, and photos of one as they are.

    Raises:
        DataError: a folder cannot be used, or none is given.
    """
    assert isinstance(output, JointDisks)  # the row of BATCHES
    cells = BatchShape(shape.size, shape.crop, output.stride)
    if folders.coco is not None:
        return partial(
            make_coco_batch, read_coco(folders.coco, strict=folders.strict), output, cells, seed=seed
        )
    if folders.data is None:
        raise DataError(
            "people need photos. Give --coco DIR,"
            " or --data DIR with lsp/, lspet/, ccp/, teacher/, backgrounds/."
        )
    backgrounds = read_backgrounds([folders.data / "backgrounds" / k for k in BACKGROUNDS])
    rendered = [p for folder in folders.synthetic for p in read_rendered(folder, output.joint_set)]
    pairs = list(annotated_people(folders.data, "train", output.joint_set))
    people = [person for photo, alpha in pairs if (person := cut_out(photo, alpha)) is not None]
    found = CrowdSources(output, people, rendered, whole_photos(pairs), backgrounds)
    return partial(make_crowd_batch, found, cells, seed=seed)


BATCHES: dict[type[Output], Callable[[Output, DataFolders, BatchShape, int], Batches]] = {
    PartProbabilities: part_batches,
    Heatmaps: heatmap_batches,
    JointDisks: crowd_batches,
}


def batches_for(outputs: Sequence[Output], folders: DataFolders, shape: BatchShape, seed: int) -> Batches:
    """Batches that teach a network: of the last of its outputs that has data, for later stages learn.

    Raises:
        DataError: the data cannot be used.
    """
    output = next(o for o in reversed(outputs) if type(o) in BATCHES)
    if folders.own and not isinstance(output, PartProbabilities):
        raise DataError("--own teaches silhouettes and parts; this network learns joints. Leave it out.")
    return BATCHES[type(output)](output, folders, shape, seed)
