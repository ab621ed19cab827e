"""The model card: what a checkpoint was trained on and what it scores, as Markdown.

python -m training.card runs/first/last.safetensors --bundle out/ --data DATA > CARD.md
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from models.checkpoint import CheckpointError, load_checkpoint
from runtime.system.errors import Refusal
from training.evaluate import report, score_product
from training.markdown import filled, table
from training.photos import DataError
from training.prediction import open_network

TEMPLATE = Path(__file__).with_name("templates") / "card.md"


def card(name: str, meta: dict[str, Any], scores: dict[str, dict[str, float]], command: str) -> str:
    """Markdown of one model.

    Args:
        name: the model's name.
        meta: of its checkpoint's training.
        scores: measures by data set.
        command: what regenerates the figures.
    """
    figures = "\n\n".join(
        f"### {title}\n\n{table(('measure', 'value'), list(values.items()))}"
        for title, values in scores.items()
    )
    history = "\n".join(f"- {line}" for line in meta.get("history", ()))
    return filled(
        TEMPLATE, name=name, activation=meta["activation"], history=history, command=command, figures=figures
    )  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Print the card."""
    p = argparse.ArgumentParser(prog="python -m training.card", description="The model card of a checkpoint.")
    p.add_argument("checkpoint", type=Path)
    p.add_argument("--name", default="factored-s31")
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--synthetic", type=Path)
    p.add_argument("--bundle", type=Path, required=True, help="the model's folder, scored as it ships")
    p.add_argument("--history", type=Path, help="JSON list of sentences on how it was trained")
    a = p.parse_args(argv)
    try:
        meta = {**load_checkpoint(a.checkpoint)[1], "activation": open_network(a.checkpoint).act}
        scores = {
            f"{name} as it ships, {views} view{'s' * (views > '1')}": values
            for views in ("6", "1")
            for name, values in score_product(a.bundle, a.data, views).items()
        }
        network = report(a.checkpoint, a.data, synthetic=a.synthetic, injection=True)
        scores |= {f"{name}, network alone": values for name, values in network.items()}
    except (CheckpointError, DataError, Refusal, OSError) as e:
        sys.stderr.write(f"{e}\n")
        return 1
    if a.history is not None:
        meta["history"] = json.loads(a.history.read_text())
    command = (
        f"python -m training.card assets/checkpoints/{a.name}.safetensors --bundle assets/models/{a.name}"
        " --data DATA --synthetic HELDOUT"
    )
    sys.stdout.write(card(a.name, meta, scores, command) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
