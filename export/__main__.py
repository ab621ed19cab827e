"""`python -m export CHECKPOINT --out DIR`: a checkpoint becomes a bundle that the program runs.

Exit code 0 when the bundle is written; 1 with the reason when it failed on the way, 2 when
nothing was begun.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from export.quantisation import calibration_pictures
from export.write import CARD, describe, export_bundle, refuse_foreign
from models.checkpoint import Meta, load_network, row_of
from models.network import Network
from models.outputs import PartLabels
from models.spec import TrainingSet
from runtime.system.errors import Refusal


def main(argv: list[str] | None = None) -> int:
    """Export one checkpoint."""
    a = _arguments().parse_args(argv)
    out: Path = a.out
    try:
        network, meta = load_network(a.checkpoint, a.stride)
        name = a.name or out.name
        row = row_of(meta, a.checkpoint)
        spec = describe(
            row if a.stride is None else row.at_stride(a.stride),
            name=name,
            licence=a.licence,
            training_data=a.data or [TrainingSet("not stated", "not stated")],
            input_size=a.size,
        )
        card = a.card.read_text() if a.card else _card(name, network, meta)
        pictures = calibration_pictures(a.int8, spec) if a.int8 else ()
        refuse_foreign(out)
    except (OSError, ValueError, Refusal) as e:
        sys.stderr.write(f"{e}\n")
        return 2
    try:
        found = export_bundle(network, out, spec, card, pictures)
    except (OSError, ValueError, Refusal) as e:
        sys.stderr.write(f"{e}\n")
        return 1
    worst: dict[str, float] = {}
    for p in found:
        if not isinstance(p.output, PartLabels):
            worst[p.stage] = max(worst.get(p.stage, 0.0), p.max_error)
    for stage, error in worst.items():
        print(f"{stage:9} differs from torch by at most {error:.1e}")
    print(f"{out} written")
    return 0


def _arguments() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog="xfactor export", description="Turn a checkpoint into a model bundle.")
    p.add_argument("checkpoint", type=Path, help="a .safetensors checkpoint of `xfactor train`")
    p.add_argument(
        "--out", type=Path, required=True, help="the bundle's directory; a bundle there is replaced"
    )
    p.add_argument("--name", help="the model's name (default: the directory's)")
    p.add_argument("--licence", default="not stated", help="licence of the weights")
    p.add_argument(
        "--data", type=_training_set, action="append", metavar="NAME=LICENCE", help="trained on; repeat"
    )
    p.add_argument("--size", type=_size, metavar="WxH", help="box tuned for, px (512x384)")
    p.add_argument("--stride", type=int, help="px per cell of the maps: 8, 16 or 32 of a network on a ResNet")
    p.add_argument(
        "--int8",
        type=Path,
        metavar="PHOTOS",
        help="trunk and head in integers, calibrated on photos of people",
    )
    p.add_argument(
        "--card", type=Path, help=f"Markdown for {CARD} (default: what the checkpoint says of itself)"
    )
    return p


def _size(text: str) -> tuple[int, int]:
    """`WxH` → (height, width)."""
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None or not all(int(v) for v in match.groups()):
        raise argparse.ArgumentTypeError(f"{text!r} is not WxH, such as 512x288")
    return int(match[2]), int(match[1])


def _training_set(text: str) -> TrainingSet:
    name, _, licence = text.partition("=")
    if not name or not licence:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=LICENCE")
    return TrainingSet(name, licence)


def _card(name: str, network: Network, meta: Meta) -> str:
    parameters = sum(p.numel() for p in network.parameters())
    history = [f"- {line}" for line in meta.get("history", ())]
    rows = [f"| {k} | {v} |" for k, v in _facts({k: v for k, v in meta.items() if k != "history"})]
    return "\n".join((
        f"# {name}", "", f"{parameters:,} parameters. Accuracy: not measured at export.", "",
        *(["## How it was trained", "", *history, ""] if history else []),
        "## The checkpoint of itself", "", "| | |", "|---|---|", *rows, "",
    ))  # fmt: skip


def _facts(facts: Mapping[str, Any], of: str = "") -> Iterator[tuple[str, str]]:
    """Names in words and values, those of nested facts behind the name of what they are of."""
    for key, value in facts.items():
        name = f"{of}{key.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _facts(value, f"{name}: ")
        else:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            yield name, "–" if shown in ("", None) else str(shown).replace("|", "/")


if __name__ == "__main__":
    sys.exit(main())
