"""Trial run of a model on drawn pictures: does it do what its description says?"""

from __future__ import annotations

import contextlib
import time

import cv2
import numpy as np
from numpy.typing import NDArray

from models.outputs import Output, OutputError, PartLabels, SharedFeatures
from models.spec import IMAGE, ModelSpec, outputs_by_name
from runtime.engine.providers import Provider
from runtime.engine.sessions import Array, NoResultError, Session
from runtime.engine.stages import probabilities
from runtime.model_files.graph import StructureError, check_structure
from runtime.model_files.metadata import describe
from runtime.model_files.probe import further_s
from runtime.system.errors import Refusal

SIZES = ((96, 128), (64, 32))  # (height, width), px: two sizes find shapes that do not follow the input
LARGEST = (928, 928)  # of the window's largest choice and six views; no description can make it smaller
LIMIT_S = 5.0  # for a picture, and more for a large file; a live one has a thirtieth of a second
IMAGE_TENSOR = "tensor(uint8)", 4
MIN_CONTRAST = 1e-7  # an output that changes less over all the pictures has learned nothing


def reason_against(stages: dict[str, bytes]) -> str:
    """Why these stages, which follow each other, must not be used; empty when they may."""
    try:
        sessions = {}
        specs = {}
        for stage, data in stages.items():
            check_structure(data)
            specs[stage] = describe(f"{stage}.onnx", data)
            sessions[stage] = Session(stage, data, Provider.CPU)
            check_interface(specs[stage], sessions[stage])
        _run(sessions, specs, LIMIT_S + further_s(sum(map(len, stages.values()))))
    except StructureError as e:
        return str(e)
    except Refusal as e:
        return e.reason
    except NoResultError as e:
        return f"it failed on a test picture ({e})"
    return ""


def check_interface(spec: ModelSpec, session: Session) -> None:
    """Compare names, types and ranks.

    Raises:
        StructureError: with what was expected and what is there.
    """
    stage, known = spec.own_stage, outputs_by_name(spec.stages)
    inputs = {name: IMAGE_TENSOR if name == IMAGE else _tensor(known[name]) for name in stage.inputs}
    outputs = {o.name: _tensor(o) for o in stage.outputs}
    optional = {o.name for o in stage.outputs if isinstance(o, PartLabels)}
    for side, have, wanted in (
        ("input", session.interface[0], inputs),
        ("output", session.interface[1], outputs),
    ):
        for name, shape in wanted.items():
            if have.get(name) != shape and not (name in optional and name not in have):
                raise StructureError(
                    f"its {stage.name} stage: expected {side} {name} {_words(shape)}, got {_listing(have)}"
                )
        for name, shape in have.items():
            if name not in wanted:
                raise StructureError(f"its {stage.name} stage: unexpected {side} {name} {_words(shape)}")


def _tensor(output: Output) -> tuple[str, int]:
    return ("tensor(uint8)" if output.dtype == "uint8" else "tensor(float)"), output.rank


def _words(shape: tuple[str, int]) -> str:
    return f"{shape[0]} of rank {shape[1]}"


def _listing(have: dict[str, tuple[str, int]]) -> str:
    return ", ".join(f"{name} {_words(shape)}" for name, shape in list(have.items())[:6]) or "nothing"


def _run(sessions: dict[str, Session], specs: dict[str, ModelSpec], limit_s: float) -> None:
    seen: dict[str, list[float]] = {}
    first = next(iter(specs.values()))
    up = first.sides.up
    pictures = [p for height, width in SIZES for p in drawn_pictures(up(height), up(width))]
    # last those in use, where what costs too much ends this process
    for height, width in (first.input_size, LARGEST):
        pictures += drawn_pictures(up(height), up(width))[:1]
    for picture in pictures:
        started_s = time.process_time()
        for name, values in _outputs(sessions, specs, picture).items():
            low, high = seen.setdefault(name, [np.inf, -np.inf])
            seen[name] = [min(low, float(values.min())), max(high, float(values.max()))]
        if (took_s := time.process_time() - started_s) > limit_s:
            sides = "x".join(map(str, picture.shape[2:0:-1]))
            raise StructureError(
                f"it took {took_s:.0f} s for a picture of {sides}, more than {limit_s:.0f} s"
            )
    for name, (low, high) in seen.items():
        if high - low < MIN_CONTRAST:
            raise StructureError(f"its output {name} is {low:.3g} everywhere, whatever the picture")


def _outputs(
    sessions: dict[str, Session], specs: dict[str, ModelSpec], picture: NDArray[np.uint8]
) -> dict[str, NDArray[np.float32]]:
    """Outputs of one picture (1, h, w, 3), features and labels apart; shapes and ranges checked."""
    known: dict[str, Array] = {IMAGE: picture}
    result = {}
    for stage, session in sessions.items():
        names = session.outputs
        known.update(zip(names, session.run({i: known[i] for i in session.inputs}, names), strict=True))
        for output in specs[stage].own_stage.outputs:
            if isinstance(output, PartLabels):
                continue
            values = np.asarray(known[output.name], np.float32)
            if output.probability:
                probabilities(values)
            elif not np.isfinite(values).all():
                raise StructureError(f"its output {output.name} is not finite: the weights are damaged")
            _check_shape(output, values, picture)
            if not isinstance(output, SharedFeatures):
                result[output.name] = values
    return result


def _check_shape(output: Output, values: NDArray[np.float32], picture: NDArray[np.uint8]) -> None:
    channels = values.shape[1]
    with contextlib.suppress(OutputError):  # a set that is not known here: it may still serve as a silhouette
        channels = output.channels
    down, across = (output.grid.cells(side, output.stride) for side in picture.shape[1:3])
    if values.shape != (1, channels, down, across):
        raise StructureError(
            f"its output {output.name}: expected shape {(1, channels, down, across)}, got {values.shape}"
        )


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
