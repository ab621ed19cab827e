"""Decision on a new factor: tried beside the old one on the moving picture, then kept, discarded, undone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from app.live.pipeline import Pipeline
from app.ui.personalize_result import Measure, ResultCard
from app.ui.window import Window
from app.workspace import Workspace
from app.xfactor import XFactor
from personalize.client.task import PersonalizationTask
from personalize.client.verdict import verdict
from personalize.messages import Finished
from runtime.engine.engine import Engine
from runtime.engine.source import FactorSource, SilhouetteSource
from runtime.library.factors import FactorFile, user_factors
from runtime.system.errors import Refusal
from runtime.system.jobs import BackgroundJob, BackgroundJobs, JobState
from runtime.system.notices import Level, Notice

TOPIC: Final = "personalise"


@dataclass(frozen=True)
class Trial:
    """A factor that is tried, or that was kept and can be undone."""

    xfactor: XFactor
    before: XFactor  #: what it is compared with
    file: Path
    kept: FactorFile | None = None  #: in the library
    replaced: bool = False  #: a factor of its name is an earlier generation now


class FactorDecision:
    """Connects the result page and the Personalise menu with the X factor's place.

    Attributes:
        trial: what is tried now; None before and after.
        on_closed: called when the result was decided on and the page can go.
        on_untried: called when a comparison is wanted of a factor that is not tried yet.
    """

    def __init__(
        self, window: Window, workspace: Workspace, pipeline: Pipeline, jobs: BackgroundJobs
    ) -> None:
        self.trial: Trial | None = None
        self.on_closed: Callable[[], None] = lambda: None
        self.on_untried: Callable[[], None] = lambda: None
        self._window, self._workspace, self._pipeline, self._jobs = window, workspace, pipeline, jobs
        self._page = window.personalise.result
        self._task: PersonalizationTask | None = None
        self._done: Finished | None = None
        self._job: BackgroundJob | None = None  # loads the factor, or keeps the one that is tried
        self._compared: tuple[Engine, Engine] | None = None  # with, and with what
        self._split_before = False
        page = self._page
        for name, signal, act in (
            ("keep-factor", page.kept, self.keep),
            ("discard-factor", page.discarded, self.discard),
            ("undo-factor", page.undone, self.undo),
        ):
            signal.connect(act)
            window.actions_[name].triggered.connect(act)
        page.closed.connect(self.close)
        for compared in (page.compared, window.actions_["compare"].triggered):
            compared.connect(lambda on: self._on_compare(on=on))
        self._refresh_page()

    @property
    def comparing(self) -> bool:
        """True while both factors are shown."""
        return self._compared is not None

    @property
    def kept(self) -> bool:
        """True when the result is in the library."""
        return self.trial is not None and self.trial.kept is not None

    @property
    def untried(self) -> bool:
        """True while an accepted factor has not been put into use."""
        return self.trial is None and self._done is not None and self._done.accepted

    @property
    def _keeping(self) -> bool:
        return self.trial is not None and self._job is not None

    def show(self, task: PersonalizationTask, done: Finished) -> str:
        """Show a result; `try_factor` puts it into use. Returns its headline."""
        self._task, self._done = task, done
        found = verdict(done, task.job.name)
        self._page.show_card(
            ResultCard(
                headline=found.headline,
                reason="\n".join(filter(None, (found.person, found.reason))),
                measures=tuple(Measure(r.words, r.before, r.after) for r in found.rows),
                details=found.details,
                accepted=found.accepted,
                comparable=found.accepted,
                correctable=bool(task.silhouettes),
            )
        )
        self._window.personalise.show_page(self._page)
        self._refresh_page()
        return found.headline

    def try_factor(self) -> None:
        """Put the new factor of the task beside the old one, if it was accepted and is not tried yet."""
        task, done = self._task, self._done
        if task is not None and done is not None and self.untried and self._job is None:
            self.begin(task.folder / done.path, done.sha256, task.job.name)

    def begin(self, file: Path, sha256: str, name: str) -> None:
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
            if isinstance(source, FactorSource):
                source.name = name
            return source

        def done(source: SilhouetteSource | Refusal) -> None:
            if self._job is not job:
                return  # discarded meanwhile
            self._job, now = None, self._workspace.engine
            if isinstance(source, Refusal):
                self._refuse(source)
            elif now is not None and now.trunk_sha256 == trunk:
                xfactor = XFactor(str(file), name, source, trunk)
                self.trial = Trial(xfactor, self._workspace.xfactor, file)
                self._workspace.use(xfactor)
                self.compare(on=True)

        job = self._job = self._jobs.start(f"Loading {name}", work, done, quiet=True)

    def compare(self, *, on: bool) -> None:
        """Show both factors, left and right of the split line, or the new one alone."""
        display, trial, engine = self._window.display, self.trial, self._workspace.engine
        if on and not self.comparing:
            self._split_before = display.style.split
        if on and trial is not None and engine is not None:
            self._compared = engine, engine.with_factor(trial.before.source)
            self._pipeline.compare(self._compared[1], engine)
            display.show(replace(display.style, split=True, bare=False))
        else:
            if self.comparing:
                display.show(replace(display.style, split=self._split_before))
            self._compared = None
            self._pipeline.compare(None)
        self._refresh_page()

    def refresh(self) -> None:
        """Follow the engine in use: at another size it is compared anew, with another factor no more."""
        if self._job is not None and self._job.state is JobState.FAILED:  # a banner says so, too
            words, self._job = self._job.error, None
            self._page.show_undecided(words)
            self._refresh_page()
        if self._compared is not None and self._workspace.engine is not self._compared[0]:
            trial = self.trial
            self.compare(on=trial is not None and self._workspace.xfactor.source is trial.xfactor.source)

    def keep(self) -> None:
        """Put the factor into the library; what runs goes on running."""
        task, trial, engine = self._task, self.trial, self._workspace.engine
        if task is None or trial is None or self.kept or self._keeping or engine is None:
            return
        self._page.show_waiting("Putting it into the library…")
        trunk, name = engine.stages.sessions[0].data, task.job.name
        picture = task.thumbnail.thumbnail if task.thumbnail is not None else None

        def work(_: BackgroundJob) -> tuple[FactorFile, bool] | Refusal:
            library = user_factors()
            try:
                replaced = library.path(name).exists()
                factor = library.put(trial.file, trunk, name)
                if picture is not None:
                    library.set_thumbnail(name, picture)
            except Refusal as e:
                return e
            return factor, replaced

        def done(result: tuple[FactorFile, bool] | Refusal) -> None:
            if self._job is not job:
                return  # corrected meanwhile
            self._job = None
            if isinstance(result, Refusal):
                self._refuse(result)
                return
            kept, replaced = result
            key = str(kept.path)
            self._workspace.rename_factor(trial.xfactor.key, key, kept.name)
            xfactor = replace(trial.xfactor, key=key, name=kept.name)
            self.trial = replace(trial, xfactor=xfactor, kept=kept, replaced=replaced)
            self._page.show_kept(f"Kept as {kept.name}. It is in the X-factor menu and in use.")
            self._refresh_page()

        job = self._job = self._jobs.start(f"Keeping {name}", work, done, quiet=True)
        self._refresh_page()

    def discard(self) -> None:
        """Use the old factor again, and delete the new one."""
        if self._task is not None and not self.kept and not self._keeping:
            self.withdraw()
            self.close()

    def undo(self) -> None:
        """Use the old factor again; the new one stays in the library, behind the old one of its name."""
        trial = self.trial
        if trial is None or trial.kept is None:
            return
        self.trial = None
        self.compare(on=False)
        self._workspace.use(trial.before)
        if trial.replaced:
            try:
                user_factors().roll_back(trial.kept.name)
            except Refusal as e:
                self._refuse(e)
        self._done = None
        where = "an earlier generation of its name" if trial.replaced else "in the library"
        words = f"The factor before is in use again. The new {trial.kept.name} is {where}."
        self._page.show_undone(words)
        self._refresh_page()

    def withdraw(self) -> None:
        """Use the old factor again while undecided; the result stays where it is."""
        trial = self.trial
        if self.kept:
            return
        self._drop_job()
        self.trial = self._done = None
        self.compare(on=False)
        if trial is None:
            return
        if self._workspace.xfactor.source is trial.xfactor.source:
            self._workspace.use(trial.before, remember=False)
        self._workspace.drop_factor(trial.xfactor.key)

    def close(self) -> None:
        """Forget the result; what is in use stays."""
        self._drop_job()
        self._task = self._done = self.trial = None
        self.compare(on=False)
        self.on_closed()

    def _drop_job(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.cancel()

    def _on_compare(self, *, on: bool) -> None:
        if on and self.untried:
            self.on_untried()
        self.compare(on=on)

    def _refuse(self, refusal: Refusal) -> None:
        self._window.banner.show_notice(Notice(str(refusal), Level.ERROR, topic=TOPIC))
        self._page.show_undecided(str(refusal))
        self._refresh_page()

    def _refresh_page(self) -> None:
        tried, kept = self.trial is not None, self.kept
        actions = self._window.actions_
        for name, on in (
            ("keep-factor", tried and not kept and not self._keeping),
            ("discard-factor", (tried or self.untried) and not kept and not self._keeping),
            ("undo-factor", kept),
            ("compare", tried or self.untried),
        ):
            actions[name].setEnabled(on)
        actions["compare"].setChecked(self.comparing)
        self._page.show_compared(on=self.comparing, tried=tried)


def check(file: Path, sha256: str) -> None:
    """Refuse a factor file that is not the one its worker reported.

    Raises:
        Refusal: it is gone or another one.
    """
    name, remedy = f"factor {file.name}", "Personalise this clip again"
    try:
        found = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as e:
        raise Refusal(name, f"it cannot be read ({e.strerror})", remedy) from e
    if found != sha256:
        raise Refusal(name, "it is not the file that was reported", remedy)
