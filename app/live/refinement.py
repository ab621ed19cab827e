"""Refinement: a result that is on show decided once more, at the size of its picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from models.results import Result
from runtime.engine.detail import FULL
from runtime.engine.engine import Engine
from runtime.engine.forward import FROM_FEATURES
from runtime.frames import FrameResult


@dataclass(frozen=True, eq=False)
class FinerRequest:
    """A result that is to be refined, and who gets the finer one, or this one where there is none."""

    shown: FrameResult
    done: Callable[[FrameResult], None]  #: called in the inference thread


def can_be_refined(engine: object, shown: FrameResult) -> bool:
    """True for body parts of this engine, unless a silhouette from outside would count their frame twice."""
    if not isinstance(engine, Engine) or engine.id != shown.engine_id:
        return False
    return shown.parsing is not None and isinstance(engine.source, FROM_FEATURES) and not shown.fine


def refined(engine: Engine, before: Engine | None, shown: FrameResult) -> FrameResult:
    """The same frame with labels as fine as the picture; its people and what was said of it stay.

    Args:
        engine: that made the result.
        before: another factor over the same trunk that it is compared with.
        shown: the result.

    Raises:
        NoResultError: the network could not be run.
    """
    fine, beside = engine.with_detail(FULL), shown.beside
    if before is not None and beside is not None:
        result, other = fine.parse_both(before.with_detail(FULL), shown.frame, None, None)
        beside = replace(beside, result=_with_parts(beside.result, other))
    else:
        result = fine.parse(shown.frame)
    return replace(shown, result=_with_parts(shown.result, result), beside=beside, fine=True)


def _with_parts(shown: Result | None, fine: Result) -> Result:
    return fine if shown is None else replace(shown, parsing=fine.parsing)
