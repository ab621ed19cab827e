from __future__ import annotations

import numpy as np
import pytest

from models.labels import S31
from models.results import Parsing, Pose


def maps(**changed: object) -> dict[str, object]:
    return {k: np.zeros((4, 6), np.uint8) for k in ("labels", "person", "confidence")} | changed


def test_a_parsing_is_read_only() -> None:
    parsing = Parsing(S31, (60, 40), **maps())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="read-only"):
        parsing.labels[0, 0] = 1


@pytest.mark.parametrize(
    "changed",
    [
        {"person": np.zeros((4, 5), np.uint8)},
        {"confidence": np.zeros((4, 6), np.float32)},
        {"labels": np.zeros((4, 6, 1), np.uint8)},
        {"labels": np.zeros((4, 6), np.int64)},
    ],
)
def test_maps_of_other_shapes_or_types_are_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        Parsing(S31, (60, 40), **maps(**changed))  # type: ignore[arg-type]


def test_a_pose_has_as_many_points_as_scores() -> None:
    pose = Pose(np.zeros((17, 2), np.float32), np.ones(17, np.float32))
    with pytest.raises(ValueError, match="read-only"):
        pose.points[0] = 1
    with pytest.raises(ValueError, match="17 scores"):
        Pose(np.zeros((16, 2), np.float32), np.ones(17, np.float32))
