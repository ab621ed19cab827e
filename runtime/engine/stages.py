"""How a model's stages follow each other; what stands in the X factor's place is not their business."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from runtime.engine.sessions import Array, NoResultError, Session
from runtime.engine.source import Factor, Request, Silhouette, SilhouetteSource

Features = Mapping[str, Array]
SUM_TOLERANCE = 0.02  # probabilities that are this far outside 0..1 are a fault, not rounding


class Stages(Protocol):
    """The model around the X factor."""

    @property
    def sessions(self) -> tuple[Session, ...]:
        """Everything that runs on a provider."""

    def features(self, canvas: NDArray[np.uint8]) -> Features:
        """(1, h, w, 3) RGB → what sources and `parts` work from."""

    def parts(self, features: Features, person: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features and P(person) (gh, gw) → probabilities (classes, gh, gw)."""

    def own_source(self) -> SilhouetteSource:
        """The model's own answer to where the person is."""


@dataclass(frozen=True)
class FactoredStages:
    """Trunk → (X factor) → head."""

    trunk: Session
    factor: Session
    head: Session

    @property
    def sessions(self) -> tuple[Session, ...]:
        """Trunk and head; the factor may not be in use."""
        return self.trunk, self.head

    def features(self, canvas: NDArray[np.uint8]) -> Features:
        """Run the trunk."""
        (features,) = self.trunk.run({"image": canvas}, ("features",))
        return {"features": features}

    def parts(self, features: Features, person: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the head; its own argmax is left out, for labels are decided at a finer resolution."""
        (parts,) = self.head.run({**features, "person": person[None, None]}, ("parts",))
        one: NDArray[np.float32] = probabilities(parts)[0]
        return one

    def own_source(self) -> SilhouetteSource:
        """The trained factor."""
        return Factor("own factor", self.factor)


@dataclass(frozen=True)
class NetworkStage:
    """One graph without a seam; a silhouette is imposed on its result (methods §1.7)."""

    network: Session

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The one session."""
        return (self.network,)

    def features(self, canvas: NDArray[np.uint8]) -> Features:
        """Run the whole network; its result stands for the features."""
        (parts,) = self.network.run({"image": canvas}, ("parts",))
        return {"parts": probabilities(parts)}

    def parts(self, features: Features, person: NDArray[np.float32]) -> NDArray[np.float32]:
        """Inside the silhouette the parts share its probability, outside there is background.

        With the network's own silhouette, 1 − P(background), this changes nothing; with a hard one it is the
        paper's hard constraint.
        """
        parts: NDArray[np.float32] = np.asarray(features["parts"], np.float32)[0]
        body = np.maximum(parts[1:].sum(0), np.finfo(np.float32).tiny)
        return np.concatenate(((1 - person)[None], parts[1:] * (person / body)))

    def own_source(self) -> SilhouetteSource:
        """1 − P(background)."""
        return WholeNetwork()


class WholeNetwork:
    """The silhouette that a network without a factor implies."""

    name = "own silhouette"
    sessions: tuple[Session, ...] = ()

    def person(self, request: Request) -> Silhouette:
        """1 − P(background)."""
        return Silhouette(1 - np.asarray(request.features["parts"][0, 0], np.float32))

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
