"""Choreographies: footsteps, aims of the arms and turns of the trunk, written down by time.

World axes as in `synthetic.bodies`: z up; a person at yaw 0 faces -y and has the left hand at +x.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

SAMPLE_S, SECONDS = 12.0, 3.0  # of the sample clip, of the other takes
Keys = tuple[tuple[float, float], ...]  #: (s, value), in order of time
Aims = tuple[tuple[float, float, float], tuple[float, float, float]]  #: of upper and lower arm
Step = tuple[str, float, float, float, float, float]  #: foot, leaves the ground (s), lands (s), x, y (m), yaw
_STILL: Keys = ((0, 0), (SAMPLE_S, 0))


@dataclass(frozen=True)
class Choreography:
    """Footsteps and tracks of a performance; every track reaches from 0 to its end."""

    seconds: float
    start: dict[str, tuple[float, float, float]]  #: foot → x, y (m), yaw (rad)
    steps: tuple[Step, ...]
    arms: dict[str, tuple[tuple[float, Aims], ...]]
    yaw: Keys = _STILL  #: heading of the hips, rad
    sink: Keys = _STILL  #: of the hips below standing, m
    chest: Keys = _STILL  #: turn against the hips, rad
    head: Keys = _STILL  #: turn against the chest, rad
    swing: Keys = _STILL  #: of the arms with the legs, 0..1
    bow: Keys = _STILL  #: of the whole back, forwards, rad


def written(name: str) -> Choreography:
    """A choreography of choreographies.json; its aims are (outwards, forwards, up) of the person's chest."""
    held = json.loads(Path(__file__).with_name("choreographies.json").read_text("utf-8"))
    score, aims = held[name], held["aims"]
    arms = {side: [(t, aims[of]) for t, of in keys] for side, keys in score.pop("arms").items()}
    return Choreography(arms=_tuples(arms), **{track: _tuples(keys) for track, keys in score.items()})


def _tuples(value: Any) -> Any:  # noqa: ANN401 - JSON
    """JSON with tuples for lists."""
    if isinstance(value, dict):
        return {key: _tuples(of) for key, of in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, (list, tuple)) else value


def _later(first_s: float) -> Choreography:
    """The sample without its beginning: times before it are negative, and nothing is drawn of them."""
    score = sample()

    def shifted(keys: Keys) -> Keys:
        return tuple((t - first_s, value) for t, value in keys)

    steps = tuple((f, a - first_s, b - first_s, x, y, yaw) for f, a, b, x, y, yaw in score.steps)
    arms = {s: tuple((t - first_s, aims) for t, aims in keys) for s, keys in score.arms.items()}
    tracks = (score.yaw, score.sink, score.chest, score.head, score.swing, score.bow)
    return Choreography(SECONDS, score.start, steps, arms, *(shifted(k) for k in tracks))


def mirrored(score: Choreography) -> Choreography:
    """The same performance with left and right changed over."""
    other = {"L": "R", "R": "L"}

    def turned(keys: Keys) -> Keys:
        return tuple((t, -value) for t, value in keys)

    return replace(
        score,
        start={other[side]: (-x, y, -yaw) for side, (x, y, yaw) in score.start.items()},
        steps=tuple((other[side], a, b, -x, y, -yaw) for side, a, b, x, y, yaw in score.steps),
        arms={other[side]: keys for side, keys in score.arms.items()},
        yaw=turned(score.yaw), chest=turned(score.chest), head=turned(score.head),
    )  # fmt: skip


sample, squats, boxing, dancing, turning = (
    partial(written, name) for name in ("sample", "squats", "boxing", "dancing", "turning")
)
waving, tai_chi, walking = (partial(_later, first_s) for first_s in (2.9, 6.2, 1.35))
