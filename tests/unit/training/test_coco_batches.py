"""COCO's photos as training pictures: what is told reaches the right cells, contradictions are left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.grid import Grid
from models.labels import COCO17
from models.outputs import JointDisks
from tests import drawn_people
from tests.unit.training.test_augment import Chance
from training.__main__ import main
from training.coco_batches import draw_photo, make_coco_batch, read_coco
from training.crowd_batches import crowd_targets
from training.crowds import Crowd
from training.person_cutouts import beside
from training.photos import DataError
from training.stream import BatchShape

FILE = "annotations/person_keypoints_train2017.json"
SIDE = drawn_people.SIDE
OUTPUT = JointDisks(joints=COCO17.name)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return drawn_people.coco_folder(tmp_path / "coco", "train2017")


def edited(root: Path, change: Callable[[list[dict[str, Any]]], object]) -> None:
    held = json.loads((root / FILE).read_text())
    change(held["annotations"])
    (root / FILE).write_text(json.dumps(held))


def drawn(root: Path, photo: int = 0, *, seed: int = 0) -> Crowd:
    return draw_photo(np.random.default_rng(seed), read_coco(root, strict=True)[photo], OUTPUT, SIDE)


def test_joints_and_masks_move_with_the_picture_and_a_mirror_swaps_the_sides(root: Path) -> None:
    (original,) = (drawn_people.person(*place) for place in drawn_people.SCENES[0])
    cells = original.points / drawn_people.STRIDE - 0.5
    seen = set()
    for seed in range(12):
        crowd = drawn(root, seed=seed)
        (person,) = crowd.people
        assert person.points[5, 0] > person.points[6, 0], "the left shoulder, whichever it was"
        at = np.rint(person.points).astype(int)
        inside = ((at >= 4) & (at < SIDE - 4)).all(axis=1)
        if not inside[5:7].all():
            continue
        x, y = at[inside].T
        assert (crowd.owners[y, x] == 1).all()
        told = crowd.picture[y, x, 1:].astype(float)  # the colour says the cell of the photo
        away = [np.abs(told - order[inside]).max() for order in (cells, cells[list(COCO17.mirror_ids)])]
        assert min(away) < 1.2
        seen.add(int(np.argmin(away)))
    assert seen == {0, 1}, "as it is and mirrored"


@pytest.mark.parametrize("mirrors", [False, True])
@pytest.mark.parametrize(
    ("share", "zoom", "first"), [(0, 2, (32, 96)), (0.5, 1, (0, 0)), (1, 2 / 3, (32, -160))]
)
def test_crops_are_half_to_one_and_a_half_photos_and_move_by_a_quarter(
    root: Path, share: float, zoom: float, first: tuple[float, float], mirrors: bool
) -> None:
    """Of 256 px: 128 to 384 px, moved by a quarter of that to one end across and to the other down."""
    chance = Chance(float(np.nextafter(0.5, 0)) if mirrors else 0.5, share=share)
    crowd = draw_photo(chance, read_coco(root, strict=True)[0], OUTPUT, SIDE)
    points = np.round(drawn_people.person(*drawn_people.SCENES[0][0]).points.astype(float), 3)
    expected = (points + 0.5 - first) * zoom - 0.5
    if mirrors:
        expected[:, 0] = SIDE - 1 - expected[:, 0]
        expected = expected[list(COCO17.mirror_ids)]
    (person,) = crowd.people
    np.testing.assert_allclose(person.points, expected, atol=0.01)
    x = (np.arange(SIDE) + 0.5) / zoom + first[0]  # the colour says the cell of 8 px of the photo
    row = crowd.picture[:, ::-1] if mirrors else crowd.picture
    inner = (x > 8) & (x < SIDE - 8) & (np.abs((x + 4) % 8 - 4) > 2)
    middle = np.rint(expected[5:7].mean(axis=0)).astype(int)
    assert np.array_equal(row[middle[1].clip(0, SIDE - 1), inner, 1], (x[inner] // 8).astype(np.uint8))
    if (middle >= 0).all() and (middle < SIDE).all():
        assert crowd.owners[middle[1], middle[0]] == 1
    assert crowd.picture.shape == (SIDE, SIDE, 3)
    assert crowd.covered.dtype == bool


def test_only_photos_of_people_are_drawn_the_same_for_the_same_step(root: Path) -> None:
    photos = read_coco(root)
    assert len(photos) == 2, "the third shows nobody"
    a, b = (make_coco_batch(photos, OUTPUT, BatchShape(2, 64, 8), seed=1, step=5) for _ in range(2))
    assert (a.images == b.images).all()
    assert all((a.targets[k] == b.targets[k]).all() for k in a.targets)
    assert (a.images[0] != a.images[1]).any()
    for seed, step in ((2, 5), (1, 6)):
        other = make_coco_batch(photos, OUTPUT, BatchShape(2, 64, 8), seed=seed, step=step)
        assert (a.images != other.images).any()
    drawn_people.coco_folder(root, "val2017")
    assert len(read_coco(root)) == 2, "photos of the development test are not drawn"


def test_people_without_joints_and_crowds_teach_silhouettes_alone(root: Path) -> None:
    whole = drawn(root)

    def unlabelled(rows: list[dict[str, Any]]) -> None:
        rows[0] |= {"keypoints": [0] * 51, "num_keypoints": 0}

    edited(root, unlabelled)
    crowd = drawn(root)
    there = whole.owners > 0
    assert not crowd.people
    assert (crowd.covered == there).all()
    assert not crowd.owners.any(), "long offsets are of people with joints"
    assert (crowd.unknown == there).all()
    assert not crowd.unsure.any()

    edited(root, lambda rows: rows[0].update(iscrowd=1))
    crowd = drawn(root)
    assert (crowd.unsure == there).all()
    assert (crowd.unknown == there).all()
    assert not crowd.covered.any()


def test_of_a_person_behind_somebody_without_joints_no_pixel_is_known_to_be_its_own(root: Path) -> None:
    """The second photo's second person has no joints and the mask of the first."""
    before = drawn(root, 1)

    def overlap(rows: list[dict[str, Any]]) -> None:
        unknown = {"keypoints": [0] * 51, "num_keypoints": 0}
        rows[2] |= {"segmentation": rows[1]["segmentation"]} | unknown

    edited(root, overlap)
    crowd = drawn(root, 1)
    assert len(crowd.people) == 1
    assert not crowd.owners.any()
    assert (crowd.unknown == (before.owners == 1)).all()
    assert (crowd.covered == (before.owners == 1)).all()


def test_pixels_of_two_people_are_nobodys_alone(root: Path) -> None:
    before = drawn(root, 1)

    def overlap(rows: list[dict[str, Any]]) -> None:
        rows[2]["segmentation"] = rows[1]["segmentation"]

    edited(root, overlap)
    crowd = drawn(root, 1)
    assert len(crowd.people) == 2
    assert not crowd.owners.any()
    assert (crowd.covered == (before.owners == 1)).all()
    maps = crowd_targets(crowd, OUTPUT, 8)
    assert maps["person"].max() == 1
    assert not maps["long_known"].any()
    assert maps["short_known"].any()


def test_people_who_agree_in_all_but_what_is_known_are_two(root: Path) -> None:
    hidden = [0, 0, 0]
    edited(root, lambda rows: rows.append(rows[0] | {
        "id": 77, "keypoints": rows[0]["keypoints"][:-3] + hidden, "num_keypoints": 16}))  # fmt: skip
    assert len(drawn(root).people) == 2


def test_a_person_twice_counts_once(root: Path) -> None:
    edited(root, lambda rows: rows.append(rows[0] | {"id": 77}))
    crowd = drawn(root)
    assert len(crowd.people) == 1
    assert crowd.owners.max() == 1


def test_a_joint_far_outside_the_persons_mask_is_not_known(root: Path) -> None:
    def moved(rows: list[dict[str, Any]]) -> None:
        rows[0]["keypoints"][3 * 9 : 3 * 9 + 2] = [255, 0]

    edited(root, moved)
    (person,) = drawn(root).people
    assert person.labelled.sum() == 16
    assert not person.labelled.all()


def test_joints_beside_a_mask_stay() -> None:
    mask = np.zeros((100, 100), np.uint8)
    mask[40:80, 40:60] = 1
    points = np.array([(50, 50), (35, 90), (5, 50), (50, 99)], np.float32)
    known = np.array([True, True, True, False])
    assert beside(points, known, mask).tolist() == [True, True, False, False]
    assert (beside(points, known, np.zeros_like(mask)) == known).all(), "an empty mask says nothing"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rows: rows[0].update(keypoints=[1, 2, 2]), "51"),
        (lambda rows: rows[0].update(num_keypoints=3), "num_keypoints says 3"),
        (lambda rows: rows[0].update(segmentation=[[1, 2]]), "polygon"),
    ],
)
def test_contradictions_are_named_and_left_out_or_refused(
    change: Callable[[list[dict[str, Any]]], object],
    reason: str,
    root: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    edited(root, change)
    assert len(read_coco(root)) == 1
    assert reason in caplog.text
    with pytest.raises(DataError, match=reason):
        read_coco(root, strict=True)


def test_a_missing_photo_is_named_and_none_at_all_refused(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (root / "train2017" / "000000000001.png").unlink()
    assert [p.name for p in read_coco(root)] == ["000000000002.png"]
    assert "000000000001.png" in caplog.text
    (root / "train2017" / "000000000002.png").unlink()
    with pytest.raises(DataError, match="no training photo with people"):
        read_coco(root)


def test_a_photo_of_another_size_is_named(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    Image.new("RGB", (64, 48)).save(root / "train2017" / "000000000001.png")
    assert [p.name for p in read_coco(root)] == ["000000000002.png"]
    assert "the picture has 64x48 px, its annotations (256, 256)" in caplog.text


def test_imputed_annotations_take_the_place_of_the_same_without(root: Path) -> None:
    edited(root, lambda annotations: annotations.pop(0))
    (root / FILE).rename(root / FILE.replace(".json", "_imputed.json"))
    drawn_people.coco_folder(root, "train2017")
    assert [len(p.annotations) for p in read_coco(root)] == [2]


@pytest.mark.parametrize("grid", Grid)
def test_targets_lie_on_the_outputs_own_grid(root: Path, grid: Grid) -> None:
    """At every cell that knows one, the short offset ends on the joint, and who is there is seen there."""
    output = JointDisks(joints=COCO17.name, stride=16, grid=grid)
    crowd = draw_photo(np.random.default_rng(3), read_coco(root)[0], output, grid.side(17, 16))
    maps = crowd_targets(crowd, output, 16)
    assert maps["disks"].shape == (17, 17, 17)
    (person,) = crowd.people
    joint, row, column = (int(v) for v in np.argwhere(maps["short_known"])[0])
    at = grid.to_pixel((column, row), 16)
    np.testing.assert_allclose(
        at + maps["short"][2 * joint : 2 * joint + 2, row, column], person.points[joint], atol=1e-3
    )
    if grid is Grid.CORNER:
        assert (maps["person"][0] == (crowd.covered[::16, ::16])).all()


def test_the_command_trains_on_coco(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = [
        "personlab-small",
        "--coco",
        str(root),
        "--steps",
        "1",
        "--batch",
        "2",
        "--crop",
        "64",
        "--no-bf16",
    ]
    assert main([*asked, "--out", str(tmp_path / "run")]) == 0
    assert (tmp_path / "run" / "last.safetensors").is_file()
    assert main([*asked[:2], str(tmp_path / "none"), *asked[3:], "--out", str(tmp_path / "other")]) == 2
    assert "person_keypoints_train2017.json" in capsys.readouterr().err
