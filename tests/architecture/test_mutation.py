"""Mutants meet the tests of their module, and none is made where no test could see it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.forked_tests import ReachedLines
from tests.mutation import (
    FOLDERS,
    MOST_SECONDS,
    ModuleTests,
    draw_modules,
    has_effect,
    mutations_of,
    reaching,
)
from tests.running_source import running_source

CHOICE = ModuleTests(ROOT)
UNTESTED = {"training/mediapipe_pose.py"}


def test_a_module_meets_the_tests_that_import_it_and_a_part_those_of_its_user() -> None:
    noise = CHOICE.of(Path("training/noise.py"))
    assert Path("tests/unit/training/test_targets_and_losses.py") in noise
    assert Path("tests/unit/training/datasets/test_mpii.py") in CHOICE.of(Path("training/datasets/mpii.py"))
    assert CHOICE.of(Path("models/enet.py")), "tests of the families build it"
    assert CHOICE.of(Path("personalize/worker/finetune.py"))[0].name == "test_finetune.py"


def test_nearly_every_module_is_tested_somewhere() -> None:
    modules = [p.relative_to(ROOT) for folder in FOLDERS for p in (ROOT / folder).rglob("*.py")]
    without = {str(p) for p in modules if p.name not in ("__init__.py", "__main__.py") and not CHOICE.of(p)}
    assert without <= UNTESTED


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f(x: int | None = 2) -> str | None: pass", "def f(x: int & None = 2) -> str + None: pass"),
        ("y: int | str = 3", "y: int // str = 3"),
        ("def f(x, *, y=2): pass", "def f(x, /, y=2): pass"),
        ("@dataclass(frozen=True)\nclass A: pass", "@dataclass(frozen=False)\nclass A: pass"),
        ("log.info('%d', x + 1)", "log.info('%d', x - 1)"),
        ("if __name__ == '__main__': f(1)", "if __name__ < '__main__': f(2)"),
    ],
)
def test_what_only_says_something_is_left_alone(before: str, after: str) -> None:
    assert running_source(before) == running_source(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f(x: int | None = 2): pass", "def f(x: int | None = 3): pass"),
        ("def f(x=1, *, y=2): pass", "def f(x=1, *, y=1): pass"),
        ("y: int | str = 3", "y: int | str = 4"),
        ("@dataclass(frozen=True)\nclass A: pass", "class A: pass"),
        ("@dataclass(eq=True)\nclass A: pass", "@dataclass(eq=False)\nclass A: pass"),
        ("self.info(x + 1)", "self.info(x - 1)"),
        ("if x == 1: f()", "if x != 1: f()"),
    ],
)
def test_what_runs_is_not(before: str, after: str) -> None:
    assert running_source(before) != running_source(after)


def test_what_is_no_python_is_no_mutant() -> None:
    assert running_source("def f(x, **, y): pass") is None


def test_an_exception_named_with_a_dot_is_no_mutant(tmp_path: Path) -> None:
    (tmp_path / "read.py").write_text("try: f()\nexcept (zlib.error, ValueError): g()\n", "utf-8")
    replaced = [m for m in mutations_of(tmp_path / "read.py") if "ExceptionReplacer" in m.operator_name]
    assert [has_effect(m) for m in replaced] == [False, True]


SOURCE = """LIMIT = 3

def f(x, y=2):
    if x:
        return (
            y + 1
        )
    return 0
"""


def test_a_mutant_meets_the_tests_that_run_its_statement_the_quickest_first() -> None:
    tests = {
        "slow": ReachedLines(2.0, {"a.py": [4, 5]}),
        "quick": ReachedLines(1.0, {"a.py": [4, 8]}),
        "longest": ReachedLines(MOST_SECONDS, {"a.py": [4]}),
        "elsewhere": ReachedLines(0.1, {"b.py": [4]}),
    }
    found = {line: reaching(SOURCE, line, "a.py", tests) for line in (1, 3, 4, 6, 8)}
    assert found[6] == ["slow"], "any line of the statement"
    assert found[8] == ["quick"]
    assert found[4] == ["quick", "slow"], "the longest would be too much"
    assert found[3] == found[4], "a default by who runs the body"
    assert found[1] == ["elsewhere", "quick", "slow"], "a constant by any: a test may read it and run nothing"


@pytest.mark.parametrize(
    ("more", "tests"),
    [
        ("TABLE = f(1)\n", ["reads", "runs"]),
        ("def g(): return f(1)\nTABLE = tuple(g() for _ in '12')\n", ["reads", "runs"]),
        ("def g(): return f(1)\n", ["runs"]),
        ("if __name__ == '__main__':\n    f(1)\n", ["runs"]),
    ],
)
def test_what_makes_a_table_on_import_meets_the_tests_that_read_it(more: str, tests: list[str]) -> None:
    measured = {"runs": ReachedLines(2.0, {"a.py": [4, 8]}), "reads": ReachedLines(1.0, {})}
    assert reaching(SOURCE + more, 8, "a.py", measured) == tests


def test_larger_modules_are_drawn_more_often_and_the_same_again() -> None:
    sizes = {Path("large"): 900, Path("small"): 100}
    first = [draw_modules(sizes, 1, seed)[0] for seed in range(300)]
    assert 0.85 < first.count(Path("large")) / 300 < 0.95
    assert first == [draw_modules(sizes, 1, seed)[0] for seed in range(300)]


def test_forks_are_timed_by_test_ended_and_told_apart(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "a.py").write_text("def f(x):\n    if x:\n        return 1\n    return 2\n")
    lines = [
        "import time",
        "from code_under_test import f",
        "",
        "def test_one():",
        "    assert f(1) == 1",
        "",
    ]
    lines += ["def test_two():", "    assert f(0) == 2", "", "def test_hangs():", "    time.sleep(60)"]
    (tmp_path / "test_a.py").write_text("\n".join(lines).replace("code_under_test", "made.a"))
    (tmp_path / "made" / "__init__.py").touch()
    program = (
        "from pathlib import Path; from tests.forked_tests import *\n"
        "print([run_tests([f'test_a.py::test_{n}'], 200 if n != 'hangs' else 1, Path('o')) for n in "
        "('one', 'hangs', 'missing')])\n"
        "Path('test_a.py').write_text(Path('test_a.py').read_text().replace('60', '0'))\n"
        "rows = reached_lines(Path('test_a.py'), ['made'], 200, Path('lines/a.json'))\n"
        "print({n: row.lines for n, row in rows.items()})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "[0, -1, 4]",
        "{'test_a.py::test_one': {'made/a.py': [2, 3]}, 'test_a.py::test_two': {'made/a.py': [2, 4]},"
        " 'test_a.py::test_hangs': {}}",
    ], done.stderr
