"""One input through the engine: the only function that another process or machine would run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.batch.clip_task import ClipResults, Report, parse_clip
from app.batch.manifest import Record
from app.batch.options import Job
from app.batch.picture_task import Share, parse_picture, picture_files
from app.batch.plan import Item
from runtime.engine.engine import Engine
from runtime.system.disk import CannotWriteError
from runtime.system.errors import Refusal


def work(item: Item, job: Job, engine: Engine, report: Report) -> tuple[Record, Share | None]:
    """Parse an input; whatever is wrong with it is in the record.

    Raises:
        CannotWriteError: the output folder failed; the next input would fail alike.
    """
    share: Share | None = None
    try:
        if item.kind == "clip":
            record = parse_clip(item, job, engine, report)
        elif item.kind == "image":
            record, share = parse_picture(item, job, engine)
        else:
            return replace(stamp(item), reason=item.reason), None
    except CannotWriteError:
        raise
    except Refusal as e:
        return replace(stamp(item), reason=str(e)), None
    except Exception as e:  # noqa: BLE001 - one poisonous input must not cost the other thousand
        return replace(stamp(item), reason=f"{item.shown}: internal error ({type(e).__name__}: {e})"), None
    now = stamp(item)
    record = replace(record, source_bytes=now.source_bytes, source_modified_ns=now.source_modified_ns)
    return replace(record, model=job.recipe(engine, clip=item.kind == "clip"), saved=job.save), share


def forget(item: Item, job: Job) -> None:
    """Remove the results of an input that is not what it was; a resumed run would take them for its own."""
    if item.kind == "clip":
        ClipResults(job.out / item.name, job).clear()
    for path in picture_files(item, job).values() if item.kind == "image" else ():
        path.unlink(missing_ok=True)


def stamp(item: Item) -> Record:
    """A failed record that only says which state of the file it is about."""
    record = Record(item.path, item.kind, item.name, "failed")
    try:
        info = Path(item.path).stat()
    except (OSError, ValueError):
        return record
    return replace(record, source_bytes=info.st_size, source_modified_ns=info.st_mtime_ns)
