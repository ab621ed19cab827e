"""`python -m tests.mutation --sample 300`: one fault at a time in a copy of the tree, for its tests to see.

Cosmic Ray makes the mutants and keeps their results in a session file: an interrupted run goes on, and
`cr-report` and `cr-html` read it. Each mutant meets the tests that execute its line, the quickest first,
of the test files that import its module, or a user of it.
"""

from __future__ import annotations

import argparse
import ast
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from tests.forked_tests import TIMED_OUT, ReachedLines, preload, reached_lines, run_tests
from tests.running_source import executed_with, running_source

if TYPE_CHECKING:
    from cosmic_ray.testing import TestOutcome
    from cosmic_ray.work_item import MutationSpec, WorkItem, WorkResult

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("training", "personalize", "models")
USERS = (*FOLDERS, "synthetic", "export", "app", "experiments")
#: a mutant that the tests of one file let through meets the next file's
MOST_TEST_FILES = 3
#: … and, of a folder, that of a file which builds and runs whatever the folder holds
TESTS_OF_ALL = {"models": [Path("tests/unit/models/test_network.py")]}
#: of processor time, of one file's tests for one mutant; at least one test runs
MOST_SECONDS = 15.0


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
    """The test files of each module: its namesake, those that import it; else those that import a user of it.

    Of `tests/unit`; where none of those does, of `tests/qt`, whose tests take longer.
    """

    def __init__(self, root: Path) -> None:
        self._sources = [
            p.relative_to(root) for folder in USERS for p in sorted((root / folder).rglob("*.py"))
        ]
        kinds = (root / "tests" / "unit", root / "tests" / "qt")
        self._tests = [[p.relative_to(root) for p in sorted(kind.rglob("test_*.py"))] for kind in kinds]
        files = chain(self._sources, *self._tests)
        self._imports: Mapping[Path, set[str]] = {p: imported(root / p) for p in files}

    def of(self, module: Path) -> list[Path]:
        """At most `MOST_TEST_FILES`, the module's namesake and its neighbours first; empty: untested."""
        names, known = {module_name(module)}, {module_name(module)}
        namesake = Path("tests", "unit", *module.parent.parts, f"test_{module.name}")
        while names:
            for tests in self._tests:
                if found := [test for test in tests if test == namesake or self._imports[test] & names]:
                    nearest = sorted(found, key=lambda test: _distance(test, module))[:MOST_TEST_FILES]
                    return list(dict.fromkeys((*nearest, *TESTS_OF_ALL.get(module.parts[0], ()))))
            names = {module_name(s) for s in self._sources if self._imports[s] & names} - known
            known |= names
        return []


def _distance(test: Path, module: Path) -> tuple[bool, bool, str]:
    elsewhere = test.parent != Path("tests", "unit", *module.parent.parts)
    return test.stem != f"test_{module.stem}", elsewhere, str(test)


def reaching(source: str, line: int, module: str, tests: Mapping[str, ReachedLines]) -> list[str]:
    """Node ids of tests that execute a line's statement: the quickest, up to `MOST_SECONDS` of them.

    Of a `def` with its defaults: those that run its body. Of what runs as the module is imported, also in
    a function that is called there: any, for a test may read a table and execute nothing.
    """
    wanted = executed_with(ast.parse(source), line)
    found = [
        (row.seconds, name)
        for name, row in tests.items()
        if wanted is None or not wanted.isdisjoint(row.lines.get(module, ()))
    ]
    chosen, total = [], 0.0
    for seconds, name in sorted(found):
        total += seconds
        if chosen and total > MOST_SECONDS:
            break
        chosen.append(name)
    return chosen


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
    p.add_argument("--each", type=int, default=5, help="of one module (default 5)")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--timeout", type=float, default=300, help="s of one mutant's tests (default 300)")
    p.add_argument("--minutes", type=float, default=1e9, help="begin no mutant after so many")
    p.add_argument("--out", type=Path, default=ROOT / "out" / "mutants", help="session.sqlite and lines/")
    a = p.parse_args(argv)
    a.out = a.out.resolve()
    a.out.mkdir(parents=True, exist_ok=True)
    preload()
    with (
        tempfile.TemporaryDirectory(prefix="xfactor-mutants-") as made,
        chdir(made),
        # before a checkout that is installed
        patch.dict(os.environ, PYTHONPATH=made, PYTHONDONTWRITEBYTECODE="1"),
    ):
        copy_tree(Path(made))
        _test(a)
    return 0


class Killer:
    """Runs the tests of a mutant's line, file by file, as Cosmic Ray wants them run.

    Args:
        out: the lines that each test executes are kept here.
        limit_s: of one file's tests for one mutant.
    """

    def __init__(self, out: Path, limit_s: float) -> None:
        self._out = out
        self._limit_s = limit_s
        self._choice = ModuleTests(Path())
        self._too_long: set[Path] = set()

    def meet(self, mutations: Sequence[MutationSpec]) -> WorkResult:
        """Killed by the first file that can, or survived."""
        from cosmic_ray.mutating import mutate_and_test
        from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

        result = WorkResult(WorkerOutcome.NORMAL, "no test executes it", TestOutcome.SURVIVED, "")
        if not self._measurable(mutations[0].module_path):
            return WorkResult(WorkerOutcome.SKIPPED, "no file of its tests ends in time")
        for tests in self._tests(mutations[0].module_path, mutations[0].start_pos[0]):
            with patch("cosmic_ray.mutating.run_tests", self._run):
                result = mutate_and_test(mutations, tests, self._limit_s)
            if result.test_outcome != TestOutcome.SURVIVED:
                break
        return result

    def _tests(self, module: Path, line: int) -> Iterator[list[str]]:
        source = module.read_text("utf-8")
        for tests in filter(None, map(self._measured, self._choice.of(module))):
            if any(str(module) in row.lines for row in tests.values()):
                chosen = reaching(source, line, str(module), tests)
            else:  # only processes of its tests run the module, if any
                chosen = list(tests)
            if chosen:
                yield chosen

    def _measurable(self, module: Path) -> bool:
        files = self._choice.of(module)
        return not files or any(self._measured(file) for file in files)

    def _measured(self, file: Path) -> dict[str, ReachedLines]:
        """Its tests; empty where they do not end in three times the limit, as those of whole runs."""
        to = self._out / "lines" / file.with_suffix(".json").relative_to("tests")
        if file not in self._too_long:
            try:
                return reached_lines(file, FOLDERS, 3 * self._limit_s, to)
            except RuntimeError as e:
                sys.stdout.write(f"left out: {e}\n")
                self._too_long.add(file)
        return {}

    def _run(self, tests: Sequence[str], limit_s: float) -> tuple[TestOutcome, str]:
        from cosmic_ray.work_item import TestOutcome

        output = self._out / "last.txt"
        status = run_tests(tests, limit_s, output)
        text = output.read_text("utf-8", "replace")[-4000:]
        return (
            TestOutcome.KILLED if status else TestOutcome.SURVIVED
        ), "timeout" if status == TIMED_OUT else text


def _test(a: argparse.Namespace) -> None:
    from cosmic_ray.work_db import use_db

    killer, started = Killer(a.out, a.timeout), time.monotonic()
    with use_db(str(a.out / "session.sqlite")) as db:
        if not db.num_work_items:
            _draw(db, a)
        for item in sorted(db.pending_work_items, key=_by_module(a.seed)):
            began = time.monotonic()
            if began - started > 60 * a.minutes:
                break
            result = killer.meet(item.mutations)
            db.set_result(item.job_id, result)
            (mutation,) = item.mutations
            outcome = (
                "timeout"
                if result.output == "timeout"
                else (result.test_outcome or result.worker_outcome).value
            )
            place = f"{mutation.module_path}:{mutation.start_pos[0]} {mutation.operator_name}"
            sys.stdout.write(f"{outcome:9} {place} ({time.monotonic() - began:.1f} s)\n")
            sys.stdout.flush()
        for line in summary(db.results):
            sys.stdout.write(line + "\n")


def _draw(db, a: argparse.Namespace) -> None:  # type: ignore[no-untyped-def]
    """The sample into the session."""
    from cosmic_ray.work_item import WorkItem

    places = map(Path, a.folders)
    modules = [p for place in places for p in ([place] if place.is_file() else sorted(place.rglob("*.py")))]
    sizes = {p: len(p.read_text("utf-8")) for p in modules}
    chosen, chance = draw_modules(sizes, math.ceil(a.sample / a.each), a.seed), random.Random(a.seed)
    for module in chosen:
        every = list(mutations_of(module))
        chance.shuffle(every)
        drawn = islice(filter(has_effect, every), a.each)
        db.add_work_items(WorkItem.single(f"{module} {m.operator_name} {m.occurrence}", m) for m in drawn)
    sys.stdout.write(f"{a.each} mutants of each of {len(chosen)} modules, seed {a.seed}\n")
    sys.stdout.flush()


def mutations_of(module: Path) -> Iterator[MutationSpec]:
    """All that Cosmic Ray knows of a file, operator by operator."""
    from cosmic_ray.ast import ast_nodes, get_ast_from_path
    from cosmic_ray.plugins import get_operator, operator_names
    from cosmic_ray.work_item import MutationSpec

    nodes = list(ast_nodes(get_ast_from_path(module)))
    for name in operator_names():
        if get_operator(name).arguments():
            continue  # what it does has to be said
        operator = get_operator(name)()
        places = [place for node in nodes for place in operator.mutation_positions(node)]
        yield from (MutationSpec(module, name, i, *place) for i, place in enumerate(places))


def has_effect(mutation: MutationSpec) -> bool:
    """If the mutant is Python, and other Python than before in more than what only says something."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    source = mutation.module_path.read_text("utf-8")
    try:
        mutant = mutate_code(source, get_operator(mutation.operator_name)(), mutation.occurrence)
    except AttributeError:  # Cosmic Ray 8.7 replaces no exception that is named with a dot, but draws it
        return False
    return running_source(mutant) not in (None, running_source(source))


def draw_modules(sizes: Mapping[Path, int], count: int, seed: int) -> list[Path]:
    """Modules by chance, larger ones with more: with as many mutants of each, any mutant is nearly as likely.

    The tests of few modules have to be measured, and those done when the time is over are a sample, too.
    """
    chance = random.Random(seed)
    return sorted(sizes, key=lambda p: chance.random() ** (1 / max(1, sizes[p])), reverse=True)[:count]


def _by_module(seed: int) -> Callable[[WorkItem], tuple[float, str, str, int]]:
    """Modules in an order of chance, the same each time."""
    return lambda item: (random.Random(f"{seed} {_order(item)[0]}").random(), *_order(item))


def _order(item: WorkItem) -> tuple[str, str, int]:
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
    os.nice(10)
    sys.exit(main())
