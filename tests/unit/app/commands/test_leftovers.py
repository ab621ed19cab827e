"""`xfactor doctor --clean`: what broken-off runs have left goes, and nothing else (row H11)."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from app.commands import doctor
from app.commands.leftovers import leftovers
from personalize.client import job_folders
from personalize.job import write_job
from runtime.system import paths
from runtime.system.files import write_atomic
from tests.personalising import job_for

HOURS = 3600.0


def aged(path: Path, hours: float) -> Path:
    """The path, as if nobody had touched it for so long."""
    then = time.time() - hours * HOURS
    for part in (*(path.rglob("*") if path.is_dir() else ()), path):
        os.utime(part, (then, then), follow_symlinks=False)
    return path


def job(name: str, hours: float) -> Path:
    folder = job_folders.new_folder(name)
    write_job(folder, job_for(folder / "clip.mp4"))
    (folder / "frames.bin").write_bytes(b"x" * 2_000_000)
    return aged(folder, hours)


@pytest.fixture
def home(user_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with what its user made, and a folder of temporary files."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    for path in (paths.user_factors_dir(), paths.user_models_dir() / "mine", paths.user_config_dir()):
        path.mkdir(parents=True)
    factor = paths.user_factors_dir() / "ann.factor.onnx"
    shutil.copy(paths.models_dir() / "factored-s31" / "factor.onnx", factor)
    (paths.user_config_dir() / "settings.json").write_text("{}")
    (paths.user_models_dir() / "mine" / "trunk.onnx").write_bytes(b"x")
    (paths.user_data_dir() / "notes.txt").write_text("mine")
    (tmp_path / "tmp" / "xfactor-holiday").mkdir()
    for path in (user_home, tmp_path / "tmp"):
        aged(path, 999)
    return user_home


def everything(*folders: Path) -> set[Path]:
    return {p for folder in folders for p in folder.rglob("*")}


def test_only_what_nobody_uses_is_listed_and_deleted(home: Path, tmp_path: Path) -> None:
    users = everything(home, tmp_path)
    running, young, undecided = job("running", 50), job("young", 0.5), job("undecided", 0.5)
    (undecided / job_folders.LOCK).touch()  # its worker has ended; a window may show the result
    (undecided / job_folders.FACTOR).touch()
    killed = job("killed", 0.0)
    (killed / job_folders.LOCK).touch()  # as a worker leaves it that was killed a moment ago
    with job_folders.claimed(running):
        aged(running, 50)
        kept = everything(home, tmp_path) - everything(killed) - {killed}
        temporary = paths.user_factors_dir() / ".xfactor-0123456789abcdef.tmp"
        write_atomic(temporary, b"a factor that was never finished")
        copying = paths.user_models_dir() / ".adding-abc"
        copying.mkdir()
        bench = tmp_path / "tmp" / "xfactor-bench-abcd1234"
        bench.mkdir()
        gone = {killed, job("over", 50), aged(temporary, 50), aged(copying, 50), aged(bench, 50)}
        found = leftovers()
        assert {x.path for x in found} == gone
        assert any("personalisation that did not end, 2.0 MB, untouched for 50 h" in str(x) for x in found)
        assert gone <= everything(home, tmp_path), "listing deleted something"
        assert doctor.clean_up() == 0
        assert everything(home, tmp_path) == kept
        assert leftovers() == []
    assert users <= kept
    assert young.is_dir()
    assert undecided.is_dir()


def test_the_report_names_them_and_is_no_complaint(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = job("over", 50)
    found = [f for f in doctor._folders() if f.section == "Folders"]
    assert any("1 of runs that were broken off, 2 MB; `xfactor doctor --clean`" in f.value for f in found)
    assert any(str(folder) in f.value for f in found)
    assert not [f for f in found if "broken off" in f.value and f.remedy]
    assert doctor.clean_up() == 0
    assert capsys.readouterr().out.startswith(f"deleted: {folder} (personalisation")
    assert not folder.exists()
    assert doctor.clean_up() == 0
    assert capsys.readouterr().out == "There is nothing to delete.\n"


def test_what_cannot_be_deleted_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = job("over", 50)
    found = leftovers()
    monkeypatch.setattr("app.commands.doctor.leftovers", lambda: found)
    with job_folders.claimed(folder):  # taken up between listing and deleting
        assert doctor.clean_up() == 1
    assert "another window or command works on it" in capsys.readouterr().out
    assert (folder / "frames.bin").exists()
