"""What the system lacks, and the line that mends it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import PyQt6
import pytest

from app.commands import qt_libraries


def test_nothing_is_missing_where_everything_loads() -> None:
    assert qt_libraries.missing(load=lambda _: object()) == {}


def test_a_library_that_does_not_load_names_its_package() -> None:
    def load(name: str) -> None:
        if "xcb-icccm" in name:
            raise OSError(name)

    assert qt_libraries.missing(load) == {"libxcb-icccm.so.4": "libxcb-icccm4"}
    assert qt_libraries.install_line(["libxcb-icccm4"]).endswith("--no-install-recommends libxcb-icccm4")


def test_the_list_covers_what_qt_links() -> None:
    """Every system library that Qt links is in the list, or comes with one that is."""
    if shutil.which("readelf") is None:
        pytest.skip("needs readelf (package binutils)")
    root = Path(PyQt6.__file__).parent / "Qt6"
    files = [
        root / "plugins/platforms/libqxcb.so",
        *root.glob("lib/libQt6XcbQpa.so.6"),
        root / "lib/libQt6Gui.so.6",
    ]
    needed: set[str] = set()
    for file in files:
        text = subprocess.run(["readelf", "-d", file], capture_output=True, text=True, check=True).stdout
        needed |= {line.split("[")[1].rstrip("]") for line in text.splitlines() if "(NEEDED)" in line}
    own = {p.name for p in root.glob("lib/*")}
    everywhere = (
        "libc.so",
        "libm.so",
        "libstdc++",
        "libgcc_s",
        "libpthread",
        "libdl",
        "librt",
        "ld-linux",
        "libz.so",
    )
    # What the packages in the list depend on.
    along = {
        "libxcb.so.1",
        "libX11.so.6",
        "libxcb-shm.so.0",
        "libxcb-render.so.0",
        "libxcb-util.so.1",
        "libgthread-2.0.so.0",
        "libfreetype.so.6",
    }
    system = {n for n in needed - own if not n.startswith(everywhere)}
    assert system - set(qt_libraries.PACKAGES) - along == set()
    assert len(system) > 10
