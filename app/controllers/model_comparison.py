"""Model comparison: another model left of the split line, on the same frames as the one in use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.controllers.model_words import views_refused
from app.live.listing import Listing
from app.live.model_choice import EngineLoader, ModelChoice
from app.live.pipeline import Pipeline
from app.settings import network_threads
from app.ui.dialogs import MODELS, ask_file
from app.ui.menu_entries import Choice, fill
from app.ui.window import Window
from app.workspace import Workspace
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.system.jobs import BackgroundJob, BackgroundJobs

FILE = Choice("", "A model file…")


class ModelComparison:
    """Connects Model → Compare with, the split line and the pipeline's companion."""

    def __init__(
        self,
        window: Window,
        workspace: Workspace,
        pipeline: Pipeline,
        jobs: BackgroundJobs,
        listing: Listing,
        loader: EngineLoader = load_engine,
    ) -> None:
        self._window, self._workspace, self._pipeline = window, workspace, pipeline
        self._jobs, self._listing, self._loader = jobs, listing, loader
        self._choice: ModelChoice | None = None  # what is compared with, or being loaded
        self._loading: BackgroundJob | None = None
        self._split_before = False
        actions = window.actions_
        actions.menus["Model"].aboutToShow.connect(self._fill)
        actions["end-beside"].triggered.connect(self.end)
        actions["end-beside"].setEnabled(False)
        window.display.changed.connect(self._on_style)
        listing.listeners.append(self._fill)

    @property
    def comparing(self) -> bool:
        """True while two models parse every frame."""
        return self._pipeline.companion is not None

    def begin(self, model: str) -> None:
        """Load a model, by name or file; both are shown once it has run."""
        if self._loading is not None:
            self._loading.cancel()
        choice = self._choice = replace(self._workspace.choice, model=model)
        threads, size = network_threads(), NetworkSize(choice.size) if choice.size else None

        def work(job: BackgroundJob) -> Engine:
            engine = self._loader(model, device=choice.device, threads=threads, size=size)
            job.progress()
            return engine

        def done(engine: Engine) -> None:
            if self._choice is choice:
                self._show(engine)

        self._loading = self._jobs.start(f"Loading {Path(model).name} to compare with", work, done)

    def end(self) -> None:
        """The model in use alone; the other one's memory is given back."""
        if self._loading is not None:
            self._loading.cancel()
        self._choice = self._loading = None
        if self.comparing:
            self._pipeline.compare_model(None)
            display = self._window.display
            display.show(replace(display.style, split=self._split_before))
        self._window.actions_["end-beside"].setEnabled(False)
        self._window.controls.show_sides("")
        self._window.canvas.show_remarks(("", ""))

    def refresh(self) -> None:
        """Follow the choices for the model in use: device, size, views; called many times a second."""
        companion, choice = self._pipeline.companion, self._choice
        engine = companion.engine if companion is not None else None
        if companion is None or engine is None or choice is None:
            return
        if self._window.actions_["compare"].isChecked():  # two factors are compared now
            self.end()
        elif replace(self._workspace.choice, model=choice.model) != choice:
            self.begin(choice.model)
        elif (wanted := engine.with_views(self._workspace.views_of(engine))) is not engine:
            companion.engine = wanted
            self._pipeline.show_again()
        else:
            view, used = self._window.display.style.view, self._workspace.engine
            left, right = (views_refused(e).get(view, "") if e is not None else "" for e in (engine, used))
            self._window.canvas.show_remarks((left, right))

    def _show(self, engine: Engine) -> None:
        actions, display = self._window.actions_, self._window.display
        self._loading = None
        if actions["compare"].isChecked():
            actions["compare"].trigger()
        if not self.comparing:
            self._split_before = display.style.split
        self._pipeline.compare_model(engine.with_views(self._workspace.views_of(engine)))
        display.show(replace(display.style, split=True, bare=False))
        actions["end-beside"].setEnabled(True)
        self._window.controls.show_sides(f"{engine.name} | {self._workspace.choice.model}")

    def _on_style(self) -> None:
        """End the comparison with the split line: no model runs whose half is not seen."""
        if self.comparing and not self._window.display.style.split:
            self._split_before = False
            self.end()

    def _fill(self) -> None:
        actions, used = self._window.actions_, self._choice.model if self._choice is not None else ""
        own = self._workspace.choice.model
        names = [b.name for b in self._listing.models if b.name != own]
        choices = [Choice(name, name, checked=name == used) for name in names]
        group = actions.group("beside")
        before = actions["models-beside-end"]
        fill(actions.menus["models-beside"], [*choices, FILE], self._on_chosen, group=group, before=before)

    def _on_chosen(self, model: str) -> None:
        if model:
            self.begin(model)
        else:
            ask_file(self._window, "Compare with a model", "", MODELS, self.begin)
