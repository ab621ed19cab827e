"""coco.json: a COCO data set of people; each with what the model gives of mask, joints and track."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle

from models.labels import JointSet
from models.results import Parsing, PersonResult, Pose, Result
from runtime.frames import Frame
from runtime.output.growing_file import GrowingText
from runtime.output.person_parts import part_areas
from runtime.output.scaling import full_labels, full_person

INFO: Final = {"description": "people and body parts found by xfactor", "version": "1"}
PERSON: Final = {"id": 1, "name": "person", "supercategory": "person"}
#: A region counts as a person from this share of the picture, and of the largest region, on: specks do not.
SMALLEST_OF_PICTURE: Final = 0.001
SMALLEST_OF_LARGEST: Final = 0.05
VISIBLE, ABSENT = 2, 0  # COCO's flags of a keypoint


@dataclass(frozen=True)
class Origin:
    """The frame of a file that a result is of."""

    file_name: str  #: the picture, or the clip
    frame: int
    pts_s: float
    output: str  #: name of the results, unique in their folder where file names are not
    joint_set: JointSet | None = None  #: of the model, also where nobody was found


def image_record(image_id: int, origin: Origin, size: tuple[int, int]) -> dict[str, Any]:
    """The entry of `images`."""
    return {
        "id": image_id,
        "file_name": origin.file_name,
        "width": size[0],
        "height": size[1],
        "frame": origin.frame,
        "pts": round(origin.pts_s, 6),
        "output": origin.output,
    }


def category(joint_set: JointSet | None) -> dict[str, Any]:
    """The entry of `categories`, with the joints' names in COCO's words and the bones counted from 1."""
    if joint_set is None:
        return dict(PERSON)
    sides = {"l_": "left_", "r_": "right_"}
    names = [sides.get(n[:2], n[:2]) + n[2:] for n in joint_set.names]
    return {**PERSON, "keypoints": names, "skeleton": [[a + 1, b + 1] for a, b in joint_set.bones]}


def annotate(
    result: Result, image_id: int, size: tuple[int, int], joint_set: JointSet | None = None
) -> list[dict[str, Any]]:
    """The annotations of one picture, without their `id`.

    One per person, with the areas of their parts where the model gives both; of a model that does not tell
    people apart one per connected region of parts, largest first, in which people who touch are one.

    Args:
        result: Of the picture.
        image_id: Of its record.
        size: (width, height) of the displayed picture, px.
        joint_set: Of a model that tells people apart: nobody is then nobody.
    """
    if result.parsing is None:
        return [_person(person, image_id, size) for person in result.people]
    if joint_set is None and not result.people:
        return _regions(result.parsing, image_id)
    found = [_person(person, image_id, size) for person in result.people]
    return [a | {"parts": p} for a, p in zip(found, part_areas(result.parsing, result.people), strict=True)]


def _person(person: PersonResult, image_id: int, size: tuple[int, int]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "image_id": image_id,
        "category_id": 1,
        "bbox": [round(v, 2) for v in person.box],
        "area": round(person.box[2] * person.box[3], 2),
        "iscrowd": 0,
        "score": round(person.score, 4),
    }
    if person.mask is not None:
        found |= _segmentation(person.mask, size)
    if person.pose is not None:
        found |= _keypoints(person.pose)
    if person.track_id is not None:
        found["track_id"] = person.track_id
    return found


def _segmentation(mask: NDArray[np.uint8], size: tuple[int, int]) -> dict[str, Any]:
    """Area and run lengths of a mask at the displayed size; only the columns that it covers are looked at."""
    width, height = size
    x, _, w, _ = cv2.boundingRect(mask)
    columns, rows = (_nearest(n, side) for n, side in zip(mask.shape[::-1], size, strict=True))
    first, last = np.searchsorted(columns, (x, x + w))
    flat = np.pad(mask.T[columns[first:last]][:, rows].ravel(), 1)
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + first * height
    counts = np.diff(changes[changes < width * height], prepend=0, append=width * height)
    code = rle.frPyObjects({"size": [height, width], "counts": counts.tolist()}, height, width)
    return {
        "area": int(counts[1::2].sum()),
        "segmentation": {"size": [height, width], "counts": code["counts"].decode("ascii")},
    }


def _nearest(cells: int, pixels: int) -> NDArray[np.intp]:
    """The cell of each pixel along one side."""
    numbers = np.arange(cells, dtype=np.float32)[None]
    return np.asarray(cv2.resize(numbers, (pixels, 1), interpolation=cv2.INTER_NEAREST_EXACT)[0], np.intp)


def _keypoints(pose: Pose) -> dict[str, Any]:
    """x, y, flag of each joint; a joint that was not found is 0, 0, 0, as COCO has it."""
    values: list[float] = []
    for (x, y), score in zip(pose.points.tolist(), pose.scores.tolist(), strict=True):
        values += [round(x, 2), round(y, 2), VISIBLE] if score > 0 else [0, 0, ABSENT]
    scores = [round(s, 4) for s in pose.scores.tolist()]
    return {
        "keypoints": values,
        "num_keypoints": int(np.count_nonzero(pose.scores > 0)),
        "keypoint_scores": scores,
    }


def _regions(parsing: Parsing, image_id: int) -> list[dict[str, Any]]:
    labels = full_labels(parsing)
    count, regions, stats, _ = cv2.connectedComponentsWithStats(np.minimum(labels, 1), connectivity=8)
    if count < 2:
        return []
    person = full_person(parsing)
    areas = stats[1:, cv2.CC_STAT_AREA]
    least = max(1.0, SMALLEST_OF_PICTURE * labels.size, SMALLEST_OF_LARGEST * float(areas.max()))
    order = [int(i) + 1 for i in np.argsort(-areas, kind="stable") if areas[i] >= least]
    found = []
    for i in order:
        x, y, w, h, _area = stats[i]
        inside = np.asarray(regions[y : y + h, x : x + w] == i)
        found.append(_region(np.asarray(stats[i]), inside, person, image_id))
    return found


def _region(
    box: NDArray[np.int32], inside: NDArray[np.bool_], person: NDArray[np.uint8], image_id: int
) -> dict[str, Any]:
    """Of one region: its box and area, its pixels within the box, and P(person) of the whole picture."""
    x, y, w, h, area = (int(v) for v in box)
    mask = np.zeros(person.shape, dtype=np.uint8)
    mask[y : y + h, x : x + w] = inside
    return {
        "image_id": image_id,
        "category_id": 1,
        "bbox": [x, y, w, h],
        "area": area,
        "iscrowd": 0,
        "score": round(float(person[y : y + h, x : x + w][inside].mean()) / 255, 4),
        **_segmentation(mask, (person.shape[1], person.shape[0])),
    }


class CocoFile(GrowingText):
    """coco.json of a clip; only the short records of the frames wait in memory."""

    def __init__(self, path: Path, origin: Origin) -> None:
        super().__init__(path)
        self._origin = origin
        self._images: list[dict[str, Any]] = []
        self._annotations = 0
        self.put(f'{{"info":{compact(INFO)},"annotations":[')

    def write(self, frame: Frame, result: Result) -> None:
        """Append the people of a frame."""
        image_id = frame.index + 1
        origin = replace(self._origin, frame=frame.index, pts_s=frame.pts_s)
        self._images.append(image_record(image_id, origin, frame.size))
        for annotation in annotate(result, image_id, frame.size, self._origin.joint_set):
            self._annotations += 1
            comma = "," if self._annotations > 1 else ""
            self.put(f"{comma}\n{compact({'id': self._annotations, **annotation})}")

    def finish(self) -> str:
        """Complete the file."""
        images = ",\n".join(compact(i) for i in self._images)
        self.put(
            f'],\n"images":[\n{images}],\n"categories":{compact([category(self._origin.joint_set)])}}}\n'
        )
        return super().finish()


def entry(result: Result, origin: Origin, size: tuple[int, int]) -> dict[str, Any]:
    """The record, annotations and category of one picture, for the file of many."""
    found = annotate(result, 0, size, origin.joint_set)
    kinds = category(origin.joint_set)
    return {"image": image_record(0, origin, size), "annotations": found, "category": kinds}


def joined(entries: Iterable[dict[str, Any]]) -> str:
    """The text of the file of many pictures, numbered in order."""
    listed = list(enumerate(entries, start=1))
    found = [{**a, "image_id": n} for n, e in listed for a in e["annotations"]]
    lists = {
        "annotations": [{"id": n, **a} for n, a in enumerate(found, start=1)],
        "images": [{**e["image"], "id": n} for n, e in listed],
        "categories": [max((category(None), *(e["category"] for _, e in listed)), key=len)],
    }
    parts = [f'"info":{compact(INFO)}']
    for key, values in lists.items():
        body = ",\n".join(compact(v) for v in values)
        parts.append(f'"{key}":[\n{body}]')
    return "{" + ",\n".join(parts) + "}\n"


def split(text: str) -> dict[str, dict[str, Any]]:
    """The entries of such a file by the name of their results.

    Raises:
        ValueError, KeyError, TypeError: when it is none.
    """
    raw = json.loads(text)
    names = {i["id"]: i["output"] for i in raw["images"]}
    [known] = raw["categories"]
    entries = {i["output"]: {"image": i, "annotations": [], "category": known} for i in raw["images"]}
    for a in raw["annotations"]:
        own = {k: v for k, v in a.items() if k not in ("id", "image_id")}
        entries[names[a["image_id"]]]["annotations"].append(own)
    return entries


def compact(value: object) -> str:
    """JSON in one line."""
    return json.dumps(value, separators=(",", ":"))
