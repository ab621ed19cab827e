"""People found by PersonLab as the silhouette: everybody, or one of them."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.outputs import JointDisks
from models.results import PersonResult
from models.spec import PERSON
from runtime.engine.augmentation import ONE, View
from runtime.engine.engine import Engine, load_engine
from runtime.engine.forward import GridMaps, Seen
from runtime.engine.sessions import NoResultError, Session
from runtime.engine.source import Request, Silhouette
from runtime.system.errors import Refusal
from runtime.tracking.tracker import Tracker

NETWORK: Final = "personlab-small"  # beside a model that does not tell people apart
WORD: Final = "people"  # of `--factor`; `people:3` is the person of this number
Point = tuple[float, float]


class PeopleSilhouette:
    """Masks of people, numbered as `Tracker` does.

    Attributes:
        found: numbers of those seen since `reset`.
    """

    def __init__(self, engine: Engine, number: int = 0, at: Point | None = None, threads: int = 1) -> None:
        """Take the network that finds people: the model's own where it has one, over the same trunk.

        Args:
            engine: of the model in use.
            number: of the only person shown; 0 shows everybody, or whoever is at `at`.
            at: x, y px of the displayed picture; the nearest person of the next frame is shown.
            threads: of a second network.

        Raises:
            Refusal: the second network is not there.
        """
        self._shared = finds_people(engine)
        finder = engine.with_factor(None) if self._shared else load_engine(NETWORK, threads=threads)
        self._engine = finder.with_views(ONE)
        self._number, self._at = number, at
        self._tracker = Tracker()
        self.found: set[int] = set()
        self.sessions: tuple[Session, ...] = () if self._shared else finder.sessions

    @property
    def name(self) -> str:
        """Everybody, or who; of somebody picked no number, as the picture may show another one."""
        return "one person" if self._at else f"person {self._number}" if self._number else WORD

    def everybody(self) -> PeopleSilhouette | None:
        """Those of everybody by the same network, in place of one person's; None of these themselves."""
        if self.name == WORD:
            return None
        other = copy(self)
        other._number, other._at, other._tracker, other.found = 0, None, Tracker(), set()  # noqa: SLF001 another of this class
        return other

    def person(self, request: Request) -> Silhouette:
        """The masks with P(person) inside; none where the person meant is not found."""
        maps = self._maps(request)
        output = next(o for o in self._engine.spec.outputs if isinstance(o, JointDisks))
        box = maps.request.letterbox
        context = replace(maps.request.context(box.content), placement=box.placement(output))
        found = self._engine.codecs[JointDisks].decode(output, maps.maps, context)
        people = self._tracker.track(request.frame, found).people
        self.found |= {p.track_id for p in people if p.track_id}
        everybody = people if self._shared else None
        if self._at is not None and not self._number:
            self._number = _nearest(people, self._at)
        if self._number or self._at is not None:
            people = tuple(p for p in people if self._number and p.track_id == self._number)
            if not people:
                return Silhouette(None, notice="not found", people=everybody)
        answer = request.answer(_mask(people, maps.maps[PERSON][0]))
        return replace(answer, people=everybody)

    def reset(self) -> None:
        """Numbers begin at 1: the source changed."""
        self._tracker.reset()
        self.found.clear()

    def _maps(self, request: Request) -> GridMaps:
        forward, frames = self._engine.forward, (request.frame,)
        seen = [Seen(View(request.letterbox, mirrored=False), request.canvas, request.features)]
        (maps,) = forward.maps(frames, seen if self._shared else forward.seen(frames), None)
        if isinstance(maps, NoResultError):
            raise maps
        return maps


def separates_people(engine: Engine) -> bool:
    """True of a model whose results are people, each with joints and mask."""
    return any(isinstance(o, JointDisks) for o in engine.spec.outputs)


def finds_people(engine: Engine) -> bool:
    """True of a model that finds people beside body parts, from one trunk."""
    return separates_people(engine) and engine.part_set is not None


def people_number(factor: str) -> int | None:
    """The person meant by `people:3` in the factor's place; 0 for `people`, None for anything else.

    Raises:
        Refusal: it begins so and goes on otherwise.
    """
    word, colon, number = factor.partition(":")
    if word != WORD:
        return None
    if colon and not (number.isascii() and number.isdigit() and int(number) > 0):
        raise Refusal(f"factor {factor}", "after the colon stands a person's number, from 1", "Give people:1")
    return int(number or 0)


def _nearest(people: tuple[PersonResult, ...], at: Point) -> int:
    """The number of the person with a joint nearest to a point; 0 without one."""
    numbered = [(p.track_id, p.pose.points) for p in people if p.track_id and p.pose is not None]
    return min(numbered, key=lambda n: np.hypot(*(n[1] - np.array(at)).T).min(), default=(0,))[0]


def _mask(people: tuple[PersonResult, ...], probability: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(h, w) 255·P(person) inside the masks, 0 elsewhere."""
    masks = [p.mask for p in people if p.mask is not None]
    if not masks:
        return np.zeros(probability.shape, np.uint8)
    inside = np.maximum.reduce(masks)
    size = inside.shape[1], inside.shape[0]
    person = cv2.resize(probability, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.rint(person.clip(0, 1) * 255 * inside), np.uint8)
