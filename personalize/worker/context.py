"""Context of all phases: the job, the network, the results and the reporter."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.spec import ModelSpec
from personalize.job import PersonalizationJob
from personalize.messages import FrameSilhouette
from personalize.worker.reporter import Reporter
from personalize.worker.results import Array, Facts, Results
from runtime.engine.engine import load_engine
from runtime.engine.letterbox import Letterbox, NetworkSize
from runtime.engine.sessions import Session
from runtime.engine.stages import FactoredStages
from runtime.model_files.metadata import describe
from runtime.system.errors import Refusal
from runtime.system.files import write_atomic

SILHOUETTES: Final = "silhouettes"
BACKGROUND, UNDECIDED, PERSON = 0, 128, 255  #: in the pictures of silhouettes


@dataclass(frozen=True)
class BaseNetwork:
    """The model whose factor is to learn, as the program runs it.

    Attributes:
        factor: what is started from: the model's own, or a personalised one.
        spec: of the model's own factor.
        size: the box that pictures are fitted into.
    """

    stages: FactoredStages
    factor: Session
    spec: ModelSpec
    size: NetworkSize

    @classmethod
    def of(cls, job: PersonalizationJob) -> BaseNetwork:
        """Load it on one thread of the CPU.

        Raises:
            Refusal: it cannot be used, or has no factor.
        """
        engine = load_engine(job.model, device="cpu", threads=1)
        if not isinstance(engine.stages, FactoredStages):
            raise Refusal(
                f"model {engine.name}", "it has no factor that could be replaced", "Choose a factored model"
            )
        own = engine.stages.factor
        base = own if job.base_factor is None else engine.load_factor(job.base_factor).sessions[0]
        return cls(engine.stages, base, describe("factor.onnx", own.data), engine.size)

    @property
    def trunk_sha256(self) -> str:
        """Hash of the trunk that the factor belongs to."""
        return self.stages.trunk.sha256

    def letterbox(self, size: tuple[int, int], zoom: float = 1.0) -> Letterbox:
        """Letterbox of a picture of (width, height) in the network's input, or in one so much larger."""
        return Letterbox.of_model(size, self.size, self.spec, zoom)

    def features(self, canvas: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(h, w, 3) network input → (128, h/8, w/8)."""
        features = self.stages.features(canvas[None])["features"]
        first: NDArray[np.float32] = np.asarray(features, np.float32)[0]
        return first


def person(factor: Session, features: NDArray[np.floating]) -> NDArray[np.float32]:
    """(128, gh, gw) → P(person) (gh, gw), by the runtime that the program uses."""
    (out,) = factor.run({"features": np.asarray(features, np.float32)[None]}, ("person",))
    only: NDArray[np.float32] = np.asarray(out, np.float32)[0, 0]
    return only


@dataclass
class Context:
    """One run of the worker.

    Attributes:
        facts: what finished phases recorded, by phase.
    """

    folder: Path
    job: PersonalizationJob
    network: BaseNetwork
    results: Results
    reporter: Reporter
    facts: dict[str, Facts] = field(default_factory=dict)

    @property
    def letterbox(self) -> Letterbox:
        """Of the clip's pictures."""
        width, height = self.facts["reading"]["size"]
        return self.network.letterbox((width, height))

    @property
    def frames(self) -> int:
        """Number of frames that were read."""
        return int(self.facts["reading"]["frames"])

    @property
    def span(self) -> slice:
        """Those of the frames read that belong to the shot in use."""
        first, end = self.facts["links"]["span"]
        return slice(first, end)

    @property
    def first_frame(self) -> int:
        """The clip's index of the first frame in use."""
        start: int = self.facts["reading"]["first"] + self.facts["links"]["span"][0]
        return start

    @property
    def studied(self) -> list[int]:
        """Frames that were looked at several times, counted among the frames in use from 0."""
        first, end = self.facts["links"]["span"]
        return [k - first for k in self.facts["reading"]["studied"] if first <= k < end]

    def array(self, name: str) -> Array:
        """An earlier phase's result for the frames in use."""
        return self.results.array(name)[self.span]

    def show(self, frame: int, picture: NDArray[np.uint8]) -> None:
        """Write a silhouette of `BACKGROUND`, `UNDECIDED` and `PERSON`, and report it.

        Args:
            frame: counts the frames in use from 0.
            picture: (h, w).
        """
        folder = self.folder / SILHOUETTES
        folder.mkdir(mode=0o700, exist_ok=True)
        index = self.first_frame + frame
        path = folder / f"{index:06d}.png"
        write_atomic(path, cv2.imencode(".png", picture)[1].tobytes(), sync=False)
        self.reporter.send(FrameSilhouette(index, str(path)))
