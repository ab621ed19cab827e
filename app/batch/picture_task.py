"""One picture, and the files that many pictures share."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from app.batch.clip_task import joints_of, nobody
from app.batch.manifest import Record
from app.batch.options import ParseJob
from app.batch.placement import make_folder, place
from app.batch.plan import Item
from runtime.engine.engine import Engine
from runtime.engine.sessions import NoResultError
from runtime.frames import Frame
from runtime.media.images import read_image
from runtime.output.coco import Origin
from runtime.output.products import PRODUCTS, whole
from runtime.system.disk import cannot_write
from runtime.system.errors import Refusal
from runtime.system.files import write_atomic

#: What one picture adds to the shared files, by product: plain JSON values.
Share = dict[str, Any]


def picture_files(item: Item, job: ParseJob) -> dict[str, Path]:
    """The files of one picture by product."""
    files = {s: PRODUCTS[s].picture for s in job.save}
    return {s: job.out / f.folder / f"{item.name}{f.suffix}" for s, f in files.items() if f is not None}


def files_complete(item: Item, job: ParseJob) -> bool:
    """True when all files of a picture are there."""
    return all(map(whole, picture_files(item, job).values()))


def parse_picture(item: Item, job: ParseJob, engine: Engine) -> tuple[Record, Share]:
    """Parse a picture and write the files of it that are missing.

    Raises:
        Refusal: the picture cannot be read, or the results cannot be written.
    """
    started = time.monotonic()
    frame = Frame(read_image(item.path), 0, 0.0, started)
    engine = job.engine_for(engine, item.name, clip=False)
    reason = ""
    try:
        result = engine.parse(frame)
    except NoResultError as e:
        result, reason = nobody(engine, frame), f"no result, left empty ({e})"
    for save, path in picture_files(item, job).items():
        picture = PRODUCTS[save].picture
        if picture is not None and not (job.resume and whole(path)):
            make_folder(path.parent)
            place(path, picture.encode(frame.image, result))
    origin = Origin(item.file_name, 0, 0.0, item.name, joints_of(engine))
    shared = {s: PRODUCTS[s].shared for s in job.save}
    record = Record(
        item.path, "image", item.name, "partial" if reason else "ok", reason,
        frames=1, seconds=round(time.monotonic() - started, 3), size=frame.size, finished=True,
    )  # fmt: skip
    return record, {s: f.entry(result, origin, frame.size) for s, f in shared.items() if f is not None}


class SharedFiles:
    """coco.json, parts.csv: the files of all pictures in a folder, in the order of the inputs."""

    def __init__(self, job: ParseJob) -> None:
        """Read what an earlier run left, when it is to be resumed.

        Raises:
            Refusal: when that cannot be understood; it is not touched.
        """
        shared = {s: PRODUCTS[s].shared for s in job.save}
        self._files = {s: (job.out / f.name, f) for s, f in shared.items() if f is not None}
        self.shares: dict[str, Share] = self._read() if job.resume else {}
        self._changed = False

    def has(self, item: Item) -> bool:
        """True when a picture needs no more work for these files."""
        return not self._files or item.name in self.shares

    def add(self, item: Item, share: Share) -> None:
        """Take a picture in."""
        self.shares[item.name] = share
        self._changed = True

    def write(self, order: Iterable[Item]) -> None:
        """Write the files; pictures of earlier runs that are not in `order` keep their place at the front.

        Raises:
            CannotWriteError: the old files are as they were.
        """
        if not self._changed:
            return
        names = list(dict.fromkeys(i.name for i in order if i.name in self.shares))
        shares = [self.shares[n] for n in (*(n for n in self.shares if n not in set(names)), *names)]
        for save, (path, file) in self._files.items():
            try:
                write_atomic(path, file.joined(share[save] for share in shares).encode(), mode=0o644)
            except OSError as e:
                raise cannot_write(path, e) from e
        self._changed = False

    def _read(self) -> dict[str, Share]:
        """Shares by name of the results; a picture counts only when every file that is kept has it."""
        found: dict[str, dict[str, Any]] = {}
        for save, (path, file) in self._files.items():
            try:
                found[save] = file.split(path.read_text("utf-8")) if path.exists() else {}
            except (OSError, ValueError, KeyError, TypeError, StopIteration) as e:
                reason = f"{path.name} there was not made by this version ({e})"
                raise Refusal(str(path.parent), reason, "Choose another --out") from e
        first = next(iter(found.values()), {})
        known = [n for n in first if all(n in entries for entries in found.values())]
        return {n: {save: entries[n] for save, entries in found.items()} for n in known}
