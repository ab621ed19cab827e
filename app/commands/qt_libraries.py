"""Which system libraries Qt needs, which of them are missing here, and the line that installs them.

Standard library only: it must run where nothing else does.
`python -m app.commands.qt_libraries` prints the packages.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Final

#: What Qt loads → the Debian package that has it. Qt's own message names xcb-cursor, whichever is missing.
PACKAGES: Final = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}


def missing(load: Callable[[str], object] = ctypes.CDLL) -> dict[str, str]:
    """Library → package, for every one that cannot be loaded."""
    absent = {}
    for library, package in PACKAGES.items():
        try:
            load(library)
        except OSError:
            absent[library] = package
    return absent


def install_line(packages: list[str]) -> str:
    """The command a Debian or Ubuntu user types."""
    return f"sudo apt-get install -y --no-install-recommends {' '.join(packages)}"


if __name__ == "__main__":
    sys.stdout.write(" ".join(missing().values()) + "\n")
