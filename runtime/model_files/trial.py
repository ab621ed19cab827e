"""Whether a model does what its description says, found by running it on drawn pictures."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.labels import PART_SETS
from models.spec import ModelSpec
from runtime.engine.providers import Provider
from runtime.engine.sessions import Array, NoResultError, Session
from runtime.engine.stages import probabilities
from runtime.model_files.graph import StructureError, check_structure
from runtime.model_files.metadata import describe
from runtime.system.errors import Refusal

SIZES = ((96, 128), (64, 32))  # (height, width), px: two sizes find shapes that do not follow the input
MIN_CONTRAST = 1e-7  # an output that changes less over all the pictures has learned nothing


@dataclass(frozen=True)
class Interface:
    """What one stage takes and gives: name → (type, rank)."""

    inputs: dict[str, tuple[str, int]]
    outputs: dict[str, tuple[str, int]]
    optional: dict[str, tuple[str, int]]


_FLOAT4, _BYTE4, _BYTE3 = ("tensor(float)", 4), ("tensor(uint8)", 4), ("tensor(uint8)", 3)
INTERFACES = {
    "trunk": Interface({"image": _BYTE4}, {"features": _FLOAT4}, {}),
    "factor": Interface({"features": _FLOAT4}, {"person": _FLOAT4}, {}),
    "head": Interface({"features": _FLOAT4, "person": _FLOAT4}, {"parts": _FLOAT4}, {"labels": _BYTE3}),
    "network": Interface({"image": _BYTE4}, {}, {"person": _FLOAT4, "parts": _FLOAT4, "labels": _BYTE3}),
}


def reason_against(stages: dict[str, bytes]) -> str:
    """Why these stages, which follow each other, must not be used; empty when they may."""
    try:
        sessions = {}
        specs = {}
        for stage, data in stages.items():
            check_structure(data)
            specs[stage] = describe(f"{stage}.onnx", data)
            sessions[stage] = Session(stage, data, Provider.CPU)
            check_interface(stage, sessions[stage])
        _run(sessions, specs)
    except StructureError as e:
        return str(e)
    except Refusal as e:
        return e.reason
    except NoResultError as e:
        return f"it failed on a test picture ({e})"
    return ""


def check_interface(stage: str, session: Session) -> None:
    """Compare names, types and ranks.

    Raises:
        StructureError: with what was expected and what is there.
    """
    wanted = INTERFACES[stage]
    for kind, have, must, may in (
        ("input", session.interface[0], wanted.inputs, {}),
        ("output", session.interface[1], wanted.outputs, wanted.optional),
    ):
        for name, shape in must.items():
            if have.get(name) != shape:
                raise StructureError(
                    f"its {stage} stage: expected {kind} {name} {_words(shape)}, got {_listing(have)}"
                )
        for name, shape in have.items():
            known = {**must, **may}
            extra = stage != "network" and name not in known
            if extra or (name in known and known[name] != shape):
                raise StructureError(f"its {stage} stage: unexpected {kind} {name} {_words(shape)}")
    if stage == "network" and not {"person", "parts"} & session.interface[1].keys():
        raise StructureError(f"expected an output person or parts, got {_listing(session.interface[1])}")


def _words(shape: tuple[str, int]) -> str:
    return f"{shape[0]} of rank {shape[1]}"


def _listing(have: dict[str, tuple[str, int]]) -> str:
    return ", ".join(f"{name} {_words(shape)}" for name, shape in list(have.items())[:6]) or "nothing"


def _run(sessions: dict[str, Session], specs: dict[str, ModelSpec]) -> None:
    seen: dict[str, list[float]] = {}
    for size in SIZES:
        for picture in drawn_pictures(*size):
            for name, values in _outputs(sessions, specs, picture).items():
                low, high = seen.setdefault(name, [np.inf, -np.inf])
                seen[name] = [min(low, float(values.min())), max(high, float(values.max()))]
    for name, (low, high) in seen.items():
        if high - low < MIN_CONTRAST:
            raise StructureError(f"its output {name} is {low:.3g} everywhere, whatever the picture")


def _outputs(
    sessions: dict[str, Session], specs: dict[str, ModelSpec], picture: NDArray[np.uint8]
) -> dict[str, NDArray[np.float32]]:
    """Every probability the stages give of one picture (1, h, w, 3), shapes and ranges checked."""
    known: dict[str, Array] = {"image": picture}
    result = {}
    for stage, session in sessions.items():
        names = session.outputs
        known.update(zip(names, session.run({i: known[i] for i in session.inputs}, names), strict=True))
        spec = specs[stage]
        cells = picture.shape[1] // spec.stride, picture.shape[2] // spec.stride
        classes = PART_SETS[spec.part_set].classes if spec.part_set in PART_SETS else None
        for name in names:
            if name in ("person", "parts"):
                result[name] = probabilities(known[name])
                expected = (1, 1 if name == "person" else classes or known[name].shape[1], *cells)
                if known[name].shape != expected:
                    raise StructureError(
                        f"its output {name}: expected shape {expected}, got {known[name].shape}"
                    )
            elif not np.isfinite(known[name]).all():
                raise StructureError(f"its output {name} is not finite: the weights are damaged")
    return result


def drawn_pictures(height: int, width: int) -> list[NDArray[np.uint8]]:
    """A figure before a room, noise, and black; each (1, height, width, 3) RGB."""
    figure = np.empty((height, width, 3), np.uint8)
    figure[: 2 * height // 3], figure[2 * height // 3 :] = (170, 180, 190), (110, 90, 70)
    x, y = width // 2, height // 6
    cv2.circle(figure, (x, y), height // 12, (220, 180, 150), -1)
    cv2.line(figure, (x, 2 * y), (x, 4 * y), (30, 60, 160), max(2, width // 6))
    cv2.line(figure, (x, 4 * y), (x, 5 * y), (40, 40, 50), max(2, width // 8))
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return [figure[None], noise[None], np.zeros((1, height, width, 3), np.uint8)]
