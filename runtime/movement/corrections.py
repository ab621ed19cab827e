"""Corrections of a clip: where the user exchanged left and right, a small file found by its content."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from runtime.movement.sides import SideSwap, limbs_of
from runtime.movement.sightings import Landmarks
from runtime.system import paths
from runtime.system.errors import Refusal
from runtime.system.files import make_private_dir, write_atomic

READ_BYTES = 1 << 20  #: of a clip, that tell it from others together with its size
MOST = 10_000


def corrections_path(clip: Path) -> Path:
    """Path of a clip's file; the clip may be moved and renamed.

    Raises:
        OSError: the clip cannot be read.
    """
    with clip.open("rb") as file:
        content = hashlib.sha256(file.read(READ_BYTES))
    content.update(str(clip.stat().st_size).encode())
    return paths.user_data_dir() / "clips" / f"{content.hexdigest()[:32]}.json"


def load_corrections(clip: Path) -> tuple[SideSwap, ...]:
    """Corrections of a clip; none where the file is missing or damaged."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        rows = json.loads(corrections_path(clip).read_text("utf-8"))["sides"][:MOST]
        found = tuple(SideSwap(int(r["frame"]), str(r["limbs"])) for r in rows)
        if {s.limbs for s in found} <= set(limbs_of(Landmarks())):
            return found
    return ()


def save_corrections(clip: Path, corrections: tuple[SideSwap, ...]) -> None:
    """Write them; without any the file goes.

    Raises:
        Refusal: it cannot be written.
    """
    try:
        path = corrections_path(clip)
        if not corrections:
            path.unlink(missing_ok=True)
            return
        make_private_dir(path.parent)
        write_atomic(
            path, json.dumps({"clip": clip.name, "sides": [asdict(c) for c in corrections]}).encode()
        )
    except OSError as e:
        reason = f"corrections of its sides cannot be kept ({e.strerror or e})"
        raise Refusal(clip.name, reason, "Free space, or set XFACTOR_HOME") from e
