"""`xfactor personalize`, then `xfactor parse --factor`, as a user runs them: with the true worker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest

from runtime.system import paths
from tests.e2e.command import ROOT, XFACTOR, files, xfactor
from tests.person_clip import person_frames, write_clip

pytestmark = [pytest.mark.slow, pytest.mark.onnx, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "ann.mp4", person_frames(12))


def start(*arguments):
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [*XFACTOR, *map(str, arguments)],
        cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_a_clip_in_a_factor_out_and_another_parsing(clip, tmp_path):
    process = start("personalize", clip, "--out", "ann", "--progress", "json")
    out, errors = process.communicate(timeout=500)
    assert process.returncode == 0, errors
    end = json.loads(out.splitlines()[-1])
    assert end["event"] == "Done"
    shelved = paths.user_factors_dir() / "ann.factor.onnx"
    assert shelved.exists() == end["accepted"]
    assert list((paths.user_data_dir() / "jobs").iterdir()) == []
    if not end["accepted"]:
        assert end["report"]["reason"]
        return
    own = xfactor("parse", clip, "--out", tmp_path / "own", "--save", "silhouettes", "--progress", "none")
    his = xfactor(
        "parse",
        clip,
        "--out",
        tmp_path / "his",
        "--save",
        "silhouettes",
        "--progress",
        "none",
        "--factor",
        "ann",
    )
    assert (own.returncode, his.returncode) == (0, 0), his.stderr
    assert files(tmp_path / "own").keys() == files(tmp_path / "his").keys()
    assert files(tmp_path / "own") != files(tmp_path / "his")


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_ctrl_c_leaves_nothing(clip):
    process = start("personalize", clip, "--out", "ann", "--progress", "json")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert time.monotonic() - started < 100
    assert "Nothing has changed" in errors
    assert not (paths.user_factors_dir() / "ann.factor.onnx").exists()
    assert list((paths.user_data_dir() / "jobs").iterdir()) == []
