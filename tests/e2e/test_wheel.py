"""The wheel: what it puts into an environment, and that the command works from it."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from tests.architecture.sources import ROOT
from tests.drawn_media import picture

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling", reason="the build backend comes with the extra `dev`")
    out = tmp_path_factory.mktemp("wheel")
    build = ["pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--wheel-dir", out, ROOT]
    subprocess.run([sys.executable, "-m", *map(str, build)], check=True)
    [built] = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a fresh environment that has the wheel, and shares this one's other packages."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, with_pip=False)
    install = ["pip", "--python", home / "bin" / "python", "install", "-q", "--no-deps", wheel]
    subprocess.run([sys.executable, "-m", *map(str, install)], check=True)
    [site] = home.glob("lib/python*/site-packages")
    shared = [p for p in sys.path if p.endswith("site-packages")]
    (site / "shared.pth").write_text("\n".join(shared))
    return home / "bin"


def run(installed: Path, cwd: Path, *command: object) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    call = [str(installed / str(command[0])), *map(str, command[1:])]
    return subprocess.run(call, check=False, capture_output=True, text=True, cwd=cwd, env=clean, timeout=100)


def test_one_package_lands_in_site_packages(wheel: Path) -> None:
    tops = {Path(name).parts[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {t for t in tops if not t.endswith(".dist-info")} == {"xfactor_parsing"}
    assert wheel.name.startswith("xfactor_parsing-")


def test_it_works_from_another_folder(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise ImportError('a folder of the user')")
    (tmp_path / "models.py").write_text("raise ImportError('a module of the user')")
    listed = run(installed, tmp_path, "xfactor", "models")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "factored-s31" in listed.stdout
    Image.fromarray(picture(3)).save(tmp_path / "man.png")
    done = run(installed, tmp_path, "xfactor", "parse", "man.png", "--out", "out", "--size", "96")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "labels" / "man.png").is_file()


def test_its_child_processes_find_it(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "xfactor", "export", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "CHECKPOINT" in done.stdout.upper()


def test_an_extra_is_named_by_what_it_needs(installed: Path, tmp_path: Path) -> None:
    """Never by our own name: an index may give that to somebody else's package."""
    code = (
        "import sys, xfactor_parsing; sys.path.insert(0, xfactor_parsing.__path__[0]);"
        "from runtime.system.installation import install_extra; print(install_extra('train'))"
    )
    line = run(installed, tmp_path, "python", "-I", "-c", code).stdout
    assert line.startswith(f"{installed / 'python'} -m pip install ")
    assert "'torch==2.13.*'" in line
    assert "numba>=0.60" in line
    assert "xfactor" not in line.removeprefix(str(installed))
