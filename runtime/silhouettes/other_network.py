"""Another network's silhouette in the X factor's place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.grid import Grid
from runtime.engine.providers import Provider
from runtime.engine.resize import average
from runtime.engine.sessions import Array, NoResultError, Session
from runtime.engine.source import Request, Silhouette
from runtime.engine.stages import probabilities
from runtime.library.models import find_model, load_bundle
from runtime.system.errors import Refusal


class OtherNetwork:
    """A second model that runs on each frame: its P(person), or 1 − P(background) of its parts."""

    def __init__(self, name: str, sessions: dict[str, Session]) -> None:
        """Take the sessions of its stages.

        Raises:
            Refusal: it says neither where the person is nor where the background is.
        """
        self.name = name
        self.sessions: tuple[Session, ...] = tuple(sessions.values())
        last = sessions.get("factor") or sessions["network"]
        self._chain = [sessions["trunk"], last] if "trunk" in sessions else [last]
        self._output = next((o for o in ("person", "parts") if o in last.outputs), "")
        if not self._output:
            raise Refusal(
                f"network {name}",
                f"it gives {', '.join(last.outputs)}, neither person nor parts",
                "use a silhouette or a parsing network",
            )

    def person(self, request: Request) -> Silhouette:
        """Run it on what the network sees, and bring its grid to the head's."""
        data: Array = request.canvas
        for session, output in zip(
            self._chain, [*(["features"] * (len(self._chain) - 1)), self._output], strict=True
        ):
            (data,) = session.run({session.inputs[0]: data}, (output,))
        maps = probabilities(data)[0]
        person = 1 - maps[0] if self._output == "parts" else maps[0]
        if person.ndim != 2:
            raise NoResultError(f"{self.name}: gave maps of shape {data.shape}")
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


def load_network(model: str | Path, *, provider: Provider = Provider.CPU, threads: int = 1) -> OtherNetwork:
    """A network from a model's name, its folder or an .onnx file.

    Raises:
        Refusal: it cannot be used here; the words say why.
    """
    bundle = find_model(model)
    if bundle.spec.grid is not Grid.CENTRE:
        raise Refusal(f"network {bundle.name}", "its grid is corner-aligned", "use it as a model instead")
    data = load_bundle(bundle)
    data.pop("head", None)
    sessions = {stage: Session(stage, d, provider, threads=threads) for stage, d in data.items()}
    return OtherNetwork(bundle.name, sessions)
