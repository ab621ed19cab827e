"""Scores of a network that answers with the annotations, or beside them by a known distance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PIL import Image

from models.labels import COCO17, LIP20, PASCAL7, PASCAL_PARTS, S31, PartSet
from models.results import Parsing, PersonResult, Pose, Result
from runtime.engine.engine import Engine
from runtime.engine.sessions import NoResultError
from runtime.frames import Frame
from runtime.system.errors import Refusal
from training.datasets.files import BrokenError
from training.datasets.joint_score import SCORES, add_parts, group_of, joints_of, score_joints_of
from training.datasets.samples import Person, Sample
from training.datasets.sets import MPII16, PASCAL14
from training.metrics import Confusion
from training.photos import DataError

WIDE, HIGH = 120, 90


@dataclass
class Answering:
    """In the place of an engine: says of each picture what it is told to."""

    answer: Callable[[np.ndarray], Result]
    part_set: PartSet | None = None

    def parse(self, frame: Frame) -> Result:
        return self.answer(frame.image)


def scores(
    name: str, samples: list[Sample], answer: Callable[[np.ndarray], Result], parts: PartSet | None = None
):  # type: ignore[no-untyped-def]
    return SCORES[name](cast("Engine", Answering(answer, parts)), samples)


def sample(tmp_path: Path, *people: Person, **more: object) -> Sample:
    place = tmp_path / "picture.png"
    Image.fromarray(np.zeros((HIGH, WIDE, 3), np.uint8)).save(place)
    return Sample("picture", "test", place, people, **more)  # type: ignore[arg-type]


def standing(joints, x: float, height: float, **more: object) -> Person:  # type: ignore[no-untyped-def]
    """All joints on a line from the head downwards, as far apart as the joint set has them in order."""
    n = len(joints.names)
    xy = np.stack((np.full(n, x), 5 + height * np.arange(n) / n), axis=1).astype(np.float32)
    return Person(joints, xy, np.full(n, 2, np.int8), **more)  # type: ignore[arg-type]


def found(person: Person, away: float = 0.0, score: float = 0.9) -> PersonResult:
    """The joints that LIP has, too, so many px to the right."""
    points, known = np.zeros((16, 2), np.float32), np.zeros(16, np.float32)
    for name, xy in zip(person.joints.names, person.xy, strict=True):
        i = MPII16.id("head_top" if name == "head" else name)
        points[i], known[i] = xy + np.array((away, 0)), 1
    return PersonResult((0, 0, 9, 9), score, Pose(MPII16, points, known))


@pytest.mark.parametrize(("share", "right"), [(0.0, 1.0), (0.4, 1.0), (0.6, 0.0)])
def test_a_joint_of_pascal_is_right_within_half_of_head_to_neck(
    share: float, right: float, tmp_path: Path
) -> None:
    """Two of different size, so that each has a reference of their own; a model of joints has no mean IoU."""
    people = standing(PASCAL14, 20, 28), standing(PASCAL14, 90, 70)
    labelled = sample(tmp_path, *people, label_set=LIP20)
    heads = [np.hypot(*(p.xy[PASCAL14.id("head")] - p.xy[PASCAL14.id("neck")])) for p in people]
    said = Result(None, tuple(found(p, share * float(h)) for p, h in zip(people, heads, strict=True)))
    measures = scores("pascal-person-part", [labelled], lambda _: said)
    assert measures["mAP"] == right
    assert measures["PCK_dist"] == pytest.approx(share * np.mean(heads), abs=1e-3) or share > 0.5
    assert "mean IoU" not in measures


def test_parts_of_pascal_and_lip_are_scored_where_both_have_them(tmp_path: Path) -> None:
    labels = np.zeros((HIGH, WIDE), np.uint8)
    labels[20:60, 30:70] = LIP20.id("face")
    parsing = Parsing(LIP20, (WIDE, HIGH), labels, labels, labels)
    person = standing(MPII16, 50, 64)
    labelled = sample(tmp_path, person, label_set=LIP20, read_labels=lambda: labels)
    said = Result(parsing, (found(person, 50, score=0.3), found(person), found(person, 50, score=0.6)))
    lip = scores("lip", [labelled], lambda _: said, LIP20)
    assert lip["mean IoU"] == 1
    assert lip["overall"] == 100, "the surest person is scored"
    assert "mean IoU" not in scores("lip", [labelled], lambda _: said)
    person = standing(PASCAL14, 50, 64)
    labelled = sample(tmp_path, person, label_set=LIP20, read_labels=lambda: labels)
    assert scores("pascal-person-part", [labelled], lambda _: said)["mean IoU"] == 1
    plain = sample(tmp_path, person)
    assert "mean IoU" not in scores("pascal-person-part", [plain], lambda _: said)


@pytest.mark.parametrize("spot", [(60.0, 45.0), (20.0, 12.0), (100.0, 80.0)])
def test_people_of_mpii_are_cut_out_where_they_stand(spot: tuple[float, float], tmp_path: Path) -> None:
    """A dot in the picture is found in the cut and told in the picture; the cut is 1.25 heights."""
    person = Person(
        MPII16, np.tile(np.float32(spot), (16, 1)), np.full(16, 2, np.int8), centre=spot, height=40.0,
        head_box=(0, 0, 4, 4), separate=True,
    )  # fmt: skip
    alone = sample(tmp_path, person)
    dotted = np.zeros((HIGH, WIDE, 3), np.uint8)
    dotted[int(spot[1]), int(spot[0])] = 255
    Image.fromarray(dotted).save(alone.picture)
    sides, places = [], []

    def dot(cut: np.ndarray) -> Result:
        y, x = np.argwhere(cut[..., 0] == 255)[0]
        sides.append(cut.shape[:2])
        places.append((x, y))
        at = Person(MPII16, np.tile(np.float32((x, y)), (16, 1)), np.full(16, 2, np.int8))
        return Result(None, (found(at),))

    assert scores("mpii", [alone], dot)["overall"] == 100
    assert sides == [(50, 50)]
    assert places[0] == (25, 22), "the middle is .075 heights lower than the person's centre"
    crowded = sample(tmp_path, standing(MPII16, 5, 60))
    with pytest.raises(DataError, match="nothing to score"):
        scores("mpii", [crowded], dot)


def test_joints_that_nobody_sees_are_not_tried_and_who_is_not_told_apart_is_no_person(tmp_path: Path) -> None:
    person = standing(MPII16, 50, 64)
    hidden = replace(person, visible=np.where(np.arange(16) == 0, 0, 2).astype(np.int8))
    wrong = hidden.xy.copy()
    wrong[0] += 70
    said = Result(None, (found(replace(hidden, xy=wrong)),))
    assert scores("lip", [sample(tmp_path, hidden)], lambda _: said)["overall"] == 100
    covered = replace(person, visible=np.ones(16, np.int8))
    assert scores("lip", [sample(tmp_path, covered)], lambda _: said)["overall"] < 100, "it is tried"
    assert scores("lip", [sample(tmp_path, person)], lambda _: said)["overall"] == pytest.approx(
        100 * 13 / 14
    )
    known = {"centre": (50.0, 40.0), "height": 40.0, "head_box": (0, 0, 4, 4), "separate": True}
    for gone in ({"centre": None}, {"height": None}, {"head_box": None}, {"separate": False}):
        alone = replace(person, **{**known, **gone})
        with pytest.raises(DataError, match="nothing to score: no picture of the split can be read"):
            scores("mpii", [sample(tmp_path, alone)], lambda _: said)
    for name in ("lip", "pascal-person-part"):
        with pytest.raises(DataError, match="nothing to score"):
            scores(name, [], lambda _: said)


def test_parts_are_brought_to_the_size_and_the_classes_of_the_truth() -> None:
    """Of LIP nothing is known by the 31 parts; of PASCAL a hand is a lower arm."""
    fine = np.zeros((2, 2), np.uint8)
    fine[0] = S31.id("lhand"), S31.id("rhand")
    truth = np.repeat(np.repeat(PASCAL7.table()[fine], 3, axis=0), 2, axis=1)
    tally = Confusion(PASCAL_PARTS.classes)
    add_parts(Parsing(S31, (2, 2), fine, fine, fine), truth, PASCAL_PARTS, tally)
    assert tally.summary()["mean IoU"] == 1
    for own, wanted in ((S31, LIP20), (LIP20, PASCAL_PARTS)):
        with pytest.raises(DataError, match=f"^parts of {own.name} are none of {wanted.name}. Score another"):
            add_parts(Parsing(own, (2, 2), fine, fine, fine), truth, wanted, tally)


def test_joints_that_a_pose_has_not_found_or_does_not_know_are_nowhere() -> None:
    person = standing(MPII16, 50, 64)
    pose = found(person).pose
    assert pose is not None
    assert joints_of(pose, MPII16).tolist() == person.xy.tolist()
    scores = np.where(np.arange(16) == 3, 0, pose.scores / 100)
    places = joints_of(replace(pose, scores=scores), MPII16)
    assert np.flatnonzero(np.isnan(places).all(axis=1)).tolist() == [3]
    assert joints_of(pose, PASCAL14)[0].tolist() == person.xy[MPII16.id("head_top")].tolist()
    assert np.isnan(joints_of(pose, COCO17)[0]).all(), "a nose"
    assert np.isnan(joints_of(None, MPII16)).all()


def test_an_engine_without_a_result_breaks_the_picture(tmp_path: Path) -> None:
    def refuse(_image: np.ndarray) -> Result:
        raise NoResultError("the model gave no number")

    with pytest.raises(BrokenError, match=r"^the model gave no number$"):
        scores("lip", [sample(tmp_path, standing(MPII16, 50, 64))], refuse)


def test_people_found_have_a_score_for_each_joint() -> None:
    people = [found(standing(MPII16, 20, 64), score=0.4), found(standing(MPII16, 50, 64), score=0.8)]
    truth = np.zeros((3, 16, 2))
    picture = group_of(people, truth, np.ones(3), MPII16)
    assert picture.scores.tolist() == [[pytest.approx(0.4)] * 16, [pytest.approx(0.8)] * 16]
    np.testing.assert_array_equal(picture.found[1, :, 0], 50)
    nobody = group_of([], truth, np.ones(3), MPII16)
    assert (nobody.found.shape, nobody.scores.shape) == ((0, 16, 2), (0, 16))


def test_what_cannot_be_scored_is_said_in_words() -> None:
    with pytest.raises(DataError, match=r"^coco: --joints scores lip, mpii, pascal-person-part\. Choose one"):
        score_joints_of("coco", "joints-s31", [], None)
    with pytest.raises(Refusal, match="it gives no joints"):
        score_joints_of("lip", "factored-s31", [], None)


def test_a_person_who_is_not_found_misses_every_joint(tmp_path: Path) -> None:
    measures = scores("lip", [sample(tmp_path, standing(MPII16, 50, 64))], lambda _: Result(None, ()))
    assert measures["overall"] == 0
