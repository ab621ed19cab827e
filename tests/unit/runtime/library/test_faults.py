"""Changes of the library with each call into the system failing in turn: nothing torn, lost or left."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from runtime.library import factors
from runtime.library.factor_folder import RENAMING
from runtime.library.factors import FactorLibrary
from runtime.system.errors import Refusal
from tests.unit.app.fault_injection import DIE, FOLDER_CALLS, Died, failing_call
from tests.unit.runtime.model_files import crafted

FACE = np.zeros((8, 8, 3), np.uint8)
TRUNK = crafted.trunk()
MOST_CALLS = 200
CHANGES: dict[str, Callable[[FactorLibrary, Path], object]] = {
    "put": lambda library, more: library.put(more, TRUNK, "ann"),
    "thumbnail": lambda library, _: library.set_thumbnail("ann", FACE),
    "undo": lambda library, _: library.roll_back("ann"),
    "rename": lambda library, _: library.rename("ann", "anna"),
    "remove": lambda library, _: library.remove("ann"),
}
#: The error → how many calls are skipped between two that fail.
ERRORS = {DIE: 1, errno.ENOSPC: 1, errno.EACCES: 2, errno.EIO: 3, errno.EROFS: 3}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with a name of two generations and a thumbnail, and a third factor beside it."""
    folder = tmp_path_factory.mktemp("filled")
    library = FactorLibrary(folder / "factors")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(factors, "admit", lambda *_: None)
        for seed in (5, 6, 7):
            (folder / f"{seed}.factor.onnx").write_bytes(crafted.personalised(TRUNK, seed))
        for seed in (5, 6):
            library.put(folder / f"{seed}.factor.onnx", TRUNK, "ann")
    library.set_thumbnail("ann", FACE)
    return folder


def contents(library: FactorLibrary, name: str) -> set[bytes]:
    """The factor in use and every earlier one, whole."""
    files = [library.find(name), *(g.file for g in library.generations(name))]
    return {f.path.read_bytes() for f in files}


@pytest.mark.parametrize("code", ERRORS)
@pytest.mark.parametrize("change", CHANGES)
def test_a_failing_call_tears_loses_and_leaves_nothing(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str, code: int
) -> None:
    monkeypatch.setattr(factors, "admit", lambda *_: None)
    before = {(filled / f"{seed}.factor.onnx").read_bytes() for seed in (5, 6)}
    for call in range(1, MOST_CALLS, ERRORS[code]):
        library = FactorLibrary(tmp_path / str(call))
        shutil.copytree(filled / "factors", library.folder)
        with suppress(Refusal, Died), failing_call(call, code, FOLDER_CALLS) as injected:
            CHANGES[change](library, filled / "7.factor.onnx")
        if not injected.failed_in:
            break
        library.put(filled / "7.factor.onnx", TRUNK, "bob")  # the next change puts in order
        left = {p.name for p in library.folder.rglob(".*")}
        assert left == set(), (call, injected.failed_in)
        names = {f.name for f in library.factors()} - {"bob"}
        owners = {p.stem for p in [*library.folder.glob("history/*"), *library.folder.glob("faces/*")]}
        if change == "remove":
            with suppress(Refusal):
                library.remove("ann")
            assert not [p for p in library.folder.rglob("*") if "ann" in str(p.relative_to(library.folder))]
        else:
            (name,) = names
            assert contents(library, name) >= before, (call, injected.failed_in)
            assert owners == names, (call, injected.failed_in)
    assert 5 < call < MOST_CALLS - 1


def test_a_rename_that_was_broken_off_is_finished_before_all_is_removed(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(factors, "admit", lambda *_: None)
    library = FactorLibrary(tmp_path / "factors")
    shutil.copytree(filled / "factors", library.folder)
    (library.folder / RENAMING).write_text("ann\nanna")
    library.path("ann").rename(library.path("anna"))
    library.remove("anna")
    assert [p for p in library.folder.rglob("*") if p.is_file()] == []


def test_what_a_killed_write_left_of_a_person_goes_with_the_next_change(filled: Path, tmp_path: Path) -> None:
    library = FactorLibrary(tmp_path / "factors")
    shutil.copytree(filled / "factors", library.folder)
    for folder in ("", "faces", "history/ann"):
        (library.folder / folder / ".xfactor-0123456789abcdef.tmp").write_bytes(b"a person")
    library.remove("ann")
    assert [p for p in library.folder.rglob("*") if p.is_file()] == []
