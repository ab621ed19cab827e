"""Names and docstrings keep to CONTRIBUTING."""

from __future__ import annotations

import ast

import pytest

from tests.architecture import words
from tests.architecture.sources import ROOT, Source, product

MOST_LINES = 63_740
MOST_LINES_OF_THE_APP = 18_470
MOST_FILES_AT_THE_TOP_OF_THE_APP = 6


def test_nothing_offends() -> None:
    found = words.offences(product())
    assert {offence: words.places(offence) for offence in sorted(found)} == {}, (
        "see the table in CONTRIBUTING"
    )


def planted(code: str, name: str = "app/planted.py") -> Source:
    return Source(ROOT / name, code, ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        "class Teller: pass",
        "def tell_all(): pass",
        "class A:\n    def carriedParts(self): pass",
        'def f():\n    """What it is."""',
        '"""Whether it is."""',
        "class A: pass\nclass B:\n    class A: pass",
    ],
)
def test_the_check_sees_it(code: str) -> None:
    assert len(words.offences([planted(code)])) == 1


@pytest.mark.parametrize(
    "code",
    [
        "class Reporter: pass",
        "def _tell(): pass",
        "def storyteller(): pass",
        'def f():\n    """Parts of one frame, (H, W). What else there is stands below."""',
        "def limit_memory(): pass",
    ],
)
def test_the_check_lets_it_pass(code: str) -> None:
    assert words.offences([planted(code)]) == set()


def test_a_module_name_is_read() -> None:
    assert words.offences([planted("", "app/carry.py")]) == {"name carry"}


def test_the_app_is_small() -> None:
    app = [s for s in product() if s.name.startswith("app/")]
    assert sum(s.text.count("\n") for s in app) <= MOST_LINES_OF_THE_APP
    assert len([s for s in app if s.name.count("/") == 1]) <= MOST_FILES_AT_THE_TOP_OF_THE_APP


def test_the_whole_is_small() -> None:
    assert sum(s.text.count("\n") for s in product()) <= MOST_LINES
