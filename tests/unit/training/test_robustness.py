"""Robustness: pictures, silhouettes and joints are changed together, and a perfect model scores one."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.labels import LSP14
from training.photos import GARMENTS
from training.prediction import Prediction
from training.robustness import (
    CONDITIONS,
    CROWD_SIDE,
    LabelledPicture,
    against_the_light,
    crowds,
    silhouette_scores,
    turned,
)
from training.scribbles import Skeleton


def person() -> LabelledPicture:
    """A white rectangle on grey, its corners where the head top and an ankle are."""
    image, mask = np.full((80, 60, 3), 100, np.uint8), np.zeros((80, 60), np.uint8)
    image[10:70, 20:40], mask[10:70, 20:40] = 255, 1
    xy, visible = np.zeros((14, 2), np.float32), np.zeros(14, np.int8)
    for name, point in (("head_top", (20, 10)), ("l_ankle", (39, 69))):
        xy[LSP14.id(name)], visible[LSP14.id(name)] = point, 2
    return LabelledPicture(image, mask, Skeleton(xy, visible))


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_joints_turn_with_the_picture(quarters: int) -> None:
    found = turned(person(), quarters)
    assert found.silhouette is not None
    assert found.skeleton is not None
    for name in ("head_top", "l_ankle"):
        x, y = found.skeleton.at(name).astype(int)
        assert found.silhouette[y, x] == 1
        assert found.image[y, x, 0] == 255
    assert np.array_equal(turned(found, 4 - quarters).image, person().image)


def test_against_the_light_only_the_person_is_dark() -> None:
    image = against_the_light(person()).image
    assert image[40, 30, 0] < 80
    assert image[5, 5, 0] > 110


def test_a_perfect_model_scores_one_under_every_condition() -> None:
    for change in CONDITIONS.values():
        changed = change(person())
        assert changed.silhouette is not None
        truth = Prediction(changed.silhouette, changed.silhouette.astype(np.float32))
        assert silhouette_scores(lambda _, truth=truth: truth, iter([changed])) == [1.0, 1.0]


def test_crowds_are_the_same_every_time_and_never_seen_people(tmp_path: Path) -> None:
    root = tmp_path / "ccp"
    for folder in ("images", "silhouettes", "labels"):
        (root / folder).mkdir(parents=True)
    (root / "labels.json").write_text(json.dumps(["background", *GARMENTS]))
    picture = person()
    assert picture.silhouette is not None
    cv2.imwrite(str(root / "images/1.jpg"), picture.image)
    for folder in ("silhouettes", "labels"):
        cv2.imwrite(str(root / folder / "1.png"), picture.silhouette)
    for kind in ("indoor", "outdoor", "mixed"):
        (tmp_path / "backgrounds" / kind).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "backgrounds" / kind / "1.jpg"), np.zeros((50, 70, 3), np.uint8))
    (one,), (same,) = (list(crowds(tmp_path, 1)) for _ in range(2))
    assert one.image.shape == (CROWD_SIDE, CROWD_SIDE, 3)
    assert np.array_equal(one.image, same.image)
    assert one.silhouette is not None
    assert (one.image[one.silhouette == 1] > 200).all()
    assert 0.05 < (one.silhouette == 1).mean() < 0.9
