"""The reporter: one style each, and never the end of the work that it reports."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing

import pytest

from runtime.system.reporter import ProgressReporter

WORK = """
import sys, time
from runtime.system.reporter import ProgressReporter
reporter = ProgressReporter("json")
for n in range(3):
    reporter.event("step", n=n)
time.sleep(0.2)
reporter.failure("three failed")
reporter.close()
sys.exit(7)
"""


def test_frequent_events_are_thinned_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with closing(ProgressReporter("json")) as reporter:
        for n in range(50):
            reporter.event("progress", frequent=True, n=n)
            reporter.event("other", n=n)
        reporter.line("for people")
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [s["n"] for s in said if s["event"] == "other"] == list(range(50))
    assert 1 <= sum(s["event"] == "progress" for s in said) < 50


@pytest.mark.parametrize("output", [">/dev/full", ">&-", "| true", "2>&-", "2>/dev/full", "2> >(true)"])
def test_whatever_the_outputs_are_the_work_goes_on(output: str, repository: object) -> None:
    """Row F9: `--progress json >&-` and `>/dev/full` ended the run."""
    line = f"set -o pipefail; '{sys.executable}' -c '{WORK}' {output}"
    done = subprocess.run(
        ["bash", "-c", line], cwd=str(repository), capture_output=True, text=True, check=False
    )
    assert done.returncode == 7, done.stderr
    if not output.startswith("2"):
        assert done.stderr == "three failed\n"


def test_bars_are_drawn_on_a_terminal_only_and_take_names_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for terminal in (False, True):
        monkeypatch.setenv("FORCE_COLOR", "1") if terminal else monkeypatch.delenv(
            "FORCE_COLOR", raising=False
        )
        with closing(ProgressReporter("rich")) as reporter:
            reporter.bar("clip", "a[b].mp4", 3, 9, "3/9")
            reporter.bar("clip", "[red]c.mp4", 1, 2, "1/2")
            reporter.remove("clip")
            reporter.bar("clip", "[red]c.mp4", 2, 2, "2/2")
        shown = capsys.readouterr().err
        assert ("[red]c.mp4" in shown) is ("2/2" in shown) is terminal
