"""Readers of photos: what is bad is named and left out, or refused."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.labels import IGNORE
from training.photos import (
    DEVELOPMENT_TEST,
    GARMENTS,
    DataError,
    Photo,
    lsp_skeleton,
    read_backgrounds,
    read_ccp,
    read_cutouts,
    read_image,
    read_lsp,
    read_unlabelled,
    split,
    with_maps,
)
from training.scribbles import scribble
from training.targets import SET_CODES


def test_readers_name_bad_files_and_go_on(shared_data, tmp_path, caplog) -> None:  # type: ignore[no-untyped-def]
    import shutil

    for sub in ("images", "silhouettes", "labels"):
        (tmp_path / sub).mkdir()
    shutil.copy(shared_data / "ccp" / "labels.json", tmp_path)
    stems = sorted(p.stem for p in (shared_data / "ccp" / "images").iterdir())[:3]
    for stem in stems:
        shutil.copy(shared_data / "ccp" / "images" / f"{stem}.jpg", tmp_path / "images")
        for sub in ("silhouettes", "labels"):
            shutil.copy(shared_data / "ccp" / sub / f"{stem}.png", tmp_path / sub)
    (tmp_path / "images" / f"{stems[0]}.jpg").write_bytes(b"not a picture")
    (tmp_path / "silhouettes" / f"{stems[1]}.png").unlink()
    photos = read_ccp(tmp_path, "test")
    assert [p.name for p in photos] == [f"{stems[2]}.jpg"]
    for words in (*stems[:2], "2 of 3"):
        assert words in caplog.text
    with pytest.raises(DataError, match=stems[0]):
        read_ccp(tmp_path, "test", strict=True)
    with pytest.raises(DataError, match="images"):
        read_lsp(_empty_lsp(tmp_path / "none"), "all")


def _empty_lsp(folder):  # type: ignore[no-untyped-def]
    (folder / "images").mkdir(parents=True)
    (folder / "keypoints.json").write_text('{"images": {}}')
    return folder


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels)


def test_pictures_are_read_as_red_green_blue_and_alpha(tmp_path: Path) -> None:
    save(tmp_path / "a.png", np.full((3, 4, 3), (1, 2, 3), np.uint8))
    save(tmp_path / "b.png", np.full((3, 4, 4), (1, 2, 3, 4), np.uint8))
    assert read_image(tmp_path / "a.png")[0, 0].tolist() == [3, 2, 1]
    assert read_image(tmp_path / "b.png", alpha=True)[0, 0].tolist() == [3, 2, 1, 4]
    with pytest.raises(ValueError, match=r"^no alpha channel$"):
        read_image(tmp_path / "a.png", alpha=True)
    save(tmp_path / "g.png", np.zeros((3, 4), np.uint8))
    with pytest.raises(ValueError, match=r"^no alpha channel$"):
        read_image(tmp_path / "g.png", alpha=True)
    with pytest.raises(ValueError, match=r"^not a readable picture$"):
        read_image(tmp_path / "none.png")


def test_the_last_hundred_by_name_are_the_test() -> None:
    files = [Path(f"{i:03d}") for i in range(105)]
    assert split(files[::-1], "test") == files[5:]
    assert split(files[::-1], "train") == files[:5]


def test_garments_tell_parts_where_the_silhouette_is_person(tmp_path: Path) -> None:
    """A row of garments under a silhouette of person, ground and doubt."""
    names = ["null", *GARMENTS, "coat"]
    (tmp_path / "labels.json").write_text(json.dumps(names))
    told = {"hat": "head", "clogs": "foot", "leggings": "trousers", "gloves": "hand", "coat": "person"}
    garments = np.array([[names.index(n) for n in told]] * 3, np.uint8)
    silhouette = np.array([[1] * 5, [0] * 5, [IGNORE] * 5], np.uint8)
    for i in range(DEVELOPMENT_TEST + 1):
        save(tmp_path / f"images/{i:03d}.jpg", np.zeros((3, 5, 3), np.uint8))
    save(tmp_path / "labels/000.png", garments)
    save(tmp_path / "silhouettes/000.png", silhouette)
    (photo,) = read_ccp(tmp_path, "train")
    assert photo.codes.tolist() == [[SET_CODES[part] for part in told.values()], [0] * 5, [IGNORE] * 5]
    for kind, whole in (("labels", garments), ("silhouettes", silhouette)):
        save(tmp_path / kind / "000.png", whole[:2])
        with pytest.raises(DataError, match=r"000\.jpg: picture, label and silhouette differ in size"):
            read_ccp(tmp_path, "train", strict=True)
        (tmp_path / kind / "000.png").unlink()
        with pytest.raises(DataError, match=r"its label or silhouette is missing or broken"):
            read_ccp(tmp_path, "train", strict=True)
        save(tmp_path / kind / "000.png", whole)


def test_cutouts_are_sure_from_160_and_to_90(tmp_path: Path) -> None:
    alpha = np.array([[0, 90, 91, 159, 160, 255]], np.uint8)
    save(tmp_path / "c.png", np.dstack((*[alpha] * 3, alpha)))
    (photo,) = read_cutouts(tmp_path)
    person = SET_CODES["person"]
    assert photo.codes.tolist() == [[0, 0, IGNORE, IGNORE, person, person]]
    assert (photo.image[..., 3] == alpha).all()


@pytest.mark.parametrize("rows", [[[1, 2, 2]] * 13, [[1, 2]] * 14, [[1, 2, float("nan")]] * 14])
def test_joints_of_another_layout_are_refused(rows: list[list[float]]) -> None:
    with pytest.raises(ValueError, match=r"^14 joints with x, y, v expected, got \("):
        lsp_skeleton(rows)
    s = lsp_skeleton([[i, 2 * i, i % 3] for i in range(14)])
    assert s.xy[5].tolist() == [5, 10]
    assert s.visible.tolist() == [i % 3 for i in range(14)]


def test_maps_are_combined_with_codes_of_their_size(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    photos = [Photo(f"{n}.jpg", np.zeros((2, 3, 3), np.uint8), np.full((2, 3), 5, np.uint8)) for n in "abcd"]
    save(tmp_path / "a.png", np.full((2, 3), 7, np.uint8))
    save(tmp_path / "b.png", np.full((3, 2), 7, np.uint8))
    (tmp_path / "c.png").write_bytes(b"x")
    found = with_maps(photos, tmp_path, "some.maker", lambda own, made: own + made)
    assert [int(p.codes[0, 0]) for p in found] == [12, 5, 5, 5]
    assert found[1:] == photos[1:]
    assert caplog.text.count("not a map of the size of") == 2
    with pytest.raises(DataError, match=r"no such folder\. Make it with python -m some\.maker\.$"):
        with_maps(photos, tmp_path / "none", "some.maker", lambda own, made: made)


def test_photos_of_joints_are_scribbled_and_those_nobody_described_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of three photos of 40 by 60 px, one is not in the list, and one has too few rows."""
    rows = [[5 + 2 * i, 4 * i, i % 3] for i in range(14)]
    for stem in "abc":
        save(tmp_path / f"images/{stem}.jpg", np.full((60, 40, 3), 90, np.uint8))
    (tmp_path / "keypoints.json").write_text(json.dumps({"images": {"a": rows, "c": rows[:9]}}))
    (photo,) = read_lsp(tmp_path, "all")
    assert photo.skeleton is not None
    assert (photo.name, photo.skeleton.xy.tolist()) == ("a.jpg", [r[:2] for r in rows])
    assert np.array_equal(photo.codes, scribble(photo.skeleton, (40, 60)))
    assert "2 of 3 files left out" in caplog.text
    for stem in ("b", "c"):
        assert f"{stem}.jpg: " in caplog.text
    with pytest.raises(
        DataError, match=r"b\.jpg: 'b'\. Repair or remove the file, or read without --strict\.$"
    ):
        read_lsp(tmp_path, "all", strict=True)
    assert read_lsp(tmp_path, "train") == []
    caplog.clear()
    (tmp_path / "keypoints.json").write_text(json.dumps({"images": dict.fromkeys("abc", rows)}))
    assert [p.name for p in read_lsp(tmp_path, "test")] == ["a.jpg", "b.jpg", "c.jpg"]
    assert not caplog.records


@pytest.mark.parametrize("content", [None, "{"])
def test_a_set_without_its_description_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "labels.json").write_text(content)
    with pytest.raises(DataError, match=r"labels\.json: not there or not JSON \(.*\)\. Point --data at"):
        read_ccp(tmp_path, "train")


def test_of_photos_without_labels_nothing_is_known_and_of_backgrounds_that_nobody_is_there(
    tmp_path: Path,
) -> None:
    for name in ("b.jpg", "a.jpg"):
        save(tmp_path / "one" / name, np.full((3, 5, 3), 90, np.uint8))
    (tmp_path / "one" / "c.jpg").write_bytes(b"x")
    photos = read_unlabelled(tmp_path / "one")
    assert [p.name for p in photos] == ["a.jpg", "b.jpg"]
    assert [p.codes.tolist() for p in photos] == [[[IGNORE] * 5] * 3] * 2
    with pytest.raises(DataError, match=r"c\.jpg"):
        read_unlabelled(tmp_path / "one", strict=True)
    save(tmp_path / "two/d.png", np.full((2, 2, 3), (1, 2, 3), np.uint8))
    shown = read_backgrounds([tmp_path / "one", tmp_path / "two"])
    assert [b.shape for b in shown] == [(3, 5, 3), (3, 5, 3), (2, 2, 3)]
    assert shown[2][0, 0].tolist() == [3, 2, 1]
    with pytest.raises(DataError, match=r"none: no \*\.jpg in it\. Point --data at the folder"):
        read_unlabelled(tmp_path / "none")
