"""Offering: what can be personalised on at this moment, and why nothing can."""

from __future__ import annotations

from pathlib import Path

from app.ui.personalize_setup import Offer
from app.workspace import Session
from personalize.seeds import window
from runtime.library.factors import usable_name
from runtime.media.capture import Capture

NOTHING = "Open or drop a clip of the person, or choose a camera."
STILL = "One picture is too little: personalising follows a person through a clip."
LOADING = "The model is still loading."


def offer_for(session: Session, capture: Capture | None) -> Offer:
    """What the open source and the model in use allow."""
    source, info = session.source, capture.info if capture is not None else None
    if source is None or capture is None or info is None:
        return Offer(why_not=NOTHING)
    engine = session.engine
    name = usable_name(Path(source.name).stem if source.path is not None else source.name)
    if engine is None:
        return Offer(source.name, LOADING, name=name)
    if engine.spec.factor_stage is None:
        words = f"{engine.name} has no X factor of its own. Choose a factored model in the Model menu."
        return Offer(source.name, words, name=name)
    factor = session.xfactor.name if session.xfactor.trunk and Path(session.xfactor.key).is_file() else ""
    if info.live:
        return Offer(source.name, live=True, name=name, factor=factor)
    if info.frames < 2:
        return Offer(source.name, STILL, name=name)
    around = window(info.frames, around=capture.position)
    span = capture.playback.span
    frames = around.start, around.stop - 1
    return Offer(source.name, span=span, window=frames, name=name, factor=factor)
