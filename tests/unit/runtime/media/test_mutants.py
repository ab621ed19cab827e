"""Rows A01 to A05: damaged media never end or stop the program, and whatever is wrong is said.

XFACTOR_MUTANTS sets how many damaged files are taken; 1200 take 14 s on two cores. A mutant that breaks
something stays in the test's folder, and `python -m tests.media_mutants NUMBER FOLDER` makes it again.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.media_mutants import draw_seeds

LONGEST_S = 20.0
CHILDREN = 2


class MutantChild:
    """A process that takes mutants one by one, and may die of one or hang at it."""

    def __init__(self, seeds: Path, folder: Path, numbers: range) -> None:
        self.numbers = numbers
        self.at = numbers.start
        self.file = ""
        ends = map(str, (numbers.start, numbers.stop, numbers.step))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.media_mutants", str(seeds), str(folder), *ends],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


def take(seeds: Path, folder: Path, numbers: range) -> tuple[Counter[str], list[str]]:
    """What came of the mutants, and those that broke something."""
    came: Counter[str] = Counter()
    broke: list[str] = []
    while numbers:
        child = MutantChild(seeds, folder, numbers)
        try:
            while (line := child.lines.get(timeout=LONGEST_S)) is not None:
                said = json.loads(line)
                if "begin" in said:
                    child.at, child.file = said["begin"], said["file"]
                    continue
                if said["broke"]:
                    broke.append(f"{child.file}: {said['came']}")
                came[said["came"] if not said["broke"] else "broke"] += 1
                child.at += numbers.step
            code = child.process.wait()
            if code:
                broke.append(f"{child.file}: the process ended with {code}")
        except queue.Empty:
            broke.append(f"{child.file}: longer than {LONGEST_S:g} s")
            code = -1
        finally:
            child.close()
        numbers = range(child.at + numbers.step, numbers.stop, numbers.step) if code else range(0)
    return came, broke


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a05_damaged_media_are_refused_or_read_as_far_as_they_go(tmp_path: Path) -> None:
    count = int(os.environ.get("XFACTOR_MUTANTS", "1200"))
    seeds, folder = tmp_path / "seeds", tmp_path / "mutants"
    seeds.mkdir()
    folder.mkdir()
    draw_seeds(seeds)
    results: list[tuple[Counter[str], list[str]]] = []
    threads = [
        threading.Thread(target=lambda n=n: results.append(take(seeds, folder, range(n, count, CHILDREN))))
        for n in range(CHILDREN)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    came = sum((c for c, _ in results), Counter())
    broke = [line for _, lines in results for line in lines]
    sys.stdout.write(f"{count} mutants: {dict(came)}\n")
    assert broke == []
    assert came.total() == count
    assert came["refused"] > count / 20  # they are damaged
    assert came["written"] > count / 20  # but not beyond reading
