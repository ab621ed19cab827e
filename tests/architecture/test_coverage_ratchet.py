"""The comparison behind `make coverage`."""

from __future__ import annotations

from tests.coverage_ratchet import fallen

TABLE = {"app/a.py": 90}


def test_a_file_may_not_lose_coverage() -> None:
    assert fallen({"app/a.py": 87}, TABLE) == ["app/a.py: 87 %, at least 88 % asked"]
    assert fallen({"app/a.py": 88}, TABLE) == []


def test_a_new_file_has_a_least_coverage() -> None:
    assert fallen({"app/new.py": 79}, TABLE) == ["app/new.py: 79 %, at least 80 % asked"]
    assert fallen({"app/new.py": 80}, TABLE) == []
