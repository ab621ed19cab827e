"""`xfactor personalize`."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final, Literal, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from app.batch.progress import Stop, Style, quiet_stdout
from app.commands.torch_process import refuse_without
from personalize.client import job_folders
from personalize.client.supervisor import How, Outcome, Run
from personalize.client.verdict import verdict
from personalize.job import Job, Method, write_job
from personalize.messages import PHASES, Done, Event, Notice
from personalize.messages import Progress as Step
from runtime.engine.sessions import read_model
from runtime.library.factors import user_factors
from runtime.library.models import FACTOR_SUFFIX, NAME, Bundle, find_model
from runtime.system.disk import cannot_write
from runtime.system.errors import Refusal
from runtime.system.files import write_atomic

CANCELLED: Final = 130  #: as shells say of what Ctrl-C ended
GLANCE_S: Final = 0.2
LEAVE_S: Final = 20.0  #: for a worker on a busy machine to end after it was asked to

WORDS: Final = {
    "reading": "reading the clip",
    "seeds": "looking for the person",
    "links": "following every patch",
    "propagating": "carrying silhouettes",
    "cuts": "cutting along edges",
    "features": "looking at other people",
    "learning": "learning the person",
    "writing": "writing the factor",
    "checking": "comparing before and after",
}


def personalise(
    clip: Path,
    out: str,
    *,
    model: str,
    frames: tuple[int, int] | None,
    method: Method,
    progress: Style,
) -> int:
    """Make a factor of a clip.

    Returns:
        0 when it came to its end, also when nothing was gained; 1 when it failed; 130 when it was cancelled.

    Raises:
        Refusal: before anything was done.
    """
    refuse_without("personalize.worker")
    bundle = find_model(model)
    if "trunk" not in bundle.files:
        raise Refusal(
            f"model {bundle.name}", "it has no factor to replace", "Choose a factored model with --model"
        )
    if not clip.exists():
        raise Refusal(f"clip {clip}", "there is no such file or folder", "Give a clip, or a folder of frames")
    name = _name(out)
    first, last = frames or (0, None)
    job = Job(clip.absolute(), name, bundle.path.absolute(), first=first, last=last, method=method)
    folder = _folder(job)
    write_job(folder, job)
    with Stop().on_signals() as stop:
        outcome = _follow(Run(folder, lambda: None), stop, teller(progress))
    code = _end(outcome, out, bundle, progress)
    if outcome.how is not How.PAUSED and str(folder) not in outcome.words:
        with suppress(Refusal):
            job_folders.remove(folder)
    return code


def parse_range(text: str) -> tuple[int, int] | None:
    """`A:B`, both included, or nothing.

    Raises:
        ValueError: it is neither.
    """
    if not text:
        return None
    first, colon, last = text.partition(":")
    if not (colon and first.strip().isdecimal() and last.strip().isdecimal()) or int(first) > int(last):
        raise ValueError(f"--frames takes two frame numbers as A:B, not {text[:40]!r}")
    return int(first), int(last)


def _name(out: str) -> str:
    """The factor's name: of the library, or that of the file it goes to."""
    if _is_file(out):
        path = Path(out)
        if not path.absolute().parent.is_dir():
            raise Refusal(f"file {out}", "its folder does not exist", "Make the folder first")
        if path.is_dir() or out.endswith(("/", "\\")):
            raise Refusal(f"file {out}", "it is a folder", "Name a file in it")
        return path.name.removesuffix(FACTOR_SUFFIX).removesuffix(".onnx") or "person"
    if not NAME.fullmatch(out):
        raise Refusal(f"factor name {out[:80]!r}", "it cannot be a file name", "use letters, digits, - and _")
    return out


def _is_file(out: str) -> bool:
    return out.endswith(".onnx") or "/" in out or "\\" in out


def _folder(job: Job) -> Path:
    """The folder of a new job, or of the same job that was broken off."""
    for left in job_folders.left_over():
        if replace(left.job, strokes=job.strokes, limit_s=job.limit_s) == job:
            return left.folder
    return job_folders.new_folder(job.name)


class Tells(Protocol):
    """Is told what happens."""

    def step(self, step: Step) -> None:
        """Print the progress of the current phase."""

    def event(self, event: Event) -> None:
        """Anything else."""

    def close(self) -> None:
        """Nothing more will be told."""


def teller(style: Style) -> Tells:
    """A bar on the error output, JSON lines on the output, or nothing."""
    if style == "rich":
        return Bar()
    return Lines() if style == "json" else Silence()


class Silence:
    """Tells nothing."""

    def step(self, step: Step) -> None: ...
    def event(self, event: Event) -> None: ...
    def close(self) -> None: ...


class Lines:
    """The worker's own lines; a reader who leaves is no error."""

    def step(self, step: Step) -> None:
        self.event(step)

    def event(self, event: Event) -> None:
        say({"event": type(event).__name__, **asdict(event)})

    def close(self) -> None: ...


class Bar:
    """One bar: the phase, how far it is, and the time left of the whole."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        columns = (TextColumn("{task.fields[place]}"), BarColumn(), TextColumn("{task.fields[left]}"))
        self._progress = Progress(*columns, console=self._console, disable=not self._console.is_terminal)
        self._task: TaskID = self._progress.add_task("", total=None, place="starting", left="")
        self._progress.start()

    def step(self, step: Step) -> None:
        place = f"{PHASES.index(step.phase) + 1}/{len(PHASES)} {WORDS.get(step.phase, step.phase)}"
        left = "" if step.left_s is None else f"about {_duration(step.left_s)} left"
        self._progress.update(self._task, completed=step.done, total=step.total, place=place, left=left)

    def event(self, event: Event) -> None:
        if isinstance(event, Notice):
            self._console.print(Text(event.text), soft_wrap=True)

    def close(self) -> None:
        self._progress.stop()


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _follow(run: Run, stop: Stop, told: Tells) -> Outcome:
    """Wait for the end, and tell what happens meanwhile."""
    seen: Step | None = None
    run.start()
    try:
        while run.is_alive():
            run.join(GLANCE_S)
            if stop and not run.cancelled:
                run.cancel(LEAVE_S)
            if run.progress is not None and run.progress is not seen:
                seen = run.progress
                told.step(seen)
            for event in run.drain():
                told.event(event)
    finally:
        run.cancel(LEAVE_S)
        run.join()
        told.close()
    return run.outcome or Outcome(How.PAUSED, "Personalising ended without a word.")


def _end(outcome: Outcome, out: str, bundle: Bundle, style: Style) -> int:
    """Put an accepted factor where it belongs, and say how it went."""
    if outcome.how is How.CANCELLED:
        _say_ending(style, "Cancelled. Nothing has changed.", cancelled=True)
        return CANCELLED
    if outcome.how is not How.DONE or outcome.done is None:
        _say_ending(style, outcome.words, failed=True)
        return 1
    done = outcome.done
    place = ""
    if done.accepted:
        try:
            place = str(_deliver(done, out, bundle))
        except Refusal as e:
            _say_ending(style, str(e), failed=True)
            return 1
    if style == "json":
        say({"event": "Done", "accepted": done.accepted, "path": place, "report": done.report})
    else:
        _print_result(done, out, place)
    return 0


def _deliver(done: Done, out: str, bundle: Bundle) -> Path:
    """Into the library after its trial, or to the file that was named."""
    source = Path(done.path)
    if not _is_file(out):
        return user_factors().put(source, read_model(bundle.files["trunk"]), out).path
    target = Path(out).absolute()
    try:
        write_atomic(target, source.read_bytes())
    except OSError as e:
        raise cannot_write(target, e) from e
    return target


def _print_result(done: Done, out: str, place: str) -> None:
    console = Console(highlight=False)
    result = verdict(done, _name(out))
    console.print(Text(result.headline), soft_wrap=True)
    for row in result.rows:
        line = f"  {row.words:34s} {row.before:.3f} before  {row.after:.3f} after  {row.change:+.3f}"
        console.print(Text(line), soft_wrap=True)
    console.print(Text(result.reason), soft_wrap=True)
    if place:
        console.print(Text(f"{_name(out)} is in {place}; use it with --factor {out}"), soft_wrap=True)


def _say_ending(style: Style, words: str, **flags: Literal[True]) -> None:
    if style == "json":
        say({"event": "Cancelled" if "cancelled" in flags else "Failed", "text": words})
    with suppress(OSError, ValueError):
        sys.stderr.write(f"xfactor: {words}\n")


def say(values: dict[str, object]) -> None:
    """One line of JSON on the output."""
    try:
        sys.stdout.write(json.dumps(values) + "\n")
        sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        quiet_stdout()
