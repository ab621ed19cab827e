"""Admission of model files: whether their bytes may be loaded into this process.

What is shipped with the program is known by its hash. Everything else is first tried in a child process that
may crash, hang or run out of memory: a 166 kB file can crash the runtime, a 99-byte one can fill the memory.
"""

from __future__ import annotations

import functools
import json
import math
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from runtime.engine.sessions import sha256
from runtime.model_files.probe import further_s
from runtime.system import paths
from runtime.system.errors import Refusal, plain, printable
from runtime.system.files import read_regular
from runtime.system.processes import answer_of

SUMS = "SHA256SUMS"
MAX_SUMS_BYTES = 1 << 20
TRIAL_S = 20.0  # of processor time: what else the machine does is not the model's fault
#: seconds on the clock for each of those, for a trial that waits; one where no processor time is bounded
PATIENCE = 15 if hasattr(signal, "SIGXCPU") else 1
CHILD = ("-m", "runtime.model_files.probe")
_admitted: set[tuple[str, ...]] = set()  # hashes of what passed its trial in this process


def admit(
    name: str,
    stages: Mapping[str, bytes],
    reading: Mapping[str, object] | None = None,
    remedy: str = "use a model made by `xfactor export`",
) -> None:
    """Let stages that follow each other through, or one that is used as a `reading` says, or say why not.

    Raises:
        Refusal: they failed their trial, or could not be tried. The files stay as they are.
    """
    hashes = tuple(f"{stage} {sha256(data)}" for stage, data in stages.items())
    if reading is not None:
        hashes += (f"as {json.dumps(reading)}",)
    known = shipped_hashes(paths.models_dir())
    if hashes in _admitted or all(h.split()[1] in known for h in hashes):
        return
    reason = try_in_child(stages, reading)
    if reason:
        raise Refusal(name, reason, remedy)
    _admitted.add(hashes)


@functools.cache
def shipped_hashes(models: Path) -> frozenset[str]:
    """The SHA-256 of every file shipped in the program's own models."""
    return frozenset(h for sums in models.glob(f"*/{SUMS}") for h in read_sums(sums).values())


def read_sums(sums: Path) -> dict[str, str]:
    """File name → hash of a SHA256SUMS file; empty when there is none.

    Raises:
        Refusal: what is there cannot be read.
    """
    try:
        lines = read_regular(sums, MAX_SUMS_BYTES).decode("utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as e:
        reason = (
            "it is not text" if isinstance(e, UnicodeDecodeError) else f"it cannot be read ({e.strerror})"
        )
        raise Refusal(f"{SUMS} of {printable(sums.parent.name)}", reason, f"check or delete {sums}") from e
    pairs = (line.split(maxsplit=1) for line in lines if len(line) > 66)
    return {name.lstrip("*").strip(): digest.lower() for digest, name in pairs}


def try_in_child(stages: Mapping[str, bytes], reading: Mapping[str, object] | None = None) -> str:
    """Why the stages must not be used; empty when they may."""
    size_bytes = sum(map(len, stages.values()))
    limit_s = math.ceil(TRIAL_S + further_s(size_bytes))
    sizes = {stage: len(data) for stage, data in stages.items()}
    header = json.dumps({"sizes": sizes, "reading": reading, "processor_s": limit_s}) + "\n"
    try:
        child = answer_of(CHILD, (header.encode(), *stages.values()), PATIENCE * limit_s)
    except subprocess.TimeoutExpired:
        return f"it did not finish a test picture in {PATIENCE * limit_s} s"
    except OSError as e:
        return f"it could not be checked ({e.strerror})"
    if PATIENCE > 1 and child.returncode == -signal.SIGXCPU:
        return f"it did not finish a test picture in {limit_s} s of processor time"
    if child.returncode != 0:
        return f"the model is malformed: loading it {_how_it_ended(child.returncode)}"
    try:
        answer = json.loads(child.stdout.splitlines()[-1])  # the runtime may have said something before
    except (ValueError, IndexError):
        return "it could not be checked (the check gave no answer)"
    return plain(str(answer.get("reason", "")))


def _how_it_ended(returncode: int) -> str:
    return "crashed" if returncode < 0 else "ran out of memory or failed"
