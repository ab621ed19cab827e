"""`python -m tests.mutation --sample 300`: one fault at a time in a copy of the tree, for its tests to see.

Cosmic Ray makes the mutants and keeps their results in a session file: an interrupted run goes on, and
`cr-report` and `cr-html` read it. Each mutant meets the test files that import its module, or a user of it.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from unittest.mock import patch

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("training", "personalize", "models")
USERS = (*FOLDERS, "synthetic", "export", "app", "experiments")
TESTS = ("unit", "qt")
MOST_TEST_FILES = 10
Span = tuple[tuple[int, int], tuple[int, int]]


def imported(path: Path) -> set[str]:
    """Modules that a file imports anywhere in it, `from a import b` as both `a` and `a.b`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def module_name(path: Path) -> str:
    """Dotted name of a file, relative to the root."""
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


class ModuleTests:
    """The test files of each module: those that import it; else those that import one of its users."""

    def __init__(self, root: Path) -> None:
        sources = [p.relative_to(root) for folder in USERS for p in sorted((root / folder).rglob("*.py"))]
        tests = [
            p.relative_to(root) for kind in TESTS for p in sorted((root / "tests" / kind).rglob("test_*.py"))
        ]
        self._imports: Mapping[Path, set[str]] = {p: imported(root / p) for p in (*sources, *tests)}
        self._tests = tests
        self._sources = sources

    def of(self, module: Path) -> list[Path]:
        """At most `MOST_TEST_FILES`, the module's namesake and its neighbours first; empty: untested."""
        names, known = {module_name(module)}, {module_name(module)}
        while names:
            found = [test for test in self._tests if self._imports[test] & names]
            if found:
                return sorted(found, key=lambda test: _distance(test, module))[:MOST_TEST_FILES]
            names = {module_name(s) for s in self._sources if self._imports[s] & names} - known
            known |= names
        return []


def _distance(test: Path, module: Path) -> tuple[bool, bool, str]:
    elsewhere = test.parent != Path("tests", "unit", *module.parent.parts)
    return test.stem != f"test_{module.stem}", elsewhere, str(test)


def without_effect(source: str) -> list[Span]:
    """Annotations and what only runs under `if __name__ == "__main__"`: no test can see a change there."""
    nodes: list[ast.AST] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            nodes.append(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            nodes.append(node.returns)
        elif isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
            nodes.append(node)
    return [
        ((n.lineno, n.col_offset), (n.end_lineno or n.lineno, n.end_col_offset or 0))
        for n in nodes
        if isinstance(n, ast.expr | ast.stmt)
    ]


def copy_tree(to: Path) -> None:
    """Files that git knows, or would; the mutants are made there."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


def main(argv: Sequence[str] | None = None) -> int:
    """Test the mutants that have no result yet, and print the count."""
    p = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    p.add_argument("folders", nargs="*", default=FOLDERS, help=f"or files; default: {' '.join(FOLDERS)}")
    p.add_argument("--sample", type=int, default=300, help="mutants, drawn evenly from all (default 300)")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--timeout", type=float, default=600, help="s of one mutant's tests (default 600)")
    p.add_argument("--session", type=Path, default=ROOT / "out" / "mutants.sqlite")
    a = p.parse_args(argv)
    session = a.session.resolve()
    session.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="xfactor-mutants-") as made,
        chdir(made),
        patch.dict(os.environ, PYTHONPATH=made),  # before a checkout that is installed
    ):
        copy_tree(Path(made))
        _test(a, session)
    return 0


def _test(a: argparse.Namespace, session: Path) -> None:
    from cosmic_ray.mutating import mutate_and_test
    from cosmic_ray.testing import run_tests
    from cosmic_ray.work_db import use_db
    from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

    choice, sound = ModuleTests(Path()), {}
    with use_db(str(session)) as db:
        if not db.num_work_items:
            _draw(db, a)
        for item in db.pending_work_items:
            mutation = item.mutations[0]
            tests = choice.of(mutation.module_path)
            words = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *map(str, tests)]
            command = shlex.join(words)
            if not tests:
                untested = f"nothing tests {mutation.module_path}"
                db.set_result(item.job_id, WorkResult(WorkerOutcome.NORMAL, untested, TestOutcome.SURVIVED))
                continue
            if command not in sound:  # tests that fail by themselves would kill everything
                sound[command] = run_tests(command, a.timeout)[0] == TestOutcome.SURVIVED
            if sound[command]:
                result = mutate_and_test(item.mutations, command, a.timeout)
            else:
                result = WorkResult(WorkerOutcome.SKIPPED, "its tests fail without it too")
            db.set_result(item.job_id, result)
            outcome = result.output if result.output == "timeout" else result.test_outcome or "skipped"
            place = f"{mutation.module_path}:{mutation.start_pos[0]}"
            sys.stdout.write(f"{outcome:9} {place} {mutation.operator_name}\n")
            sys.stdout.flush()
        for line in summary(db.results):
            sys.stdout.write(line + "\n")


def _draw(db, a: argparse.Namespace) -> None:  # type: ignore[no-untyped-def]
    """All mutants into the session, the ones that were not drawn as skipped."""
    from cosmic_ray.commands.init import init
    from cosmic_ray.work_item import WorkerOutcome, WorkResult

    places = map(Path, a.folders)
    modules = [p for place in places for p in ([place] if place.is_file() else sorted(place.rglob("*.py")))]
    init(modules, db, {})
    blind = {p: without_effect(p.read_text("utf-8")) for p in modules}
    seen = [
        item.job_id
        for item in sorted(db.work_items, key=_order)
        if not any(
            start <= item.mutations[0].start_pos < end for start, end in blind[item.mutations[0].module_path]
        )
    ]
    drawn = set(random.Random(a.seed).sample(seen, min(a.sample, len(seen))))
    left_out = [item.job_id for item in db.work_items if item.job_id not in drawn]
    db.set_multiple_results(left_out, WorkResult(WorkerOutcome.SKIPPED, "not drawn"))
    sys.stdout.write(f"{len(drawn)} of {len(seen)} mutants drawn, seed {a.seed}\n")


def _order(item) -> tuple[str, str, int]:  # type: ignore[no-untyped-def]
    mutation = item.mutations[0]
    return str(mutation.module_path), mutation.operator_name, mutation.occurrence


def summary(results) -> Iterator[str]:  # type: ignore[no-untyped-def]
    """Killed, survived, timed out; then the survivors' changes."""
    tested = [r for _, r in results if r.test_outcome is not None]
    survived = [r for r in tested if r.test_outcome == "survived"]
    late = sum(r.output == "timeout" for r in tested)
    for result in survived:
        yield result.diff or str(result.output)
    share = len(survived) / len(tested) if tested else 0.0
    killed = len(tested) - len(survived) - late
    yield f"{len(tested)} mutants: {killed} killed, {late} timed out, {len(survived)} survived ({share:.0%})"


if __name__ == "__main__":
    os.nice(19)
    sys.exit(main())
