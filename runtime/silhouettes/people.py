"""People found by PersonLab as the silhouette: everybody, or one of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.codecs.registry import CODECS
from models.outputs import JointDisks
from models.results import PersonResult, Result
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
    """Masks of people, numbered as `Tracker` does; a model that finds people itself runs its trunk once.

    Attributes:
        number: of the only person shown; None shows everybody.
    """

    def __init__(
        self, engine: Engine, *, shared: bool, number: int | None = None, at: Point | None = None
    ) -> None:
        """Take the network that finds people.

        Args:
            engine: of that network, with its own silhouette.
            shared: whether requests have the features of its trunk.
            number: of a person; all without it and without `at`.
            at: x, y px of the displayed picture, of the person shown; found in the next frame, the nearest.
        """
        self.number = number
        self._at = at
        self._engine = engine.with_views(ONE)
        self._shared = shared
        self._tracker = Tracker()
        self.sessions: tuple[Session, ...] = () if shared else engine.sessions

    @property
    def name(self) -> str:
        """Everybody, or who."""
        if self.number is not None:
            return f"person {self.number}"
        return "one person" if self._at is not None else WORD

    def person(self, request: Request) -> Silhouette:
        """The masks with P(person) inside; none where the person meant is not found."""
        maps = self._maps(request)
        people = self._tracker.track(request.frame, self._decoded(maps, request)).people
        if self.number is None and self._at is not None:
            self.number = _nearest(people, self._at)
        if self.number is not None:
            people = tuple(p for p in people if p.track_id == self.number)
        if not people and (self.number is not None or self._at is not None):
            return Silhouette(None, notice="not found")
        return request.answer(_mask(people, maps.maps[PERSON][0]))

    def reset(self) -> None:
        """Numbers begin at 1: the source changed."""
        self._tracker.reset()

    def _maps(self, request: Request) -> GridMaps:
        forward, frames = self._engine.forward, (request.frame,)
        seen = [Seen(View(request.letterbox, mirrored=False), request.canvas, request.features)]
        (maps,) = forward.maps(frames, seen if self._shared else forward.seen(frames), None)
        if isinstance(maps, NoResultError):
            raise maps
        return maps

    def _decoded(self, maps: GridMaps, request: Request) -> Result:
        output = next(o for o in self._engine.spec.outputs if isinstance(o, JointDisks))
        box = maps.request.letterbox
        context = replace(maps.request.context(box.content), placement=box.placement(output))
        return CODECS[JointDisks].decode(output, maps.maps, context)


def people_silhouette(
    engine: Engine, *, number: int | None = None, at: Point | None = None, threads: int = 1
) -> PeopleSilhouette:
    """People as the silhouette of a model: found by itself, or by a second network.

    Args:
        engine: of the model in use.
        number: see `PeopleSilhouette`.
        at: see `PeopleSilhouette`.
        threads: of the second network.

    Raises:
        Refusal: the second network is not there.
    """
    shared = finds_people(engine)
    finder = engine.with_factor(None) if shared else load_engine(NETWORK, threads=threads)
    return PeopleSilhouette(finder, shared=shared, number=number, at=at)


def separates_people(engine: Engine) -> bool:
    """True of a model whose results are people, each with joints and mask."""
    return any(isinstance(o, JointDisks) for o in engine.spec.outputs)


def finds_people(engine: Engine) -> bool:
    """True of a model that finds people beside body parts, from one trunk."""
    return separates_people(engine) and engine.part_set is not None


def people_word(factor: str) -> tuple[bool, int | None]:
    """The meaning of `people` and `people:3` in the factor's place: whether it is this, and the number.

    Raises:
        Refusal: it begins so and goes on otherwise.
    """
    word, colon, number = factor.partition(":")
    if word != WORD:
        return False, None
    if colon and not (number.isascii() and number.isdigit() and int(number) > 0):
        raise Refusal(f"factor {factor}", "after the colon stands a person's number, from 1", "Give people:1")
    return True, int(number) if colon else None


def _nearest(people: tuple[PersonResult, ...], at: Point) -> int | None:
    """The number of the person with a joint nearest to a point."""
    away = {
        p.track_id: float(np.hypot(*(p.pose.points - np.array(at)).T).min())
        for p in people
        if p.track_id is not None and p.pose is not None
    }
    return min(away, key=lambda n: away[n], default=None)


def _mask(people: tuple[PersonResult, ...], probability: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(h, w) 255·P(person) inside the masks, 0 elsewhere."""
    masks = [p.mask for p in people if p.mask is not None]
    if not masks:
        return np.zeros(probability.shape, np.uint8)
    inside = np.maximum.reduce(masks)
    size = inside.shape[1], inside.shape[0]
    person = cv2.resize(probability, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.rint(person.clip(0, 1) * 255 * inside), np.uint8)
