"""Pictures of people that a drawn network finds without fault, and a COCO folder of them.

The network is a table of PersonLab's maps; the colours of a picture say which scene and cell they are of.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper
from PIL import Image
from pycocotools import mask as rle

from models.codecs.codec import Placement
from models.codecs.personlab import AnnotatedPerson, encode_people
from models.families import people_outputs
from models.labels import COCO17
from models.outputs import JointDisks, PersonProbability
from models.spec import StageSpec
from tests.unit.runtime.model_files import crafted

SIDE, STRIDE = 256, 8
CELLS = SIDE // STRIDE
STANDING = np.array(
    [(0, -9), (0.4, -9.4), (-0.4, -9.4), (0.8, -9.1), (-0.8, -9.1), (2, -7), (-2, -7), (3, -4.5), (-3, -4.5),
     (3.3, -2), (-3.3, -2), (1.3, -2), (-1.3, -2), (1.4, 2), (-1.4, 2), (1.5, 6), (-1.5, 6)], np.float32
)  # fmt: skip
#: x, y and scale of everybody in each picture; the last one shows nobody
SCENES = (((70, 130, 12),), ((60, 130, 11), (190, 120, 10)), ())


def person(x: float, y: float, scale: float) -> AnnotatedPerson:
    points = (STANDING * scale + np.array((x, y), np.float32)).astype(np.float32)
    return AnnotatedPerson(points, np.ones(17, bool))


def owners(people: list[AnnotatedPerson]) -> NDArray[np.uint8]:
    """(SIDE, SIDE) who is where, from 1."""
    out = np.zeros((SIDE, SIDE), np.uint8)
    for i, p in enumerate(people, start=1):
        low, high = (p.points.min(0) - 10).round(), (p.points.max(0) + 10).round()
        (x0, y0), (x1, y1) = low.astype(int).clip(0), high.astype(int)
        out[y0 : y1 + 1, x0 : x1 + 1] = i
    return out


def picture(index: int) -> NDArray[np.uint8]:
    """Red is the scene, green the column of the cell, blue its row."""
    v, u = np.indices((SIDE, SIDE)) // STRIDE
    return np.stack((np.full_like(u, index), u, v), axis=-1).astype(np.uint8)


def bundle(folder: Path) -> Path:
    """The model folder."""
    folder.mkdir(parents=True)
    outputs = (*people_outputs(COCO17.name), PersonProbability())
    radius_px = next(o.radius_px for o in outputs if isinstance(o, JointDisks))
    placement = Placement((SIDE, SIDE), (SIDE, SIDE), STRIDE)
    tables: dict[str, list[NDArray[np.float32]]] = {o.name: [] for o in outputs}
    for scene in SCENES:
        people = [person(*p) for p in scene]
        whose = owners(people)
        cells = whose[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE]
        maps = encode_people(COCO17, people, cells, placement, radius_px)
        there = (whose > 0).astype(np.float32)
        maps["person"] = cv2.resize(there, placement.cells, interpolation=cv2.INTER_AREA)[None]
        for name, table in tables.items():
            table.append(np.ascontiguousarray(maps[name].transpose(1, 2, 0).reshape(CELLS**2, -1)))
    nodes = [
        helper.make_node("Cast", ["image"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["f"], ["t"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["t", "w"], ["z"], strides=[STRIDE] * 2, kernel_shape=[STRIDE] * 2),
        helper.make_node("Squeeze", ["z", "one"], ["rows"]),
        helper.make_node("Clip", ["rows", "first", "last"], ["bounded"]),
        helper.make_node("Cast", ["bounded"], ["index"], to=TensorProto.INT64),
    ]
    for n in tables:
        nodes.append(helper.make_node("Gather", [f"table_{n}", "index"], [f"cells_{n}"], axis=0))
        nodes.append(helper.make_node("Transpose", [f"cells_{n}"], [n], perm=[0, 3, 1, 2]))
    pick = np.zeros((1, 3, STRIDE, STRIDE), np.float32)
    pick[0, :, STRIDE // 2, STRIDE // 2] = CELLS**2, 1, CELLS
    weights = {
        "w": pick, "one": np.array([1], np.int64), "first": np.array(0, np.float32),
        "last": np.array(len(SCENES) * CELLS**2, np.float32),
        **{f"table_{n}": np.concatenate([*t, np.full_like(t[0][:1], 0.3)]) for n, t in tables.items()},
    }  # fmt: skip
    given = {o.name: (TensorProto.FLOAT, ["b", o.channels, "gh", "gw"]) for o in outputs}
    stages = (StageSpec("network", ("image",), outputs),)
    described = crafted.spec("network", stages=stages, input_size=(SIDE, SIDE), name="drawn")
    made = crafted.model(nodes, crafted.IMAGE, given, weights, described)  # type: ignore[arg-type]
    (folder / "network.onnx").write_bytes(made)
    crafted.write_sums(folder)
    return folder


def annotations() -> list[dict[str, Any]]:
    """The truth, as COCO's."""
    rows: list[dict[str, Any]] = []
    for i, scene in enumerate(SCENES):
        people = [person(*p) for p in scene]
        whose = owners(people)
        for number, p in enumerate(people, start=1):
            encoded = rle.encode(np.asfortranarray((whose == number).astype(np.uint8)))
            table = np.column_stack((p.points, np.full(17, 2)))
            rows.append({
                "id": len(rows) + 1, "image_id": i + 1, "category_id": 1, "iscrowd": 0, "num_keypoints": 17,
                "area": float(rle.area(encoded)), "bbox": rle.toBbox(encoded).tolist(),
                "segmentation": {"size": encoded["size"], "counts": encoded["counts"].decode()},
                "keypoints": [float(v) for v in table.ravel()],
            })  # fmt: skip
    return rows


def coco_folder(root: Path, split: str = "val2017") -> Path:
    """A folder as COCO's: annotations/ and the pictures."""
    for folder in (root / split, root / "annotations"):
        folder.mkdir(parents=True, exist_ok=True)
    images = [{"id": i + 1, "file_name": f"{i + 1:012d}.png", "width": SIDE, "height": SIDE}
              for i in range(len(SCENES))]  # fmt: skip
    for i, row in enumerate(images):
        Image.fromarray(picture(i)).save(root / split / str(row["file_name"]))
    kinds = [{"id": 1, "name": "person", "keypoints": list(COCO17.names), "skeleton": []}]
    held = {"info": {}, "images": images, "annotations": annotations(), "categories": kinds}
    (root / "annotations" / f"person_keypoints_{split}.json").write_text(json.dumps(held))
    return root
