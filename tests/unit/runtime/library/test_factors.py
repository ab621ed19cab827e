"""The factor library: generations kept, put back at once, gone when asked (rows H05 to H07, H09, H11)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from app.commands.factors import undo
from models.spec import FactorCard
from personalize.client import job_folders
from personalize.factor import described
from personalize.job import PersonalizationJob, write_job
from runtime.engine.engine import load_engine
from runtime.library import factor_folder, factors
from runtime.library.factors import user_factors
from runtime.model_files.metadata import describe
from runtime.system import paths
from runtime.system.errors import Refusal

pytestmark = pytest.mark.onnx
MODEL = paths.models_dir() / "factored-s31"


@pytest.fixture(scope="module")
def trunk():
    return (MODEL / "trunk.onnx").read_bytes()


@pytest.fixture(scope="module")
def factor_file(tmp_path_factory):
    """Makes factor files that differ in their card alone; those are tried quickly."""
    data = (MODEL / "factor.onnx").read_bytes()
    spec = describe("factor.onnx", data)

    def make(frames, trunk_sha256=None):
        card = FactorCard(
            trunk_sha256 or spec.siblings["trunk"], "", "2026-01-01", frames, {}, {}, accepted=True
        )
        path = tmp_path_factory.mktemp("made") / "factor.onnx"
        named = replace(spec, name="ann", card=card, siblings={"trunk": card.base_trunk_sha256})
        path.write_bytes(described(data, named))
        return path

    return make


def frames_of(file):
    assert file.spec.card is not None
    return file.spec.card.frames


@pytest.fixture
def library():
    return user_factors()


@pytest.fixture
def untried(monkeypatch):
    """Without the trial in a process of its own, which other tests see: these put in many files."""
    monkeypatch.setattr(factors, "admit", lambda *_: None)


@pytest.mark.usefixtures("untried")
def test_h09_five_generations_are_kept_and_each_comes_back(library, trunk, factor_file):
    for frames in range(1, 8):
        library.put(factor_file(frames), trunk, "ann")
    assert frames_of(library.find("ann")) == 7
    assert [frames_of(g.file) for g in library.generations("ann")] == [6, 5, 4, 3, 2, 1]
    started = time.monotonic()
    back = library.roll_back("ann")
    assert time.monotonic() - started < 5
    assert frames_of(back) == 6
    assert frames_of(library.find("ann")) == 6
    assert {frames_of(g.file) for g in library.generations("ann")} == {7, 5, 4, 3, 2, 1}
    assert frames_of(library.roll_back("ann")) == 7  # taking it back is taken back
    oldest = library.generations("ann")[-1]
    assert frames_of(library.roll_back("ann", oldest.number)) == 1
    with pytest.raises(Refusal, match="no such earlier generation"):
        library.roll_back("ann", 999)
    with pytest.raises(Refusal, match=r"'bob'.* not in the library. Choose one of: ann"):
        library.roll_back("bob")
    library.remove("ann")
    library.put(factor_file(1), trunk, "ann")
    with pytest.raises(Refusal, match="Personalise again"):
        library.roll_back("ann")


@pytest.mark.usefixtures("untried")
def test_a_name_that_steers_a_terminal_is_removed_as_it_is_shown(library, trunk, factor_file):
    for frames in (1, 2):
        library.put(factor_file(frames), trunk, "ann")
    for stem, shown in (("red\x1b[31m", "red?[31m"), ("..", ".."), ("b\x1b", "b\x1b")):
        shutil.copy(library.path("ann"), library.folder / f"{stem}.factor.onnx")
        assert len(library.factors()) == 2
        job_folders.delete_factor(shown)
    assert [f.name for f in library.factors()] == ["ann"]
    assert len(library.generations("ann")) == 1
    with pytest.raises(Refusal, match="it is not there"):
        library.add(library.folder / "nope.onnx", trunk)


@pytest.mark.usefixtures("untried")
def test_undo_says_when_the_factor_in_use_was_made(library, trunk, factor_file, capsys):
    for frames in (1, 2):
        library.put(factor_file(frames), trunk, "ann")
    undo("ann", None)
    made = library.find("ann").spec.card.created
    assert capsys.readouterr().out == f"ann is the factor of {made} again; other generations: 2\n"


@pytest.mark.usefixtures("untried")
def test_the_oldest_go(library, trunk, factor_file):
    for frames in range(1, factors.KEPT + 4):
        library.put(factor_file(frames), trunk, "ann")
    assert len(library.generations("ann")) == factors.KEPT


def test_h11_forgetting_leaves_nothing(library, trunk, factor_file):
    for frames in (1, 2):
        library.put(factor_file(frames), trunk, "ann")
    folder = paths.user_factors_dir()
    assert all(p.stat().st_mode & 0o077 == 0 for p in folder.rglob("*"))
    job_folders.delete_factor("ann")
    assert [p for p in paths.user_data_dir().rglob("*") if p.is_file()] == []
    assert not (folder / factor_folder.GENERATIONS / "ann").exists()


def test_generations_follow_a_new_name(library, trunk, factor_file):
    for frames in (1, 2):
        library.put(factor_file(frames), trunk, "ann")
    library.rename("ann", "anna")
    assert [frames_of(g.file) for g in library.generations("anna")] == [1]
    assert library.generations("ann") == []


def test_h11_jobs_of_a_person_follow_a_new_name_and_go_with_it(library, trunk, factor_file, tmp_path):
    library.put(factor_file(1), trunk, "ann")
    for name in ("ann", "bob"):
        write_job(job_folders.new_folder(name), PersonalizationJob(tmp_path / "a.mp4", name, MODEL))
    library.rename("ann", "anna")
    job_folders.rename_of("ann", "anna")
    job_folders.delete_factor("anna")
    assert [left.job.name for left in job_folders.left_over()] == ["bob"]


def test_h07_a_factor_for_another_trunk_is_refused_and_changes_nothing(library, trunk, factor_file):
    library.put(factor_file(1), trunk, "ann")
    other = factor_file(2, trunk_sha256="0" * 64)
    with pytest.raises(Refusal, match="another trunk"):
        library.put(other, trunk, "ann")
    with pytest.raises(Refusal, match="another trunk"):
        load_engine("factored-s31").load_factor(other)
    assert frames_of(library.find("ann")) == 1
    assert library.generations("ann") == []


@pytest.mark.parametrize("name", ["", "../ann", "a/b", ".ann", "x" * 80])
def test_names_that_are_no_names_are_refused(library, trunk, factor_file, name):
    for act in (
        lambda: library.put(factor_file(1), trunk, name),
        lambda: library.roll_back(name),
        lambda: library.remove(name),
    ):
        with pytest.raises(Refusal):
            act()
    assert list(paths.user_data_dir().rglob("*")) == []


def test_h06_a_disk_that_is_full_or_read_only_changes_nothing(library, trunk, factor_file, monkeypatch):
    library.put(factor_file(1), trunk, "ann")
    before = library.find("ann").path.read_bytes()

    def full(*_args, **_named):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(factors, "write_atomic", full)
    with pytest.raises(Refusal, match="the disk is full"):
        library.put(factor_file(2), trunk, "ann")
    assert library.find("ann").path.read_bytes() == before


KILLED = """
import itertools, os, sys
from pathlib import Path
from runtime.library import factor_folder, factors
factors.admit = lambda *_: None
stop_at, source, trunk = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]).read_bytes()
count = itertools.count(1)
def watch(event, args):
    if event in {"os.rename", "os.remove", "os.mkdir", "open", "os.chmod"} and "factors" in str(args[0]):
        if next(count) == stop_at:
            os._exit(9)
sys.addaudithook(watch)
factors.user_factors().put(source, trunk, "ann")
"""


@pytest.mark.slow
def test_h05_a_kill_at_any_write_leaves_a_whole_factor(library, trunk, factor_file, repository):
    """The process dies before each of its file operations in turn: the name means the old one or the new."""
    old, new = factor_file(1), factor_file(2)
    contents = {old.read_bytes(), new.read_bytes()}
    library.put(old, trunk, "ann")
    current = library.find("ann").path
    seen = set()
    for stop_at in range(1, 40):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(stop_at), str(new), str(MODEL / "trunk.onnx")],
            cwd=repository, env=os.environ, check=False, capture_output=True, timeout=60,
        )  # fmt: skip
        seen.add(current.read_bytes())
        assert seen <= contents
        assert Path(current).read_bytes() in contents
        if done.returncode == 0:
            break
        assert done.returncode == 9, done.stderr
    else:
        pytest.fail("it never came to its end")
    assert stop_at > 5
    assert current.read_bytes() == new.read_bytes()
    assert library.roll_back("ann").spec.card is not None
