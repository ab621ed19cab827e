"""Robustness: pictures, silhouettes and joints are changed together, and a perfect model scores one."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.labels import IGNORE, LSP14
from runtime.system import paths
from tests.unit.training.test_batches import data_folder
from tests.unit.training.test_own_photos import SHIPPED
from training.photos import DEVELOPMENT_TEST, GARMENTS
from training.prediction import Prediction
from training.robustness import (
    CONDITIONS,
    CROWD_SIDE,
    LabelledPicture,
    against_the_light,
    crowds,
    main,
    robustness,
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
    corner = {1: (10, 39), 2: (39, 69), 3: (69, 20)}[quarters]
    assert tuple(found.skeleton.at("head_top")) == corner


def test_what_is_not_known_of_a_picture_is_not_known_of_it_turned() -> None:
    found = turned(LabelledPicture(person().image), 1)
    assert (found.silhouette, found.skeleton) == (None, None)


def test_half_a_probability_is_a_person() -> None:
    picture = LabelledPicture(np.zeros((8, 8, 3), np.uint8), np.ones((8, 8), np.uint8))
    for value, wanted in ((0.5, 1.0), (0.49, 0.0)):
        found = Prediction(np.zeros((8, 8), np.uint8), np.full((8, 8), value, np.float32))
        assert silhouette_scores(lambda _, found=found: found, iter([picture]))[0] == wanted


def test_against_the_light_only_the_person_is_dark() -> None:
    image = against_the_light(person()).image
    assert (image[40, 30, 0], image[5, 5, 0]) == (63, 125)
    edge = [image[40, 19, 0], image[9, 30, 0], image[40, 20, 0], image[10, 30, 0]]
    assert edge == pytest.approx([95, 95, 140, 140], abs=1)  # shares .3 and .7 of a Gauss curve of 1 px
    white = LabelledPicture(np.full((80, 60, 3), 255, np.uint8), person().silhouette)
    assert against_the_light(white).image[5, 5, 0] == 255


def test_a_perfect_model_scores_one_under_every_condition() -> None:
    for change in CONDITIONS.values():
        changed = change(person())
        assert changed.silhouette is not None
        truth = Prediction(changed.silhouette, changed.silhouette.astype(np.float32))
        assert silhouette_scores(lambda _, truth=truth: truth, iter([changed])) == [1.0, 1.0]


def test_light_and_movement_change_pictures_as_they_say() -> None:
    """A quarter of the light; 1.25 times the light beside the person; 13 px of movement."""
    dark, before, blurred = (
        CONDITIONS[n](person()).image for n in ("poor light", "against the light", "motion blur")
    )
    assert (dark[40, 30, 0], dark[5, 5, 0]) == (63, 25)
    assert (before[40, 30, 0], before[5, 5, 0]) == (63, 125)
    assert against_the_light(LabelledPicture(dark)).image is dark
    row = blurred[40, :, 0].astype(float)
    assert row[:14].tolist() == [100] * 14
    assert np.diff(row[13:27]) == pytest.approx(np.full(13, 155 / 13), abs=1)
    assert CONDITIONS["lying"](person()).image.shape == (60, 80, 3)
    assert np.array_equal(CONDITIONS["upside down"](person()).image, person().image[::-1, ::-1])
    assert CONDITIONS["as it is"](person()).skeleton is not None


def test_the_table_has_a_row_a_condition_and_crowds(tmp_path: Path) -> None:
    """Nobody is found anywhere: silhouettes score nothing, and the background of joints all."""
    data = data_folder(tmp_path)

    def seen_as_nobody(picture: np.ndarray) -> Prediction:
        h, w = picture.shape[:2]
        return Prediction(np.zeros((h, w), np.uint8), np.zeros((h, w), np.float32))

    lines = robustness(seen_as_nobody, seen_as_nobody, labelled_test_photos(data)).splitlines()
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["photos", "ccp J", "ccp boundary F", "lsp probe F", "lsp limb coarse",
                        "lsp limb coarse agnostic", "lsp centroid PCK"]  # fmt: skip
    assert [row[0] for row in cells[2:]] == [*CONDITIONS, "crowds of six"]
    assert all(row[1:] == ["0.000"] * 6 for row in cells[2:6])
    assert cells[6][1:] == cells[8][1:] == ["0.000"] * 2 + [""] * 4


def labelled_test_photos(data: Path) -> Path:
    """Silhouettes and garments of ccp's test photos, and joints of lsp's."""
    mask = np.zeros((60, 40), np.uint8)
    mask[3:58, 8:33] = 1
    for i in range(100, 100 + DEVELOPMENT_TEST):
        for kind in ("silhouettes", "labels"):
            cv2.imwrite(str(data / f"ccp/{kind}/{i}.png"), mask)
    held = json.loads((data / "lsp/keypoints.json").read_text())["images"]
    held |= {f"{i}": held["000"] for i in range(100, 100 + DEVELOPMENT_TEST)}
    (data / "lsp/keypoints.json").write_text(json.dumps({"images": held}))
    return data


def test_people_of_crowds_are_a_quarter_to_four_fifths_high_and_doubt_stays(tmp_path: Path) -> None:
    """One person of one px in width and a doubtful rim; the nearest, largest ones are pasted last."""
    data = data_folder(tmp_path)
    labelled_test_photos(data)
    for i in range(100, 100 + DEVELOPMENT_TEST):
        mask = np.zeros((60, 40), np.uint8)
        mask[10:50, 10:30] = 1
        mask[10:50, 20] = IGNORE
        cv2.imwrite(str(data / f"ccp/silhouettes/{i}.png"), mask)
    heights = []
    for scene in crowds(data, 8):
        assert scene.silhouette is not None
        assert set(np.unique(scene.silhouette)) == {0, 1, IGNORE}
        rows = np.flatnonzero(scene.silhouette.any(axis=1))
        heights.append(np.ptp(rows) + 1)
        grey = np.ptp(scene.image.astype(int), axis=2) < 12
        assert np.mean(grey == (scene.silhouette == 1)) > 0.97, "people are grey, scenes coloured"
    assert min(heights) > 0.25 * CROWD_SIDE
    assert max(heights) <= CROWD_SIDE


def scenes_of(mask: np.ndarray, data: Path, count: int) -> list[np.ndarray]:
    """Silhouettes of crowds of nobody but this one."""
    labelled_test_photos(data)
    for path in (data / "ccp/silhouettes").iterdir():
        cv2.imwrite(str(path), mask)
    return [scene.silhouette for scene in crowds(data, count) if scene.silhouette is not None]


def test_scenes_are_six_people_of_the_heights_and_places_drawn(tmp_path: Path) -> None:
    mask = np.zeros((60, 40), np.uint8)
    mask[10:50, 20] = 1
    data = data_folder(tmp_path)
    scenes = scenes_of(mask, data, 2)
    rng = np.random.default_rng(0)
    for scene in scenes:
        rng.integers(len(list((data / "backgrounds").rglob("*.jpg"))))
        expected = np.zeros((480, 480))
        for height in np.sort(rng.uniform(0.25, 0.8, 6)):
            rng.integers(DEVELOPMENT_TEST)
            w, h = round(480 * height / 40), round(480 * height)
            left, top = rng.integers(0, 480 - w), rng.integers(0, 480 - h)
            expected[top : top + h, left : left + w] = 1
        np.testing.assert_array_equal(scene, expected)


def test_who_is_longer_than_a_scene_lies_across_all_of_it(tmp_path: Path) -> None:
    mask = np.zeros((60, 40), np.uint8)
    mask[20:25, 2:38] = 1
    for scene in scenes_of(mask, data_folder(tmp_path), 3):
        assert scene.any(axis=1).any()
        assert (scene == scene[:, :1]).all()


@pytest.mark.parametrize("model", [SHIPPED, paths.models_dir() / "factored-s31"])
def test_the_command_ends_well_with_the_table(model, tmp_path, capsys, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("training.robustness.robustness", lambda street, sport, data: f"of {data.name}")
    assert main([str(model), "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"of {tmp_path.name}\n"


def test_the_command_prints_the_table_or_says_why_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for model, words in ((tmp_path / "none", "none"), (SHIPPED, "ccp"), (SHIPPED.parent, "checkpoints")):
        assert main([str(model), "--data", str(tmp_path)]) == 1
        said = capsys.readouterr()
        assert words in said.err
        assert not said.out


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
