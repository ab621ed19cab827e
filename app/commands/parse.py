"""`xfactor parse`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

from app.batch.item import LoadedModel, loaded
from app.batch.options import ParseJob
from app.batch.run import BatchRun, Workers, claimed
from app.batch.worker_pool import WorkerPool
from app.batch.worker_process import next_worker
from app.download.messages import DownloadLimits
from app.download.sources import DEFAULTS, local_clips
from app.settings import network_threads
from models.labels import PART_SETS
from runtime.engine.letterbox import NetworkSize
from runtime.library.models import find_model
from runtime.output.products import PRODUCTS
from runtime.output.style import DisplayStyle, ViewMode
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


#: Words of `--style`, each with what it changes.
STYLE_WORDS: Final[dict[str, Callable[[str], dict[str, Any]]]] = {
    "view": lambda value: {"view": ViewMode(value)},
    "opacity": lambda value: {"opacity": _share(value)},
    "hide": lambda value: {"hidden": frozenset(map(int, value.split("+")))},
    "contours": lambda _: {"contours": True},
    "no-joints": lambda _: {"joints": False},
    "colour-blind": lambda _: {"colour_blind": True},
}


def _share(text: str) -> float:
    if not 0 <= (share := float(text)) <= 1:
        raise ValueError
    return share


def checked_style(text: str, model: str) -> DisplayStyle | None:
    """The style of overlays, from a list of words; None, the usual one, without any.

    Raises:
        ValueError: a word is none, or its value, or the model has no part of that number.
        Refusal: there is no such model.
    """
    values: dict[str, Any] = {}
    for word in filter(None, text.split(",")):
        key, _, value = word.strip().partition("=")
        try:
            values |= STYLE_WORDS[key](value)
        except (KeyError, ValueError) as e:
            example = "as in view=cut-out,opacity=0.4,hide=3+4, with an opacity from 0 to 1"
            raise ValueError(f"--style takes {', '.join(STYLE_WORDS)}, {example}; not {word[:40]}") from e
    style = DisplayStyle(**values) if values else None
    if style is not None and style.hidden:
        parts = PART_SETS.get(find_model(model).spec.part_set or "")
        last = len(parts.names) if parts is not None else 0
        if not style.hidden <= set(range(1, last + 1)):
            numbers = f"parts from 1 to {last}" if last else "no parts"
            given = "+".join(map(str, sorted(style.hidden)))
            raise ValueError(f"--style hide takes part numbers, and {model} has {numbers}; not {given[:40]}")
    return style


def parse_all(
    sources: Sequence[str],
    out: Path,
    options: dict[str, Any],
    *,
    engine: Literal["local", "ray"] = "local",
    workers: int = 1,
    progress: Style = "rich",
    limits: DownloadLimits = DEFAULTS,
) -> int:
    """Parse everything; links are downloaded first, within `limits`.

    Args:
        sources: Files, folders and links.
        out: Folder of the results.
        options: Of the `ParseJob`.
        engine: Who starts the processes that parse.
        workers: Number of processes that parse; at most one per core.
        progress: Style in which progress is reported.
        limits: Of a download.

    Returns:
        0 when all inputs are parsed, 1 when some are not, 128 + its number when a signal asked to stop
        before; the manifest says which and why.

    Raises:
        Refusal: before anything was parsed.
    """
    job = ParseJob(tuple(sources), out, **options)
    with contextlib.ExitStack() as open_:
        parsers, model = _on_ray(job) if engine == "ray" else _in_pool(job, workers, open_)
        paths, refused = local_clips(sources, limits, progress)
        job = replace(job, sources=tuple(paths), refused=refused, save=tuple(model.save))
        open_.enter_context(claimed(out))
        stop = open_.enter_context(Stop().on_signals())
        reporter = open_.enter_context(closing(ProgressReporter(progress)))
        run = BatchRun(job, stop, model, reporter)
        run.start()
        try:
            return run.all(parsers) and (stop.exit_code or 1)
        except Refusal as e:  # some of the job is done: that is 1, not wrong usage
            reporter.failure(f"xfactor: {e}")
            return 1


def _in_pool(job: ParseJob, count: int, open_: contextlib.ExitStack) -> tuple[Workers, LoadedModel]:
    cores = len(os.sched_getaffinity(0))
    count = max(1, min(count, cores))
    pool = WorkerPool(job, max(1, network_threads() // count), count)
    open_.callback(pool.close)
    return pool, pool.model()


def _on_ray(job: ParseJob) -> tuple[Workers, LoadedModel]:
    from app.batch.ray import on_ray  # noqa: PLC0415 - an extra few have

    workers = on_ray(job)
    next_worker().end()  # the one started early
    return workers, loaded(job, 1)[2]
