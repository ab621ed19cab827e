"""Stages of a model, run one after the other; the X factor's place is a parameter of theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.outputs import JointDisks, PartLabels, PartProbabilities
from models.spec import IMAGE, PERSON, StageSpec
from runtime.engine.sessions import Array, NoResultError, Session
from runtime.engine.source import FactorSource, Request, Silhouette, SilhouetteSource

Features = Mapping[str, Array]
Maps = dict[str, NDArray[np.float32]]
FACTORED = ("trunk", "factor", "head")  # stages around the X factor's place
SUM_TOLERANCE = 0.02  # probabilities that are this far outside 0..1 are a fault, not rounding


class Stages(Protocol):
    """The model around the X factor; everything in batches."""

    @property
    def sessions(self) -> tuple[Session, ...]:
        """Everything that runs on a provider."""

    def features(self, canvas: NDArray[np.uint8]) -> Features:
        """(b, h, w, 3) RGB → what sources and `maps` work from."""

    def maps(self, features: Features, person: NDArray[np.float32]) -> Maps:
        """Features and P(person) (b, gh, gw) → outputs by name, each (b, channels, rows, columns)."""

    def own_source(self) -> SilhouetteSource:
        """The model's own answer to where the person is."""

    def without_people(self) -> Stages:
        """The stages without those that find people, where these can be left out."""


@dataclass(frozen=True)
class FactoredStages:
    """Trunk → (X factor) → head → further stages that read their outputs.

    Attributes:
        further: descriptions of the stages behind the head, with their sessions.
    """

    trunk: Session
    factor: Session
    head: Session
    further: tuple[tuple[StageSpec, Session], ...] = ()

    @classmethod
    def of(cls, stages: Sequence[StageSpec], sessions: Mapping[str, Session]) -> FactoredStages:
        """A model's stages with their sessions by name."""
        further = tuple((s, sessions[s.name]) for s in stages if s.name not in FACTORED)
        return cls(sessions["trunk"], sessions["factor"], sessions["head"], further)

    @property
    def sessions(self) -> tuple[Session, ...]:
        """All but the factor, which may not be in use."""
        return self.trunk, self.head, *(session for _, session in self.further)

    def features(self, canvas: NDArray[np.uint8]) -> Features:
        """Run the trunk."""
        (features,) = self.trunk.run({IMAGE: canvas}, ("features",))
        return {"features": features}

    def maps(self, features: Features, person: NDArray[np.float32]) -> Maps:
        """Run the head; its own argmax is left out, for labels are decided at a finer resolution."""
        values: dict[str, Array] = {**features, PERSON: person[:, None]}
        (values["parts"],) = self.head.run(values, ("parts",))
        given = ["parts"]
        for stage, session in self.further:
            names = tuple(o.name for o in stage.outputs)
            outputs = session.run({i: values[i] for i in stage.inputs}, names)
            values.update(zip(names, outputs, strict=True))
            given += names
        return {name: np.asarray(values[name], np.float32) for name in given}

    def own_source(self) -> SilhouetteSource:
        """The trained factor."""
        return FactorSource("own factor", self.factor)

    def without_people(self) -> Stages:
        """Trunk, factor, head and what gives no joints."""
        kept = [f for f in self.further if not any(isinstance(o, JointDisks) for o in f[0].outputs)]
        return replace(self, further=tuple(kept))


@dataclass(frozen=True)
class ChainedStages:
    """Stages without an X factor, one after the other; a silhouette is imposed on the parts (methods §1.7).

    Attributes:
        chain: what they take and give.
        sessions: one for each.
    """

    chain: tuple[StageSpec, ...]
    sessions: tuple[Session, ...]

    def features(self, canvas: NDArray[np.uint8]) -> Features:
        """Run the whole network; its outputs stand for the features."""
        values: dict[str, Array] = {IMAGE: canvas}
        for stage, session in zip(self.chain, self.sessions, strict=True):
            names = tuple(o.name for o in stage.outputs if not isinstance(o, PartLabels))
            given = session.run({i: values[i] for i in stage.inputs}, names)
            values.update(zip(names, given, strict=True))
        return {o.name: values[o.name] for s in self.chain for o in s.outputs if o.name in values}

    def maps(self, features: Features, person: NDArray[np.float32]) -> Maps:
        """Inside the silhouette the parts share its probability, outside there is background.

        With the network's own silhouette, 1 − P(background), this changes nothing; with a hard one it is the
        paper's hard constraint.
        """
        maps = {name: np.asarray(values, np.float32) for name, values in features.items()}
        for parts in (o.name for s in self.chain for o in s.outputs if isinstance(o, PartProbabilities)):
            body = np.maximum(maps[parts][:, 1:].sum(1), np.finfo(np.float32).tiny)
            shares = maps[parts][:, 1:] * (person / body)[:, None]
            maps[parts] = np.concatenate(((1 - person)[:, None], shares), axis=1)
        return maps

    def own_source(self) -> SilhouetteSource:
        """1 − P(background), or nobody knows."""
        if any(isinstance(o, PartProbabilities) for s in self.chain for o in s.outputs):
            return WholeNetwork()
        return NoSilhouette()

    def without_people(self) -> Stages:
        """All of it: the network is one."""
        return self


class WholeNetwork:
    """The silhouette that a network without a factor implies."""

    name = "own silhouette"
    sessions: tuple[Session, ...] = ()

    def person(self, request: Request) -> Silhouette:
        """1 − P(background)."""
        return Silhouette(self.probability(request.features)[0])

    def probability(self, features: Features) -> NDArray[np.float32]:
        """1 − P(background) (b, grid height, grid width) of a batch."""
        return 1 - np.asarray(features["parts"][:, 0], np.float32)

    def reset(self) -> None:
        """Nothing is remembered."""


class NoSilhouette:
    """In the place of a silhouette for a network that neither gives nor takes one."""

    name = "none"
    sessions: tuple[Session, ...] = ()

    def person(self, request: Request) -> Silhouette:
        """None."""
        return Silhouette(None)

    def reset(self) -> None:
        """Nothing is remembered."""


def probabilities(output: Array) -> NDArray[np.float32]:
    """A model's output, if it is made of probabilities.

    Raises:
        NoResultError: NaN, infinite or outside 0..1: this frame has no result.
    """
    values = np.asarray(output, np.float32)
    low, high = float(values.min()), float(values.max())  # NaN wins both
    if not (low >= -SUM_TOLERANCE and high <= 1 + SUM_TOLERANCE):
        raise NoResultError(f"the model's output is not a probability ({low:.3g} … {high:.3g})")
    return values
