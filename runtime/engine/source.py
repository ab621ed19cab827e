"""Silhouette sources: whatever may stand in the X factor's place and gives P(person) for one frame.

Every source answers with P(person) on the head's grid by area averaging, and, where it knows better, with its
own finer mask for the edges. What a source does not deliver is shown, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.codecs.codec import PictureContext
from models.resize import Size
from models.results import PersonResult
from runtime.engine.letterbox import Letterbox
from runtime.engine.sessions import Array, Session
from runtime.frames import Frame

HOLD_S = 1.0  # long enough to bridge a lost mask or two, short enough not to be taken for the truth


@dataclass(frozen=True)
class Request:
    """One frame, and what the network has already made of it."""

    frame: Frame
    letterbox: Letterbox
    canvas: NDArray[np.uint8]  #: (1, h, w, 3) RGB, what the network sees
    features: Mapping[str, Array]  #: outputs of the stages before the X factor by name, each (1, …)

    @property
    def picture(self) -> NDArray[np.uint8]:
        """(h, w, 3) RGB, the displayed picture at the network's resolution, without padding."""
        width, height = self.letterbox.content
        return self.canvas[0, :height, :width]

    def context(self, size: Size, mask: NDArray[np.uint8] | None = None) -> PictureContext:
        """The picture for codecs, on the letterbox's grid; dense results at `size` (width, height)."""
        return PictureContext(self.letterbox.placement(), self.picture, self.frame.image, size, mask)

    def answer(self, mask: NDArray[np.uint8]) -> Silhouette:
        """The answer of a source with a mask: 255·P(person) over the displayed picture, at any size."""
        return Silhouette(self.letterbox.pool(mask), mask)


@dataclass(frozen=True)
class Silhouette:
    """A source's answer; `grid` is None when it has none for this frame, and then `notice` says why."""

    grid: NDArray[np.float32] | None  #: (grid height, grid width) P(person)
    fine: NDArray[np.uint8] | None = None  #: (h, w) 255·P(person) over the displayed picture, for edges
    notice: str = ""
    people: tuple[PersonResult, ...] | None = None  #: of a source that ran the model's own stage


class SilhouetteSource(Protocol):
    """One entry of the X-factor menu. Called by one thread, frame after frame."""

    @property
    def name(self) -> str:
        """Words for the menu and the status bar."""

    @property
    def sessions(self) -> tuple[Session, ...]:
        """Sessions that run on a provider; empty for most sources."""

    def person(self, request: Request) -> Silhouette:
        """P(person) for this frame, or none with a notice."""

    def reset(self) -> None:
        """Forget what was seen: the source changed or the user seeked."""


class FactorSource:
    """The network's own factor, or a personalised one for the same trunk."""

    def __init__(self, name: str, session: Session) -> None:
        self.name = name
        self.sessions: tuple[Session, ...] = (session,)

    def person(self, request: Request) -> Silhouette:
        """Run the factor on the trunk's features."""
        return Silhouette(self.probability(request.features)[0])

    def probability(self, features: Mapping[str, Array]) -> NDArray[np.float32]:
        """P(person) (b, grid height, grid width) of a batch of features."""
        (person,) = self.sessions[0].run({"features": features["features"]}, ("person",))
        return np.asarray(person, np.float32)[:, 0]

    def reset(self) -> None:
        """Nothing is remembered."""


class Held:
    """A source whose last mask bridges short gaps, and that is blank after them.

    Attributes:
        source: what is asked.
    """

    def __init__(self, source: SilhouetteSource) -> None:
        self.source = source
        self._last: tuple[float, Letterbox, Silhouette] | None = None  # when, for which geometry, what

    @property
    def name(self) -> str:
        """The source's name."""
        return self.source.name

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The source's sessions."""
        return self.source.sessions

    def person(self, request: Request) -> Silhouette:
        """The source's answer; else its last one for a moment; else nobody, with a notice."""
        answer = self.source.person(request)
        if answer.grid is not None:
            self._last = request.frame.pts_s, request.letterbox, answer
            return answer
        held = self._held_for(request)
        if held is not None:
            words = f"{self.name}: {answer.notice}; showing the last mask"
            return replace(held, notice=words, people=answer.people)
        width, height = request.letterbox.grid
        nobody = np.zeros((height, width), np.float32)
        words = f"{self.name}: {answer.notice}; nothing is shown"
        return Silhouette(nobody, notice=words, people=answer.people)

    def reset(self) -> None:
        """Forget the last mask and what the source remembers."""
        self._last = None
        self.source.reset()

    def _held_for(self, request: Request) -> Silhouette | None:
        if self._last is None:
            return None
        then_s, letterbox, answer = self._last
        # By the clip's own clock: pictures of a folder, which have none, never lend each other a mask.
        elapsed_s = request.frame.pts_s - then_s
        return answer if letterbox == request.letterbox and 0 < elapsed_s <= HOLD_S else None
