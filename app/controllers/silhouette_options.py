"""Silhouette options: thresholds of chroma key, plate and motion, in the bar under the picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.live.pipeline import Pipeline
from app.ui.source_bar import Range
from app.ui.window import Window
from app.workspace import Workspace
from runtime.silhouettes.chroma_key import ChromaKey

#: X factor → attributes of its source, and the words that begin it anew.
OPTIONS: dict[str, tuple[dict[str, Range], str]] = {
    "chroma": ({"tolerance": ("Tolerance", 0.05, 0.9), "softness": ("Soft edge", 0.02, 0.6)}, "Pick again…"),
    "plate": ({"near": ("Threshold", 0.5, 9.0)}, "Learn again"),
    "motion": (
        {"threshold": ("Threshold", 4, 80), "history": ("Frames remembered", 50, 2000)},
        "Learn again",
    ),
}


class SilhouetteOptions:
    """Connects the bar with the source in the X factor's place."""

    def __init__(self, window: Window, workspace: Workspace, pipeline: Pipeline) -> None:
        self._window, self._workspace, self._pipeline = window, workspace, pipeline
        self._shown: tuple[str, dict[str, float]] = "", {}
        window.source_bar.moved.connect(self._on_moved)
        window.source_bar.renewed.connect(self._on_renewed)

    def refresh(self) -> None:
        """Follow the X factor in use and the source that is open; called often."""
        xfactor = self._workspace.xfactor
        key = xfactor.key if self._workspace.source is not None else ""
        ranges, renew = OPTIONS.get(key, ({}, ""))
        shown = key, {name: float(getattr(xfactor.source, name)) for name in ranges}
        if shown == self._shown:
            return
        self._shown = shown
        if ranges:
            self._window.source_bar.show_ranges(ranges, shown[1], renew)
        else:
            self._window.source_bar.hide()

    def _on_moved(self, name: str, value: float) -> None:
        xfactor, source = self._workspace.xfactor, self._workspace.xfactor.source
        self._shown[1][name] = value
        if isinstance(source, ChromaKey):
            changed: dict[str, Any] = {name: value}
            self._workspace.use(replace(xfactor, source=replace(source, **changed)))
        elif source is not None:
            setattr(source, name, value)
            self._pipeline.show_again()

    def _on_renewed(self) -> None:
        key, source = self._workspace.xfactor.key, self._workspace.xfactor.source
        if key == "motion" and source is not None:
            source.reset()
        else:
            self._window.actions_[key].trigger()
