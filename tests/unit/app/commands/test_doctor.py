"""The report of `xfactor doctor`: true, complete, and there even when something is broken."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import onnxruntime
import pytest
from rich.console import Console

from app.commands import doctor, qt_libraries
from app.commands.doctor import Finding
from runtime.media.cameras import list_cameras


def named(findings: list[Finding], section: str) -> dict[str, Finding]:
    return {f.name: f for f in findings if f.section == section}


@pytest.fixture(scope="module")
def report() -> list[Finding]:
    return doctor.examine()


@pytest.mark.onnx
def test_the_provider_named_is_one_that_ran(report: list[Finding]) -> None:
    network = named(report, "Network")
    assert network["factored-s31"].value.startswith(("ran on CPU", "ran on CUDA"))
    assert "ms a frame" in network["factored-s31"].value


def test_every_section_is_there(report: list[Finding]) -> None:
    assert {f.section for f in report} == set(doctor.CHECKS)
    assert not [f for f in report if f.name == "check"], "a check failed"


def test_each_section_says_what_is_so(report: list[Finding]) -> None:
    said = {
        section: {name: f.value for name, f in named(report, section).items()} for section in doctor.CHECKS
    }
    machine, folders, cores = said["Machine"], said["Folders"], len(os.sched_getaffinity(0))
    assert machine["system"].startswith(f"{platform.system()} {platform.release()}, ")
    assert machine["processor"].endswith(f"{cores} core{'s' if cores > 1 else ''} for this program")
    assert machine["Python"] == f"{platform.python_version()} at {sys.executable}"
    for package in doctor.REQUIRED:
        assert said["Packages"][package] == metadata.version(package)
    assert said["Network"]["ONNX Runtime"].startswith(f"{onnxruntime.__version__}, ")
    assert len(said["Cameras"]) == max(1, len(list_cameras()))
    assert re.fullmatch(r"starts \(\w+\)", said["Window"]["Qt"])
    homes = {Path(folders[name]) for name in ("settings", "factors", "logs")}
    assert len(homes) == 3
    assert all(home.is_absolute() for home in homes)
    free_gb = shutil.disk_usage(Path.home()).free / 1e9
    assert float(folders["free space"].split()[0]) == pytest.approx(free_gb, abs=3)


def test_codecs_are_those_that_exist(report: list[Finding]) -> None:
    video = named(report, "Video")
    assert "h264" in video["reads"].value
    assert "libx264" in video["writes"].value
    assert not doctor._has_codec("no-such-codec", "r")


def test_a_check_that_breaks_is_a_finding_and_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Iterator[Finding]:
        raise ImportError("libcublas.so.13: cannot open shared object file")

    monkeypatch.setitem(doctor.CHECKS, "Network", broken)
    monkeypatch.setattr(doctor, "CHECKS", {k: doctor.CHECKS[k] for k in ("Machine", "Network")})
    findings = doctor.examine()
    assert findings[0].section == "Machine"
    assert findings[-1].remedy
    assert "libcublas" in findings[-1].value


def test_missing_libraries_give_the_line_in_one_piece(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        qt_libraries, "missing", lambda: {"libxcb-icccm.so.4": "libxcb-icccm4", "libEGL.so.1": "libegl1"}
    )
    monkeypatch.setattr(doctor, "CHECKS", {"Window": doctor._window})
    assert doctor.doctor() == 1
    assert "sudo apt-get install -y --no-install-recommends libxcb-icccm4 libegl1" in capsys.readouterr().out


def test_qt_is_really_started(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor._start_qt("offscreen").value == "starts (offscreen)"
    finding = doctor._start_qt("no-such-platform")
    assert finding.remedy
    assert "does not start" in finding.value
    monkeypatch.setattr(doctor, "QT_PROBE", "raise ImportError('libGL.so.1: cannot open shared object file')")
    assert "libGL.so.1" in doctor._start_qt("offscreen").value


def test_two_runtimes_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_version", lambda name: "1.0" if "contrib" not in name else "")
    problems = [f for f in doctor._packages() if f.remedy]
    assert {p.name for p in problems} == {"ONNX Runtime", "opencv-python"}


def test_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(doctor, "CHECKS", {"Machine": doctor._machine})
    assert doctor.doctor(as_json=True) == 0
    assert {f["name"] for f in json.loads(capsys.readouterr().out)} == {"system", "processor", "Python"}


def test_nothing_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(record=True, width=80, file=sys.stderr)
    doctor._print([Finding("Machine", "Python", "3.11")], console)
    assert "Everything the program needs works" in console.export_text()


def test_without_a_display_not_everything_works() -> None:
    console = Console(record=True, width=80, file=sys.stderr)
    doctor._print([Finding("Window", "display", doctor.NO_DISPLAY)], console)
    said = console.export_text()
    assert "The command works; the window cannot open here (no display)." in said
    assert "Everything" not in said
