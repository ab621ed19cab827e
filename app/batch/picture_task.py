"""One picture, and the files that many pictures share."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Literal

from app.batch.claims import Claims, OwnFiles, claim_on, claim_on_file, holding, there
from app.batch.clip_task import absence, joints_of, nobody
from app.batch.manifest import Record
from app.batch.options import ParseJob
from app.batch.placement import make_folder, place
from app.batch.plan import Item, clips_only
from runtime.engine.engine import Engine
from runtime.engine.sessions import NoResultError
from runtime.frames import Frame
from runtime.media.images import read_image
from runtime.output.coco import Origin
from runtime.output.products import PRODUCTS, products_in
from runtime.system.disk import cannot_write
from runtime.system.errors import Refusal
from runtime.system.files import write_atomic

#: What one picture adds to the shared files, by product: plain JSON values.
Share = dict[str, Any]


def picture_files(item: Item, job: ParseJob) -> dict[str, str]:
    """The names of one picture's files in the output folder, by product."""
    files = {s: PRODUCTS[s].picture for s in job.save}
    return {s: f"{f.folder}/{item.name}{f.suffix}" for s, f in files.items() if f is not None}


def files_complete(item: Item, job: ParseJob) -> bool:
    """True when all files of a picture are there as they were written."""
    return all(map(item.files(job.out).counted, picture_files(item, job).values()))


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
    own, names, claims = item.files(job.out), picture_files(item, job), dict(item.claims)
    products = products_in(job.style)
    for save, name in names.items():
        picture = products[save].picture
        claims[name] = own.counted(name)
        if picture is not None and not claims[name]:
            data, path = picture.encode(frame.image, result), job.out / name
            place(make_folder(path.parent) / path.name, data)
            claims[name] = claim_on(data)
    own.remove_replaced(claims)
    claims = own.settled(claims)
    origin = Origin(item.file_name, 0, 0.0, item.name, joints_of(engine))
    shared = {s: PRODUCTS[s].shared for s in job.save}
    notices = (f"no {clips_only(job)} of a picture: that is of clips",) if clips_only(job) else ()
    absent = absence(job, engine)
    status: Literal["ok", "partial", "failed"] = "failed" if absent else "partial" if reason else "ok"
    record = Record(
        item.path, "image", item.name, status, absent or reason, notices=notices,
        frames=1, seconds=round(time.monotonic() - started, 3), size=frame.size, files=claims, finished=True,
    )  # fmt: skip
    return record, {s: f.entry(result, origin, frame.size) for s, f in shared.items() if f is not None}


class SharedFiles:
    """coco.json, parts.csv: the files of all pictures in a folder, in the order of the inputs."""

    def __init__(self, job: ParseJob, claims: Claims) -> None:
        """Read what an earlier run left.

        Args:
            job: Whose products they are of.
            claims: On files in the output folder; followed where these files change.

        Raises:
            Refusal: when that cannot be understood; it is not touched.
        """
        shared = {s: PRODUCTS[s].shared for s in job.save}
        self._files = {s: (job.out / f.name, f) for s, f in shared.items() if f is not None}
        self._claims = claims
        #: The first of the files that somebody else wrote, or changed; empty when there is none.
        self.in_the_way = OwnFiles(job.out, claims, {}).in_the_way(
            there(job.out, [p.name for p, _ in self._files.values()]), resume=job.resume
        )
        self.shares: dict[str, Share] = {} if self.in_the_way else self._read()
        self._changed = self._begun = False

    def has(self, item: Item) -> bool:
        """True when a picture needs no more work for these files."""
        return self._files.keys() <= self.shares.get(item.name, {}).keys()

    def claim(self) -> None:
        """Claim the names, which are about to be written."""
        self._begun = True
        self._claims.update((path.name, "") for path, _ in self._files.values())

    def settle(self) -> None:
        """Claim the files as they are, when their names were."""
        for path, _ in self._files.values() if self._begun else ():
            self._claims[path.name] = claim_on_file(path)
            if not self._claims[path.name]:
                del self._claims[path.name]

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
                text = file.joined(share[save] for share in shares if save in share)
                write_atomic(path, text.encode(), mode=0o644)
            except OSError as e:
                raise cannot_write(path, e) from e
        self._changed = False

    def _read(self) -> dict[str, Share]:
        """Shares by name of the results, of the files that are as they were written."""
        shares: dict[str, Share] = {}
        for save, (path, file) in self._files.items():
            if not holding(self._claims, path.parent, path.name):
                continue
            try:
                for name, entry in file.split(path.read_text("utf-8")).items():
                    shares.setdefault(name, {})[save] = entry
            except (OSError, ValueError, KeyError, TypeError, StopIteration) as e:
                reason = f"{path.name} there was not made by this version ({e})"
                raise Refusal(str(path.parent), reason, "Choose another --out") from e
        return shares
