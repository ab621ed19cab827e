"""Write a model as a bundle of ONNX files; nothing unless parity passes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from export import parity
from export.graphs import to_onnx, with_spec
from export.quantisation import quantised
from export.rewrite import rewrite
from export.stages import ExportError, refuse_unfit
from models.factored import INPUT_MEAN, INPUT_STD
from models.families import ZOO, ZooRow
from models.network import Network
from models.spec import ModelSpec, TrainingSet, sides_of
from runtime.system.files import write_folder

SUMS = "SHA256SUMS"
CARD = "CARD.md"
#: (height, width) px that pictures are fitted into: 1280x720 becomes 512x288, portraits at most 384 high.
#: Trained at 256 px, the network knows people of some 250 px: python -m training.evaluate at several sizes.
BOX = (384, 512)
BUNDLE_FILES = frozenset((SUMS, CARD, *(f"{s.name}.onnx" for row in ZOO.values() for s in row.stages)))
PREPROCESSING = f"uint8 RGB (b, h, w, 3); (rgb/255 - {INPUT_MEAN})/{INPUT_STD} inside the graph"


def describe(
    row: ZooRow,
    *,
    name: str,
    licence: str,
    training_data: Sequence[TrainingSet],
    input_size: tuple[int, int] | None = None,
) -> ModelSpec:
    """The description of a row's network for the files of a bundle.

    Args:
        row: says what the network is.
        name: the model's name, as `xfactor models` will show it.
        licence: licence of the weights.
        training_data: what they were trained on.
        input_size: (height, width) of the box pictures are fitted into, px; `BOX` when left out.

    Raises:
        ExportError: the network takes no such input.
    """
    sides = sides_of(row.stages)
    fitting = tuple(sides.up(side) for side in input_size or BOX)
    if input_size and fitting != input_size:
        (h, w), (height, width) = input_size, fitting
        raise ExportError(f"{name}: {w}x{h} px are not {sides}. Use --size {width}x{height}")
    return ModelSpec(
        name=name,
        stages=row.stages,
        stage=row.stages[0].name,
        input_size=(fitting[0], fitting[1]),
        preprocessing=PREPROCESSING,
        activation=row.activation,
        parameters=row.parameters,
        licence=licence,
        training_data=tuple(training_data),
        size_multiple=sides.multiple,
    )


def export_bundle(
    module: Network,
    out: Path,
    spec: ModelSpec,
    card_md: str,
    calibration: Sequence[NDArray[np.uint8]] = (),
) -> tuple[parity.Parity, ...]:
    """Write one ONNX file per stage, SHA256SUMS and CARD.md, all or nothing.

    Args:
        module: a network in eval mode.
        out: the bundle's directory; a bundle already there is replaced.
        spec: what it is, as `describe` gives it.
        card_md: the model card, Markdown.
        calibration: pictures (1, h, w, 3) for stages in integers; none for float.

    Returns:
        Distance of the exported stages in float, alone and composed, from the torch module.

    Raises:
        ExportError: for weights that are not finite, training mode, failed parity, or other files in `out`.
    """
    refuse_unfit(module, spec.name)
    refuse_foreign(out)
    stages = module.stages()
    fast = {stage: rewrite(plain.eval()) for stage, plain in stages.items()}
    graphs = {stage: to_onnx(m, spec.stages, stage) for stage, m in fast.items()}
    models = _described(graphs, spec)
    found = parity.check(models, stages, spec.stages)
    if calibration:
        models = _described(quantised(fast, graphs, spec.stages, calibration), spec)
    files = {f"{stage}.onnx": data for stage, data in models.items()}
    files[CARD] = card_md.encode()
    files[SUMS] = "".join(f"{_sha256(files[f])}  {f}\n" for f in sorted(files)).encode()
    out.parent.mkdir(parents=True, exist_ok=True)
    write_folder(out, files)
    return found


def _described(graphs: Mapping[str, onnx.ModelProto], spec: ModelSpec) -> dict[str, bytes]:
    """The stages' files, each with the hashes of those before it."""
    models: dict[str, bytes] = {}
    for stage, graph in graphs.items():
        siblings = {s: _sha256(data) for s, data in models.items()}
        models[stage] = with_spec(graph, replace(spec, stage=stage, siblings=siblings))
    return models


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def refuse_foreign(out: Path) -> None:
    """A bundle replaces its whole directory, so the directory may hold nothing else.

    Raises:
        ExportError: it is none, or does.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise ExportError(f"{out}: it is not a directory. Name a new directory")
    foreign = sorted(p.name for p in out.iterdir() if p.name not in BUNDLE_FILES) if out.exists() else []
    if foreign:
        raise ExportError(f"{out}: it holds other files ({', '.join(foreign[:3])}). Name a new directory")
