"""Personalisation options of the open source, or the reason why there are none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.ui.personalize_form import PersonalizeOptions, PersonalizeRequest
from app.workspace import Workspace
from personalize.client.task import PersonalizationTask
from personalize.job import PersonalizationJob
from personalize.seeds import window
from runtime.library.factors import usable_name
from runtime.library.models import find_model
from runtime.media.capture import Capture
from runtime.media.feeds import SLIDES_RATE

NOTHING = "Open or drop a clip of the person, or choose a camera."
STILL = "One picture is too little: personalising follows a person through a clip."
SLIDES = "These pictures are no sequence: personalising follows a person through a clip."
DIFFERENT = "These pictures differ too much to be a clip: personalising follows a person through one."
LOADING = "The model is still loading."


def offer_for(workspace: Workspace, capture: Capture | None, pace: float = 0.0) -> PersonalizeOptions:
    """Options of a personalisation for the open source and the model in use."""
    source, info = workspace.source, capture.info if capture is not None else None
    if source is None or capture is None or info is None:
        return PersonalizeOptions(why_not=NOTHING)
    engine = workspace.engine
    named = PersonalizeOptions(
        source.name,
        source.address,
        name=usable_name(Path(source.name).stem if source.path is not None else source.name),
    )
    if engine is None:
        return replace(named, why_not=LOADING)
    if engine.spec.factor_stage is None:
        words = f"{engine.name} has no X factor of its own. Choose a factored model in the Model menu."
        return replace(named, why_not=words)
    factor = (
        workspace.xfactor.name if workspace.xfactor.trunk and Path(workspace.xfactor.key).is_file() else ""
    )
    if info.live:
        return replace(named, live=True, factor=factor)
    slides = source.kind == "folder" and info.rate == SLIDES_RATE
    if info.frames < 2 or slides or info.mixed:
        return replace(named, why_not=SLIDES if slides else DIFFERENT if info.mixed else STILL)
    around = window(info.frames, around=capture.position)
    span = capture.playback.span
    frames = around.start, around.stop - 1
    return replace(named, span=span, window=frames, factor=factor, pace=pace)


def job_for(
    workspace: Workspace, clip: Path, offer: PersonalizeOptions, request: PersonalizeRequest
) -> PersonalizationJob:
    """Job of what the user asked for.

    Raises:
        Refusal: the model is gone.
    """
    first, last = offer.span if request.marked and offer.span else offer.window
    person = request.person
    if offer.live and person is not None and person.at is not None:
        person = replace(person, frame=0)  # the recording begins after the click
    frame = person.frame if person is not None else None
    wide = offer.live or (frame is not None and not request.marked)
    return PersonalizationJob(
        clip=clip,
        name=usable_name(request.name),
        model=find_model(workspace.choice.model).path,
        first=0 if wide else first,
        last=None if wide else last,
        around=frame,
        person=person,
        method=request.method,
        base_factor=Path(workspace.xfactor.key) if request.go_on and offer.factor else None,
    )


def shows_clip(workspace: Workspace, task: PersonalizationTask) -> bool:
    """True when the clip of a task is open."""
    path = workspace.source.path if workspace.source is not None else None
    return path is not None and path.resolve() == task.job.clip.resolve()


def is_elsewhere(workspace: Workspace, task: PersonalizationTask) -> bool:
    """True while something is open that the task did not learn from."""
    source = workspace.source
    if source is None or shows_clip(workspace, task):
        return False
    return not (source.live and task.job.clip.parent == task.folder)
