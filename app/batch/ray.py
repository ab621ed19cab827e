"""Ray as the workers: one process per core of this machine, one input at a time each.

Ray is asked for as little as it can do: it starts a cluster of its own on this machine and never joins
another, opens no dashboard, reports nothing, and does not repeat a task that died, for an input that kills a
process once would kill the next one, too.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from app.batch.clip_task import Report
from app.batch.item import loaded, stamp, work
from app.batch.manifest import Record
from app.batch.options import ParseJob
from app.batch.picture_task import Share
from app.batch.plan import Item
from app.batch.run import BatchReport, Outcome, Workers
from runtime.engine.engine import Engine
from runtime.system.errors import Refusal
from runtime.system.installation import install_extra
from runtime.system.processes import environment

_QUIET: Final = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DISABLE_IMPORT_WARNING": "1"}
_ALONE: Final = {
    "address": "local",
    "_node_ip_address": "127.0.0.1",  # it talks by sockets; nobody else shall
    "include_dashboard": False,
    "log_to_driver": False,
    "configure_logging": False,
}
_POLL_S: Final = 0.5  # how soon a Ctrl-C is heeded
_engines: dict[str, tuple[ParseJob, Engine]] = {}  # one per worker process


def on_ray(job: ParseJob) -> Workers:
    """Workers that run on Ray.

    Raises:
        Refusal: Ray is not installed.
    """
    if importlib.util.find_spec("ray") is None:
        remedy = f"Install it with: {install_extra('cluster')}"
        raise Refusal("engine ray", "Ray is not installed", remedy)

    def workers(items: Sequence[Item], report: BatchReport) -> Iterator[Outcome]:
        os.environ.update({**environment(), **_QUIET})
        ray: Any = importlib.import_module("ray")  # loaded only here: the window's process must never see it
        # Ray opens its own folder to everybody, so it gets one inside a private folder.
        with tempfile.TemporaryDirectory(prefix="xf-", ignore_cleanup_errors=True) as private:
            ray.init(_temp_dir=f"{private}/ray", **_ALONE)
            try:
                task = ray.remote(num_cpus=1, max_retries=0)(_task)
                running: dict[object, Item] = {}
                waiting = deque(items)
                cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
                while (running or waiting) and not report.stopped():
                    while waiting and len(running) < cores:
                        item = waiting.popleft()
                        report.begin(item)
                        running[task.remote(job.to_json(), asdict(item))] = item
                    done, _ = ray.wait(list(running), num_returns=1, timeout=_POLL_S)
                    for reference in done:
                        item = running.pop(reference)
                        yield item, *_outcome(ray, reference, item)
            finally:
                ray.shutdown()

    return workers


def _outcome(ray: Any, reference: object, item: Item) -> tuple[Record, Share | None]:  # noqa: ANN401 - untyped
    try:
        record, share = ray.get(reference)
    except Exception as e:  # noqa: BLE001 - a process that died must not cost the other inputs
        reason = f"{item.shown}: its process died ({type(e).__name__})"
        return Record(**{**asdict(stamp(item)), "reason": reason}), None
    return Record.from_json(record), share


def _task(raw_job: dict[str, Any], raw_item: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """In a worker process: plain values in, plain values out."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    job = ParseJob.from_json(raw_job)
    key = repr(sorted(raw_job.items()))
    if key not in _engines:
        _engines[key] = loaded(job, 1)[:2]
    job, engine = _engines[key]
    record, share = work(Item(**raw_item), job, engine, Report(_ignore, _ignore, lambda: False))
    return asdict(record), share


def _ignore(_frames: int) -> None:
    """Progress stays in the worker."""
