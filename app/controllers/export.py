"""Exports: the open source as files, by `xfactor parse` in a process of its own, one after the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from app.batch.export import COMMAND, GLANCE_S, ExportOutcome, ExportRecord, export, unfinished
from app.batch.options import FrameSpan, ParseJob, products_of
from app.controllers.help import show_folder
from app.live.pipeline import Pipeline
from app.settings import SettingsOwner
from app.ui.dialogs import ask_consent
from app.ui.export_dialog import ExportChoice, ExportDialog, ExportSubject
from app.ui.style_panel import BEFORE_AFTER, VIEW_NAMES
from app.ui.translation import tr
from app.ui.window import Window
from app.workspace import OWN, Workspace
from app.xfactor import XFactor
from runtime.media.recorder import free_name
from runtime.movement.corrections import load_corrections
from runtime.output.backdrop import GREEN_SCREEN
from runtime.output.style import DisplayStyle, ViewMode
from runtime.silhouettes import people
from runtime.silhouettes.mask_files import MaskSequence
from runtime.system.errors import Refusal
from runtime.system.files import make_private_dir
from runtime.system.jobs import BackgroundJob, BackgroundJobs
from runtime.system.notices import Level, Notice

VIEWS: Final = {
    "auto": "As many as are usual: one in a clip, six of a picture",
    "1": "One",
    "2": "Two, also mirrored: twice the time",
    "6": "Six, mirrored and at three sizes: six times the time",
    "regions": "One, where people are: faster, a little less calm",
}
SEVERAL: Final = {"2", "6"}
TOPIC: Final = "export"


class ExportActions:
    """Connects File → Export, runs what was asked for, and goes on with what an earlier run cut off.

    Attributes:
        command: the process; tests give another one.
    """

    def __init__(
        self,
        window: Window,
        workspace: Workspace,
        pipeline: Pipeline,
        jobs: BackgroundJobs,
        recordings: Callable[[], Path],
        owner: SettingsOwner,
    ) -> None:
        self.command = COMMAND
        self._window, self._workspace, self._pipeline, self._jobs = window, workspace, pipeline, jobs
        self._recordings, self._owner = recordings, owner
        self._turn = threading.Lock()
        self._running: list[BackgroundJob] = []
        self._leaving = False
        window.actions_["export"].triggered.connect(self.ask)

    def refresh(self) -> None:
        """Enable the entry where there is something to export, and say why not elsewhere."""
        source = self._workspace.source
        reason = "" if source is not None else "Open a clip, a picture or a folder first"
        if source is not None and source.path is None:
            reason = "A live picture has no frames to export; record it (R)"
        if not reason and self._workspace.engine is None:
            reason = "The model is still loading"
        self._window.actions_.refuse("export", reason)

    def ask(self) -> ExportDialog | None:
        """Open the dialog; what is chosen there runs as a job, of what is open now."""
        opened, settings = self._opened(), self._owner.settings
        if opened is None:
            return None
        subject, job = opened
        folder = Path(settings.export_folder) if settings.export_folder else self._recordings()
        views, as_seen = self._workspace.looks, settings.export_as_seen
        choice = ExportChoice(settings.export_save, settings.export_alpha, views, folder, as_seen=as_seen)
        dialog = ExportDialog(self._window, subject, choice)
        dialog.chosen.connect(partial(self._start, job))
        dialog.open()
        return dialog

    def _start(self, job: ParseJob, choice: ExportChoice) -> None:
        self._owner.settings = replace(
            self._owner.settings,
            export_folder=str(choice.folder),
            export_save=choice.save,
            export_alpha=choice.alpha,
            export_as_seen=choice.as_seen,
        )
        try:
            self._run(ExportRecord.new(self._chosen(job, choice)))
        except Refusal as e:
            self._window.banner.show_notice(Notice(str(e), Level.ERROR, topic=TOPIC))

    def resume(self) -> None:
        """Go on with what an earlier run of the program cut off."""
        for record in unfinished():
            self._run(record)

    def before_quitting(self, leave: Callable[[], None]) -> None:
        """Leave, after a question while exports run."""
        busy = [job for job in self._running if job in self._jobs.shown()]
        if not busy:
            leave()
            return
        words = f"{busy[0].name} is not done" + (f", nor {len(busy) - 1} more" if busy[1:] else "")
        words += ". It goes on where it was when xfactor is started again."
        ask_consent(self._window, "Quit?", words, "Quit", lambda agreed: leave() if agreed else None)

    def stop(self) -> None:
        """The program ends: jobs that are cancelled from now on are resumed by its next start."""
        self._leaving = True

    # -- one export

    def _run(self, record: ExportRecord) -> None:
        name = Path(record.job.sources[0]).name

        def work(job: BackgroundJob) -> ExportOutcome:
            with record.held():
                try:
                    with self._its_turn(job):
                        outcome = export(record.job, job.progress, command=self.command)
                        job.result_path = outcome.folder
                        return outcome
                finally:
                    if not self._leaving:
                        record.forget()
                        with suppress(OSError):
                            record.job.out.rmdir()  # nothing was written

        job = self._jobs.start(f"Exporting {name}", work, lambda o: self._on_done(name, o), beside=True)
        self._running.append(job)

    @contextmanager
    def _its_turn(self, job: BackgroundJob) -> Iterator[None]:
        while not self._turn.acquire(timeout=GLANCE_S):
            job.progress()
        job.started_s = time.monotonic()
        try:
            yield
        finally:
            self._turn.release()

    def _on_done(self, name: str, outcome: ExportOutcome) -> None:
        level = Level.WARNING if outcome.problems else Level.INFO
        frames = f"{outcome.frames} frame{'s' * (outcome.frames != 1)}"
        words = f"Exported {name}: {frames} to {outcome.folder}"
        words += f". Not whole: {outcome.problems[0]}" if outcome.problems else ""
        notice = Notice(words, level, "\n".join(outcome.problems[1:]), f"{TOPIC} {outcome.folder}")
        show = partial(show_folder, self._window, outcome.folder)
        self._window.banner.show_offer(notice, "Open the folder", show)

    # -- what is open, in words and as a job

    def _opened(self) -> tuple[ExportSubject, ParseJob] | None:
        source, engine, capture = self._workspace.source, self._workspace.engine, self._pipeline.capture
        if source is None or source.path is None or engine is None:
            return None
        info = capture.info if capture is not None else None
        style, shown = self._window.display.style, self._window.canvas.parsed
        span = capture.playback.span if capture is not None and source.kind == "clip" else None
        frames = FrameSpan(*span) if span else FrameSpan()
        options: dict[str, Any] = {"span": frames, "style": file_style(style)}
        refusal = ""
        try:
            options |= engine_options(self._workspace, self._pipeline)
        except Refusal as e:
            refusal = str(e)
        left_out = (set() if engine.averages else SEVERAL) | (set() if self._pipeline.smooth else {"regions"})
        subject = ExportSubject(
            source.name,
            clip=source.kind == "clip",
            engine=f"{engine.name}; X factor: {self._workspace.xfactor.name}",
            able=frozenset(products_of(engine)),
            views={k: words for k, words in VIEWS.items() if k not in left_out},
            span=span,
            frames=info.frames if info is not None else 0,
            refusal=refusal,
            seen=style_words(style),
            lost=lost_style(style, compared=shown is not None and shown.beside is not None),
        )
        return subject, ParseJob((str(Path(source.address).absolute()),), Path(), **options)

    def _chosen(self, job: ParseJob, choice: ExportChoice) -> ParseJob:
        """The job with the answers of the dialog, and a folder of its own."""
        clip = Path(job.sources[0])
        answers: dict[str, Any] = {
            "save": choice.save, "alpha": choice.alpha, "views": choice.views,
            "span": job.span if choice.in_to_out else FrameSpan(),
            "style": job.style if choice.as_seen else None,
            "sides": load_corrections(clip) if clip.is_file() else (),
        }  # fmt: skip
        return replace(job, out=self._new_folder(choice.folder, clip.stem), **answers)

    @staticmethod
    def _new_folder(parent: Path, stem: str) -> Path:
        try:
            folder = free_name(make_private_dir(parent), f"{stem} export", "")
            folder.mkdir()
        except OSError as e:
            reason = f"no folder can be made in it ({e.strerror or e})"
            raise Refusal(str(parent), reason, "Choose another folder") from e
        return folder


def engine_options(workspace: Workspace, pipeline: Pipeline) -> dict[str, Any]:
    """Options of a `ParseJob` for the model, its size and the X factor in use.

    Raises:
        Refusal: the X factor lives in the window only.
    """
    model = workspace.choice
    return {
        "model": model.model, "size": str(model.size) if model.size else "", "device": model.device,
        "views": workspace.looks, "smooth": pipeline.smooth, **factor_options(workspace.xfactor),
    }  # fmt: skip


def factor_options(xfactor: XFactor) -> dict[str, Any]:
    """Options of a `ParseJob` for what stands in the X factor's place.

    Raises:
        Refusal: it lives in the window only.
    """
    if xfactor.key == OWN:
        return {}
    if isinstance(xfactor.source, MaskSequence):
        return {"silhouettes": xfactor.source.folder}
    if xfactor.key == people.WORD:
        return {"factor": people.WORD}
    if xfactor.trunk and Path(xfactor.key).is_file():
        return {"factor": xfactor.key}
    reason = "it follows from what the window has shown, and cannot be exported"
    raise Refusal(
        xfactor.name, reason, "Choose the network's own factor (O), a personalised one, People or masks"
    )


def file_style(style: DisplayStyle) -> DisplayStyle:
    """The style of the window without what is of the screen, of people by number, or of a comparison."""
    behind = GREEN_SCREEN if style.transparent else style.behind  # a video has no transparency
    return replace(
        style, bare=False, mirror=False, person=0, follow=False, alone=False, hidden_people=frozenset(),
        behind=behind,
    )  # fmt: skip


def style_words(style: DisplayStyle) -> str:
    """The choices of a style, as the panel calls them."""
    words = [tr(VIEW_NAMES[style.view])]
    if style.view in {ViewMode.OVERLAY, ViewMode.INSTANCES}:
        words.append(tr("opacity {percent} %").format(percent=round(100 * style.opacity)))
    words += [tr(BEFORE_AFTER)] if style.split else []
    words += [tr("some parts hidden")] if style.hidden or style.solo else []
    words += [tr("colour-blind-safe colours")] if style.colour_blind else []
    return ", ".join(words)


def lost_style(style: DisplayStyle, *, compared: bool) -> str:
    """Words for what the window shows and its export does not; empty when there is nothing."""
    if style.hidden_people or style.alone:
        return "Hidden people are shown: an export counts people anew."
    if style.split and compared:
        return "Left of the line is the picture: the comparison stays here."
    if style.transparent:
        return "Behind the person it is green: the cut-out has transparency."
    return ""
