"""People cut out of photos: whose silhouette, which joints, which part of the photo, and rendered ones."""

from __future__ import annotations

import json
import zlib
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from models.labels import COCO17, S31
from tests.unit.training.test_batches import data_folder, dense
from training.joint_photos import FEWEST, JointPhoto
from training.person_cutouts import (
    annotated_people,
    beside,
    cut_out,
    held_out,
    read_person_cutouts,
    read_rendered,
)
from training.photos import DataError

NECK = S31.id("neck")


def photo(points: list[tuple[float, float]], *, codes: bool = True) -> JointPhoto:
    """A picture that says its own columns and rows, with these joints of 17."""
    v, u = np.indices((100, 120)).astype(np.uint8)
    table, known = np.zeros((17, 2), np.float32), np.zeros(17, np.bool_)
    table[: len(points)], known[: len(points)] = points, True
    return JointPhoto("a.jpg", np.stack((u, v, u), axis=2), table, known, v if codes else None)


def silhouette(rows: slice, columns: slice, value: int = 255) -> np.ndarray[Any, Any]:
    alpha = np.zeros((100, 120), np.uint8)
    alpha[rows, columns] = value
    return alpha


CORNERS = [(40, 30), (69, 30), (40, 59), (69, 59)]


def test_a_person_is_cropped_with_four_px_around_and_moves_with_its_joints() -> None:
    alpha = silhouette(slice(30, 60), slice(40, 70), 128)
    found = cut_out(photo(CORNERS), alpha)
    assert found is not None
    assert found.image.shape == (38, 38, 3)
    assert found.image[0, 0].tolist() == [36, 26, 36]
    assert found.codes is not None
    assert (found.codes[:, 5] == np.arange(26, 64)).all()
    assert found.points[:4].tolist() == [[4, 4], [33, 4], [4, 33], [33, 33]]
    assert np.flatnonzero(found.known).tolist() == [0, 1, 2, 3]
    assert (found.alpha == alpha[26:64, 36:74]).all()
    assert (found.name, cut_out(photo(CORNERS, codes=False), alpha).codes) == ("a.jpg", None)  # type: ignore[union-attr]
    at_the_edge = cut_out(photo([(1, 2), (9, 9), (20, 9), (9, 20)]), silhouette(slice(2, 40), slice(1, 40)))
    assert at_the_edge is not None
    assert at_the_edge.image.shape == (44, 44, 3)
    assert at_the_edge.points[0].tolist() == [1, 2]


def test_of_whom_too_little_is_there_nothing_is_cut_out() -> None:
    assert cut_out(photo(CORNERS), silhouette(slice(30, 60), slice(40, 60))) is not None, "600 px"
    assert cut_out(photo(CORNERS), silhouette(slice(30, 60), slice(40, 60), 127)) is None
    fewer = silhouette(slice(30, 60), slice(40, 60))
    fewer[30, 40] = 0
    assert cut_out(photo(CORNERS), fewer) is None
    assert cut_out(photo(CORNERS[: FEWEST - 1]), silhouette(slice(30, 60), slice(40, 70))) is None
    far = [*CORNERS[:3], (80, 90)]
    assert cut_out(photo(far), silhouette(slice(30, 60), slice(40, 70))) is None
    with pytest.raises(ValueError, match=r"^a\.jpg: photo and silhouette differ in size$"):
        cut_out(photo(CORNERS), np.zeros((100, 119), np.uint8))


def test_joints_three_tenths_of_the_box_away_may_be_the_persons() -> None:
    """A box from (40, 30) to (70, 70): its longer side is 40 px, so 12 px around it."""
    mask = np.zeros((100, 120), np.uint8)
    mask[30:70, 40:70] = 1
    rows = {(28, 50): True, (27, 50): False, (82, 50): True, (83, 50): False, (50, 18): True, (50, 17): False,
            (50, 82): True, (50, 83): False}  # fmt: skip
    found = beside(np.array(list(rows), np.float32), np.ones(len(rows), bool), mask)
    assert found.tolist() == list(rows.values())


def test_people_are_read_with_silhouettes_of_a_teacher_or_by_hand(tmp_path: Path) -> None:
    """Of lsp's third photo the teacher has no silhouette; of ccp's people it saw but the nose."""
    data = data_folder(tmp_path / "data")
    assert [c.name for c in read_person_cutouts(data)] == ["000.jpg", "001.jpg", "003.jpg"]
    assert read_person_cutouts(data, "test") == []
    file = data / "teacher/ccp/landmarks.json"
    held = json.loads(file.read_text())
    for row in held["images"]["004"]["landmarks"]:
        row[:] = [20, 30, 1]
    file.write_text(json.dumps(held))
    silhouette_file = data / "ccp/silhouettes/004.png"
    doubtful = cv2.imread(str(silhouette_file), cv2.IMREAD_UNCHANGED)
    doubtful[0, :9] = 255
    cv2.imwrite(str(silhouette_file), doubtful)
    people = list(annotated_people(data, "train", COCO17, dense(tmp_path)))
    assert [p.name for p, _ in people] == ["000.jpg", "001.jpg", "003.jpg", "004.jpg"]
    last, alpha = people[-1]
    assert last.known.all()
    assert (alpha[3:58, 8:33] == 255).all()
    assert alpha.sum() == 255 * 55 * 25, "the annotators' silhouette"
    codes = [None if p.codes is None else set(np.unique(p.codes)) for p, _ in people]
    assert codes == [{NECK}, None, {NECK}, {NECK}]


def test_one_person_in_ten_is_kept_for_tests(tmp_path: Path) -> None:
    names = [f"{i:05d}.jpg" for i in range(3000)]
    kept = [n for n in names if held_out(n)]
    assert len(kept) == pytest.approx(300, abs=50)
    assert all(zlib.crc32(n.removesuffix(".jpg").encode()) % 10 == 0 for n in kept)
    data, (stem, *_) = data_folder(tmp_path), [n.removesuffix(".jpg") for n in kept]
    for kind in ("images/{}.jpg", "../teacher/lsp/silhouettes/{}.png"):
        (data / "lsp" / kind.format("000")).rename(data / "lsp" / kind.format(stem))
    for file in (data / "lsp/keypoints.json", data / "teacher/lsp/landmarks.json"):
        file.write_text(file.read_text().replace('"000"', f'"{stem}"'))
    assert [c.name for c in read_person_cutouts(data, "test")] == [f"{stem}.jpg"]
    assert [c.name for c in read_person_cutouts(data)] == ["001.jpg", "003.jpg"]


def rendered(folder: Path, **people: list[list[list[float]]]) -> Path:
    """Pictures of 60×50 px with somebody in the middle."""
    for kind in ("images", "instances", "labels"):
        (folder / kind).mkdir(parents=True)
    mask = np.zeros((50, 60), np.uint8)
    mask[10:40, 20:45], mask[0, 0] = 1, 2  # and somebody else's pixel
    for stem in people:
        cv2.imwrite(str(folder / f"images/{stem}.jpg"), np.full((50, 60, 3), (250, 100, 10), np.uint8))
        cv2.imwrite(str(folder / f"instances/{stem}.png"), mask)
        cv2.imwrite(str(folder / f"labels/{stem}.png"), (mask == 1) * np.uint8(NECK))
    record = {"keypoints": people, "recipe": {"split": "train"}}
    (folder / "keypoints.json").write_text(json.dumps(record))
    return folder


def joints(**moved: tuple[float, float]) -> list[list[float]]:
    return [[*moved.get(name, (30, 20)), 2] for name in COCO17.names]


def test_rendered_people_whole_and_alone_are_read(tmp_path: Path) -> None:
    folder = rendered(
        tmp_path / "a",
        good=[joints(nose=(0, 0), l_ear=(35, 25))], two=[joints(), joints()], nobody=[], lost=[joints()],
        left=[joints(nose=(-0.1, 20))], right=[joints(nose=(60, 20))], low=[joints(nose=(30, 50))],
        edge=[joints(nose=(59.9, 49.9))], blank=[joints()], bare=[joints()],
        few=[[[30, 20, 1]] * (FEWEST - 1) + [[30, 20, 0]] * (17 - FEWEST + 1)],
    )  # fmt: skip
    (folder / "images/lost.jpg").unlink()
    (folder / "instances/blank.png").unlink()
    (folder / "labels/bare.png").unlink()
    people = {p.name: p for p in read_rendered(folder)}
    assert set(people) == {"good.jpg", "edge.jpg", "bare.jpg"}
    good = people["good.jpg"]
    assert good.image.shape == (38, 33, 3), "30 by 25 px with 4 around"
    assert np.abs(good.image[5, 5].astype(int) - (10, 100, 250)).max() < 12, "red, green, blue"
    assert set(np.unique(good.alpha)) == {0, 255}
    assert (good.alpha == 255).sum() == 30 * 25
    assert good.points[COCO17.id("l_ear")].tolist() == [35 - 16, 25 - 6]
    assert np.flatnonzero(~good.known).tolist() == [COCO17.id("nose")], "too far from the person"
    assert good.codes is not None
    assert set(np.unique(good.codes)) == {0, NECK}
    assert people["bare.jpg"].codes is None
    assert read_rendered(rendered(tmp_path / "b")) == []
    others = r"b: its people are for train, others are for test\. Make another by .* --split test\.$"
    with pytest.raises(DataError, match=others):
        read_rendered(tmp_path / "b", part="test")


@pytest.mark.parametrize("content", [None, "{", "[]", '{"keypoints": {}}', '{"keypoints": {}, "recipe": 3}'])
def test_what_is_no_folder_of_rendered_people_is_refused(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "keypoints.json").write_text(content)
    remedy = r"Scenes need one of xfactor synth --count N --out DIR; a packed set has no silhouettes\."
    with pytest.raises(DataError, match=rf"not a folder of synthetic people \(.*\)\. {remedy}"):
        read_rendered(tmp_path)


def test_a_cutout_cannot_be_changed() -> None:
    found = cut_out(photo(CORNERS), silhouette(slice(30, 60), slice(40, 70)))
    with pytest.raises(FrozenInstanceError):
        found.name = "b"  # type: ignore[union-attr, misc]
