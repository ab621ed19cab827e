"""`xfactor parse`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from app.batch.options import ParseJob
from app.batch.run import BatchRun, Workers, claimed
from app.download.messages import DownloadLimits
from app.download.sources import DEFAULTS, local_clips
from app.settings import thread_budget
from runtime.engine.letterbox import NetworkSize
from runtime.output.products import PRODUCTS
from runtime.system.disk import CannotWriteError
from runtime.system.errors import Refusal
from runtime.system.reporter import ProgressReporter, Style
from runtime.system.stop_signal import Stop


def checked_saves(text: str) -> tuple[str, ...]:
    """The products of a list, in the table's order.

    Raises:
        ValueError: when a word is unknown or there is none.
    """
    words = [w.strip() for w in text.split(",") if w.strip()]
    unknown = [w for w in words if w not in PRODUCTS]
    if unknown or not words:
        known = ", ".join(PRODUCTS)
        raise ValueError(f"--save takes a list of {known}; not {', '.join(unknown) or 'nothing'}")
    return tuple(s for s in PRODUCTS if s in words)


def checked_size(text: str) -> str:
    """The network's size, known to be one.

    Raises:
        ValueError: when it is none.
    """
    try:
        return str(NetworkSize.parse(text)) if text else ""
    except Refusal as e:
        raise ValueError(str(e)) from e


def parse_all(
    sources: Sequence[str],
    out: Path,
    options: dict[str, Any],
    *,
    engine: Literal["local", "ray"] = "local",
    progress: Style = "rich",
    limits: DownloadLimits = DEFAULTS,
) -> int:
    """Parse everything; links are downloaded first, within `limits`.

    Returns:
        0 when all inputs are parsed, 1 when some are not; the manifest says which and why.

    Raises:
        Refusal: before anything was parsed.
    """
    job = ParseJob(tuple(sources), out, **options)
    loaded = job.load(thread_budget().network)
    job = job.of_model(loaded)
    paths, refused = local_clips(sources, limits, progress)
    job = replace(job, sources=tuple(paths), refused=refused)
    workers: Workers | None = None
    if engine == "ray":
        from app.batch.ray import on_ray  # noqa: PLC0415 - an extra few have

        workers = on_ray(job)
    with claimed(out), Stop().on_signals() as stop, closing(ProgressReporter(progress)) as reporter:
        run = BatchRun(job, stop, loaded, reporter)
        run.start()
        try:
            return run.all(workers)
        except CannotWriteError as e:  # some of the job is done: that is 1, not wrong usage
            reporter.failure(f"xfactor: {e}")
            return 1
