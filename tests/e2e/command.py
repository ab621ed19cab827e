"""Running `xfactor` as a user does, for tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
XFACTOR = [sys.executable, "-m", "app"]


def xfactor(*arguments: str | Path, **how: Any) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **how.pop("env", {})}
    run = [*how.pop("before", []), *XFACTOR, *map(str, arguments)]
    return subprocess.run(
        run,
        check=False,
        text=True,
        capture_output=True,
        cwd=how.pop("cwd", ROOT),
        env=env,
        timeout=110,
        **how,
    )


def manifest(out: Path) -> dict[str, dict[str, Any]]:
    """The records of a folder by the input's file name."""
    raw = json.loads((out / "manifest.json").read_text())
    return {Path(record["input"]).name: record for record in raw["inputs"]}


def files(folder: Path) -> dict[str, bytes]:
    """Every result of a folder with its bytes, the manifest (which holds times) left out."""
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != "manifest.json"
    }
