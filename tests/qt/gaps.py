"""Gaps of the window's event loop while models load, clips open, files are exported and a factor is learned.

`python -m tests.qt.gaps`; exit code 1 when a gap is over 100 ms, or more than one in a hundred over 33 ms.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from app.desktop import Desktop
from app.live.model_choice import ModelChoice
from app.settings import SettingsFile
from app.ui.personalize_form import PersonalizeRequest

# isort: split
import numpy as np
from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import QApplication

LONGEST_MS: Final = 100.0
P99_MS: Final = 33.0
PATIENCE_S: Final = 600.0
SPAN: Final = (60, 71)  # frames of the sample clip, exported and learned from

Phase = tuple[str, Callable[[], object], Callable[[], bool]]  # name, what is done, true when it is over


class Pulse:
    """Pauses between two turns of an event loop, ms."""

    def __init__(self) -> None:
        self.gaps_ms: list[float] = []
        self._last_s = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.beat)
        self._timer.start(5)

    def beat(self) -> None:
        """Another turn."""
        now_s = time.perf_counter()
        self.gaps_ms.append((now_s - self._last_s) * 1e3)
        self._last_s = now_s


def phases(desktop: Desktop, out: Path) -> Iterator[Phase]:
    """A day's work in half a minute; each phase is asked for when the one before is over."""
    window, workspace, actions = desktop.window, desktop.workspace, desktop.window.actions_

    def parsed(*before: object) -> bool:
        shown = window.canvas.parsed
        return shown is not None and shown.parsing is not None and shown.engine_id not in before

    def seconds(length_s: float) -> Callable[[], bool]:
        over_s = time.monotonic() + length_s
        return lambda: time.monotonic() > over_s

    yield "start, model loads", desktop.start, lambda: workspace.engine is not None
    yield "clip opens", desktop.open_example, parsed
    load, engine = partial(workspace.load, ModelChoice("people-s31", "cpu", 256), ""), workspace.engine
    yield "another model", load, partial(parsed, engine and engine.id)
    yield "clip opens again", desktop.open_example, seconds(2)
    yield "plot opens", actions["movement"].trigger, lambda: desktop.movement.plot is not None
    yield "plot follows", lambda: None, seconds(5)
    yield "plot goes", actions["movement"].trigger, seconds(1)
    desktop.playing.set_span(*SPAN)
    if (dialog := desktop.exports.ask()) is not None:
        dialog.folder.setText(str(out))
        yield "export", dialog.export.click, lambda: not desktop.jobs.shown()
    wish, form = PersonalizeRequest("gaps", marked=True, method="tree", go_on=False), window.personalise
    desktop.personalization.show()
    learn = partial(desktop.personalization.start, wish)
    yield "personalisation", learn, lambda: form.page is form.result
    yield "factor discarded", actions["discard-factor"].trigger, seconds(2)


def watch(desktop: Desktop, out: Path) -> dict[str, list[float]]:
    """Go through the phases in the event loop: gaps of each, ms."""
    gaps_ms: dict[str, list[float]] = {}
    pulse, timer = Pulse(), QTimer()
    todo = phases(desktop, out)
    end: Phase = "", desktop.stop, lambda: True
    name, _, over = end
    until_s = 0.0

    def proceed() -> None:
        nonlocal name, over, until_s
        if name and not over() and time.monotonic() < until_s:
            return
        if name:
            gaps_ms[name] = pulse.gaps_ms
        name, act, over = next(todo, end)
        pulse.gaps_ms, until_s = [], time.monotonic() + PATIENCE_S
        act()
        if not name:
            timer.stop()

    timer.timeout.connect(proceed)
    timer.start(50)
    QApplication.exec()
    return gaps_ms


def main() -> int:
    """Command line."""
    application = QApplication([])
    with tempfile.TemporaryDirectory(prefix="xfactor-gaps-") as folder:
        os.environ["XFACTOR_HOME"] = folder
        desktop = Desktop(SettingsFile(Path(folder) / "settings.json"))
        desktop.ended.connect(application.quit)
        gaps_ms = watch(desktop, Path(folder) / "exports")
    gaps_ms["all"] = [g for of in gaps_ms.values() for g in of]
    p99 = longest = 0.0
    for name, of in gaps_ms.items():
        p50, p99, longest = np.percentile(of, (50, 99, 100)).tolist()
        sys.stdout.write(f"{name:20} p50 {p50:5.1f}, p99 {p99:5.1f}, longest {longest:6.1f} ms\n")
    return int(longest > LONGEST_MS or p99 > P99_MS)


if __name__ == "__main__":
    sys.exit(main())
