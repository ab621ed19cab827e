from __future__ import annotations

import numpy as np
import pytest

from models.labels import COCO17, LSP14, S31, JointSet
from models.results import Parsing, PersonResult, Pose, Result


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
        {name: np.zeros(6, np.uint8) for name in ("labels", "person", "confidence")},
    ],
)
def test_maps_of_other_shapes_or_types_are_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        Parsing(S31, (60, 40), **maps(**changed))  # type: ignore[arg-type]


def pose(joints: JointSet = COCO17) -> Pose:
    n = len(joints.names)
    return Pose(joints, np.zeros((n, 2), np.float32), np.ones(n, np.float32))


def test_a_pose_has_the_joints_of_its_set() -> None:
    with pytest.raises(ValueError, match="read-only"):
        pose().points[0] = 1
    for points, scores in ((16, 17), (17, 16), (14, 14)):
        with pytest.raises(ValueError, match="COCO-17 has 17 joints"):
            Pose(COCO17, np.zeros((points, 2), np.float32), np.ones(scores, np.float32))


def test_a_person_is_somewhere_and_has_a_score() -> None:
    person = PersonResult((0, 0, 5, 5), 0.5, pose(), np.zeros((4, 6), np.uint8))
    assert person.mask is not None
    with pytest.raises(ValueError, match="read-only"):
        person.mask[0] = 1
    for box, score in (((0, 0, -1, 5), 0.5), ((0, 0, 5, -1), 0.5), ((0, 0, 1, 5), 1.1), ((0, 0, 1, 5), -0.1)):
        with pytest.raises(ValueError, match=r"^PersonResult: impossible box \(0, 0, .*\) or score -?\d"):
            PersonResult(box, score)
    for score in (0, 1):
        assert PersonResult((-5, -5, 0, 0), score).pose is None
    with pytest.raises(ValueError, match="uint8"):
        PersonResult((0, 0, 5, 5), 0.5, mask=np.zeros((4, 6), np.bool_))  # type: ignore[arg-type]
    for shape in ((6,), (4, 6, 1)):
        with pytest.raises(ValueError, match=r"expected \(h, w\)"):
            PersonResult((0, 0, 5, 5), 0.5, mask=np.zeros(shape, np.uint8))


def test_results_are_values_that_do_not_change() -> None:
    person = PersonResult((0, 0, 5, 5), 0.5, pose())
    for value in (person, pose(), Result(), Parsing(S31, (60, 40), **maps())):  # type: ignore[arg-type]
        with pytest.raises(AttributeError):
            value.size = (1, 1)  # type: ignore[misc, union-attr]
    assert Result() != Result(), "compared as what they are, not by their arrays"
    assert (person.mask, person.track_id) == (None, None)
    with pytest.raises(ValueError, match="read-only"):
        pose().scores[0] = 0
    parsing = Parsing(S31, (60, 40), **maps())  # type: ignore[arg-type]
    for given in (parsing.person, parsing.confidence):
        with pytest.raises(ValueError, match="read-only"):
            given[0, 0] = 1
    with pytest.raises(ValueError, match=r"^Parsing.person: expected uint8 \(4, 6\), got uint8 \(4, 5\)$"):
        Parsing(S31, (60, 40), **maps(person=np.zeros((4, 5), np.uint8)))  # type: ignore[arg-type]


def test_a_result_has_poses_of_one_set() -> None:
    people = tuple(PersonResult((0, 0, 5, 5), 1.0, pose(s)) for s in (COCO17, LSP14))
    assert Result(people=people[:1]).parsing is None
    assert len(Result(people=(people[0], people[0], PersonResult((0, 0, 1, 1), 1.0))).people) == 3
    with pytest.raises(ValueError, match="different joint sets"):
        Result(people=people)
