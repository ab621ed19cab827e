"""`xfactor models`: list, show, add, remove."""

from __future__ import annotations

import errno
import shutil
import time
from pathlib import Path
from textwrap import indent, wrap
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from runtime.engine.engine import load_engine
from runtime.engine.sessions import NoResultError
from runtime.frames import Frame
from runtime.library.models import (
    CARD,
    MAX_CARD_BYTES,
    NAME,
    Bundle,
    find_model,
    list_models,
    load_bundle,
    put_model,
)
from runtime.model_files.admission import MAX_SUMS_BYTES, SUMS
from runtime.system import paths
from runtime.system.errors import Refusal
from runtime.system.files import entries, read_regular

#: Not there, a link to somewhere else, or no regular file.
LEFT_OUT: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EINVAL}

TITLES, LEAST_WORDS, LONGEST_LINE = (
    17,
    40,
    100_000,
)  # characters of a line: of its title, of what follows, of a file


def list_all() -> None:
    """A line per model: name, parameters, size on disk, time per frame on this machine, licence."""
    table = Table(box=None, pad_edge=False)
    for title, side in (
        ("model", "left"),
        ("parameters", "right"),
        ("on disk", "right"),
        ("720p frame", "right"),
    ):
        table.add_column(title, justify="right" if side == "right" else "left")
    table.add_column("licence")
    for model in list_models():
        cells = (model.name, f"{model.spec.parameters:,}", _megabytes(model.bytes_on_disk), _speed(model))
        table.add_row(*(Text(c) for c in cells), Text(model.spec.licence.partition(";")[0]))
    Console().print(table)
    entries(paths.user_models_dir())  # refused: the table leaves out what nobody may read


def show(name: str) -> None:
    """All metadata of a model, and its path."""
    model = find_model(name)
    spec = model.spec
    trained = "\n".join(f"{t.name} ({t.licence})" for t in spec.training_data) or "it does not say"
    card = model.path / CARD
    lines = {
        "model": model.name,
        "lies in": str(model.path),
        "shipped": "yes" if model.shipped else "no: what it says of itself is a claim",
        "kind": "factored" if spec.factor_stage else "network",
        "parts": spec.part_set or "none",
        "joints": spec.joint_set or "none",
        "input": f"{spec.input_size[1]} x {spec.input_size[0]}, stride {spec.stride}",
        "preprocessing": spec.preprocessing,
        "activation": spec.activation,
        "parameters": f"{spec.parameters:,}",
        "on disk": _megabytes(model.bytes_on_disk),
        "on this machine": _speed(model),
        "licence": spec.licence,
        "trained on": trained,
        **{f"note {i}": n for i, n in enumerate(model.notices, start=1)},
        **({"card": str(card)} if card.is_file() else {}),
    }
    console = Console(highlight=False)
    width = max(LEAST_WORDS, console.width - TITLES) if console.is_terminal else LONGEST_LINE
    for title, value in lines.items():
        rows = [r for line in value.splitlines() for r in wrap(line, width, break_long_words=False)]
        words = indent("\n".join(rows), " " * TITLES)[TITLES:]
        console.print(Text(f"{title:{TITLES}s}{words}"), soft_wrap=True)


def add(folder: Path, name: str) -> None:
    """Copy a model folder into the user's library; it is tried first, in a child process.

    Raises:
        Refusal: it is no model, failed its trial, or the name is taken.
    """
    model = find_model(folder if folder.exists() else str(folder))
    chosen = name or model.name
    target = paths.user_models_dir() / chosen
    if not NAME.fullmatch(chosen):
        raise Refusal(
            f"model name {chosen[:80]!r}", "it cannot be a folder name", "Use letters, digits, - and _"
        )
    if target.exists() or (paths.models_dir() / chosen).exists():
        raise Refusal(f"model {chosen}", "there is one of this name already", "Give another with --name")
    files = {f"{stage}.onnx": data for stage, data in load_bundle(model).items()}
    for extra, limit in ((CARD, MAX_CARD_BYTES), (SUMS, MAX_SUMS_BYTES)):
        try:
            files[extra] = read_regular(model.path / extra, limit, follow=False)
        except OSError as e:
            if e.errno not in LEFT_OUT:
                reason = f"it cannot be read ({e.strerror})"
                raise Refusal(f"{extra} of {model.name}", reason, "Check or delete it") from e
    put_model(target, files)
    Console(highlight=False).print(Text(f"{chosen} is in {target}"), soft_wrap=True)


def remove(name: str) -> None:
    """Delete a model from the user's library.

    Raises:
        Refusal: it is shipped, or there is none.
    """
    target = paths.user_models_dir() / name
    if not NAME.fullmatch(name) or not target.is_dir():
        shipped = (paths.models_dir() / name).is_dir() if NAME.fullmatch(name) else False
        reason = (
            "it is shipped with the program, and shipped models cannot be removed"
            if shipped
            else "your library has none of this name"
        )
        raise Refusal(f"model {name[:80]!r}", reason, "See: xfactor models")
    try:
        shutil.rmtree(target)
    except OSError as e:
        raise Refusal(
            f"model {name}", f"it cannot be deleted ({e.strerror})", f"Delete {target} by hand"
        ) from e
    Console(highlight=False).print(Text(f"{name} is removed"), soft_wrap=True)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"


def _speed(model: Bundle) -> str:
    """Median time of a 1280x720 frame on this machine, with what ran it; or why it does not run."""
    try:
        engine = load_engine(model.path)
        picture = np.full((720, 1280, 3), 127, np.uint8)
        times = []
        for index in range(4):
            started = time.perf_counter()
            engine.parse(Frame(picture, index, index / 30, started))
            times.append(time.perf_counter() - started)
    except (Refusal, NoResultError) as e:
        return f"does not run ({e})"
    return f"{1000 * sorted(times[1:])[1]:.0f} ms on {engine.provider}"
