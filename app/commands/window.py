"""`xfactor [SOURCE]`: the window, or the reason why there is none."""

from __future__ import annotations

import os
import sys

from app.errors import Refusal
from app.libraries import install_line, missing


def open_window(source: str | None) -> int:
    """Open the window and stay until it is closed.

    Returns:
        Exit code.

    Raises:
        Refusal: without a display, or without what Qt needs.
    """
    shown = (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("QT_QPA_PLATFORM")
    )
    if sys.platform.startswith("linux") and not shown:
        remedy = "Start it in a desktop session, or use: xfactor parse CLIP --out DIR"
        raise Refusal("window", "there is no display", remedy)
    try:
        from app.desktop import run  # noqa: PLC0415 - the only place of the command that loads Qt
    except ImportError as e:
        packages = sorted(set(missing().values()))
        remedy = f"Install: {install_line(packages)}" if packages else "Run: xfactor doctor"
        raise Refusal("window", f"Qt cannot be loaded ({e})", remedy) from e
    return run(source)
