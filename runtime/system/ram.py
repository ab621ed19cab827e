"""Memory that the system can still give."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def free_bytes(meminfo: Path = Path("/proc/meminfo")) -> float:
    """Memory that can be taken without swapping; infinite where the system does not say."""
    with suppress(OSError, ValueError, IndexError):
        for line in meminfo.read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return float(line.split()[1]) * 1024
    return float("inf")
