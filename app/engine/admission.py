"""Whether bytes may be loaded into this process (probe comes next)."""

from __future__ import annotations


def admit(name: str, data: dict[str, bytes]) -> None:
    """Let through."""
