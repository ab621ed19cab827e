"""Mutants meet the tests of their module, and none is made where no test could see it."""

from __future__ import annotations

from pathlib import Path

from tests.architecture.sources import ROOT
from tests.mutation import FOLDERS, ModuleTests, without_effect

CHOICE = ModuleTests(ROOT)
UNTESTED = {"training/mediapipe_pose.py", "training/card.py"}


def test_a_module_meets_the_tests_that_import_it_and_a_part_those_of_its_user() -> None:
    noise = CHOICE.of(Path("training/noise.py"))
    assert Path("tests/unit/training/test_targets_and_losses.py") in noise
    assert CHOICE.of(Path("models/enet.py")), "tests of the families build it"
    assert CHOICE.of(Path("personalize/worker/finetune.py"))[0].name == "test_finetune.py"


def test_nearly_every_module_is_tested_somewhere() -> None:
    modules = [p.relative_to(ROOT) for folder in FOLDERS for p in (ROOT / folder).rglob("*.py")]
    without = {str(p) for p in modules if p.name not in ("__init__.py", "__main__.py") and not CHOICE.of(p)}
    assert without <= UNTESTED


def test_annotations_are_left_alone() -> None:
    source = "def f(x: int | None = 1 + 2) -> str | None:\n    y: int | str = 3\n    return y\n"
    spans = without_effect(source)
    texts = {source.splitlines()[start[0] - 1][start[1] : end[1]] for start, end in spans}
    assert texts == {"int | None", "str | None", "int | str"}
