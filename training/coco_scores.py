"""`python -m training.coco_scores MODEL --coco ROOT`: keypoints and masks of people as COCO scores them.

Every switch of the paper's tables is an argument; docs/personlab.md lists the command of each. Pictures that
cannot be used are named and left out of the truth as well.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as rle

from runtime.engine.engine import Engine
from runtime.engine.sessions import NoResultError
from runtime.frames import Frame
from runtime.system.errors import Refusal
from runtime.system.files import write_atomic
from training.average_precision import KINDS, Evaluation, Row, data_set, result
from training.datasets.coco import (
    AnnotatedPicture,
    Annotation,
    annotated,
    encoded,
    outline,
    records,
)
from training.datasets.files import BrokenError, read_lines, read_rgb
from training.datasets.problems import Problems
from training.people_engine import add_arguments, engine_of
from training.photos import DataError


def listed(found: Iterable[AnnotatedPicture], path: Path) -> Iterator[AnnotatedPicture]:
    """The pictures that a list names, an id or a file name a line (minival)."""
    wanted = {line for _, line in read_lines(path)}
    return (r for r in found if wanted & {str(r.image_id), r.name, Path(r.name).stem})


def complete(a: Annotation, record: AnnotatedPicture) -> Annotation:
    """An annotation with everything that pycocotools reads.

    Raises:
        BrokenError: it contradicts itself, or what it holds is broken.
    """
    person, shape = annotated(a), outline(a.get("segmentation") or [], record.size)
    region = encoded(shape, record.size)
    table = np.column_stack((person.xy, person.visible)).astype(float)
    box = a.get("bbox") or rle.toBbox(region).tolist()
    return {
        "image_id": record.image_id, "category_id": 1, "iscrowd": int(person.crowd), "bbox": box,
        "area": float(a.get("area") or rle.area(region)), "segmentation": region,
        "keypoints": table.ravel().tolist(), "num_keypoints": int((person.visible > 0).sum()),
    }  # fmt: skip


def found_in(engine: Engine, record: AnnotatedPicture) -> tuple[AnnotatedPicture, list[Row]]:
    """A picture with complete annotations, and everybody found in it.

    Raises:
        BrokenError: it cannot be read at the size it is said to have, or has no result.
    """
    whole = replace(record, annotations=tuple(complete(a, record) for a in record.annotations))
    image = read_rgb(record.picture)
    if (seen := image.shape[1::-1]) != record.size:
        raise BrokenError(f"the picture has {seen[0]}x{seen[1]} px, its annotations {record.size}")
    try:
        people = engine.parse(Frame(image, 0, 0.0, 0.0)).people
    except NoResultError as e:
        raise BrokenError(str(e)) from e
    return whole, [result(p, record.image_id, record.size) for p in people]


def scored(pictures: Sequence[AnnotatedPicture], rows: Sequence[Row], most: int) -> dict[str, Any]:
    """Figures of keypoints and masks.

    Raises:
        DataError: there is no picture, or nobody is annotated, as in a test set.
    """
    if not pictures:
        raise DataError("no picture can be used. What was left out, and why, is said above.")
    people = (a for p in pictures for a in p.annotations)
    coco = data_set({p.image_id: p.size for p in pictures}, people)
    if not coco.anns:
        raise DataError("nobody is annotated in these pictures. Write results for COCO's server with --save.")
    return {kind: Evaluation(coco, rows, kind, most).scores() for kind in KINDS}


def main(argv: list[str] | None = None) -> int:
    """Score a model; 0 done, 1 stopped with a reason or something was left out."""
    p = argparse.ArgumentParser(prog="python -m training.coco_scores", description="People of COCO.")
    add_arguments(p)
    p.add_argument("--coco", type=Path, required=True, help="folder with annotations/ and val2017/")
    p.add_argument("--split", default="val2017", help="as in annotations/person_keypoints_SPLIT.json")
    p.add_argument("--images", type=Path, help="list of the pictures to use, an id or file name a line")
    p.add_argument("--limit", type=int, help="the first pictures only")
    p.add_argument("--save", type=Path, help="file for the results, as COCO's server takes them")
    p.add_argument("--strict", action="store_true", help="refuse what cannot be used instead of skipping it")
    a = p.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    problems = Problems(strict=a.strict)
    try:
        engine = engine_of(a)
        pictures = records(a.coco, a.split, problems)
        chosen = islice(listed(pictures, a.images) if a.images else pictures, a.limit)
        tried = (problems.attempt(p.name, partial(found_in, engine, p)) for p in chosen)
        pairs = [pair for pair in tried if pair is not None]
        rows = [row for _, people in pairs for row in people]
        if a.save is not None:
            write_atomic(a.save, json.dumps(rows).encode(), mode=None)
        used = [record for record, _ in pairs]
        counts = {"model": engine.name, "split": a.split, "pictures": len(used), "left_out": problems.count}
        if a.save is None or any(r.annotations for r in used):
            sys.stdout.write(json.dumps({**counts, **scored(used, rows, a.proposals)}, indent=1) + "\n")
    except (DataError, Refusal, BrokenError, OSError) as e:
        sys.stderr.write(f"{e}\n")
        return 1
    return int(problems.count > 0)


if __name__ == "__main__":
    sys.exit(main())
