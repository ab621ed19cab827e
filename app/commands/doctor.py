"""`xfactor doctor`: what is here, what really works, the line that mends the rest. Needs no Qt, no camera."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.commands import qt_libraries
from app.commands.leftovers import leftovers
from runtime.system import paths
from runtime.system.errors import Refusal
from runtime.system.installation import DISTRIBUTION, install_extra, pip

REQUIRED: Final = (
    "numpy",
    "opencv-python-headless",
    "av",
    "PyQt6",
    "PyQt6-Qt6",
    "PyMaxflow",
)
OPTIONAL: Final = (
    "onnxruntime",
    "onnxruntime-gpu",
    "torch",
    "onnx",
    "yt-dlp",
    "yt-dlp-ejs",
    "ray",
)
DECODERS: Final = ("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mjpeg", "prores")
QT_PROBE: Final = "from PyQt6.QtGui import QGuiApplication; print(QGuiApplication([]).platformName())"
ENCODERS: Final = ("libx264", "libvpx-vp9", "prores_ks", "png")


SHOWN: Final = 20  #: leftovers that are listed
NO_DISPLAY: Final = "none here: `xfactor parse` works, the window cannot open"


@dataclass(frozen=True)
class Finding:
    """One line of the report. A remedy makes it a problem."""

    section: str
    name: str
    value: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Every finding, in the order of the report. A check that fails is itself a finding."""
    findings: list[Finding] = []
    for section, check in CHECKS.items():
        try:
            findings += check()
        except Exception as e:  # noqa: BLE001 a broken installation raises anything, and is what we are here to tell
            findings.append(
                Finding(section, "check", f"failed: {type(e).__name__}: {e}", "Install xfactor again")
            )
    return findings


def clean_up() -> int:
    """Delete what runs that were broken off have left, and print what was deleted.

    Returns:
        Exit code: 0 when all of it is gone, else 1.
    """
    console, failed = Console(highlight=False), 0
    for leftover in (found := leftovers()):
        try:
            leftover.delete()
            line = f"deleted: {leftover}"
        except (OSError, Refusal) as e:
            line, failed = f"not deleted: {leftover}: {e}", 1
        console.print(Text(line), soft_wrap=True)
    if not found:
        console.print("There is nothing to delete.")
    return failed


def doctor(*, as_json: bool = False) -> int:
    """Print the report.

    Returns:
        Exit code: 0 when nothing needs mending, else 1.
    """
    findings = examine()
    if as_json:
        print(json.dumps([asdict(f) for f in findings], indent=2))  # noqa: T201 the command's output
    else:
        _print(findings, Console())
    return int(any(f.remedy for f in findings))


def _print(findings: list[Finding], console: Console) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    section = ""
    for finding in findings:
        if finding.section != section:
            section = finding.section
            table.add_row(Text(section, style="bold"), "")
        style = "red" if finding.remedy else ""
        table.add_row(Text(f"  {finding.name}"), Text(finding.value, style=style))
    console.print(table)
    problems = [f for f in findings if f.remedy]
    if not problems and any(f.value == NO_DISPLAY for f in findings):
        console.print("\nThe command works; the window cannot open here (no display).", style="yellow")
    elif not problems:
        console.print("\nEverything the program needs works.", style="green")
    for problem in problems:
        # Not through the table: the remedy must stay in one piece, to be copied.
        console.print(Text(f"\n{problem.name}: {problem.value}", style="red"))
        console.print(Text(f"  {problem.remedy}"), soft_wrap=True)


def _machine() -> Iterator[Finding]:
    here = "Machine"
    yield Finding(here, "system", f"{platform.system()} {platform.release()}, {_distribution()}")
    cores = len(os.sched_getaffinity(0))
    yield Finding(
        here, "processor", f"{processor()}, {cores} core{'s' if cores > 1 else ''} for this program"
    )
    yield Finding(here, "Python", f"{platform.python_version()} at {sys.executable}")


def _packages() -> Iterator[Finding]:
    here = "Packages"
    yield Finding(here, DISTRIBUTION, _version(DISTRIBUTION) or "from a checkout, not installed")
    found = {name: _version(name) for name in (*REQUIRED, *OPTIONAL)}
    for name, version in found.items():
        if version or name in REQUIRED:
            yield Finding(here, name, version or "not installed", "" if version else pip("install", name))
    if found["onnxruntime"] and found["onnxruntime-gpu"]:
        remedy = f"{pip('uninstall', '-y', 'onnxruntime', 'onnxruntime-gpu')} && {install_extra('cpu')}"
        yield Finding(here, "ONNX Runtime", "two builds in one environment destroy each other", remedy)
    elif not found["onnxruntime"] and not found["onnxruntime-gpu"]:
        yield Finding(
            here, "ONNX Runtime", "not installed", f"{install_extra('cpu')}, or {install_extra('gpu')}"
        )
    if found["yt-dlp"]:
        yield Finding(here, "deno", shutil.which("deno") or "not found: YouTube hands out little without it")
    for other in ("opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless"):
        if _version(other):
            again = pip("install", "--force-reinstall", "opencv-python-headless")
            remedy = f"{pip('uninstall', '-y', other)} && {again}"
            yield Finding(here, other, "overwrites opencv-python-headless", remedy)


def _hardware() -> Iterator[Finding]:
    from runtime.engine.engine import load_engine  # noqa: PLC0415 a broken runtime must not stop the other checks
    from runtime.engine.onnx import ort  # noqa: PLC0415
    from runtime.engine.providers import why_not_cuda  # noqa: PLC0415 likewise

    here = "Network"
    yield Finding(here, "ONNX Runtime", f"{ort.__version__}, telemetry off")
    yield Finding(here, "CUDA", why_not_cuda() or "a test network ran on it")
    started = time.perf_counter()
    engine = load_engine(paths.models_dir() / "factored-s31")
    loaded_ms = 1000 * (time.perf_counter() - started)
    frame_ms = _frame_ms(engine.parse)
    yield Finding(
        here,
        engine.name,
        f"ran on {engine.provider}: {frame_ms:.0f} ms a frame, loaded in {loaded_ms:.0f} ms",
    )


def _frame_ms(parse: Callable[..., object]) -> float:
    import numpy as np  # noqa: PLC0415

    from runtime.frames import Frame  # noqa: PLC0415

    picture = np.full((720, 1280, 3), 127, np.uint8)
    times = []
    for index in range(4):
        started = time.perf_counter()
        parse(Frame(picture, index, index / 30, time.monotonic()))
        times.append(1000 * (time.perf_counter() - started))
    return sorted(times[1:])[1]


def _video() -> Iterator[Finding]:
    import av  # noqa: PLC0415
    import av.codec  # noqa: PLC0415

    here = "Video"
    version = ".".join(str(n) for n in av.library_versions["libavcodec"])
    yield Finding(here, "FFmpeg", f"libavcodec {version}, inside PyAV {av.__version__}")
    for what, mode, names in (("reads", "r", DECODERS), ("writes", "w", ENCODERS)):
        absent = [name for name in names if not _has_codec(name, mode)]
        present = ", ".join(n for n in names if n not in absent)
        again = pip("install", "--force-reinstall", "--only-binary", "av", "av")
        remedy = again if {"h264", "libx264"} & set(absent) else ""
        yield Finding(here, what, present + (f" (not {', '.join(absent)})" if absent else ""), remedy)


def _has_codec(name: str, mode: str) -> bool:
    import av.codec  # noqa: PLC0415

    try:
        av.codec.Codec(name, "w" if mode == "w" else "r")
    except ValueError:  # av.codec.codec.UnknownCodecError
        return False
    return True


def _cameras() -> Iterator[Finding]:
    from runtime.media.cameras import list_cameras  # noqa: PLC0415

    cameras = list_cameras()
    for number, camera in enumerate(cameras):
        yield Finding("Cameras", str(number), str(camera))
    if not cameras:
        yield Finding("Cameras", "none", "no camera is connected (clips and pictures need none)")


def _window() -> Iterator[Finding]:
    here = "Window"
    display = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
    yield Finding(here, "display", display or NO_DISPLAY)
    missing = qt_libraries.missing()
    if missing:
        line = qt_libraries.install_line(list(missing.values()))
        yield Finding(here, "system libraries", f"missing: {', '.join(missing)}", line)
    else:
        yield Finding(here, "system libraries", "all that Qt needs")
    yield _start_qt("" if display else "offscreen")


def _start_qt(platform: str) -> Finding:
    """Start Qt in a process of its own: where it cannot start, it aborts."""
    environment = {**os.environ, **({"QT_QPA_PLATFORM": platform} if platform else {})}
    try:
        done = subprocess.run(
            [sys.executable, "-c", QT_PROBE],
            env=environment,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Finding(
            "Window", "Qt", "does not start within 20 s", "Try another display, or QT_QPA_PLATFORM=xcb"
        )
    if done.returncode == 0:
        return Finding("Window", "Qt", f"starts ({done.stdout.strip()})")
    said = [line for line in done.stderr.splitlines() if line.strip()]
    reason = said[-1].strip() if said else f"ended with {done.returncode}"
    again = pip("install", "--force-reinstall", "PyQt6>=6.7,<6.12")
    return Finding("Window", "Qt", f"does not start: {reason}", again)


def _folders() -> Iterator[Finding]:
    folders = {
        "settings": paths.user_config_dir(),
        "factors": paths.user_factors_dir(),
        "logs": paths.user_log_dir(),
    }
    for name, folder in folders.items():
        writable = os.access(_existing(folder), os.W_OK)
        remedy = "" if writable else "Set XFACTOR_HOME to a folder that you can write"
        yield Finding("Folders", name, f"{folder}{'' if writable else ' cannot be written'}", remedy)
    left = []
    with suppress(Refusal):  # a folder that cannot be read is told above
        left = leftovers()
    if left:
        size_mb = sum(x.size_bytes for x in left) / 1e6
        words = f"{len(left)} of runs that were broken off, {size_mb:.0f} MB; `xfactor doctor --clean`"
        yield Finding("Folders", "leftovers", f"{words} deletes them")
        yield from (Finding("Folders", "", str(x)) for x in left[:SHOWN])
    free_gb = shutil.disk_usage(_existing(paths.user_data_dir())).free / 1e9
    yield Finding("Folders", "free space", f"{free_gb:.1f} GB", "Free some space" if free_gb < 0.2 else "")


CHECKS: Final[dict[str, Callable[[], Iterator[Finding]]]] = {
    "Machine": _machine,
    "Packages": _packages,
    "Network": _hardware,
    "Video": _video,
    "Cameras": _cameras,
    "Window": _window,
    "Folders": _folders,
}


def _existing(folder: Path) -> Path:
    return next(p for p in (folder, *folder.parents) if os.access(p, os.F_OK))


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "unknown distribution")
    except OSError:
        return "unknown distribution"


def processor() -> str:
    """The processor's name, and whether it is a virtual machine's."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    name = named.get("model name") or platform.machine()
    return f"{name} (virtual machine)" if "hypervisor" in named.get("flags", "").split() else name
