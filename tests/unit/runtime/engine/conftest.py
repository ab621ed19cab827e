"""The engine of crafted networks."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.engine.engine import Engine, load_engine
from tests.unit.runtime.model_files import crafted


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return load_engine(crafted.bundle(tmp_path / "tiny"))
