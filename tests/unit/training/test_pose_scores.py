"""PCK counts a joint as found within a fifth of the torso, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.labels import COCO17, LSP14, PASCAL_PARTS, from_s31
from models.results import Pose
from runtime.engine.engine import load_engine
from runtime.system.errors import Refusal
from training.evaluate import score_merged
from training.pose_scores import hits, main, pck, scored
from training.prediction import Prediction
from training.scribbles import Skeleton


def person() -> Skeleton:
    """A torso of 100 px, everything visible but the left ankle."""
    xy = np.zeros((14, 2), np.float32)
    for i, name in enumerate(LSP14.names):
        xy[i] = (40 if name.startswith("l_") else 20, 100 if "hip" in name else 10 * i)
    for side in "lr":
        xy[LSP14.id(f"{side}_shoulder"), 1] = 0
    visible = np.full(14, 2, np.int8)
    visible[LSP14.id("l_ankle")] = 0
    return Skeleton(xy, visible)


def found(offset: float) -> Pose:
    """The person's joints, each this far to the right."""
    skeleton, points = person(), np.zeros((17, 2), np.float32)
    for i, name in enumerate(COCO17.names):
        if name in LSP14.names:
            points[i] = skeleton.at(name) + np.array((offset, 0), np.float32)
    return Pose(COCO17, points, np.ones(17, np.float32))


def test_a_joint_is_found_within_a_fifth_of_the_torso() -> None:
    near, far = hits(found(20), COCO17, person()), hits(found(21), COCO17, person())
    assert all(near.values())
    assert not any(far.values())
    assert set(near) == set(COCO17.names) & set(LSP14.names) - {"l_ankle"}


def test_nobody_and_joints_that_were_not_found_are_wrong() -> None:
    pose = found(0)
    unsure = Pose(COCO17, pose.points, np.zeros(17, np.float32))
    for none in (None, unsure):
        assert not any(hits(none, COCO17, person()).values())
    assert pck([hits(pose, COCO17, person()), hits(None, COCO17, person())])["wrist"] == 0.5
    assert pck([]) == {"all": 0, "five": 0}
    flat = person()
    flat.xy[:, 1] = 0
    assert hits(found(0), COCO17, flat) == {}, "no length to measure with"


def test_a_model_without_joints_and_a_folder_without_photos_are_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Refusal, match="gives no joints"):
        scored(load_engine("factored-s31", device="cpu"), [])
    assert main(["factored-s31", "--data", str(tmp_path)]) == 1
    assert "lsp" in capsys.readouterr().err


def test_five_joints_count_alike_whatever_a_set_has_beside() -> None:
    rows = [{"l_wrist": True, "r_wrist": False, "l_knee": True, "l_hip": False}]
    assert pck(rows)["five"] == pytest.approx((0.5 + 1) / 5)


def test_parts_of_another_set_are_scored_against_the_31_merged(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (2, 8, 8, 3), dtype=np.uint8)
    labels = rng.integers(0, 32, (2, 8, 8), dtype=np.uint8)
    np.save(tmp_path / "held.images.npy", images)
    np.save(tmp_path / "held.labels.npy", labels)
    merged = dict(zip((i.tobytes() for i in images), from_s31(PASCAL_PARTS)[labels], strict=True))

    def perfect(picture: NDArray[np.uint8]) -> Prediction:
        return Prediction(merged[picture.tobytes()], np.zeros((8, 8), np.float32))

    def headless(picture: NDArray[np.uint8]) -> Prediction:
        found = merged[picture.tobytes()]
        return Prediction(np.where(found == PASCAL_PARTS.id("head"), 0, found), np.zeros((8, 8), np.float32))

    assert score_merged(perfect, tmp_path / "held", PASCAL_PARTS)["mean IoU of 6 parts"] == 1
    worse = score_merged(headless, tmp_path / "held", PASCAL_PARTS)
    assert (worse["IoU head"], worse["IoU torso"]) == (0, 1)
    assert worse["mean IoU of 6 parts"] == pytest.approx(5 / 6)
