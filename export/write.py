"""Write a model as a bundle of ONNX files, or a factor as one file; nothing unless parity passes."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from torch import nn

from export import parity
from export.graphs import SIZE_MULTIPLE, to_onnx, with_spec
from export.rewrite import rewrite
from export.stages import ExportError, FactorStage, plain_stages, refuse_unfit
from models.checkpoint import architecture
from models.factored import INPUT_MEAN, INPUT_STD, STRIDE, BaselineConvNet, Factor, FactoredConvNet
from models.grid import Grid
from models.labels import PART_SETS
from models.spec import FactorCard, ModelSpec, Stage, TrainingSet

SUMS = "SHA256SUMS"
CARD = "CARD.md"
#: (height, width) px that pictures are fitted into: 1280x720 becomes 512x288, portraits at most 384 high.
#: Trained at 256 px, the network knows people of some 250 px: python -m training.evaluate at several sizes.
BOX = (384, 512)
FACTOR_SUFFIX = ".factor.onnx"
BUNDLE_FILES = frozenset((SUMS, CARD, "trunk.onnx", "factor.onnx", "head.onnx", "network.onnx"))
PREPROCESSING = f"uint8 RGB (b, h, w, 3); (rgb/255 - {INPUT_MEAN})/{INPUT_STD} inside the graph"


def export_bundle(
    module: FactoredConvNet | BaselineConvNet,
    out: Path,
    *,
    name: str,
    licence: str,
    training_data: Sequence[TrainingSet],
    input_size: tuple[int, int] = BOX,
    card_md: str,
) -> tuple[parity.Parity, ...]:
    """Write `out`/{trunk,factor,head}.onnx (or network.onnx), SHA256SUMS and CARD.md, all or nothing.

    Args:
        module: a network in eval mode.
        out: the bundle's directory; a bundle already there is replaced.
        name: the model's name, as `xfactor models` will show it.
        licence: licence of the weights.
        training_data: what they were trained on.
        input_size: (height, width) of the box pictures are fitted into, px.
        card_md: the model card, Markdown.

    Returns:
        How far the exported stages, alone and composed, lie from the torch module.

    Raises:
        ExportError: for weights that are not finite, training mode, failed parity, or other files in `out`.
    """
    refuse_unfit(module, name)
    _refuse_foreign(out)
    stages = plain_stages(module)
    spec = _describe(
        module, name=name, licence=licence, training_data=tuple(training_data), input_size=input_size
    )
    models: dict[str, bytes] = {}
    for stage, plain in stages.items():
        siblings = {s: _sha256(data) for s, data in models.items()}
        models[stage] = stage_bytes(plain, replace(spec, stage=_stage(stage), siblings=siblings))
    found = parity.check(models, stages)
    files = {f"{stage}.onnx": data for stage, data in models.items()}
    files[CARD] = card_md.encode()
    files[SUMS] = "".join(f"{_sha256(files[f])}  {f}\n" for f in sorted(files)).encode()
    _replace_directory(out, files)
    return found


def export_factor(factor: Factor, out: Path, base: ModelSpec, card: FactorCard) -> None:
    """Write a personalised factor as `<name>.factor.onnx`.

    Args:
        factor: in eval mode, trained on the features of the base model's trunk.
        out: the file; its name gives the factor's name.
        base: the spec inside the base model's own factor.onnx.
        card: where the factor comes from and what its gate measured.

    Raises:
        ExportError: as `export_bundle`, and when card and base name different trunks.
    """
    if not out.name.endswith(FACTOR_SUFFIX):
        raise ExportError(f"{out.name}: a factor's file name ends in {FACTOR_SUFFIX}. Rename it")
    if base.siblings.get("trunk") != card.base_trunk_sha256:
        raise ExportError(
            f"{out.name}: its card names another trunk than that of {base.name}. Train it again"
        )
    refuse_unfit(factor, out.name)
    spec = replace(
        base, name=out.name.removesuffix(FACTOR_SUFFIX), stage="factor", card=card,
        siblings={"trunk": card.base_trunk_sha256},
    )  # fmt: skip
    plain = FactorStage(factor).eval()
    data = stage_bytes(plain, spec)
    parity.check({"factor": data}, {"factor": plain})
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as work:
        part = Path(work) / out.name
        _write_synced(part, data)
        part.replace(out)
    _sync_directory(out.parent)


def stage_bytes(plain: nn.Module, spec: ModelSpec) -> bytes:
    """One plain stage, rewritten for speed, as the content of an ONNX file."""
    plain.eval()
    return with_spec(to_onnx(rewrite(plain), spec.stage), spec)


def _describe(
    module: FactoredConvNet | BaselineConvNet,
    *,
    name: str,
    licence: str,
    training_data: tuple[TrainingSet, ...],
    input_size: tuple[int, int],
) -> ModelSpec:
    """What all stages of a model have in common."""
    return ModelSpec(
        name=name,
        kind="factored" if isinstance(module, FactoredConvNet) else "network",
        stage="network",
        part_set=_part_set(module),
        joint_set=None,
        input_size=input_size,
        stride=STRIDE,
        grid=Grid.CENTRE,
        preprocessing=PREPROCESSING,
        activation=architecture(module)["activation"],
        parameters=sum(p.numel() for p in module.parameters()),
        licence=licence,
        training_data=training_data,
        size_multiple=SIZE_MULTIPLE,
    )


def _stage(name: str) -> Stage:
    known: dict[str, Stage] = {"trunk": "trunk", "factor": "factor", "head": "head", "network": "network"}
    return known[name]


def _part_set(module: FactoredConvNet | BaselineConvNet) -> str:
    classify = module.head.classify if isinstance(module, FactoredConvNet) else module.net[-1]
    classes = classify.out_channels
    for name, part_set in PART_SETS.items():
        if part_set.classes == classes:
            return name
    raise ExportError(f"the network has {classes} classes, no part set has as many. Add it to models.labels")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _refuse_foreign(out: Path) -> None:
    """A bundle replaces its whole directory, so the directory may hold nothing else."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise ExportError(f"{out}: it is not a directory. Name a new directory")
    foreign = sorted(p.name for p in out.iterdir() if p.name not in BUNDLE_FILES) if out.exists() else []
    if foreign:
        raise ExportError(f"{out}: it holds other files ({', '.join(foreign[:3])}). Name a new directory")


def _replace_directory(out: Path, files: dict[str, bytes]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        new, old = work / "new", work / "old"
        new.mkdir(mode=0o755)
        for name, data in files.items():
            _write_synced(new / name, data)
        _sync_directory(new)
        if out.exists():
            out.rename(old)
        try:
            new.rename(out)
        except OSError:
            if old.exists():
                old.rename(out)
            raise
        _sync_directory(out.parent)
    finally:
        shutil.rmtree(work)


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("xb") as f:
        f.write(data)
        f.flush()
        os.fsync(f.fileno())


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
