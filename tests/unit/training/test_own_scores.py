"""Scores on one's own labelled photos: exact where the truth is copied, and only of what the labels tell."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.labels import IGNORE, S31
from tests.unit.training.test_own_photos import SHIPPED, own
from training.evaluate import main as evaluate
from training.own_scores import score_own
from training.photos import Photo
from training.prediction import Prediction
from training.targets import SET_CODES

HEAD, TORSO, HAND = S31.id("ruhead"), S31.id("rubody"), S31.id("rhand")
CODES = np.array(
    [[0, 0, HEAD, HEAD], [0, 0, TORSO, TORSO], [IGNORE, IGNORE, SET_CODES["person"], 0]], np.uint8
)


def photo(codes: np.ndarray) -> Photo:  # type: ignore[type-arg]
    return Photo("p", np.zeros((*codes.shape, 3), np.uint8), np.kron(codes, np.ones((8, 8), np.uint8)))


def answer(labels: list[list[int]]) -> Prediction:
    big = np.kron(np.array(labels, np.uint8), np.ones((8, 8), np.uint8))
    return Prediction(big, np.where(big > 0, 0.5, 0.49).astype(np.float32))


def test_the_truth_scores_one_whatever_stands_where_nothing_is_known() -> None:
    right = answer([[0, 0, HEAD, HEAD], [0, 0, TORSO, TORSO], [HAND, 0, HAND, 0]])
    scores = score_own(lambda _: right, [photo(CODES)])
    assert (scores["J"], scores["boundary F"], scores["mean IoU"], scores["parts"]) == (1, 1, 1, 2)
    assert set(scores) >= {"IoU ruhead", "IoU rubody"}
    assert "IoU rhand" not in scores


def test_mistakes_count_over_all_photos() -> None:
    """Of four cells of torso one is taken for the head, one for ground."""
    found = answer([[0, 0, HEAD, HEAD], [0, 0, HEAD, 0], [0, 0, HAND, 0]])
    right = answer([[0, 0, HEAD, HEAD], [0, 0, TORSO, TORSO], [0, 0, HAND, 0]])
    answers = iter([found, right])
    scores = score_own(lambda _: next(answers), [photo(CODES), photo(CODES)])
    assert scores["IoU rubody"] == pytest.approx(2 / 4)
    assert scores["IoU ruhead"] == pytest.approx(4 / 5)
    assert scores["mean accuracy"] == pytest.approx((1 + 2 / 4) / 2)
    assert scores["J"] == pytest.approx((4 / 5 + 1) / 2)


def test_silhouettes_alone_score_no_parts() -> None:
    person = np.where(CODES == 0, 0, np.where(CODES == IGNORE, IGNORE, SET_CODES["person"])).astype(np.uint8)
    scores = score_own(lambda _: answer([[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 0]]), [photo(person)])
    assert scores == {"photos": 1, "J": 1, "boundary F": 1}


def test_a_checkpoint_and_a_model_are_scored_by_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = str(own(tmp_path, 2))
    assert evaluate([str(SHIPPED), "--own", root]) == 0
    assert json.loads(capsys.readouterr().out)["own"]["photos"] == 2
    assert evaluate(["assets/models/pil-small", "--own", root, "--views", "1"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert set(scores) == {"own"}, "there are no joints to compare with"
    assert "IoU torso" in scores["own"]
    assert evaluate([str(SHIPPED), "--own", str(tmp_path / "labels")]) == 2
    with pytest.raises(SystemExit):
        evaluate([str(SHIPPED)])
    assert "--own DIR or --data DIR" in capsys.readouterr().err
