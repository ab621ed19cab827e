"""Scripted workers: what they say, and how a test waits for what the user sees. Not a test itself."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PyQt6.QtWidgets import QPushButton

from app.desktop import Desktop
from app.ui.personalize_form import PersonalizeRequest
from runtime.system import paths

SCRIPT = Path(__file__).parents[1] / "unit" / "personalize" / "client" / "scripted_worker.py"
REPORT = {
    "held_out_J": {"before": 0.71, "after": 0.86},
    "boundary_F": {"before": 0.6, "after": 0.7},
    "regression": {"before": 0.9, "after": 0.895, "margin": 0.01},
    "frames": 12, "window": [0, 11], "reason": "Better on frames it has not learned from.",
}  # fmt: skip
UP = ["say", {"event": "Progress", "phase": "propagating", "done": 3, "total": 12, "left_s": 62.0}]


def factor_file() -> Path:
    return paths.models_dir() / "factored-s31" / "factor.onnx"


def done(*, accepted: bool) -> list[list[object]]:
    sha256 = hashlib.sha256(factor_file().read_bytes()).hexdigest()
    event = {"event": "Done", "path": "factor.onnx", "sha256": sha256, "accepted": accepted, "report": REPORT}
    return [["copy", str(factor_file()), "factor.onnx"], ["say", event], ["exit", 0]]


def silhouettes(mask: Path, *frames: int) -> list[list[object]]:
    """Steps that write and tell silhouettes."""
    return [
        step
        for frame in frames
        for step in (
            ["copy", str(mask), f"{frame:06d}.png"],
            ["say", {"event": "Silhouette", "frame": frame, "path": f"{frame:06d}.png"}],
        )
    ]


def begin(desktop: Desktop, name: str = "Ann", *, marked: bool = False) -> None:
    desktop.window.actions_["personalise"].trigger()
    desktop.personalization.start(PersonalizeRequest(name, marked, "tree", go_on=False))


def page(desktop: Desktop) -> object:
    return desktop.window.personalise.page


def reaches(desktop: Desktop, qtbot, name: str) -> None:
    pages = desktop.window.personalise
    qtbot.waitUntil(lambda: pages.page is getattr(pages, name))


def buttons(widget) -> set[str]:
    """What the user can press."""
    return {b.text() for b in widget.findChildren(QPushButton) if b.isVisible() and b.isEnabled()}


def in_use(desktop: Desktop) -> str:
    return desktop.workspace.xfactor.name
