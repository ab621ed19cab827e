"""What every test gets: a per-user root of its own, no window on the screen, no thread left behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")
if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # a job in the background: the programs under test would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "default", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "nightly", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Development data beside the checkout; a test that needs it says so by skipping."""
    for root in (ROOT, *ROOT.parents):
        folder = root.parent / "shared" / "data"
        if folder.is_dir():
            return folder
    pytest.skip("needs the development data of ../shared/data, which is not beside this checkout")


@pytest.hookimpl(tryfirst=True)  # before fixtures of any scope are made
def pytest_runtest_setup() -> None:
    """Networks that a test builds begin with the same weights, whatever ran before it."""
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)


@pytest.fixture(autouse=True)
def user_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings, factors and logs of this test alone, also in the processes it starts."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XFACTOR_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    """A non-daemon thread that outlives its test would keep the program from ending."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 10.0
    left = _started_since(before)
    while left and time.monotonic() < deadline:
        time.sleep(0.01)
        left = _started_since(before)
    assert not left, f"threads left running: {[t.name for t in left]}"


def _started_since(before: set[threading.Thread]) -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t not in before and not t.daemon and t.is_alive()]
