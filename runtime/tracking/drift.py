"""Drift: displacement of a whole person, a Kalman filter of constant velocity."""

from __future__ import annotations

import math
from dataclasses import dataclass

ACCELERATION = 3.0  # standard deviation, person sizes / s²: a size is about a metre
MEASURED = 0.06  # standard deviation of a measured place, person sizes
SPEED = 1.5  # standard deviation of the unknown speed at first, person sizes / s
SLOWING_S = 1.0  # time constant with which somebody unseen comes to a halt
FARTHEST = 1.0  # standard deviation that no prediction exceeds, person sizes


@dataclass(frozen=True)
class Drift:
    """Estimated displacement of a person and its uncertainty, the same across and down.

    Attributes:
        x, y: displacement since the last measurement, px.
        vx, vy: px/s.
        place, mixed, speed: covariance of displacement and velocity, px², px²/s, px²/s².
    """

    x: float
    y: float
    vx: float
    vy: float
    place: float
    mixed: float
    speed: float

    @classmethod
    def begin(cls, size_px: float) -> Drift:
        """Somebody just seen for the first time."""
        return cls(0.0, 0.0, 0.0, 0.0, (MEASURED * size_px) ** 2, 0.0, (SPEED * size_px) ** 2)

    def after(self, seconds: float, size_px: float) -> Drift:
        """The prediction; also backwards in time.

        Args:
            seconds: since this state.
            size_px: of the person.
        """
        t = abs(seconds)
        run_s = math.copysign(SLOWING_S * (1 - math.exp(-t / SLOWING_S)), seconds)
        q = (ACCELERATION * size_px) ** 2
        place = self.place + 2 * run_s * self.mixed + run_s**2 * self.speed + q * t**4 / 4
        share = min(1.0, (FARTHEST * size_px) ** 2 / place)
        mixed = self.mixed + run_s * self.speed + math.copysign(q * t**3 / 2, seconds)
        return Drift(
            self.x + self.vx * run_s,
            self.y + self.vy * run_s,
            self.vx * math.exp(-t / SLOWING_S),
            self.vy * math.exp(-t / SLOWING_S),
            share * place,
            math.sqrt(share) * mixed,
            self.speed + q * t**2,
        )

    def measured(self, dx: float, dy: float, size_px: float) -> Drift:
        """The estimate with a measurement: how far the body lies from this prediction.

        The next displacement counts from the measured place, for its joints replace those of the track.
        """
        total = self.place + (MEASURED * size_px) ** 2
        gain, gain_v = self.place / total, self.mixed / total
        return Drift(
            (gain - 1) * dx,
            (gain - 1) * dy,
            self.vx + gain_v * dx,
            self.vy + gain_v * dy,
            (1 - gain) * self.place,
            (1 - gain) * self.mixed,
            max(self.speed - gain_v * self.mixed, 0.0),
        )
