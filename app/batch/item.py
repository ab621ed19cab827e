"""The task of one input, which another process can run as well."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.batch.clip_task import Report, parse_clip
from app.batch.manifest import Record
from app.batch.options import ParseJob
from app.batch.picture_task import Share, parse_picture
from app.batch.plan import Item
from runtime.engine.engine import Engine
from runtime.engine.letterbox import Letterbox
from runtime.system.disk import CannotWriteError
from runtime.system.errors import Refusal

log = logging.getLogger("xfactor.batch")


@dataclass(frozen=True)
class LoadedModel:
    """A model as a run knows it that leaves the work to other processes."""

    save: Sequence[str]  #: products that are made of it
    part_set: str | None  #: of its labels, if it gives body parts
    recipes: dict[str, dict[str, Any]]  #: `ParseJob.recipe` of a clip and of an image


def loaded(job: ParseJob, threads: int) -> tuple[ParseJob, Engine, LoadedModel]:
    """The job with the products that are made, its engine, and the engine's description.

    Raises:
        Refusal: model, factor, size, views, device or products cannot be used.
    """
    engine = job.load(threads)
    job = job.of_model(engine)
    recipes = {kind: job.recipe(engine, clip=kind == "clip") for kind in ("clip", "image")}
    return job, engine, LoadedModel(job.save, engine.spec.part_set if engine.part_set else None, recipes)


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
    except MemoryError:
        reason = "there is not enough memory for it. Give it smaller, or save less at once"
        return replace(stamp(item), reason=f"{item.shown}: {reason}"), None
    except Exception as e:  # one poisonous input must not cost the other thousand
        log.exception("parsing %s", item.path)
        error = f"internal error ({type(e).__name__}: {e}); xfactor.log has the details"
        return replace(stamp(item), reason=f"{item.shown}: {error}"), None
    now = stamp(item)
    record = replace(record, source_bytes=now.source_bytes, source_modified_ns=now.source_modified_ns)
    model = job.recipe(engine, clip=item.kind == "clip")
    if record.size:
        model["size"] = network_size(engine, record.size)
    return replace(record, model=model, saved=job.save), share


def network_size(engine: Engine, picture: tuple[int, int]) -> str:
    """The network's input, WxH, for a picture of (width, height) px: the engine's size is only its limit."""
    return "x".join(map(str, Letterbox.of_model(picture, engine.size, engine.spec).network))


def stamp(item: Item) -> Record:
    """A failed record with the state of the file that it is about."""
    record = Record(item.path, item.kind, item.name, "failed")
    try:
        info = Path(item.path).stat()
    except (OSError, ValueError):
        return record
    return replace(record, source_bytes=info.st_size, source_modified_ns=info.st_mtime_ns)
