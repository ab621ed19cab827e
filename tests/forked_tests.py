"""pytest in forks of a process that has imported torch: a run begins at once and can be ended."""

from __future__ import annotations

import gc
import importlib
import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import coverage
import pytest

ROOT = Path(__file__).resolve().parent.parent
#: what nearly every test file imports, directly or through the code under test, and takes long to
PRELOADED = (
    "cv2", "hypothesis.strategies", "numpy.testing", "onnx", "onnxruntime", "PIL.Image", "PyQt6.QtTest",
    "scipy.ndimage", "scipy.optimize", "torch.nn.functional",
)  # fmt: skip
FLAGS = (
    "-q", "-p", "no:cacheprovider", "-p", "no:pytest_cov", "-o", "timeout=0", "-o", "faulthandler_timeout=0",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",
)  # fmt: skip
#: in place of pytest's exit status
TIMED_OUT = -1


class ReachedLines(NamedTuple):
    """A test by itself.

    Attributes:
        seconds: of processor time, under coverage.
        lines: those it executed, of each file of the folders under test; paths from the root.
    """

    seconds: float
    lines: dict[str, list[int]]


def preload() -> None:
    """Import the slow libraries here, so that forks have them. One thread: a fork keeps no others."""
    for name in PRELOADED:
        with suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()
    sys.dont_write_bytecode = True  # a mutant of the same second and size would not be read


def run_tests(words: Sequence[str], limit_s: float, output: Path) -> int:
    """Exit status of pytest in this folder, or TIMED_OUT; its output as a file."""
    return _forked(limit_s, output, [*FLAGS, "-x", *words], None, ())


def reached_lines(
    test_file: Path, folders: Sequence[str], limit_s: float, to: Path
) -> dict[str, ReachedLines]:
    """Passing tests of a file by their node ids, from `to` where they have been measured already."""
    if not to.exists():
        to.parent.mkdir(parents=True, exist_ok=True)
        _forked(limit_s, to.with_suffix(".txt"), [*FLAGS, str(test_file)], to, folders)
        if not to.exists():
            raise RuntimeError(f"{test_file} cannot be measured: {to.with_suffix('.txt')} says why")
    return {name: ReachedLines(*row) for name, row in json.loads(to.read_text("utf-8")).items()}


def _forked(
    limit_s: float, output: Path, words: list[str], record: Path | None, folders: Sequence[str]
) -> int:
    context = multiprocessing.get_context("fork")
    child = context.Process(target=_child, args=(output, words, record, tuple(folders)))
    child.start()
    child.join(limit_s)
    status = TIMED_OUT if child.exitcode is None else child.exitcode
    with suppress(ProcessLookupError, PermissionError):  # what its tests have started ends, too
        os.killpg(child.pid or 0, signal.SIGKILL)
    child.join()
    return status


def _child(output: Path, words: list[str], record: Path | None, folders: tuple[str, ...]) -> None:
    os.setsid()
    with output.open("wb") as to:
        for fd in (1, 2):
            os.dup2(to.fileno(), fd)
    for name in [n for n in sys.modules if n == "tests" or n.startswith("tests.")]:
        del sys.modules[name]  # this folder's, not the checkout's
    sys.path.insert(0, str(Path.cwd()))
    plugin = Recording(record, folders) if record else None
    status = int(pytest.main(words, plugins=[plugin] if plugin else []))
    if plugin:
        plugin.write()
    sys.stdout.flush()
    os._exit(status)


class Recording:
    """A plugin of pytest: time and executed lines of each passing test."""

    def __init__(self, to: Path, folders: tuple[str, ...]) -> None:
        self._to = to
        root = Path.cwd()
        self._coverage = coverage.Coverage(
            data_file=None, config_file=False, include=[f"{root}/{folder}/*" for folder in folders]
        )
        self._seconds: dict[str, float] = {}
        self._failed: set[str] = set()
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item):  # type: ignore[no-untyped-def]
        """Lines from here on are this test's."""
        began = time.process_time()
        self._coverage.switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            self._coverage.switch_context("")
            self._seconds[item.nodeid] = time.process_time() - began

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tests that fail or skip by themselves see nothing."""
        if not report.passed:
            self._failed.add(report.nodeid)

    def write(self) -> None:
        """The file that `reached_lines` reads, whole or not at all."""
        self._coverage.stop()
        data, root = self._coverage.get_data(), Path.cwd()
        lines: dict[str, dict[str, list[int]]] = {}
        for file in data.measured_files():
            for line, names in data.contexts_by_lineno(file).items():
                for name in filter(None, names):
                    by_file = lines.setdefault(name, {})
                    by_file.setdefault(str(Path(file).relative_to(root)), []).append(line)
        passing = {n: s for n, s in self._seconds.items() if n not in self._failed}
        part = self._to.with_suffix(".part")
        part.write_text(json.dumps({n: (s, lines.get(n, {})) for n, s in passing.items()}), "utf-8")
        part.replace(self._to)
