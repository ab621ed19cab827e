"""What the people of the footage do: three seconds each, on top of what the sample clip's person does."""

from __future__ import annotations

import numpy as np

from synthetic.clip.motion import SAMPLE, Aims, Keys, Score

SECONDS = 3.0
# Aims of upper and lower arm: (outwards, forwards, up) of the person's chest.
_HANG: Aims = ((0.20, 0.02, -1.0), (0.10, 0.22, -1.0))
_FORWARDS: Aims = ((0.15, 0.98, 0.02), (0.05, 1.0, 0.05))
_OUT: Aims = ((0.98, 0.12, 0.05), (0.95, 0.25, 0.05))
_OVERHEAD: Aims = ((0.45, 0.12, 0.90), (0.05, 0.20, 1.0))
_ON_HIP: Aims = ((0.72, -0.25, -0.65), (-0.62, 0.35, -0.45))
_GUARD: Aims = ((0.22, 0.42, -0.88), (-0.22, 0.52, 0.82))
_PUNCH: Aims = ((0.02, 1.0, 0.02), (-0.06, 1.0, 0.04))
_UPPERCUT: Aims = ((0.25, 0.80, 0.05), (-0.20, 0.35, 0.95))
_FLOW: Aims = ((0.85, 0.35, 0.45), (0.30, 0.45, 0.85))


def squats() -> Score:
    """Down, with the arms out in front, and up again, seen from three quarters."""
    arms = ((0, _HANG), (0.3, _HANG), (1.1, _FORWARDS), (1.7, _FORWARDS), (2.5, _OUT), (3, _OUT))
    return Score(
        SECONDS,
        _standing(0.55, apart_m=0.40),
        (),
        {"L": arms, "R": arms},
        yaw=_constant(0.55),
        sink=((0, 0), (0.3, 0), (1.3, 0.34), (1.6, 0.34), (2.5, 0), (3, 0)),
        bow=((0, 0), (0.3, 0), (1.3, 0.62), (1.6, 0.62), (2.5, 0), (3, 0)),
        head=((0, -0.2), (3, -0.2)),
    )


def boxing() -> Score:
    """A guard, straight punches of either hand, an uppercut."""
    left = ((0, _GUARD), (0.35, _GUARD), (0.6, _PUNCH), (0.9, _GUARD), (1.9, _GUARD), (2.15, _PUNCH),
            (2.5, _GUARD), (3, _GUARD))  # fmt: skip
    right = ((0, _GUARD), (0.9, _GUARD), (1.2, _PUNCH), (1.6, _GUARD), (2.4, _GUARD), (2.7, _UPPERCUT),
             (3, _GUARD))  # fmt: skip
    return Score(
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


def dancing() -> Score:
    """A step to each side with the arms swinging up and over."""
    left = ((0, _HANG), (0.6, _FLOW), (1.2, _OVERHEAD), (1.8, _OUT), (2.4, _ON_HIP), (3, _FLOW))
    right = ((0, _ON_HIP), (0.7, _OUT), (1.3, _ON_HIP), (2.0, _FLOW), (2.5, _OVERHEAD), (3, _OUT))
    steps = (
        ("L", 0.20, 0.55, 0.52, -0.04, 0.2),
        ("R", 0.75, 1.10, 0.20, 0.02, -0.1),
        ("R", 1.45, 1.80, -0.32, -0.04, -0.2),
        ("L", 2.00, 2.35, 0.06, 0.02, 0.1),
    )
    return Score(
        SECONDS,
        {"L": (0.14, 0, 0.1), "R": (-0.14, 0, -0.1)},
        steps,
        {"L": left, "R": right},
        yaw=((0, 0), (0.8, 0.35), (1.6, -0.1), (2.3, -0.4), (3, 0)),
        sink=((0, 0.02), (0.4, 0.07), (1.1, 0.03), (1.6, 0.08), (2.3, 0.03), (3, 0.05)),
        chest=((0, 0), (0.8, -0.3), (1.6, 0.2), (2.4, 0.3), (3, -0.1)),
        head=((0, 0), (1, -0.3), (2, 0.3), (3, 0)),
    )


def turning() -> Score:
    """Half a turn on the spot in small steps, from the front to the back, the arms rising."""
    arms = ((0, _HANG), (1.0, _OUT), (1.8, _OVERHEAD), (2.4, _OUT), (3, _ON_HIP))
    steps = []
    for k in range(6):
        foot, ahead = "LR"[k % 2], 0.5 * (k + 1)
        x, y, yaw = _standing(ahead, apart_m=0.30)[foot]
        steps.append((foot, 0.15 + 0.45 * k, 0.50 + 0.45 * k, x, y, yaw))
    return Score(
        SECONDS,
        _standing(0, apart_m=0.30),
        tuple(steps),
        {"L": arms, "R": arms},
        yaw=((0, 0), (0.2, 0), (2.8, 3.0), (3, 3.0)),
    )


def waving() -> Score:
    """What the sample clip's person does, from the fourth second."""
    return _later(SAMPLE, 2.9)


def tai_chi() -> Score:
    """The sample clip's t'ai chi."""
    return _later(SAMPLE, 6.2)


def walking() -> Score:
    """The sample clip's person coming in and turning to the camera."""
    return _later(SAMPLE, 1.35)


def _standing(yaw: float, apart_m: float) -> dict[str, tuple[float, float, float]]:
    """Both feet beside the origin, of somebody who looks along `yaw`."""
    x, y = 0.5 * apart_m * np.cos(yaw), 0.5 * apart_m * np.sin(yaw)
    return {"L": (float(x), float(y), yaw), "R": (float(-x), float(-y), yaw)}


def _constant(value: float) -> Keys:
    return ((0, value), (SECONDS, value))


def _later(score: Score, first_s: float) -> Score:
    """A score without its beginning: times before it are negative, and nothing is drawn of them."""

    def shifted(keys: Keys) -> Keys:
        return tuple((t - first_s, value) for t, value in keys)

    steps = tuple((f, a - first_s, b - first_s, x, y, yaw) for f, a, b, x, y, yaw in score.steps)
    arms = {s: tuple((t - first_s, aims) for t, aims in keys) for s, keys in score.arms.items()}
    tracks = (score.yaw, score.sink, score.chest, score.head, score.swing, score.bow)
    return Score(SECONDS, score.start, steps, arms, *(shifted(k) for k in tracks))
