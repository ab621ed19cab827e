"""A model's page: accuracy part by part, what is taken for what, its worst pictures, a sheet of parsings.

    python -m training.report CHECKPOINT --people HELDOUT --drawn DRAWN --bench bench.json

Figures are of HELDOUT, pictures are of DRAWN only: people before drawn backgrounds, which may be shown.
Both are packed sets (python -m synthetic --packed); bench.json is what `xfactor bench --json` says.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from models.checkpoint import CheckpointError, load_checkpoint
from models.factored import FactoredConvNet
from models.labels import S31
from training.batches import packed
from training.markdown import filled, table
from training.metrics import Confusion
from training.photos import DataError
from training.prediction import open_network, predict

Image = NDArray[np.uint8]
SHOWN = 24  # pictures of the sheet
WORST = 8
OPACITY = 0.65
TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class ScoredPicture:
    """One picture with its true and its predicted labels.

    Attributes:
        picture: (h, w, 3) RGB.
        truth: (h, w) labels.
        labels: (h, w) predicted labels.
    """

    picture: Image
    truth: Image
    labels: Image

    def iou(self) -> float:
        """Mean over the parts that are in the picture."""
        c = Confusion(S31.classes)
        c.add(self.truth, self.labels)
        there = c.counts[1:].sum(1) > 0
        return float(c.iou()[1:][there].mean()) if there.any() else float(not self.labels.any())

    def faults(self) -> dict[str, float]:
        """Shares of the person's pixels: missed, of the other side, of another part; invented beside."""
        person = self.truth > 0
        n = max(1, int(np.count_nonzero(person)))
        other_side = np.asarray((0, *S31.mirror_ids))[self.truth] == self.labels
        wrong = person & (self.labels > 0) & (self.labels != self.truth)
        return {
            "missed": np.count_nonzero(person & (self.labels == 0)) / n,
            "other side": np.count_nonzero(wrong & other_side) / n,
            "other part": np.count_nonzero(wrong & ~other_side) / n,
            "invented": np.count_nonzero(~person & (self.labels > 0)) / n,
        }


def parse_all(net: FactoredConvNet, stem: Path) -> list[ScoredPicture]:
    """Parse a packed set at its own size."""
    people = packed(stem)
    pairs = zip(people.images, people.labels, strict=True)
    return [
        ScoredPicture(
            np.asarray(image), np.asarray(truth), predict(net, np.asarray(image), max(image.shape)).labels
        )
        for image, truth in pairs
    ]


def confusion(parsed: list[ScoredPicture]) -> Confusion:
    """Accumulated over the set."""
    c = Confusion(S31.classes)
    for p in parsed:
        c.add(p.truth, p.labels)
    return c


def painted(picture: Image, labels: Image) -> Image:
    """Parts over the picture, in the colours of the part set."""
    mixed = picture * (1 - OPACITY) + S31.palette()[labels] * OPACITY
    return np.where(labels[..., None] > 0, mixed, picture).astype(np.uint8)


def sheet(parsed: list[ScoredPicture], columns: int = 6) -> Image:
    """Pictures above their parsings, `columns` beside each other."""
    tiles = [np.vstack((p.picture, painted(p.picture, p.labels))) for p in parsed]
    blank = np.zeros_like(tiles[0])
    tiles += [blank] * (-len(tiles) % columns)
    return np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])


def worst(parsed: list[ScoredPicture], count: int = WORST) -> list[ScoredPicture]:
    """The pictures with people that are parsed worst, the worst first."""
    people = [p for p in parsed if np.count_nonzero(p.truth) > p.truth.size // 50]
    return sorted(people, key=ScoredPicture.iou)[:count]


def failures(parsed: list[ScoredPicture]) -> Image:
    """Picture, truth, prediction in rows of two."""
    rows = [np.hstack((p.picture, painted(p.picture, p.truth), painted(p.picture, p.labels))) for p in parsed]
    return np.vstack([np.hstack(rows[i : i + 2]) for i in range(0, len(rows) - 1, 2)])


def heat(counts: NDArray[np.int64], path: Path) -> None:
    """Draw the confusion: a row a true class, its pixels' shares by predicted class; brighter is more."""
    names = ("background", *S31.names)
    figure = Figure(figsize=(8, 8), dpi=100)
    axes = figure.subplots()
    axes.imshow(np.sqrt(counts / np.maximum(counts.sum(1, keepdims=True), 1)), cmap="inferno")
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    figure.savefig(path, bbox_inches="tight", metadata={"Software": None})


def page(
    name: str, c: Confusion, hard: list[ScoredPicture], meta: dict[str, Any], bench: dict[str, Any] | None
) -> str:
    """The page in Markdown; pictures lie in the folder of the model's name beside it."""
    iou, accuracy = c.iou(), c.accuracy()
    parts = [(n, float(iou[i]), float(accuracy[i])) for i, n in enumerate(("background", *S31.names))]
    shares = [[f"{v:.0%}" for v in p.faults().values()] for p in hard]
    cases = [(str(k), f"{p.iou():.2f}", *row) for k, (p, row) in enumerate(zip(hard, shares, strict=True), 1)]
    return filled(
        TEMPLATES / "report.md",
        name=name,
        speed=_speed(bench),
        images=int(meta.get("images", 0)),
        activation=meta["activation"],
        shown=SHOWN,
        iou=np.nanmean(iou[1:]),
        accuracy=np.nanmean(accuracy[1:]),
        parts=table(("part", "IoU", "accuracy"), parts),
        cases=table(("case", "IoU", "missed", "other side", "other part", "invented"), cases),
    )


def _speed(bench: dict[str, Any] | None) -> str:
    if bench is None:
        return ""
    ours = bench["ours"]
    return (
        f"Speed (`xfactor bench --json`, {bench['machine']}, {bench['provider']}, input {bench['network']}):"
        f" network {ours['network']:.1f} ms, decode to paint {ours['all']:.1f} ms a frame."
    )


def _html(name: str, parsed: list[ScoredPicture]) -> str:
    pairs = ((p.iou(), _jpeg(np.hstack((p.picture, painted(p.picture, p.labels))))) for p in parsed)
    figures = "\n".join(
        f'<figure><img alt="" src="data:image/jpeg;base64,{picture}">'
        f"<figcaption>mean IoU {iou:.2f}</figcaption></figure>"
        for iou, picture in pairs
    )
    return filled(TEMPLATES / "predictions.html", name=name, figures=figures)


def _jpeg(picture: Image) -> str:
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return base64.b64encode(data.tobytes()).decode()


def _write(path: Path, picture: Image) -> None:
    if not cv2.imwrite(str(path), np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 88]):
        raise OSError(f"{path}: cannot be written")


def main(argv: list[str] | None = None) -> int:
    """Write page, pictures and sheet; 0 done, 1 refused with a reason."""
    p = argparse.ArgumentParser(prog="python -m training.report", description=__doc__)
    p.add_argument("checkpoint", type=Path)
    p.add_argument("--people", type=Path, required=True, help="packed held-out people the figures are of")
    p.add_argument("--drawn", type=Path, required=True, help="packed held-out people that may be shown")
    p.add_argument("--bench", type=Path, help="what xfactor bench --json printed")
    p.add_argument("--name", default="factored-s31")
    p.add_argument("--out", type=Path, default=Path("docs/models"))
    a = p.parse_args(argv)
    torch.set_num_threads(1)
    try:
        net = open_network(a.checkpoint)
        meta = {**load_checkpoint(a.checkpoint)[1], "activation": net.act}
        c = confusion(parse_all(net, a.people))
        shown = parse_all(net, a.drawn)
        bench = json.loads(a.bench.read_text()) if a.bench else None
        folder = a.out / a.name
        folder.mkdir(parents=True, exist_ok=True)
        hard = worst(shown)
        heat(c.counts, folder / "confusion.png")
        _write(folder / "predictions.jpg", sheet(shown[:SHOWN]))
        _write(folder / "failures.jpg", failures(hard))
        (folder / "predictions.html").write_text(_html(a.name, shown[:SHOWN]))
        (a.out / f"{a.name}.md").write_text(page(a.name, c, hard, meta, bench) + "\n")
    except (CheckpointError, DataError, OSError, ValueError) as e:
        sys.stderr.write(f"{e}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
