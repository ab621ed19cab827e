"""Score a checkpoint on the development test sets: `python -m training.evaluate CHECKPOINT --data DIR`.

The same measures score the files of `xfactor parse`; here they run on the torch network, to steer training.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from models.factored import FactoredConvNet, normalise, person_probability
from training.checkpoint import CheckpointError, load_checkpoint, load_weights
from training.metrics import Tally, boundary_f, pose_report, probe_garments, probe_pose, silhouette_iou
from training.photos import DataError, read_ccp, read_lsp

MULTIPLE = 32


@dataclass(frozen=True)
class Prediction:
    """Maps at the size of the picture: labels (h, w) uint8 and P(person) (h, w) float32."""

    labels: NDArray[np.uint8]
    person: NDArray[np.float32]


Predict = Callable[[NDArray[np.uint8]], Prediction]
#: what the head is shown: the factor's own output, nothing, or a given P(person) on the head's grid
Inject = Callable[[torch.Tensor], torch.Tensor]


def load_network(path: Path, *, group: str = "ema") -> FactoredConvNet:
    """The network of a checkpoint, averaged weights by default, in eval mode."""
    groups, meta = load_checkpoint(path)
    net = FactoredConvNet(act=meta.get("activation", "relu"))
    load_weights(net, groups[group], path)
    return net.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


@torch.no_grad()
def predict(net: FactoredConvNet, image: NDArray[np.uint8], long_side: int, inject: Inject | None = None) -> Prediction:
    """Letterbox (h, w, 3) RGB to `long_side`, run, and bring probabilities back to the picture's size."""
    h, w = image.shape[:2]
    k = long_side / max(h, w)
    ch, cw = max(1, round(h * k)), max(1, round(w * k))
    content = cv2.resize(image, (cw, ch), interpolation=cv2.INTER_AREA if k < 1 else cv2.INTER_LINEAR)
    ph, pw = (-(-v // MULTIPLE) * MULTIPLE for v in (ch, cw))
    canvas = np.full((ph, pw, 3), 128, dtype=np.uint8)
    canvas[:ch, :cw] = content
    x = normalise(torch.from_numpy(canvas)[None].permute(0, 3, 1, 2).float()).contiguous(memory_format=torch.channels_last)
    features = net.trunk(x)
    person = person_probability(net.factor(features))
    parts = net.head(features, person if inject is None else inject(person))
    parts, person = (interpolate(t, (ph, pw), mode="bilinear", align_corners=False)[0] for t in (parts, person))
    labels = parts.argmax(0).to(torch.uint8).numpy()[:ch, :cw]
    mask = person[0].numpy()[:ch, :cw]
    return Prediction(cv2.resize(labels, (w, h), interpolation=cv2.INTER_NEAREST), cv2.resize(mask, (w, h)))


def score_silhouettes(run: Predict, data: Path, part: str = "test") -> dict[str, float]:
    """Silhouette and garment measures on `ccp`."""
    names: list[str] = json.loads((data / "ccp" / "labels.json").read_text())
    rows: dict[str, list[float]] = {"J": [], "boundary F": [], "parts J": [], "parts boundary F": []}
    tally = Tally()
    for photo in read_ccp(data / "ccp", part):
        truth = cv2.imread(str(data / "ccp" / "silhouettes" / f"{Path(photo.name).stem}.png"), cv2.IMREAD_UNCHANGED)
        garments = cv2.imread(str(data / "ccp" / "labels" / f"{Path(photo.name).stem}.png"), cv2.IMREAD_UNCHANGED)
        p = run(photo.image)
        for name, mask in (("", p.person >= 0.5), ("parts ", p.labels > 0)):
            rows[f"{name}J"].append(silhouette_iou(mask, truth))
            rows[f"{name}boundary F"].append(boundary_f(mask, truth))
        probe_garments(p.labels, garments, names, tally)
    return {k: float(np.mean(v)) for k, v in rows.items()} | {k: tally.rate(k) for k in tally.tries}


def score_poses(run: Predict, data: Path, part: str = "test") -> dict[str, float]:
    """Limb, head, torso, background and centroid measures on `lsp`."""
    tally = Tally()
    for photo in read_lsp(data / "lsp", part):
        assert photo.skeleton is not None
        probe_pose(run(photo.image).labels, photo.skeleton, tally)
    return pose_report(tally)


def main(argv: list[str] | None = None) -> int:
    """Print the measures as one JSON object."""
    p = argparse.ArgumentParser(prog="xfactor eval", description="Score a checkpoint on the development test sets.")
    p.add_argument("checkpoint", type=Path)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--ccp-size", type=int, default=384, help="long side of the network's input on ccp, px")
    p.add_argument("--lsp-size", type=int, default=256, help="long side of the network's input on lsp, px")
    p.add_argument("--group", choices=("ema", "net"), default="ema")
    a = p.parse_args(argv)
    torch.set_num_threads(1)
    try:
        net = load_network(a.checkpoint, group=a.group)
        report = {
            "ccp": score_silhouettes(lambda im: predict(net, im, a.ccp_size), a.data),
            "lsp": score_poses(lambda im: predict(net, im, a.lsp_size), a.data),
        }
    except (CheckpointError, DataError) as e:
        sys.stderr.write(f"{e}\n")
        return 1
    sys.stdout.write(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
