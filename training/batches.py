"""BATCHES: where the pictures for each type of output come from."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from models.families import SMALL_RADIUS_PX
from models.labels import PartSet, merges_s31
from models.outputs import AffinityFields, CentreOffsets, Heatmaps, JointDisks, Output, PartProbabilities
from training.coco_batches import make_coco_batch, read_coco
from training.crowd_batches import (
    CrowdSources,
    make_affinity_batch,
    make_centre_batch,
    make_crowd_batch,
    whole_photos,
)
from training.joint_batches import RENDERED, JointSources, make_joint_batch
from training.joint_photos import JointPhoto, read_joint_photos, with_codes
from training.own_photos import read_own
from training.person_cutouts import annotated_people, cut_out, read_rendered
from training.photos import (
    DataError,
    Photo,
    read_backgrounds,
    read_ccp,
    read_cutouts,
    read_lsp,
    read_unlabelled,
)
from training.pseudolabels import with_labels
from training.published import PublishedPhotos, PublishedSet, labelled, published_people
from training.silhouettes import with_silhouettes
from training.stream import Batches, BatchShape, Mixture, Packed, Sources, make_batch
from training.teacher_labels import cutout, read_landmarks, with_joints

log = logging.getLogger(__name__)
Described = TypeVar("Described", bound=Output)
PRECISE_SPORT = 3  # lsp is drawn this often for once lspet, whose joints are noisy and poses extreme
#: people seen from behind are drawn this often on top: one in five, and the front is the easy guess
FROM_BEHIND = 2

SPORT = ("lsp", "lspet")  # photos with annotated joints
BACKGROUNDS = ("indoor", "outdoor", "mixed")  # folders of pictures without people


@dataclass(frozen=True)
class DataFolders:
    """Folders of training data; see `python -m training --help`."""

    data: Path | None = None
    synthetic: tuple[Path, ...] = ()
    silhouettes: Path | None = None
    pseudolabels: Path | None = None
    strict: bool = False
    coco: Path | None = None
    mixture: Mixture = field(default_factory=Mixture)
    own: tuple[Path, ...] = ()
    rendered_share: float = RENDERED  #: of people with joints and parts
    published: tuple[PublishedSet, ...] = ()


def packed(stem: Path) -> Packed:
    """Open a set that `python -m synthetic --packed` wrote, memory-mapped.

    Raises:
        DataError: there is none, or it is not whole.
    """
    try:
        images, labels = (np.load(f"{stem}.{kind}.npy", mmap_mode="r") for kind in ("images", "labels"))
        joints = Path(f"{stem}.keypoints.npy")
        keypoints = np.load(joints, mmap_mode="r") if joints.exists() else None
    except (OSError, ValueError, EOFError) as e:
        remedy = "Make it with python -m synthetic --packed."
        raise DataError(f"{stem}: not a packed synthetic set ({e}). {remedy}") from e
    return Packed(images, labels, keypoints)


def sources(
    data: Path | None,
    synthetic: Sequence[Path],
    *,
    silhouettes: Path | None = None,
    pseudolabels: Path | None = None,
    strict: bool = False,
    own: Sequence[Path] = (),
    published: Sequence[PublishedSet] = (),
) -> Sources:
    """Read the training parts of every set that is there, photos as `labelled_photos` does.

    `data`/teacher adds silhouettes to cut out, where it is there.

    Raises:
        DataError: when a folder named by the user cannot be used.
    """
    people = [packed(stem) for stem in synthetic]
    mine = read_own(own, strict=strict) if own else []
    others = {s.name: (PublishedPhotos(s, labelled, strict=strict), s.weight) for s in published}
    if data is None:
        return Sources(people, own=mine, published=others)
    photos = labelled_photos(data, silhouettes=silhouettes, pseudolabels=pseudolabels, strict=strict)
    cutouts = read_cutouts(data / "cutouts", strict=strict)
    for name, taught in photos.items():
        alone = [c for p in taught if (c := cutout(p, data / "teacher" / name)) is not None]
        log.info("%s: %d photos, %d of them with a person to cut out", name, len(taught), len(alone))
        cutouts += alone
    return Sources(
        people,
        photos["ccp"] + photos.get("ccp_unlabelled", []),
        _repeated(photos["lsp"]) + photos["lspet"],
        cutouts,
        read_backgrounds([data / "backgrounds" / k for k in BACKGROUNDS]),
        mine,
        others,
    )


def _repeated(precise: Sequence[Photo]) -> list[Photo]:
    """Photos of lsp as often as they are drawn."""
    behind = [p for p in precise if p.skeleton and p.skeleton.from_behind()]
    return [*precise] * PRECISE_SPORT + behind * FROM_BEHIND


def labelled_photos(
    data: Path, *, silhouettes: Path | None, pseudolabels: Path | None, strict: bool
) -> dict[str, list[Photo]]:
    """Training photos of lsp/, lspet/, ccp/ and, where dense labels of it are given, ccp_unlabelled/.

    `silhouettes` holds cuts of lsp/ and lspet/, `pseudolabels` dense labels of theirs and of ccp/ and
    ccp_unlabelled/. `data`/teacher adds joints where it is there (teacher_labels.py).

    Raises:
        DataError: when a folder named by the user cannot be used.
    """
    photos = {
        "lsp": read_lsp(data / "lsp", "train", strict=strict),
        "lspet": read_lsp(data / "lspet", "all", strict=strict),
        "ccp": read_ccp(data / "ccp", "train", strict=strict),
    }
    if pseudolabels is not None:
        photos["ccp_unlabelled"] = read_unlabelled(data / "ccp_unlabelled", strict=strict)
    for name, found in photos.items():
        teacher = data / "teacher" / name
        taught = with_joints(found, teacher) if teacher.is_dir() else found
        if silhouettes is not None and name in SPORT:
            taught = with_silhouettes(taught, silhouettes / name)
        if pseudolabels is not None:
            taught = with_labels(taught, pseudolabels / name)
        photos[name] = taught
    return photos


def part_batches(_: Sequence[Output], folders: DataFolders, shape: BatchShape, seed: int) -> Batches:
    """Code maps of parts and silhouettes.

    Raises:
        ValueError: no data is given; DataError: a folder named by the user cannot be used.
    """
    found = sources(
        folders.data, folders.synthetic, silhouettes=folders.silhouettes, pseudolabels=folders.pseudolabels,
        strict=folders.strict, own=folders.own, published=folders.published,
    )  # fmt: skip
    if shape.augmentation == "paper":  # which pastes nobody and nothing
        found = replace(found, backgrounds=())
    found.shares(folders.mixture)  # without data nothing is begun
    return partial(make_batch, found, folders.mixture, shape, seed=seed)


def heatmap_batches(outputs: Sequence[Output], folders: DataFolders, shape: BatchShape, seed: int) -> Batches:
    """Heat maps of joints on the network's own grid.

    Raises:
        DataError: a folder cannot be used, or none is given.
    """
    output = described(outputs, Heatmaps)
    if folders.data is None:
        raise DataError(
            "joints need photos. Give --data DIR with lsp/, lspet/, ccp/, teacher/, backgrounds/."
        )
    photos = read_joint_photos(folders.data, output.joint_set)
    backgrounds = read_backgrounds([folders.data / "backgrounds" / k for k in BACKGROUNDS])
    return partial(make_joint_batch, JointSources(output, photos, backgrounds), shape, seed=seed)


def part_and_joint_batches(
    outputs: Sequence[Output], folders: DataFolders, shape: BatchShape, seed: int
) -> Batches:
    """Code maps and heat maps of the same people, one in each picture.

    Raises:
        DataError: a folder cannot be used, or none is given.
    """
    part_set = described(outputs, PartProbabilities).part_set
    sources = joint_sources(described(outputs, Heatmaps), part_set, folders)
    return partial(make_joint_batch, sources, shape, seed=seed)


@lru_cache(maxsize=2)  # an experiment trains one network after another on the same photos
def joint_sources(output: Heatmaps, part_set: PartSet, folders: DataFolders) -> JointSources:
    """Photos and rendered people with joints and codes of parts; read once a process.

    Of sets that the 31 parts do not merge into, published sets teach all, and `folders.data` gives scenes.

    Raises:
        DataError: a folder cannot be used, or none is given.
    """
    merged, data = merges_s31(part_set), folders.data
    if data is None and not folders.published:
        raise DataError(
            "parts and joints need photos. Give --data DIR with lsp/, lspet/, ccp/, teacher/, backgrounds/."
        )
    if not merged and (folders.synthetic or not folders.published):
        words = "is taught by its own labels. Give --data NAME=ROOT, and no --synthetic."
        raise DataError(f"{part_set.name} {words}")
    rendered = [packed(stem) for stem in folders.synthetic]
    photos_too = merged and (not rendered or folders.rendered_share < 1)
    people = people_with_codes(data, folders, output) if data and photos_too else []
    scenes = read_backgrounds([data / "backgrounds" / k for k in BACKGROUNDS]) if data else []
    published = published_people(folders.published, output.joint_set, part_set, strict=folders.strict)
    return JointSources(output, people, scenes, part_set, rendered, folders.rendered_share, published)


def people_with_codes(data: Path, folders: DataFolders, output: Heatmaps) -> list[JointPhoto]:
    """The photos of `data` with joints and codes of parts.

    Raises:
        DataError: a folder cannot be used.
    """
    found = labelled_photos(
        data, silhouettes=folders.silhouettes, pseudolabels=folders.pseudolabels, strict=folders.strict
    )
    people: list[JointPhoto] = []
    for name, photos in found.items():
        landmarks = read_landmarks(data / "teacher" / name)
        people += with_codes(_repeated(photos) if name == "lsp" else photos, landmarks, output.joint_set)
    return people


def crowd_batches(outputs: Sequence[Output], folders: DataFolders, shape: BatchShape, seed: int) -> Batches:
    """Photos of COCO where they are given; else scenes of several people, and photos of one as they are.

    Raises:
        DataError: a folder cannot be used, or none is given.
    """
    output = described(outputs, JointDisks)
    cells = BatchShape(shape.size, shape.crop, output.stride)
    if folders.coco is not None:
        return partial(
            make_coco_batch, read_coco(folders.coco, strict=folders.strict), output, cells, seed=seed
        )
    return partial(make_crowd_batch, crowd_sources(output, folders), cells, seed=seed)


def affinity_batches(
    outputs: Sequence[Output], folders: DataFolders, shape: BatchShape, seed: int
) -> Batches:
    """Scenes of several people, and photos of one, with limbs and parts.

    Raises:
        DataError: a folder cannot be used, or none is given.
    """
    fields = described(outputs, AffinityFields)
    known = JointDisks(joints=fields.joints, radius_px=SMALL_RADIUS_PX, stride=fields.stride)
    return partial(make_affinity_batch, crowd_sources(known, folders), shape, seed=seed)


def centre_batches(outputs: Sequence[Output], folders: DataFolders, shape: BatchShape, seed: int) -> Batches:
    """Scenes of several people, and photos of one, with the ways to their centres.

    Raises:
        DataError: a folder cannot be used, or none is given.
    """
    heat, centres = described(outputs, Heatmaps), described(outputs, CentreOffsets)
    known = JointDisks(joints=heat.joints, radius_px=SMALL_RADIUS_PX, stride=heat.stride)
    return partial(make_centre_batch, crowd_sources(known, folders), heat, centres, shape, seed=seed)


@lru_cache(maxsize=1)
def crowd_sources(output: JointDisks, folders: DataFolders) -> CrowdSources:
    """People with joints, and codes where there are dense labels, and pictures to put them in.

    Raises:
        DataError: a folder cannot be used, or none is given.
    """
    if folders.data is None:
        raise DataError(
            "people need photos. Give --data DIR with lsp/, lspet/, ccp/, teacher/, backgrounds/;"
            " --coco DIR instead teaches PersonLab alone."
        )
    backgrounds = read_backgrounds([folders.data / "backgrounds" / k for k in BACKGROUNDS])
    rendered = [p for folder in folders.synthetic for p in read_rendered(folder, output.joint_set)]
    pairs = list(annotated_people(folders.data, "train", output.joint_set, folders.pseudolabels))
    people = [person for photo, alpha in pairs if (person := cut_out(photo, alpha)) is not None]
    return CrowdSources(output, people, rendered, whole_photos(pairs), backgrounds)


def described(outputs: Sequence[Output], kind: type[Described]) -> Described:
    """The description of the only output of a type, which the row of BATCHES has promised."""
    (output,) = (o for o in outputs if isinstance(o, kind))
    return output


#: outputs that are taught together → their batches
BATCHES: dict[
    frozenset[type[Output]], Callable[[Sequence[Output], DataFolders, BatchShape, int], Batches]
] = {
    frozenset({PartProbabilities}): part_batches,
    frozenset({Heatmaps}): heatmap_batches,
    frozenset({PartProbabilities, Heatmaps}): part_and_joint_batches,
    frozenset({JointDisks}): crowd_batches,
    frozenset({PartProbabilities, Heatmaps, AffinityFields}): affinity_batches,
    frozenset({Heatmaps, CentreOffsets}): centre_batches,
}


def _taught(outputs: Sequence[Output]) -> frozenset[type[Output]]:
    """The row of BATCHES that teaches the most of some outputs."""
    kinds = [type(o) for o in outputs]
    able = (row for row in BATCHES if row <= set(kinds))
    return max(able, key=lambda row: (len(row), max(kinds.index(k) for k in row)))


def draws_a_mixture(outputs: Sequence[Output]) -> bool:
    """Networks of parts alone are taught from sources with weights; joints have sources of their own."""
    return _taught(outputs) == {PartProbabilities}


def batches_for(outputs: Sequence[Output], folders: DataFolders, shape: BatchShape, seed: int) -> Batches:
    """Batches that teach a network the most of its outputs; of as many the last ones, for later stages learn.

    Raises:
        DataError: the data cannot be used.
    """
    row = _taught(outputs)
    alone = row == {PartProbabilities}
    for option, given, able in (
        ("--own", folders.own, alone),
        ("--data NAME=ROOT", folders.published, alone or row == {PartProbabilities, Heatmaps}),
    ):
        if given and not able:
            words = "teaches silhouettes and parts; this network learns joints. Leave it out."
            raise DataError(f"{option} {words}")
    return BATCHES[row](outputs, folders, shape, seed)
