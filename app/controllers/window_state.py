"""Window state: the numbers of the moment, and geometry and choices of the last run and for the next."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from app.live.pipeline import Pipeline
from app.settings import Settings, SettingsFile
from app.ui.hud import LiveMetrics
from app.ui.translation import tr
from app.ui.window import Window
from app.workspace import Workspace
from models.labels import S31, PartSet
from runtime.system.errors import Refusal
from runtime.system.jobs import BackgroundJobs

CHECKED = ("hud", "mirror", "smoothing", "thumbnails")  # actions whose state is a setting of the same name

SETTLED_S: Final = 1.0

log = logging.getLogger("xfactor.desktop")


def parts_of(workspace: Workspace) -> PartSet:
    """The parts of the model in use; those of ours while none is loaded."""
    return (workspace.engine.part_set if workspace.engine is not None else None) or S31


def shows_parts(workspace: Workspace) -> bool:
    """False while the model in use gives no body parts, and so takes no X factor."""
    return workspace.engine is None or workspace.engine.part_set is not None


def restore(settings: Settings, window: Window, workspace: Workspace) -> None:
    """Show the window as it was."""
    window.show_theme(settings.theme)
    workspace.looks = settings.looks
    window.display.restore(settings, parts_of(workspace))
    window.restore_texts(settings.geometry, settings.layout)
    for name in CHECKED:
        window.actions_[name].setChecked(getattr(settings, name))


def current(settings: Settings, window: Window, workspace: Workspace) -> Settings:
    """`settings` with what the window shows now."""
    choice, loaded = workspace.choice, workspace.engine is not None
    factor = workspace.xfactor.key if workspace.xfactor.trunk else ""
    return replace(
        window.display.remember(settings, parts_of(workspace)),
        hud=window.actions_["hud"].isChecked(),
        mirror=window.actions_["mirror"].isChecked(),
        smoothing=window.actions_["smoothing"].isChecked(),
        thumbnails=window.actions_["thumbnails"].isChecked(),
        legend=window.actions_["panel"].isChecked(),
        model=choice.model if loaded else settings.model,
        factor=factor if loaded else settings.factor,
        device=choice.device or settings.device,
        network_size=choice.size,
        looks=workspace.looks,
        geometry=window.geometry_text(),
        layout=window.layout_text(),
    )


def save(file: SettingsFile, settings: Settings) -> None:
    """Write only what this run changed; a refusal must not keep the program from ending."""
    try:
        file.save(settings)
    except Refusal as e:
        log.warning("%s", e)


def show_hidden(window: Window, workspace: Workspace) -> None:
    """Say how many parts are painted, if not all."""
    parts = parts_of(workspace).classes - 1
    hidden = len(window.display.style.hidden) if shows_parts(workspace) else 0
    window.status.show_hidden(parts - hidden, parts)


class SettingsWriting:
    """Writes changed settings once they have stayed the same for a moment, beside the window."""

    def __init__(self, file: SettingsFile, jobs: BackgroundJobs) -> None:
        self._file, self._jobs = file, jobs
        self._seen: Settings | None = None
        self._written: Settings | None = None
        self._since_s = 0.0

    def refresh(self, current: Callable[[], Settings]) -> None:
        """Look whether something changed; called often."""
        now_s = time.monotonic()
        if now_s - self._since_s < SETTLED_S:
            return
        self._since_s, settings = now_s, current()
        if self._written is None:
            self._written = settings  # as it was restored
        if settings == self._seen and settings != self._written:
            self._written = settings
            self._jobs.start(
                "Saving settings",
                lambda _: save(self._file, settings),
                lambda _: None,
                quiet=True,
                beside=True,
            )
        self._seen = settings


def metrics(window: Window, workspace: Workspace, pipeline: Pipeline) -> LiveMetrics | None:
    """The numbers of the moment; None while nothing of the source is on show, or it gives nothing."""
    engine, canvas, rate = workspace.engine, window.canvas, pipeline.rate
    parsed, capture = canvas.parsed, pipeline.capture
    if parsed is None or capture is None or capture.lost or parsed.frame.source != capture.number:
        return None
    still = capture.info is not None and capture.info.still
    rests = "still picture" if still else "" if capture.playback.playing else "paused"
    beside = parsed.beside
    return LiveMetrics(
        fps=rate.fps,
        rests=tr(rests),
        slower=beside.slower if beside is not None else "",
        infer_ms=rate.infer_ms,
        age_ms=canvas.age_ms,
        dropped=pipeline.dropped,
        provider=engine.provider if engine is not None else "",
        model=engine.name if engine is not None else "",
        factor=workspace.xfactor.name * shows_parts(workspace),
        picture=parsed.frame.size,
        in_parts=canvas.in_parts if beside is None else None,  # else each side says it
    )


def show_metrics(
    window: Window, workspace: Workspace, pipeline: Pipeline, title: Callable[[str], str]
) -> None:
    """Show the numbers of the moment; until a source's first picture is on show its name (or title)."""
    vitals, capture = metrics(window, workspace, pipeline), pipeline.capture
    waits = vitals is None and capture is not None and not capture.lost
    opens = workspace.opening if pipeline.opening is not None else workspace.source if waits else None
    window.status.show_metrics(vitals, (title(opens.address) or opens.name) if opens is not None else "")
    window.canvas.show_metrics(vitals if window.actions_["hud"].isChecked() else None)
