"""The model card: what a checkpoint was trained on and what it scores, as Markdown.

python -m training.card runs/first/last.safetensors --data ../shared/data --synthetic runs/heldout > CARD.md
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from models.checkpoint import CheckpointError, load_checkpoint
from training.evaluate import report, score_folder
from training.photos import DataError

LICENCES = (
    ("Synthetic people (anny 0.6: code Apache-2.0, body data CC0)", "generated, CC0"),
    ("MakeHuman garments, hair, skins and poses", "CC0"),
    ("DeepMimic motions", "MIT"),
    (
        "Clothing Co-Parsing (silhouettes, garments; some photos without labels)",
        "repository Apache-2.0, photographers' rights unclear",
    ),
    (
        "Leeds Sports Pose and its extended set (joints, poses, silhouettes cut by GrabCut)",
        "research, please cite",
    ),
    ("Human-Segmentation cut-outs", "MIT stated, photo origin unclear"),
    ("Houses data set, INRIA person negatives, rooms and streets (backgrounds)", "none stated / research"),
)
FAILURES = """\
- Elbows, wrists and ankles cover one or two cells of the network's grid: on small people they are lost first.
- Left and right are confused in people seen from the side, tilted or upside down, and in crossed limbs.
- Skirts and coats wider than the training ones are cut at the legs; long hair over the shoulders is head.
- Trunks, shadows and posts beside people are at times called part of one, most where no person is large.
- People of low contrast against what is behind them are missed, and so are arms blurred by motion."""


def _table(scores: dict[str, float]) -> str:
    rows = "\n".join(f"| {name} | {value:.3f} |" for name, value in scores.items())
    return f"| measure | value |\n|---|---|\n{rows}"


def card(name: str, meta: dict[str, Any], scores: dict[str, dict[str, float]], command: str) -> str:
    """Markdown of one model.

    Args:
        name: the model's name.
        meta: what its checkpoint says of its training.
        scores: measures by data set.
        command: what regenerates the figures.
    """
    sets = "\n".join(f"| {what} | {licence} |" for what, licence in LICENCES)
    figures = "\n\n".join(f"### {title}\n\n{_table(values)}" for title, values in scores.items())
    history = "\n".join(f"- {line}" for line in meta.get("history", ()))
    return f"""# {name}

A Factored ConvNet (trunk → factor → head) that parses people into the 31 parts of the S31 set; activation
{meta["activation"]}. Weights: GPL-3.0-or-later for what is ours in them; the sets they were trained on carry
the licences below.

## Trained on

| set | licence |
|---|---|
{sets}

{history}

## Measured

`{command}`

ccp and lsp are the last 100 files by name of each set, never trained on. The synthetic people (`python -m
synthetic --count 300 --packed HELDOUT --seed 7 --split test --lifted … --assets … --poses …
--backgrounds …`, docs/training-data.md) have bodies and prints held out of training, and backgrounds that
training saw without these people. `J` is the mean IoU of P(person) ≥ 0.5, `parts J` of label > 0; boundary F
has a tolerance of 0.8 % of the diagonal;
`probe F` is the harmonic mean of limb and background probe. `injection` shows the head a zeroed factor, its
own, and the true silhouette. The files of `xfactor parse` have their edges refined on the picture
(runtime/engine/guided_filter.py) and, unless `--views 1` is said, are the average of six views of each
picture (runtime/engine/augmentation.py); live video has one. The network alone is interpolated.

{figures}

## Known failures

{FAILURES}
"""


def main(argv: list[str] | None = None) -> int:
    """Print the card."""
    p = argparse.ArgumentParser(prog="python -m training.card", description="The model card of a checkpoint.")
    p.add_argument("checkpoint", type=Path)
    p.add_argument("--name", default="factored-s31")
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--synthetic", type=Path)
    p.add_argument("--parsed-ccp", type=Path, help="what xfactor parse wrote for the test photos of ccp")
    p.add_argument("--parsed-lsp", type=Path, help="the same for lsp")
    p.add_argument("--one-view-ccp", type=Path, help="what xfactor parse --views 1 wrote, as live video is")
    p.add_argument("--one-view-lsp", type=Path, help="the same for lsp")
    p.add_argument("--history", type=Path, help="JSON list of sentences on how it was trained")
    a = p.parse_args(argv)
    try:
        _, meta = load_checkpoint(a.checkpoint)
        scores = {
            f"{name}, files of `xfactor parse{option}`": score_folder(folder, name, a.data)
            for name, option, folder in (
                ("ccp", "", a.parsed_ccp),
                ("lsp", "", a.parsed_lsp),
                ("ccp", " --views 1", a.one_view_ccp),
                ("lsp", " --views 1", a.one_view_lsp),
            )
            if folder is not None
        }
        network = report(a.checkpoint, a.data, synthetic=a.synthetic, injection=True)
        scores |= {f"{name}, network alone": values for name, values in network.items()}
    except (CheckpointError, DataError, OSError) as e:
        sys.stderr.write(f"{e}\n")
        return 1
    if a.history is not None:
        meta["history"] = json.loads(a.history.read_text())
    command = (
        f"python -m training.card assets/checkpoints/{a.name}.safetensors --data ../shared/data"
        " --synthetic HELDOUT --parsed-ccp DIR --parsed-lsp DIR --one-view-ccp DIR --one-view-lsp DIR"
    )
    sys.stdout.write(card(a.name, meta, scores, command))
    return 0


if __name__ == "__main__":
    sys.exit(main())
