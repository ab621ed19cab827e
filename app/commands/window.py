"""`xfactor [SOURCE]`: the window, or the reason why there is none."""

from __future__ import annotations

import os
import re
import sys

from app.commands.qt_libraries import install_line, missing
from runtime.system.errors import Refusal


def check_word(word: str) -> None:
    """Refuse a first word that is nothing the window could open: most often a mistyped command.

    Raises:
        Refusal: it is no path, camera or link.
    """
    if re.fullmatch(r"\d{1,3}|/dev/video\d{1,3}|[A-Za-z][A-Za-z0-9+.-]+:.*", word) or os.path.lexists(word):
        return
    from runtime.media.cameras import list_cameras  # noqa: PLC0415 - loads OpenCV, for a rare question

    if word.casefold() not in {camera.name.casefold() for camera in list_cameras()}:
        raise Refusal(word[:80], "no such command, file or camera", "See: xfactor --help")


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
        from app.controllers.session import run  # noqa: PLC0415 - the only place of the command that loads Qt
    except ImportError as e:
        packages = sorted(set(missing().values()))
        remedy = f"Install: {install_line(packages)}" if packages else "Run: xfactor doctor"
        raise Refusal("window", f"Qt cannot be loaded ({e})", remedy) from e
    return run(source)
