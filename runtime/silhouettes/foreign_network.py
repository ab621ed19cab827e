"""Silhouette of a network of any origin: an ONNX file without a description, read as the user says."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.engine.providers import Provider
from runtime.engine.sessions import NoResultError, Session, read_model
from runtime.engine.source import Request, Silhouette
from runtime.model_files.admission import admit
from runtime.model_files.graph import StructureError, check_structure
from runtime.system.errors import Refusal

REMEDY = "Check what you said of its input and output"
LIMIT_S = 5.0  # for a test picture
DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}
OUTSIDE = 0.02  # of 0..1, from which on values are logits
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class NetworkReading:
    """Input and output of a network, as its author would describe them."""

    size: tuple[int, int] = (256, 256)  #: (height, width), px, where the file leaves it open
    mean: Triple = (0.0, 0.0, 0.0)  #: of the channels 0..255 in the network's order, subtracted
    deviation: Triple = (255.0, 255.0, 255.0)  #: divided by
    bgr: bool = False  #: blue first, as OpenCV has it
    person: int = 0  #: channel, or label, of the person


class ForeignNetwork:
    """Runs on the whole picture, stretched to its size; logits become probabilities."""

    def __init__(self, name: str, data: bytes, reading: NetworkReading, *, threads: int = 1) -> None:
        """Build its session.

        Raises:
            Refusal: the runtime cannot load it, or its input is no picture.
        """
        self.name, self._reading = name, reading
        self._session = Session(name, data, Provider.CPU, threads=threads, bounded=True)
        self.sessions: tuple[Session, ...] = (self._session,)
        ((self._input, shape), *others) = self._session.input_shapes.items()
        kind = self._session.inputs and self._session.interface[0][self._input][0]
        if others or len(shape) != 4 or 3 not in (shape[1], shape[3]) or kind not in DTYPES:
            words = f"its input is {kind} of shape {shape}" if not others else "it has several inputs"
            raise Refusal(f"network {name}", f"{words}, not one RGB picture", "Use a silhouette network")
        self._dtype = DTYPES[str(kind)]
        self._last = shape[3] == 3  # channels last, as TensorFlow has them
        sides = shape[1:3] if self._last else shape[2:4]
        self._height, self._width = (
            s if isinstance(s, int) and s > 0 else wanted
            for s, wanted in zip(sides, reading.size, strict=True)
        )

    def person(self, request: Request) -> Silhouette:
        """P(person) over the displayed picture, at the resolution of the network's output."""
        return request.answer(self.mask(request.picture))

    def mask(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(h, w) 255·P(person) of an (h, w, 3) RGB picture.

        Raises:
            NoResultError: it failed, or its output has no such channel.
        """
        reading = self._reading
        small = cv2.resize(picture, (self._width, self._height), interpolation=cv2.INTER_AREA)
        ordered = np.asarray(small[..., ::-1] if reading.bgr else small, np.float32)
        values = (ordered - np.array(reading.mean, np.float32)) / np.array(reading.deviation, np.float32)
        image = values if self._last else values.transpose(2, 0, 1)
        name = self._session.outputs[0]
        (output,) = self._session.run({self._input: np.ascontiguousarray(image[None], self._dtype)}, (name,))
        person = self._probability(np.asarray(output))
        if person.ndim != 2 or not np.isfinite(person).all():
            raise NoResultError(f"{self.name}: its output has shape {output.shape}, not that of a mask")
        return np.asarray(np.rint(person * 255), np.uint8)

    def _probability(self, output: NDArray[np.generic]) -> NDArray[np.float32]:
        """P(person) of an output (1, [channels,] h, w), channels first or last, or of labels."""
        if np.issubdtype(output.dtype, np.integer):
            return np.asarray(output.squeeze() == self._reading.person, np.float32)
        maps = np.asarray(output, np.float32)[0]
        if maps.ndim == 3 and self._last:
            maps = maps.transpose(2, 0, 1)
        maps = maps[None] if maps.ndim == 2 else maps
        if self._reading.person >= len(maps):
            raise NoResultError(f"{self.name}: its output has {len(maps)} channels, counted from 0")
        if not (maps.min() >= -OUTSIDE and maps.max() <= 1 + OUTSIDE):  # logits
            odds = np.exp(maps - maps.max(axis=0)) if len(maps) > 1 else np.exp(-np.logaddexp(0, -maps))
            maps = odds / odds.sum(axis=0) if len(maps) > 1 else odds
        return np.asarray(np.clip(maps[self._reading.person], 0, 1), np.float32)

    def reset(self) -> None:
        """Nothing is remembered."""


def load_foreign(path: Path, reading: NetworkReading, *, threads: int = 1) -> ForeignNetwork:
    """A network from an .onnx file; it is tried in a child process first.

    Raises:
        Refusal: it cannot be used so.
    """
    data = read_model(path)
    admit(f"network {path.name}", {path.stem: data}, asdict(reading), REMEDY)
    return ForeignNetwork(path.stem, data, reading, threads=threads)


def reason_against_foreign(data: bytes, reading: Mapping[str, Any]) -> str:
    """Why a network must not be used as it was read; empty when it may. For the trial's process."""
    try:
        check_structure(data)
        read = NetworkReading(**{f.name: reading[f.name] for f in fields(NetworkReading)})
        network, started_s = ForeignNetwork("the network", data, read), time.process_time()
        network.mask(np.random.default_rng(0).integers(0, 256, (180, 320, 3), np.uint8))
        took_s = time.process_time() - started_s
    except (StructureError, NoResultError) as e:
        return str(e)
    except Refusal as e:
        return e.reason
    return f"it took {took_s:.0f} s for a picture" if took_s > LIMIT_S else ""
