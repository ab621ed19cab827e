"""One picture, and the files that many pictures share."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.batch.clip_task import nobody
from app.batch.manifest import Record
from app.batch.options import Job
from app.batch.placement import make_folder, place, whole_png
from app.batch.plan import Item
from app.batch.result_files import INFO, compact
from runtime.engine.engine import Engine
from runtime.engine.sessions import NoResultError
from runtime.frames import Frame
from runtime.media.images import read_image
from runtime.output import coco, overlay, parts_csv
from runtime.output.label_png import cutout_png, label_png, silhouette_png
from runtime.system.disk import cannot_write
from runtime.system.errors import Refusal
from runtime.system.files import write_atomic

_SUFFIX = {"labels": ".png", "silhouettes": ".png", "overlay": ".jpg", "alpha": ".png"}
_FOLDER = {"labels": "labels", "silhouettes": "silhouettes", "overlay": "overlay", "alpha": "cutout"}
_JPEG_QUALITY = 92


@dataclass(frozen=True)
class Share:
    """What one picture adds to the shared files."""

    image: dict[str, Any]  #: COCO record without its id
    annotations: list[dict[str, Any]]  #: COCO annotations without ids
    rows: str  #: lines of the table


def picture_files(item: Item, job: Job) -> dict[str, Path]:
    """The files of one picture by what they show."""
    return {s: job.out / _FOLDER[s] / f"{item.name}{_SUFFIX[s]}" for s in job.save if s in _SUFFIX}


def files_complete(item: Item, job: Job) -> bool:
    """Whether all files of a picture are there."""
    return all(_whole(path) for path in picture_files(item, job).values())


def parse_picture(item: Item, job: Job, engine: Engine) -> tuple[Record, Share]:
    """Parse a picture and write the files of it that are missing.

    Raises:
        Refusal: the picture cannot be read, or the results cannot be written.
    """
    started = time.monotonic()
    frame = Frame(read_image(item.path), 0, 0.0, started)
    engine = job.engine_for(engine, item.name, clip=False)
    reason = ""
    try:
        parsing = engine.parse(frame).parsing or nobody(engine, frame)
    except NoResultError as e:
        parsing, reason = nobody(engine, frame), f"no result, left empty ({e})"
    for save, path in picture_files(item, job).items():
        if job.resume and _whole(path):
            continue
        make_folder(path.parent)
        match save:
            case "labels":
                place(path, label_png(parsing))
            case "silhouettes":
                place(path, silhouette_png(parsing))
            case "overlay":
                place(path, _jpeg(overlay.overlay(frame.image, parsing)))
            case _:
                place(path, cutout_png(overlay.cutout(frame.image, parsing)))
    where = coco.Place(item.file_name, 0, 0.0, item.name)
    regions = coco.annotate(parsing, 0) if "coco" in job.save else []
    rows = parts_csv.rows(parsing, where) if "csv" in job.save else ""
    record = Record(
        item.path, "image", item.name, "partial" if reason else "ok", reason,
        frames=1, seconds=round(time.monotonic() - started, 3), size=frame.size, finished=True,
    )  # fmt: skip
    return record, Share(coco.image_record(0, where, frame.size), regions, rows)


def _whole(path: Path) -> bool:
    if path.suffix == ".png":
        return whole_png(path)
    try:
        return path.read_bytes().endswith(b"\xff\xd9")  # the end mark of a JPEG
    except OSError:
        return False


def _jpeg(image: NDArray[np.uint8]) -> bytes:
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    ok, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not ok:
        raise Refusal(
            "overlay", f"a picture of {image.shape[1]} x {image.shape[0]} is no JPEG", "Leave it out"
        )
    return data.tobytes()


class SharedFiles:
    """coco.json and parts.csv of all pictures in a folder, in the order of the inputs."""

    def __init__(self, job: Job) -> None:
        """Read what an earlier run left, when it is to be resumed.

        Raises:
            Refusal: when that cannot be understood; it is not touched.
        """
        self._coco = job.out / "coco.json" if "coco" in job.save else None
        self._table = job.out / "parts.csv" if "csv" in job.save else None
        self.shares: dict[str, Share] = {}
        self._changed = False
        if job.resume:
            self.shares = _read(self._coco, self._table)

    def has(self, item: Item) -> bool:
        """Whether a picture needs no more work for these files."""
        return (self._coco is None and self._table is None) or item.name in self.shares

    def add(self, item: Item, share: Share) -> None:
        """Take a picture in."""
        self.shares[item.name] = share
        self._changed = True

    def write(self, order: Iterable[Item]) -> None:
        """Write both files; pictures of earlier runs that are not in `order` keep their place at the front.

        Raises:
            CannotWriteError: the old files are as they were.
        """
        if not self._changed:
            return
        names = list(dict.fromkeys(i.name for i in order if i.name in self.shares))
        shares = [self.shares[n] for n in (*(n for n in self.shares if n not in set(names)), *names)]
        for path, text in ((self._coco, _coco_text), (self._table, _table_text)):
            if path is not None:
                try:
                    write_atomic(path, text(shares).encode(), mode=0o644)
                except OSError as e:
                    raise cannot_write(path, e) from e
        self._changed = False


def _coco_text(shares: list[Share]) -> str:
    images = [{**share.image, "id": n} for n, share in enumerate(shares, start=1)]
    found = [{**a, "image_id": n} for n, share in enumerate(shares, start=1) for a in share.annotations]
    numbered = [{"id": n, **a} for n, a in enumerate(found, start=1)]
    lists = {"annotations": numbered, "images": images, "categories": coco.CATEGORIES}
    parts = [f'"info":{compact(INFO)}']
    for key, values in lists.items():
        body = ",\n".join(compact(v) for v in values)
        parts.append(f'"{key}":[\n{body}]')
    return "{" + ",\n".join(parts) + "}\n"


def _table_text(shares: list[Share]) -> str:
    return parts_csv.header() + "".join(share.rows for share in shares)


def _lines(table_file: Path) -> list[str]:
    """The lines of a table below its header."""
    first, *lines = table_file.read_text("utf-8").splitlines(keepends=True)
    if first != parts_csv.header():
        raise ValueError("parts.csv has other columns")
    return lines


def _read(coco_file: Path | None, table_file: Path | None) -> dict[str, Share]:
    """Shares by name of the results; a picture counts only when every file that is kept has it."""
    images: dict[str, Any] = {}
    regions: dict[str, list[dict[str, Any]]] = {}
    rows: dict[str, list[str]] = {}
    try:
        if coco_file is not None and coco_file.exists():
            raw = json.loads(coco_file.read_text("utf-8"))
            names = {i["id"]: i["output"] for i in raw["images"]}
            images = {i["output"]: i for i in raw["images"]}
            for a in raw["annotations"]:
                own = {k: v for k, v in a.items() if k not in ("id", "image_id")}
                regions.setdefault(names[a["image_id"]], []).append(own)
        if table_file is not None and table_file.exists():
            for line in _lines(table_file):
                rows.setdefault(next(csv.reader(io.StringIO(line)))[-1], []).append(line)
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as e:
        reason = f"coco.json or parts.csv there was not made by this version ({e})"
        raise Refusal(str((coco_file or table_file or Path()).parent), reason, "Choose another --out") from e
    known = set(images) if table_file is None else set(rows) if coco_file is None else set(images) & set(rows)
    ordered = [n for n in (images or rows) if n in known]
    return {n: Share(images.get(n, {}), regions.get(n, []), "".join(rows.get(n, []))) for n in ordered}
