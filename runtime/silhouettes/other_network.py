"""Another network's silhouette in the X factor's place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.grid import Grid
from models.outputs import PartProbabilities, PersonProbability
from models.resize import average
from models.spec import IMAGE, ModelSpec, StageSpec
from runtime.engine.providers import Provider
from runtime.engine.sessions import Array, NoResultError, Session
from runtime.engine.source import Request, Silhouette
from runtime.engine.stages import probabilities
from runtime.library.models import find_model, load_bundle
from runtime.system.errors import Refusal


class OtherNetwork:
    """A second model that runs on each frame: its P(person), or 1 − P(background) of its parts."""

    def __init__(self, name: str, chain: Sequence[StageSpec], sessions: Mapping[str, Session]) -> None:
        """Take the sessions of some stages; the last one's first output is used."""
        self.name = name
        self.sessions: tuple[Session, ...] = tuple(sessions[s.name] for s in chain)
        self._chain = tuple(chain)
        self._output = chain[-1].outputs[0]

    def person(self, request: Request) -> Silhouette:
        """Run it on what the network sees, and bring its grid to the head's."""
        values: dict[str, Array] = {IMAGE: request.canvas}
        for stage, session in zip(self._chain, self.sessions, strict=True):
            name = stage.outputs[0].name
            (values[name],) = session.run({i: values[i] for i in stage.inputs}, (name,))
        maps = probabilities(values[self._output.name])[0]
        person = maps[0] if isinstance(self._output, PersonProbability) else 1 - maps[0]
        if person.ndim != 2:
            raise NoResultError(f"{self.name}: gave maps of shape {maps.shape}")
        return self._answer(request, np.ascontiguousarray(person))

    def reset(self) -> None:
        """Nothing is remembered."""

    @staticmethod
    def _answer(request: Request, person: NDArray[np.float32]) -> Silhouette:
        box = request.letterbox
        if person.shape[0] <= box.grid[1]:
            return Silhouette(average(person, box.grid))
        # Finer than the head's grid: its own edges are worth keeping.
        down, across = (
            round(s * c / n)
            for s, c, n in zip(person.shape, box.content[::-1], box.network[::-1], strict=True)
        )
        return request.answer(np.rint(person[:down, :across] * 255).astype(np.uint8))


def load_network(model: str | Path, *, threads: int = 1) -> OtherNetwork:
    """A network from a model's name, its folder or an .onnx file.

    Raises:
        Refusal: it cannot be used here; the words say why.
    """
    bundle = find_model(model)
    if bundle.spec.grid is not Grid.CENTRE:
        raise Refusal(f"network {bundle.name}", "its grid is corner-aligned", "use it as a model instead")
    chain = _chain(bundle.spec)
    data = load_bundle(bundle)
    sessions = {
        s.name: Session(s.name, data[s.name], Provider.CPU, threads=threads, bounded=not bundle.shipped)
        for s in chain
    }
    return OtherNetwork(bundle.name, chain, sessions)


def _chain(spec: ModelSpec) -> tuple[StageSpec, ...]:
    """The stages up to the one that says where the person is, or where the background is."""
    for kind in (PersonProbability, PartProbabilities):
        for i, stage in enumerate(spec.stages):
            if isinstance(stage.outputs[0], kind):
                return spec.stages[: i + 1]
    raise Refusal(
        f"network {spec.name}",
        f"it gives {', '.join(o.name for o in spec.outputs)}, neither person nor parts",
        "use a silhouette or a parsing network",
    )
