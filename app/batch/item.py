"""The task of one input, which another process can run as well."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.batch.clip_task import Report, parse_clip
from app.batch.manifest import Record
from app.batch.options import ParseJob
from app.batch.picture_task import Share, parse_picture
from app.batch.plan import Item
from runtime.engine.engine import Engine
from runtime.engine.letterbox import Letterbox
from runtime.system.disk import CannotWriteError
from runtime.system.errors import Refusal


def work(item: Item, job: ParseJob, engine: Engine, report: Report) -> tuple[Record, Share | None]:
    """Parse an input; whatever is wrong with it is in the record.

    Raises:
        CannotWriteError: the output folder failed; the next input would fail alike.
    """
    share: Share | None = None
    job = replace(job, resume=job.resume and not item.fresh)
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
    model = job.recipe(engine, clip=item.kind == "clip")
    if record.size:
        model["size"] = network_size(engine, record.size)
    return replace(record, model=model, saved=job.save), share


def network_size(engine: Engine, picture: tuple[int, int]) -> str:
    """The network's input, WxH, for a picture of (width, height) px: the engine's size is only its limit."""
    spec = engine.spec
    fitted = Letterbox.fit(picture, engine.size, stride=spec.stride, multiple=spec.size_multiple)
    return "x".join(map(str, fitted.network))


def stamp(item: Item) -> Record:
    """A failed record with the state of the file that it is about."""
    record = Record(item.path, item.kind, item.name, "failed")
    try:
        info = Path(item.path).stat()
    except (OSError, ValueError):
        return record
    return replace(record, source_bytes=info.st_size, source_modified_ns=info.st_mtime_ns)
