"""Published sets, one's own photos and packed people as sources of batches, and what is read once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.labels import LIP20, S31
from models.outputs import AffinityFields, Heatmaps, Output, PartProbabilities
from tests.unit.training.datasets import made
from tests.unit.training.datasets.test_coco import annotation, coco
from training.batches import (
    BACKGROUNDS,
    DataFolders,
    batches_for,
    joint_sources,
    packed,
    sources,
)
from training.photos import DataError
from training.published import PublishedSet
from training.stream import BatchShape

PARTS, JOINTS = PartProbabilities(parts="S31"), Heatmaps(joints="COCO-17")
SHAPE = BatchShape(2, 64, 4)


@pytest.fixture
def published(tmp_path: Path) -> PublishedSet:
    """COCO with three pictures of one person each."""
    root = tmp_path / "coco"
    images = [
        {"id": i, "file_name": f"{i}.png", "width": made.WIDTH, "height": made.HEIGHT} for i in range(3)
    ]
    for row in images:
        made.picture(root / "train2017" / str(row["file_name"]))
    silhouette = [[0.0, 0, 20, 0, 20, 30, 0, 30]]
    coco(root, [annotation(i, segmentation=silhouette, bbox=[0, 0, 20, 30]) for i in range(3)], images)
    held = root / "annotations" / "person_keypoints_val2017.json"
    held.rename(held.with_name("person_keypoints_train2017.json"))
    return PublishedSet("coco", root, 0.7)


@pytest.fixture
def backgrounds(tmp_path: Path) -> Path:
    """A data folder of pictures without people, and nothing else."""
    for kind in BACKGROUNDS:
        made.picture(tmp_path / "data/backgrounds" / kind / "a.jpg")
    return tmp_path / "data"


def test_a_published_set_teaches_parts_beside_the_other_sources(published: PublishedSet) -> None:
    found = sources(None, (), published=[published])
    ((photos, weight),) = found.published.values()
    assert (list(found.published), len(photos), weight) == (["coco"], 3, 0.7)
    folders = DataFolders(published=(published,))
    for outputs in ((PARTS,), (PARTS, JOINTS)):
        batch = batches_for(outputs, folders, SHAPE, 0)(step=0)
        assert batch.images.shape == (2, 64, 64, 3)
        assert ("heatmaps" in batch.targets) == (JOINTS in outputs)


def test_of_other_parts_published_sets_teach_all_and_a_folder_gives_scenes(
    published: PublishedSet, backgrounds: Path
) -> None:
    found = joint_sources.__wrapped__(JOINTS, LIP20, DataFolders(backgrounds, published=(published,)))
    assert (found.photos, found.rendered, len(found.backgrounds)) == ([], [], len(BACKGROUNDS))
    ((people, weight),) = found.published
    assert (len(people), weight) == (3, 0.7)
    alone = joint_sources.__wrapped__(JOINTS, S31, DataFolders(published=(published,)))
    assert (alone.photos, alone.backgrounds, len(alone.published)) == ([], [], 1)


@pytest.mark.parametrize("outputs", [(PARTS, JOINTS, AffinityFields(joints="COCO-17")), (JOINTS,)])
def test_published_sets_are_refused_where_several_people_or_joints_alone_are_learned(
    outputs: tuple[Output, ...], published: PublishedSet, backgrounds: Path
) -> None:
    words = r"^--data NAME=ROOT teaches silhouettes and parts; this network learns joints\. Leave it out\.$"
    with pytest.raises(DataError, match=words):
        batches_for(outputs, DataFolders(backgrounds, published=(published,)), SHAPE, 0)


def test_what_was_read_is_kept_for_the_next_network(published: PublishedSet, backgrounds: Path) -> None:
    """Of one person's joints and parts the last two, of scenes the last one."""
    one = DataFolders(backgrounds, published=(published,))
    two = replace(one, rendered_share=0.5)
    joint_sources.cache_clear()
    first, second = (joint_sources(JOINTS, LIP20, folders) for folders in (one, two))
    assert first is not second
    assert joint_sources(JOINTS, LIP20, one) is first
    assert joint_sources(JOINTS, LIP20, two) is second
    third = joint_sources(JOINTS, LIP20, replace(one, rendered_share=0.25))
    assert joint_sources(JOINTS, LIP20, two) is second
    assert joint_sources(JOINTS, LIP20, one) is not first
    assert third.rendered_share == 0.25


@pytest.mark.parametrize("content", [b"", b"no array", b"x" * 200])
def test_packed_people_that_are_not_whole_are_refused(content: bytes, tmp_path: Path) -> None:
    np.save(tmp_path / "set.images.npy", np.zeros((1, 8, 8, 3), np.uint8))
    (tmp_path / "set.labels.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"set: not a packed synthetic set .*Make it with python -m"):
        packed(tmp_path / "set")
