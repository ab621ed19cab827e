"""Comparison: a new factor is tried beside the old one on the moving picture, then kept or discarded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.live.jobs import BackgroundJob, BackgroundJobs
from app.live.pipeline import Pipeline
from app.ui.style_state import StyleState
from app.workspace import Workspace, XFactor
from runtime.engine.engine import Engine
from runtime.engine.source import Factor, SilhouetteSource
from runtime.library.factors import FactorFile, user_factors
from runtime.system.errors import Refusal


@dataclass(frozen=True)
class Trial:
    """A factor that is tried."""

    xfactor: XFactor
    before: XFactor  #: what it is compared with
    file: Path


@dataclass(frozen=True)
class Kept:
    """A trial that is in the library now."""

    file: FactorFile
    replaced: bool  #: a factor of this name is an earlier generation now


class Comparison:
    """The X factor's place while a result is undecided.

    Attributes:
        trial: what is tried now, or was kept and can be undone.
        kept: the trial in the library; None while it is undecided.
        on_changed: called when a trial has begun, was kept, or ended.
    """

    def __init__(
        self, workspace: Workspace, pipeline: Pipeline, jobs: BackgroundJobs, display: StyleState
    ) -> None:
        self.trial: Trial | None = None
        self.kept: Kept | None = None
        self.on_changed: Callable[[], None] = lambda: None
        self._workspace, self._pipeline, self._jobs, self._viewing = workspace, pipeline, jobs, display
        self._compared: tuple[Engine, Engine] | None = None  # with, and with what
        self._split_before = False

    def begin(self, file: Path, sha256: str, name: str, on_refused: Callable[[Refusal], None]) -> None:
        """Load a new factor beside the live picture, then put it into use; the old one stays at hand."""
        engine = self._workspace.engine
        if engine is None:
            return
        trunk = engine.trunk_sha256

        def work(_: BackgroundJob) -> SilhouetteSource | Refusal:
            try:
                check(file, sha256)
                source = engine.load_factor(file)
            except Refusal as e:
                return e
            if isinstance(source, Factor):
                source.name = name
            return source

        def done(source: SilhouetteSource | Refusal) -> None:
            now = self._workspace.engine
            if isinstance(source, Refusal):
                on_refused(source)
            elif now is not None and now.trunk_sha256 == trunk:
                xfactor = XFactor(str(file), name, source, trunk)
                self.trial, self.kept = Trial(xfactor, self._workspace.xfactor, file), None
                self._workspace.use(xfactor)
                self.compare(on=True)
                self.on_changed()

        self._jobs.start(f"Loading {name}", work, done, quiet=True)

    def compare(self, *, on: bool) -> None:
        """Show both factors, left and right of the split line, or the new one alone."""
        if on and not self.comparison:
            self._split_before = self._viewing.style.split
        trial, engine = self.trial, self._workspace.engine
        if not on or trial is None or engine is None:
            if self.comparison:
                self._viewing.show(replace(self._viewing.style, split=self._split_before))
            self._compared = None
            self._pipeline.compare(None)
            return
        self._compared = engine, engine.with_factor(trial.before.source)
        self._pipeline.compare(self._compared[1], engine)
        self._viewing.show(replace(self._viewing.style, split=True, bare=False))

    @property
    def comparison(self) -> bool:
        """True while both are shown."""
        return self._compared is not None

    @property
    def in_use(self) -> bool:
        """True while the new factor parses the next frame."""
        return self.trial is not None and self._workspace.xfactor.source is self.trial.xfactor.source

    def refresh(self) -> None:
        """The engine in use has changed: at another size it is compared anew, with another factor no more."""
        if self._compared is None or self._workspace.engine is self._compared[0]:
            return
        if self.in_use:
            self.compare(on=True)
        else:
            self.compare(on=False)
            self.on_changed()

    def keep(self, name: str, face: NDArray[np.uint8] | None, on_refused: Callable[[Refusal], None]) -> None:
        """Put the factor into the library; what runs goes on running."""
        trial, engine = self.trial, self._workspace.engine
        if trial is None or engine is None:
            return
        trunk = engine.stages.sessions[0].data

        def work(_: BackgroundJob) -> Kept | Refusal:
            try:
                return add_to_library(trial.file, trunk, name, face)
            except Refusal as e:
                return e

        def done(kept: Kept | Refusal) -> None:
            if isinstance(kept, Refusal):
                on_refused(kept)
                return
            key, name = str(kept.file.path), kept.file.name
            self._workspace.rename_factor(trial.xfactor.key, key, name)
            self.trial, self.kept = replace(trial, xfactor=replace(trial.xfactor, key=key, name=name)), kept
            self.on_changed()

        self._jobs.start(f"Recordings {name}", work, done, quiet=True)

    def discard(self) -> None:
        """The old factor again; the new one is gone from the menus."""
        trial, self.trial, self.kept = self.trial, None, None
        self.compare(on=False)
        if trial is not None and self._workspace.xfactor.source is trial.xfactor.source:
            self._workspace.use(trial.before, remember=False)
        if trial is not None:
            self._workspace.drop_factor(trial.xfactor.key)
        self.on_changed()

    def undo(self, on_refused: Callable[[Refusal], None]) -> None:
        """The old factor again; the new one stays in the library, behind the old one if it took its name."""
        trial, kept, self.trial, self.kept = self.trial, self.kept, None, None
        self.compare(on=False)
        if trial is not None:
            self._workspace.use(trial.before)
        if kept is not None and kept.replaced:
            try:
                user_factors().roll_back(kept.file.name)
            except Refusal as e:
                on_refused(e)
        self.on_changed()

    def close(self) -> None:
        """The result is decided on; what is in use stays."""
        self.compare(on=False)
        self.trial, self.kept = None, None
        self.on_changed()


def check(file: Path, sha256: str) -> None:
    """Refuse a factor file that is not the one its worker told of.

    Raises:
        Refusal: it is gone or another one.
    """
    try:
        found = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as e:
        raise Refusal(f"factor {file.name}", f"it cannot be read ({e.strerror})", "Personalise again") from e
    if found != sha256:
        raise Refusal(
            f"factor {file.name}", "it is not the file that was reported", "Personalise this clip again"
        )


def add_to_library(file: Path, trunk: bytes, name: str, face: NDArray[np.uint8] | None) -> Kept:
    """Into the library, with its thumbnail; a factor of this name becomes an earlier generation of it.

    Raises:
        Refusal: it cannot be written.
    """
    library = user_factors()
    replaced = library.path(name).exists()
    factor = library.put(file, trunk, name)
    if face is not None:
        library.set_thumbnail(name, face)
    return Kept(factor, replaced)
