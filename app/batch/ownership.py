"""Ownership of what lies in the output folder: what an input may replace there, and what is in its way."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.batch.claims import Claims, OwnFiles, claim_on, holding, merged, names_alone, there
from app.batch.manifest import Record
from app.batch.options import ParseJob, of_this_version
from app.batch.plan import Item
from runtime.output.growing_file import unfinished
from runtime.output.products import PRODUCTS
from runtime.system.disk import cannot_write, cannot_write_into
from runtime.system.errors import Refusal
from runtime.system.files import write_atomic


def with_claims(item: Item, record: Record, job: ParseJob, recipe: dict[str, Any], *, same: bool) -> Item:
    """An input with the claims of earlier runs.

    Args:
        item: As planned.
        record: What the manifest says of it.
        job: The results of its products are made again unless it resumes.
        recipe: That decides the results now.
        same: The source is what it was.
    """
    files, replaced = (
        {n: c for n, c in claims.items() if ("/" in n) == (item.kind == "image")}
        for claims in (record.files, record.replaced)
    )
    again = {} if job.resume else _names(item, job)
    counting = {}
    if same and of_this_version(record.model) == recipe:
        counting = {n: c for n, c in files.items() if n not in again}
    others = {n: c for n, c in files.items() if n not in counting}
    return replace(item, claims=counting, replaced=merged(replaced, others))


def unless_blocked(item: Item, job: ParseJob) -> Item:
    """An input, bad where a file that no run wrote lies at the name of a result.

    Raises:
        CannotWriteError: the output folder cannot be read.
    """
    if item.kind == "bad":
        return item
    files = item.files(job.out)
    try:
        name = files.in_the_way(there(files.folder, _names(item, job)), resume=job.resume)
    except OSError as e:
        raise cannot_write_into(job.out, e) from e
    path = files.folder / name
    while name and not os.path.lexists(path):
        path = path.parent  # a file where a folder has to be
    return blocked(item, str(path.relative_to(job.out)) if name else "")


def blocked(item: Item, name: str) -> Item:
    """An input that is bad for a file of this name; as it is, where the name is empty."""
    reason = f"{name} is in the way: no run wrote it, or it was changed since"
    return (
        replace(item, kind="bad", reason=f"{reason}. Move it away, or choose another --out") if name else item
    )


def unless_lost(item: Item, job: ParseJob, earlier: str) -> Item:
    """An input, bad where results of `earlier`, another run, would be deleted and not made again."""
    folder, lost = item.files(job.out).folder, []
    for product in (p for p in PRODUCTS if p not in job.save):
        names = names_alone(item.kind, item.name, (product,))
        results = (item.replaced.keys() & names.keys()) - {str(unfinished(Path(n))) for n in names}
        if any(holding(item.replaced, folder, name) for name in there(folder, results)):
            lost.append(product)
    reason = f"{', '.join(lost)} of {earlier} would be deleted. Choose another --out, or add them to --save"
    return replace(item, kind="bad", reason=reason) if lost else item


def begun(item: Item, record: Record, job: ParseJob) -> Record:
    """A record that claims the names of an input's results before they are written."""
    return replace(record, files={**_names(item, job), **item.claims}, replaced=item.replaced)


def write_own(path: Path, data: bytes, claims: Claims) -> None:
    """Write a file of the whole output folder, and claim it.

    Raises:
        Refusal: somebody else's is there.
        CannotWriteError: it cannot be written.
    """
    try:
        if not path.is_file() or path.read_bytes() != data:
            if OwnFiles(path.parent, claims, {}).in_the_way(there(path.parent, [path.name]), resume=False):
                reason = f"{path.name} is in the way: no run wrote it, or it was changed since"
                raise Refusal(f"output {path.parent}", reason, "Move it away, or choose another --out")
            write_atomic(path, data, mode=0o644)
    except OSError as e:
        raise cannot_write(path, e) from e
    claims[path.name] = claim_on(data)


def _names(item: Item, job: ParseJob) -> Claims:
    return names_alone(item.kind, item.name, job.save, (job.alpha,))
