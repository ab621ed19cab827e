"""`xfactor` as a program of its own: exit codes, kills, privacy, and consoles of every kind."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.drawn_media import draw_clip
from tests.e2e.command import ROOT, XFACTOR, files, manifest, xfactor

pytestmark = pytest.mark.slow
QUICK = ("--size", "64", "--device", "cpu", "--progress", "none")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_clip(tmp_path_factory.mktemp("clip") / "walk.mp4", 40, sound=True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["parse", "", "--out", "o"],
        ["parse", "a.mp4", "--out", ""],
        ["parse", "a.mp4", "--out", "o", "--factor", "me", "--silhouettes", "masks"],
        ["personalize", "", "--out", "me"],
        ["personalize", "a.mp4", "--out", ""],
    ],
)
def test_what_is_empty_or_contradicts_itself_is_wrong_usage(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F20: an unset variable must not parse the current folder, nor fill it."""
    from app.__main__ import app

    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert "is empty" in done.output or "Give one of them" in done.output
    assert list(tmp_path.iterdir()) == []


def test_exit_codes(clip: Path, tmp_path: Path) -> None:
    done = xfactor("parse", clip, "--out", tmp_path / "a", *QUICK)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = xfactor("parse", clip, tmp_path / "absent.mp4", "--out", tmp_path / "b", "--size", "64")
    assert done.returncode == 1
    assert "absent.mp4: failed: there is no such file" in done.stderr
    refused = xfactor("parse", clip, "--out", tmp_path / "c", "--model", "no-such-model")
    assert refused.returncode == 2
    assert refused.stderr.startswith("xfactor: model 'no-such-model'")
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        "parse a.mp4",
        "parse --out x",
        "parse a.mp4 --out x --save everything",
        "parse a.mp4 --out x --size huge",
        "parse a.mp4 --out x --views 3",
        "parse a.mp4 --out x --device tpu",
        "parse a.mp4 --out x --workers many",
        "parse a.mp4 --out x --style opacity=7",
        "parse a.mp4 --out x --style hide=99",
        "--no-such-option",
        "models fetch",
    ],
)
def test_wrong_usage_is_two(wrong: str) -> None:
    from app.__main__ import app

    result = CliRunner().invoke(app, wrong.split())
    assert result.exit_code == 2
    assert result.stderr.strip()
    assert "Value error" not in result.stderr
    assert "unable to parse" not in result.stderr


def test_help_version_and_an_unknown_command() -> None:
    assert "parse" in xfactor("--help").stdout
    assert "--resume" in xfactor("parse", "--help").stdout
    assert xfactor("--version").stdout.startswith("xfactor ")
    nowhere = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "QT_QPA_PLATFORM": ""}
    for words in (("prase",), ("prase", "a.mp4", "--out", "x")):
        done = xfactor(*words, env=nowhere)
        assert done.returncode == 2
        wanted = "xfactor: prase: no such command, file or camera. See: xfactor --help\n"
        assert done.stderr == wanted
    done = xfactor("personalize", "clip.mp4", env=nowhere)  # also where a folder has this name
    assert (done.returncode, "--out" in done.stderr) == (2, True)
    done = xfactor("README.md", env=nowhere)
    assert (done.returncode, "no display" in done.stderr) == (2, True)


def test_g05_a_device_that_is_not_there_is_an_error(clip: Path, tmp_path: Path) -> None:
    from runtime.engine.providers import why_not_cuda

    if not why_not_cuda():
        pytest.skip("CUDA really runs here")
    done = xfactor("parse", clip, "--out", tmp_path / "out", "--device", "cuda")
    assert done.returncode != 0
    assert "cuda" in done.stderr
    assert not (tmp_path / "out").exists()


WITHOUT_WINDOW = """
import sys
from app.__main__ import app
try:
    app(sys.argv[1:])
except SystemExit as e:
    assert e.code == 0, e.code
heavy = {"PyQt6", "torch", "ray", "training", "export"}
heavy = [m for m in sys.modules if m.split(".")[0] in heavy]
assert not heavy, heavy
"""


@pytest.mark.parametrize("command", ["parse", "models", "factors", "help"])
def test_without_a_window_no_qt_and_no_torch(clip: Path, tmp_path: Path, command: str) -> None:
    parse = ["parse", str(clip), "--out", str(tmp_path / "out"), "--save", "labels,coco,csv", *QUICK]
    arguments = {"parse": parse, "help": ["--help"]}.get(command, [command])
    code = [sys.executable, "-c", WITHOUT_WINDOW, *arguments]
    done = subprocess.run(code, check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    if command == "models":
        assert "factored-s31" in done.stdout


NETLOG = """
import socket, sys
def caught(*a, **k):
    print("NETWORK", a, file=sys.stderr)
    raise OSError("no network in this test")
socket.getaddrinfo = socket.gethostbyname = socket.create_connection = caught
socket.socket.connect = socket.socket.connect_ex = socket.socket.bind = caught
from app.__main__ import main
sys.argv = ["xfactor", *sys.argv[1:]]
main()
"""


def test_j01_nobody_is_called(clip: Path, tmp_path: Path) -> None:
    """Python's sockets are watched, and, where strace is there, every system call of every library."""
    log = tmp_path / "calls.txt"
    strace = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,bind,listen", "-o", str(log)]
    arguments = ["parse", str(clip), "--out", str(tmp_path / "out"), *QUICK]
    code = [sys.executable, "-c", NETLOG, *arguments]
    how = {"capture_output": True, "text": True, "cwd": ROOT}
    env = {**os.environ, "HOME": str(tmp_path / "home")}
    done = subprocess.run([*strace, *code] if shutil.which("strace") else code, check=False, env=env, **how)
    if "ptrace" in done.stderr:
        done = subprocess.run(code, check=False, **how)
    assert done.returncode == 0, done.stderr
    assert "NETWORK" not in done.stderr
    calls = log.read_text() if log.exists() else ""
    assert "AF_INET" not in calls
    assert "listen(" not in calls
    assert not (tmp_path / "home" / ".cache" / "Microsoft").exists()  # where ONNX Runtime would queue reports


def test_i09_ctrl_c_finishes_the_frame_and_says_so(clip: Path, tmp_path: Path) -> None:
    long = draw_clip(tmp_path / "long.mp4", 250)
    out = tmp_path / "out"
    run = [
        *XFACTOR,
        "parse",
        str(long),
        str(clip),
        "--out",
        str(out),
        "--device",
        "cpu",
        "--progress",
        "json",
    ]
    with subprocess.Popen(
        run, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["event"] == "progress":
                process.send_signal(signal.SIGINT)
                break
        rest, errors = process.communicate(timeout=20)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert json.loads(rest.splitlines()[-1])["status"] == "partial"
    records = manifest(out)
    frames = records["long.mp4"]["frames"]
    assert "--resume finishes it" in records["long.mp4"]["reason"]
    assert records["walk.mp4"]["reason"].startswith("not reached")
    assert len(list((out / "long" / "labels").iterdir())) == frames < 250


def test_i10_a_reader_who_leaves(clip: Path, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    run = [*XFACTOR, "parse", str(clip), "--out", str(tmp_path / "out"), "--size", "64", "--progress", "json"]
    done = subprocess.run(run, check=False, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")
    assert manifest(tmp_path / "out")["walk.mp4"]["frames"] == 40


def test_i10_a_console_without_letters(tmp_path: Path) -> None:
    clip = draw_clip(tmp_path / "Gehmühle – été 歩く.mp4", 3)
    env = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "TERM": "dumb"}
    done = xfactor(
        "parse", clip, tmp_path / "fehlt ä.mp4", "--out", tmp_path / "out", "--size", "64", env=env
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "failed" in done.stderr
    assert len(list((tmp_path / "out").rglob("labels/*.png"))) == 3


def test_ray_that_is_not_installed_is_refused_with_its_extra(clip: Path, tmp_path: Path) -> None:
    if importlib.util.find_spec("ray"):
        pytest.skip("Ray is installed")
    done = xfactor("parse", clip, "--out", tmp_path / "out", "--engine", "ray")
    assert done.returncode == 2
    assert f"{sys.executable} -m pip install -e '{ROOT}[cluster]'" in done.stderr


WITHOUT_TORCH = """
import importlib.util, sys
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name == "torch" else real(name, *a)
from app.__main__ import main
sys.argv = ["xfactor", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize("command", ["train", "transfer", "eval", "synth", "export"])
def test_commands_that_need_torch_say_so(command: str) -> None:
    arguments = ["--count", "1"] if command == "synth" else ["--help"]  # synth explains itself without it
    code = [sys.executable, "-c", WITHOUT_TORCH, command, *arguments]
    done = subprocess.run(code, check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert f"{sys.executable} -m pip install -e '{ROOT}[train]'" in done.stderr


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs the extra `cluster`")
def test_ray_gives_the_same_bytes(clip: Path, tmp_path: Path) -> None:
    arguments = ["parse", clip, draw_clip(tmp_path / "run.mkv", 8), tmp_path / "absent.mp4", *QUICK]
    assert xfactor(*arguments, "--out", tmp_path / "local").returncode == 1
    assert xfactor(*arguments, "--out", tmp_path / "ray", "--engine", "ray").returncode == 1
    assert files(tmp_path / "ray") == files(tmp_path / "local")
    assert manifest(tmp_path / "ray")["absent.mp4"]["status"] == "failed"


@pytest.mark.parametrize("style", ["rich", "json", "none"])
def test_the_reason_of_a_failure_is_on_the_error_output(tmp_path: Path, style: str) -> None:
    """Row F9: with `none` there was no word, with `json` it was on the output alone."""
    (tmp_path / "bad.mp4").write_bytes(b"no clip")
    done = xfactor("parse", tmp_path / "bad.mp4", "--out", tmp_path / "out", "--progress", style)
    assert done.returncode == 1
    assert "bad.mp4: failed: " in done.stderr
    assert "Traceback" not in done.stderr
