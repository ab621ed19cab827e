"""The files other programs read: exact ids, exact sizes, and a COCO set that pycocotools loads."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as rle
from pycocotools.coco import COCO

from models.labels import COCO17, LSP14, S31
from models.results import Parsing, PersonResult, Pose, Result
from runtime.output import alpha, coco, label_png, overlay, parts_csv
from runtime.output.coco import Origin, compact
from runtime.output.products import PRODUCTS, parts_of

ORIGIN = Origin("clip.mp4", 7, 0.28, "clip")
OF_17 = replace(ORIGIN, joint_set=COCO17)


def parsing(cells: np.ndarray, size: tuple[int, int], person: int = 255, sure: int = 200) -> Parsing:
    """A parsing whose person and confidence are the same everywhere."""
    flat = np.full(cells.shape, person, np.uint8)
    return Parsing(S31, size, cells.astype(np.uint8), flat, np.full(cells.shape, sure, np.uint8))


def two_people() -> Parsing:
    """A large and a small region of parts, and a speck, on a 200x100 picture."""
    cells = np.zeros((50, 100), np.uint8)
    cells[5:45, 10:30] = 20
    cells[10:30, 60:70] = 3
    cells[48, 98] = 1
    return parsing(cells, (200, 100))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_label_pngs_hold_exact_ids(width: int, height: int, seed: int) -> None:
    ids = np.random.default_rng(seed).integers(0, 32, (height, width), dtype=np.uint8)
    data = label_png.label_png(parsing(ids, (width, height)))
    assert data[24:26] == b"\x08\x03"  # eight bits, palette
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "P"
        assert np.array_equal(np.array(image), ids)
        assert image.convert("RGB").getpixel((0, 0)) == tuple(S31.palette()[ids[0, 0]])
    assert np.array_equal(label_png.read_labels(data), ids)


def test_maps_are_written_at_the_displayed_size() -> None:
    result = two_people()
    ids = label_png.read_labels(label_png.label_png(result))
    assert ids.shape == (100, 200)
    assert set(np.unique(ids)) == {0, 1, 3, 20}
    with Image.open(io.BytesIO(label_png.silhouette_png(result))) as image:
        assert (image.mode, image.size) == ("L", (200, 100))
        assert image.getextrema() == (255, 255)


def test_labels_json_names_every_id() -> None:
    said = json.loads(label_png.labels_json_bytes(S31))
    assert said["part_set"] == "S31"
    assert [entry["id"] for entry in said["labels"]] == list(range(32))
    assert said["labels"][0]["name"] == "background"
    assert said["labels"][31]["name"] == "neck"


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # inside pycocotools
def test_pycocotools_loads_it(tmp_path: Path) -> None:
    result = two_people()
    found = [{"id": n, **a} for n, a in enumerate(coco.annotate(Result(result), 1, result.size), start=1)]
    image = coco.image_record(1, ORIGIN, result.size)
    path = tmp_path / "coco.json"
    path.write_text(compact({"images": [image], "annotations": found, "categories": [coco.category(None)]}))
    data = COCO(str(path))
    assert data.getCatIds() == [1]
    assert data.loadImgs(1)[0] | {"frame": 7, "pts": 0.28, "width": 200, "height": 100} == data.loadImgs(1)[0]
    first, second = data.loadAnns(data.getAnnIds(1))  # the speck is nobody
    assert first["bbox"] == [20, 10, 40, 80]
    assert second["bbox"] == [120, 20, 20, 40]
    assert first["area"] == 3200 == rle.area(first["segmentation"])
    mask = data.annToMask(first)
    assert mask.shape == (100, 200)
    assert mask[10:90, 20:60].all()
    assert mask.sum() == 3200
    assert first["score"] == 1.0
    assert rle.toBbox(second["segmentation"]).tolist() == second["bbox"]


def test_nobody_is_no_annotation() -> None:
    assert coco.annotate(Result(parsing(np.zeros((4, 6)), (60, 40))), 1, (60, 40)) == []


def test_the_table_has_a_row_per_part() -> None:
    text = parts_csv.header() + parts_csv.rows(two_people(), ORIGIN)
    rows = {row["part"]: row for row in csv.DictReader(io.StringIO(text))}
    assert list(rows) == list(S31.names)
    body = rows["lubody"]
    assert (body["file"], body["frame"], body["pts"], body["part_id"]) == ("clip.mp4", "7", "0.280000", "20")
    assert int(body["area"]) == 3200
    assert (float(body["centroid_x"]), float(body["centroid_y"])) == pytest.approx((39.5, 49.5))
    assert float(body["mean_probability"]) == pytest.approx(200 / 255, abs=1e-4)
    assert (rows["neck"]["area"], rows["neck"]["centroid_x"]) == ("0", "")


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 90), st.integers(1, 90), st.integers(0, 9999))
def test_painting_fits_any_size(columns: int, rows: int, width: int, height: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 32, (rows, columns)) * (rng.random((rows, columns)) < 0.2)
    image = rng.integers(0, 255, (height, width, 3), dtype=np.uint8)
    before = image.copy()
    painted = overlay.overlay(image, parsing(cells, (width, height)), 0.5)
    assert painted.shape == image.shape
    assert np.array_equal(image, before)


def test_only_parts_are_painted_and_in_their_colours() -> None:
    result = two_people()
    image = np.full((100, 200, 3), 90, np.uint8)
    full = overlay.overlay(image, result, 1.0)
    assert full[50, 40].tolist() == S31.palette()[20].tolist()
    ids = label_png.read_labels(label_png.label_png(result))
    assert (full[ids == 0] == 90).all()
    half = overlay.overlay(image, result, 0.5)[50, 40].astype(int)
    assert np.abs(half - (S31.palette()[20].astype(int) + 90) / 2).max() <= 1
    assert np.array_equal(overlay.overlay(image, result, 0.0), image)


def test_edges_do_not_fade_to_black() -> None:
    cells = np.zeros((9, 16), np.uint8)
    cells[2:7, 4:12] = 20
    image = np.zeros((720, 1280, 3), np.uint8)
    painted = overlay.overlay(image, parsing(cells, (1280, 720)), 1.0)
    inside = painted[(painted > 0).any(axis=2)].astype(int)
    assert len(inside) == 5 * 8 * 80 * 80
    assert np.abs(inside - S31.palette()[20]).max() == 0


def test_the_cut_out_is_the_picture_with_the_silhouette_as_alpha() -> None:
    result = parsing(np.zeros((4, 6)), (60, 40), person=128)
    image = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    rgba = alpha.cutout(image, result)
    assert np.array_equal(rgba[..., :3], image)
    assert (rgba[..., 3] == 128).all()


def person(track_id: int | None = 4) -> PersonResult:
    """Somebody with a mask at half size and all joints but the first."""
    points = np.arange(34, dtype=np.float32).reshape(17, 2)
    scores = np.r_[0, np.full(16, 0.75)].astype(np.float32)
    mask = np.zeros((50, 100), np.uint8)
    mask[10:20, 30:40] = 1
    return PersonResult((60.25, 20, 20, 20), 0.875, Pose(COCO17, points, scores), mask, track_id)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # inside pycocotools
def test_people_are_written_with_joints_mask_and_track(tmp_path: Path) -> None:
    result = Result(two_people(), (person(), person(None)))
    path = tmp_path / "coco.json"
    path.write_text(coco.joined([coco.entry(result, OF_17, (200, 100))]))
    data = COCO(str(path))
    known = data.loadCats(1)[0]
    assert known["keypoints"][:6] == [
        "nose",
        "left_eye",
        "right_eye",
        "left_ear",
        "right_ear",
        "left_shoulder",
    ]
    assert known["skeleton"][0] == [1, 2]
    first, second = data.loadAnns(data.getAnnIds(1))  # the people, not the regions
    assert first["keypoints"][:6] == [0, 0, 0, 2, 3, 2]
    assert (len(first["keypoints"]), first["num_keypoints"]) == (51, 16)
    assert (first["bbox"], first["score"], first["track_id"]) == ([60.25, 20, 20, 20], 0.875, 4)
    assert "track_id" not in second
    assert first["area"] == data.annToMask(first).sum() == 400
    assert data.annToMask(first)[20:40, 60:80].all()


def test_people_without_parts_or_masks_are_written_too() -> None:
    origin = replace(ORIGIN, joint_set=LSP14)
    pose = Pose(LSP14, np.ones((14, 2), np.float32), np.ones(14, np.float32))
    entry = coco.entry(Result(None, (PersonResult((1, 2, 3, 4), 1.0, pose),)), origin, (8, 6))
    assert entry["category"]["keypoints"][-2:] == ["neck", "head_top"]
    assert (entry["annotations"][0]["area"], "segmentation" in entry["annotations"][0]) == (12, False)
    nobody = coco.entry(Result(), origin, (8, 6))
    assert nobody["category"] == entry["category"]  # the joints have names where nobody was found, too
    assert coco.split(
        coco.joined([entry, nobody | {"image": entry["image"] | {"output": "other"}}])
    ).keys() == {
        "clip",
        "other",
    }


def test_joints_are_painted() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    painted = overlay.painted(image, Result(None, (person(),)))
    assert painted.any()
    assert not image.any()
    assert not painted[0, 0].any()  # the joint that was not found


@pytest.mark.parametrize("name", list(PRODUCTS))
def test_every_product_writes_something_somewhere(name: str) -> None:
    product = PRODUCTS[name]
    assert product.clip or (product.picture and product.picture.of_frames), "a clip has no file of it"
    assert product.picture or product.shared or name == "movement", "a picture has no file of it"
    if "people" not in product.needs:
        with pytest.raises(ValueError, match="no body parts"):
            parts_of(Result())
