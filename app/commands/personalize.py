"""`xfactor personalize`."""

from __future__ import annotations

import os
import shlex
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from app.batch.options import FrameSpan
from app.commands.torch_process import refuse_without
from app.download.messages import duration
from personalize import phases
from personalize.client import job_folders
from personalize.client.supervisor import Ending, Outcome, Supervisor
from personalize.client.verdict import verdict
from personalize.job import Method, PersonalizationJob, PersonChoice, write_job
from personalize.messages import Finished, Message, PhaseProgress, WorkerNotice, as_json
from runtime.engine.sessions import read_model
from runtime.library.factors import user_factors
from runtime.library.models import FACTOR_SUFFIX, NAME, Bundle, find_model
from runtime.media.file_types import looks_like
from runtime.system.disk import cannot_write
from runtime.system.errors import Refusal, printable
from runtime.system.files import refused, write_atomic
from runtime.system.reporter import ProgressReporter, Style
from runtime.system.stop_signal import Stop

CANCELLED: Final = 130  #: as shells say of what Ctrl-C ended
GLANCE_S: Final = 0.2
LEAVE_S: Final = 20.0  #: for a worker on a busy machine to end after it was asked to


def personalise(
    clip: Path,
    out: str,
    person: PersonChoice | None = None,
    *,
    model: str,
    frames: FrameSpan,
    method: Method,
    progress: Style,
) -> int:
    """Make a factor of a clip.

    Returns:
        0 when it came to its end, also when nothing was gained; 1 when it failed; 128 + n after signal n.

    Raises:
        Refusal: before anything was done.
    """
    refuse_without("personalize.worker")
    bundle = find_model(model)
    if "trunk" not in bundle.files:
        raise Refusal(
            f"model {bundle.name}", "it has no factor to replace", "Choose a factored model with --model"
        )
    with refused(shown := f"clip {printable(str(clip))}"):
        if not clip.exists():
            raise Refusal(shown, "there is no such file or folder", "Give a clip, or a folder of frames")
        if clip.is_file() and looks_like(clip) == "picture":
            raise Refusal(shown, "it is one picture", "Give a clip, or a folder of frames")
    name, around = _name(out), person.frame if person is not None else None
    where = clip.absolute(), name, bundle.path.absolute()
    job = PersonalizationJob(
        *where, first=frames.first, last=frames.last, around=around, method=method, person=person
    )
    folder = _folder(job)
    with job_folders.not_left_empty(folder):
        write_job(folder, job)
    with Stop().on_signals() as stop:
        with closing(ProgressReporter(progress, time_left=False)) as reporter:
            outcome = _follow(Supervisor(folder, lambda: None), stop, reporter)
        code, place = _end(outcome, out, bundle, reporter)
    if outcome.how is Ending.CANCELLED:
        code = stop.exit_code or code
    undelivered = code != 0 and outcome.how is Ending.DONE
    if not undelivered and outcome.how is not Ending.PAUSED and str(folder) not in outcome.words:
        with suppress(Refusal):
            job_folders.remove(folder)
    if code == 0 and outcome.done is not None and progress != "json":  # last: the output may be full
        _print_result(outcome.done, name, out, place)
    return code


def _name(out: str) -> str:
    """The factor's name: of the library, or that of the file it goes to."""
    if _is_file(out):
        path = Path(out)
        with refused(f"file {printable(out)}"):
            if not path.absolute().parent.is_dir():
                raise Refusal(f"file {printable(out)}", "its folder does not exist", "Make the folder first")
        if not os.access(path.absolute().parent, os.W_OK):  # now, not after minutes of work
            raise Refusal(f"file {printable(out)}", "you may not write there", "Choose another folder")
        if path.is_dir() or out.endswith(("/", "\\")):
            raise Refusal(f"file {out}", "it is a folder", "Name a file in it")
        _not_there(path)
        return path.name.removesuffix(FACTOR_SUFFIX).removesuffix(".onnx") or "person"
    if not NAME.fullmatch(out):
        remedy = "Use up to 64 letters, digits, spaces, - and _, or name a file that ends in .onnx"
        raise Refusal(f"factor name {out[:80]!r}", "it cannot be a name in the library", remedy)
    return out


def _not_there(path: Path) -> None:
    """Raise for a file that is there already: unlike a factor of the library it has no earlier generation."""
    if os.path.lexists(path):
        what = f"file {printable(str(path))}"
        raise Refusal(what, "it is there already", "Choose another name, or move it away")


def _is_file(out: str) -> bool:
    return out.endswith(".onnx") or "/" in out or "\\" in out


def _folder(job: PersonalizationJob) -> Path:
    """The folder of a new job, or of the same job that was broken off."""
    for left in job_folders.left_over():
        if replace(left.job, strokes=job.strokes, limit_s=job.limit_s) == job:
            return left.folder
    return job_folders.new_folder(job.name)


def _report(reporter: ProgressReporter, message: Message) -> None:
    """Show a message of the worker, or pass it on."""
    values = as_json(message)
    reporter.event(values.pop("event"), **values)
    if isinstance(message, WorkerNotice):
        reporter.line(message.text)
    elif isinstance(message, PhaseProgress):
        left = "" if message.left_s is None else f"about {duration(message.left_s)} left"
        place = f"{phases.step(message)}: {phases.words(message)}"
        reporter.bar("job", place, phases.fraction(message), 1.0, left)


def _follow(run: Supervisor, stop: Stop, reporter: ProgressReporter) -> Outcome:
    """Wait for the end, and report what happens meanwhile."""
    seen: PhaseProgress | None = None
    run.start()
    try:
        while run.is_alive():
            run.join(GLANCE_S)
            if stop and not run.cancelled:
                run.cancel(LEAVE_S)
            if run.progress is not None and run.progress is not seen:
                seen = run.progress
                _report(reporter, seen)
            for message in run.drain():
                _report(reporter, message)
    finally:
        run.cancel(LEAVE_S)
        run.join()
    return run.outcome or Outcome(Ending.PAUSED, "Personalising ended without a word.")


def _end(outcome: Outcome, out: str, bundle: Bundle, reporter: ProgressReporter) -> tuple[int, str]:
    """Put an accepted factor where it belongs, and say how it went.

    Returns:
        Exit code, and the place of the factor where it has one.
    """
    if outcome.how is Ending.CANCELLED:
        _say_ending(reporter, "Cancelled", "Cancelled. Nothing has changed.")
        return CANCELLED, ""
    if outcome.how is not Ending.DONE or outcome.done is None:
        _say_ending(reporter, "Failed", outcome.words)
        return 1, ""
    done = outcome.done
    place = ""
    if done.accepted:
        try:
            place = str(_deliver(done, out, bundle))
        except Refusal as e:
            words = f"{e}. The factor is kept as {done.path}; the same command tries again to put it there"
            _say_ending(reporter, "Failed", words)
            return 1, ""
    reporter.event("Done", accepted=done.accepted, path=place, report=done.report)
    return 0, place


def _deliver(done: Finished, out: str, bundle: Bundle) -> Path:
    """Into the library after its trial, or to the file that was named."""
    source = Path(done.path)
    if not _is_file(out):
        return user_factors().put(source, read_model(bundle.files["trunk"]), out).path
    target = Path(out).absolute()
    _not_there(target)
    try:
        write_atomic(target, source.read_bytes())
    except OSError as e:
        raise cannot_write(target, e) from e
    return target


def _print_result(done: Finished, name: str, out: str, place: str) -> None:
    console = Console(highlight=False)
    result = verdict(done, name)
    console.print(Text(result.headline), soft_wrap=True)
    for row in result.rows:
        line = f"  {row.words:34s} {row.before:.3f} before  {row.after:.3f} after  {row.change:+.3f}"
        console.print(Text(line), soft_wrap=True)
    for words in filter(None, (result.person, result.reason)):
        console.print(Text(words), soft_wrap=True)
    if place:
        use = f"--factor {shlex.quote(out)}"
        console.print(Text(f"{name} is in {place}; use it with {use}"), soft_wrap=True)
        console.print(
            "Judged by silhouettes propagated through the clip, not by true ones: look at some frames first.",
            soft_wrap=True,
        )


def _say_ending(reporter: ProgressReporter, event: str, words: str) -> None:
    reporter.event(event, text=words)
    reporter.failure(f"xfactor: {words}")
