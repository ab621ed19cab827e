"""Choreographies: footsteps, aims of the arms and turns of the trunk, written down by time.

World axes as in `synthetic.bodies`: z up; a person at yaw 0 faces -y and has the left hand at +x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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


# Aims: (outwards, forwards, up) of the person's chest.
_HANG: Aims = ((0.20, 0.02, -1.0), (0.10, 0.22, -1.0))
_RAISED: Aims = ((0.12, 0.95, -0.12), (0.02, 1.0, 0.05))
_SUNK: Aims = ((0.38, 0.35, -0.85), (0.05, 0.95, -0.12))
_HIGH: Aims = ((0.55, 0.70, -0.15), (-0.25, 0.75, 0.62))
_LOW: Aims = ((0.22, 0.30, -0.92), (-0.75, 0.62, -0.10))
_PRESS: Aims = ((0.30, 0.42, -0.80), (-0.45, 0.85, 0.10))
_WAVE_UP: Aims = ((0.80, 0.25, 0.10), (0.20, 0.35, 1.0))
_WAVE_OUT: Aims = ((0.85, 0.20, 0.15), (0.62, 0.25, 0.85))
_WAVE_IN: Aims = ((0.85, 0.20, 0.15), (-0.22, 0.30, 0.95))
_FORWARDS: Aims = ((0.15, 0.98, 0.02), (0.05, 1.0, 0.05))
_OUT: Aims = ((0.98, 0.12, 0.05), (0.95, 0.25, 0.05))
_OVERHEAD: Aims = ((0.45, 0.12, 0.90), (0.05, 0.20, 1.0))
_ON_HIP: Aims = ((0.72, -0.25, -0.65), (-0.62, 0.35, -0.45))
_GUARD: Aims = ((0.22, 0.42, -0.88), (-0.22, 0.52, 0.82))
_PUNCH: Aims = ((0.02, 1.0, 0.02), (-0.06, 1.0, 0.04))
_UPPERCUT: Aims = ((0.25, 0.80, 0.05), (-0.20, 0.35, 0.95))
_FLOW: Aims = ((0.85, 0.35, 0.45), (0.30, 0.45, 0.85))


def sample() -> Choreography:
    """Twelve seconds: walks in, waves, does some t'ai chi, walks out."""
    right = ((0, _HANG), (3.2, _HANG), (3.75, _WAVE_UP), (3.95, _WAVE_OUT), (4.2, _WAVE_IN),
             (4.45, _WAVE_OUT), (4.7, _WAVE_IN), (4.95, _WAVE_OUT), (5.6, _HANG), (5.9, _HANG),
             (6.6, _RAISED), (7.2, _SUNK), (7.75, _HIGH), (8.65, _LOW), (9.2, _PRESS), (9.8, _HANG),
             (12, _HANG))  # fmt: skip
    left = ((0, _HANG), (5.9, _HANG), (6.6, _RAISED), (7.2, _SUNK), (7.75, _LOW), (8.65, _HIGH),
            (9.2, _PRESS), (9.8, _HANG), (12, _HANG))  # fmt: skip
    steps = (
        ("R", 0.10, 0.52, 2.35, 0.09, -1.57), ("L", 0.62, 1.04, 1.75, -0.09, -1.57),
        ("R", 1.14, 1.56, 1.15, 0.09, -1.57), ("L", 1.66, 2.08, 0.62, -0.09, -1.35),
        ("R", 2.20, 2.64, 0.10, 0.08, -0.45), ("L", 2.76, 3.18, 0.36, 0.00, 0.12),
        ("R", 3.25, 3.50, 0.10, 0.02, -0.10), ("L", 5.45, 5.95, 0.56, 0.00, 0.12),
        ("L", 9.45, 9.87, 0.52, 0.10, 1.05), ("R", 10.00, 10.44, 1.00, -0.08, 1.50),
        ("L", 10.54, 10.96, 1.60, 0.09, 1.57), ("R", 11.06, 11.48, 2.20, -0.09, 1.57),
        ("L", 11.58, 12.00, 2.80, 0.09, 1.57),
    )  # fmt: skip
    return Choreography(
        SAMPLE_S, {"L": (2.95, -0.09, -1.57), "R": (3.15, 0.09, -1.57)}, steps, {"R": right, "L": left},
        yaw=((0, -1.57), (1.9, -1.57), (2.5, -0.85), (3.1, -0.15), (3.6, 0), (9.4, 0), (10.0, 0.85),
             (10.5, 1.5), (11, 1.57), (12, 1.57)),
        sink=((0, 0.0), (5.9, 0.0), (7.2, 0.11), (8.9, 0.11), (9.6, 0.0), (12, 0.0)),
        chest=((0, 0), (7.0, 0), (7.75, -0.42), (8.65, 0.42), (9.2, 0.0), (12, 0)),
        head=((0, 0.25), (0.8, 0.85), (1.9, 0.9), (2.6, 0.5), (3.3, 0), (7.0, 0), (7.75, -0.2), (8.65, 0.2),
              (9.3, 0), (10.1, -0.5), (10.7, -0.7), (11.4, -0.2), (12, 0)),
        swing=((0, 1), (2.2, 1), (3.0, 0), (9.6, 0), (10.2, 1), (12, 1)),
    )  # fmt: skip


def squats() -> Choreography:
    """Down, with the arms out in front, and up again, seen from three quarters."""
    arms = ((0, _HANG), (0.3, _HANG), (1.1, _FORWARDS), (1.7, _FORWARDS), (2.5, _OUT), (3, _OUT))
    return Choreography(
        SECONDS,
        _standing(0.55, apart_m=0.40),
        (),
        {"L": arms, "R": arms},
        yaw=_constant(0.55),
        sink=((0, 0), (0.3, 0), (1.3, 0.34), (1.6, 0.34), (2.5, 0), (3, 0)),
        bow=((0, 0), (0.3, 0), (1.3, 0.62), (1.6, 0.62), (2.5, 0), (3, 0)),
        head=((0, -0.2), (3, -0.2)),
    )


def boxing() -> Choreography:
    """A guard, straight punches of either hand, an uppercut."""
    left = ((0, _GUARD), (0.35, _GUARD), (0.6, _PUNCH), (0.9, _GUARD), (1.9, _GUARD), (2.15, _PUNCH),
            (2.5, _GUARD), (3, _GUARD))  # fmt: skip
    right = ((0, _GUARD), (0.9, _GUARD), (1.2, _PUNCH), (1.6, _GUARD), (2.4, _GUARD), (2.7, _UPPERCUT),
             (3, _GUARD))  # fmt: skip
    return Choreography(
        SECONDS,
        {"L": (0.10, -0.22, 0.1), "R": (-0.20, 0.16, -0.5)},
        (),
        {"L": left, "R": right},
        yaw=_constant(-0.45),
        sink=_constant(0.07),
        chest=((0, 0), (0.35, 0), (0.6, -0.35), (0.9, 0), (1.2, 0.5), (1.6, 0), (2.15, -0.35), (2.5, 0),
               (2.7, 0.4), (3, 0)),
        head=_constant(0.35),
        bow=_constant(0.18),
    )  # fmt: skip


def dancing() -> Choreography:
    """A step to each side with the arms swinging up and over."""
    left = ((0, _HANG), (0.6, _FLOW), (1.2, _OVERHEAD), (1.8, _OUT), (2.4, _ON_HIP), (3, _FLOW))
    right = ((0, _ON_HIP), (0.7, _OUT), (1.3, _ON_HIP), (2.0, _FLOW), (2.5, _OVERHEAD), (3, _OUT))
    steps = (
        ("L", 0.20, 0.55, 0.52, -0.04, 0.2),
        ("R", 0.75, 1.10, 0.20, 0.02, -0.1),
        ("R", 1.45, 1.80, -0.32, -0.04, -0.2),
        ("L", 2.00, 2.35, 0.06, 0.02, 0.1),
    )
    return Choreography(
        SECONDS,
        {"L": (0.14, 0, 0.1), "R": (-0.14, 0, -0.1)},
        steps,
        {"L": left, "R": right},
        yaw=((0, 0), (0.8, 0.35), (1.6, -0.1), (2.3, -0.4), (3, 0)),
        sink=((0, 0.02), (0.4, 0.07), (1.1, 0.03), (1.6, 0.08), (2.3, 0.03), (3, 0.05)),
        chest=((0, 0), (0.8, -0.3), (1.6, 0.2), (2.4, 0.3), (3, -0.1)),
        head=((0, 0), (1, -0.3), (2, 0.3), (3, 0)),
    )


def turning() -> Choreography:
    """Half a turn on the spot in small steps, from the front to the back, the arms rising."""
    arms = ((0, _HANG), (1.0, _OUT), (1.8, _OVERHEAD), (2.4, _OUT), (3, _ON_HIP))
    steps = []
    for k in range(6):
        foot, ahead = "LR"[k % 2], 0.5 * (k + 1)
        x, y, yaw = _standing(ahead, apart_m=0.30)[foot]
        steps.append((foot, 0.15 + 0.45 * k, 0.50 + 0.45 * k, x, y, yaw))
    return Choreography(
        SECONDS,
        _standing(0, apart_m=0.30),
        tuple(steps),
        {"L": arms, "R": arms},
        yaw=((0, 0), (0.2, 0), (2.8, 3.0), (3, 3.0)),
    )


def waving() -> Choreography:
    """The sample clip from the fourth second: waving."""
    return _later(sample(), 2.9)


def tai_chi() -> Choreography:
    """The sample clip's t'ai chi."""
    return _later(sample(), 6.2)


def walking() -> Choreography:
    """The sample clip's person coming in and turning to the camera."""
    return _later(sample(), 1.35)


def _standing(yaw: float, apart_m: float) -> dict[str, tuple[float, float, float]]:
    """Both feet beside the origin, of somebody who looks along `yaw`."""
    x, y = 0.5 * apart_m * np.cos(yaw), 0.5 * apart_m * np.sin(yaw)
    return {"L": (float(x), float(y), yaw), "R": (float(-x), float(-y), yaw)}


def _constant(value: float) -> Keys:
    return ((0, value), (SECONDS, value))


def _later(score: Choreography, first_s: float) -> Choreography:
    """A score without its beginning: times before it are negative, and nothing is drawn of them."""

    def shifted(keys: Keys) -> Keys:
        return tuple((t - first_s, value) for t, value in keys)

    steps = tuple((f, a - first_s, b - first_s, x, y, yaw) for f, a, b, x, y, yaw in score.steps)
    arms = {s: tuple((t - first_s, aims) for t, aims in keys) for s, keys in score.arms.items()}
    tracks = (score.yaw, score.sink, score.chest, score.head, score.swing, score.bow)
    return Choreography(SECONDS, score.start, steps, arms, *(shifted(k) for k in tracks))
