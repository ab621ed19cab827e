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
from numpy.typing import NDArray

from models.checkpoint import CheckpointError, load_checkpoint
from models.factored import FactoredConvNet
from models.labels import S31
from training.batches import packed
from training.evaluate import open_network, predict
from training.metrics import Confusion
from training.photos import DataError

Image = NDArray[np.uint8]
SHOWN = 24  # pictures of the sheet
WORST = 8
OPACITY = 0.65
CELL = 22  # px of the confusion picture
MARGIN = 92


@dataclass(frozen=True)
class Parsed:
    """One picture with its true and its predicted labels, and where its wrong pixels come from.

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


def parse_all(net: FactoredConvNet, stem: Path, limit: int | None = None) -> list[Parsed]:
    """Parse a packed set at its own size."""
    people = packed(stem)
    pairs = zip(people.images[:limit], people.labels[:limit], strict=True)
    return [
        Parsed(np.asarray(image), np.asarray(truth), predict(net, np.asarray(image), max(image.shape)).labels)
        for image, truth in pairs
    ]


def confusion(parsed: list[Parsed]) -> Confusion:
    """Accumulated over the set."""
    c = Confusion(S31.classes)
    for p in parsed:
        c.add(p.truth, p.labels)
    return c


def painted(picture: Image, labels: Image) -> Image:
    """Parts over the picture, in the colours of the part set."""
    mixed = picture * (1 - OPACITY) + S31.palette()[labels] * OPACITY
    return np.where(labels[..., None] > 0, mixed, picture).astype(np.uint8)


def sheet(parsed: list[Parsed], columns: int = 6) -> Image:
    """Pictures above their parsings, `columns` beside each other."""
    tiles = [np.vstack((p.picture, painted(p.picture, p.labels))) for p in parsed]
    blank = np.zeros_like(tiles[0])
    tiles += [blank] * (-len(tiles) % columns)
    return np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])


def worst(parsed: list[Parsed], count: int = WORST) -> list[Parsed]:
    """The pictures with people that are parsed worst, the worst first."""
    people = [p for p in parsed if np.count_nonzero(p.truth) > p.truth.size // 50]
    return sorted(people, key=Parsed.iou)[:count]


def failures(parsed: list[Parsed]) -> Image:
    """Picture, truth, prediction in rows of two."""
    rows = [np.hstack((p.picture, painted(p.picture, p.truth), painted(p.picture, p.labels))) for p in parsed]
    return np.vstack([np.hstack(rows[i : i + 2]) for i in range(0, len(rows) - 1, 2)])


def heat(counts: NDArray[np.int64]) -> Image:
    """What is taken for what: a row a true class, its pixels' shares by predicted class; brighter is more."""
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    names = ("background", *S31.names)
    side = MARGIN + CELL * len(names) + 8
    canvas = np.full((side, side, 3), 24, np.uint8)
    levels = (255 * np.sqrt(share)).astype(np.uint8)  # small confusions are what one looks for
    colours = cv2.applyColorMap(cv2.resize(levels, None, fx=CELL, fy=CELL, interpolation=cv2.INTER_NEAREST),
                                cv2.COLORMAP_INFERNO)[..., ::-1]  # fmt: skip
    canvas[MARGIN : MARGIN + len(colours), MARGIN : MARGIN + len(colours)] = colours
    for i, name in enumerate(names):
        y = MARGIN + CELL * i + 15
        cv2.putText(canvas, name, (6, y), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (235, 235, 235), 1, cv2.LINE_AA)
    for i, name in enumerate(names):
        strip = np.full((CELL, MARGIN, 3), 24, np.uint8)
        cv2.putText(strip, name, (4, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (235, 235, 235), 1, cv2.LINE_AA)
        upright = np.rot90(strip)
        canvas[: upright.shape[0], MARGIN + CELL * i : MARGIN + CELL * (i + 1)] = upright
    return canvas


def page(
    name: str, c: Confusion, hard: list[Parsed], meta: dict[str, Any], bench: dict[str, Any] | None
) -> str:
    """The page in Markdown; pictures lie in the folder of the model's name beside it."""
    iou, accuracy = c.iou(), c.accuracy()
    rows = "\n".join(
        f"| {part} | {iou[i]:.3f} | {accuracy[i]:.3f} |" for i, part in enumerate(("background", *S31.names))
    )
    cases = "\n".join(
        f"| {k} | {p.iou():.2f} | " + " | ".join(f"{v:.0%}" for v in p.faults().values()) + " |"
        for k, p in enumerate(hard, start=1)
    )
    return f"""# {name}

<!-- written by python -m training.report -->
What it was trained on and under which licences, what it scores on photos and what it fails at stand in its
[card](../../assets/models/{name}/CARD.md). Here: the same model part by part, on rendered people it was
not trained on.

{_speed(bench)}Seen in training: {int(meta.get("images", 0)):,} pictures; activation {meta["activation"]}.

## Parsings

![people and their parts]({name}/predictions.jpg)

The first {SHOWN} pictures of the set, not chosen; [larger, one by one]({name}/predictions.html).

## Part by part

Mean over the 31 parts: IoU {np.nanmean(iou[1:]):.3f}, accuracy {np.nanmean(accuracy[1:]):.3f}.

| part | IoU | accuracy |
|---|---|---|
{rows}

## What is taken for what

![confusion]({name}/confusion.png)

A row is a true class, brightness the square root of the share of its pixels that went to a column's class.

## Where it fails

![worst pictures]({name}/failures.jpg)

Picture, truth, prediction; two cases a row, the worst of the set by mean IoU of the parts there. Shares are
of the person's pixels; `invented` are pixels beside the person called person.

| case | IoU | missed | other side | other part | invented |
|---|---|---|---|---|---|
{cases}
"""


def _speed(bench: dict[str, Any] | None) -> str:
    if bench is None:
        return ""
    ours = bench["ours"]
    return (
        f"Speed (`xfactor bench --json`, {bench['machine']}, {bench['provider']},"
        f" input {bench['network']}): network {ours['network']:.1f} ms,"
        f" decode to paint {ours['all']:.1f} ms a frame.\n\n"
    )


def _html(name: str, parsed: list[Parsed]) -> str:
    pairs = ((p.iou(), _jpeg(np.hstack((p.picture, painted(p.picture, p.labels))))) for p in parsed)
    figures = "\n".join(
        f'<figure><img alt="" src="data:image/jpeg;base64,{picture}">'
        f"<figcaption>mean IoU {iou:.2f}</figcaption></figure>"
        for iou, picture in pairs
    )
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}: parsings</title>
<style>body{{background:#181818;color:#ddd;font:14px sans-serif;display:flex;flex-wrap:wrap;gap:12px}}
figure{{margin:0}} h1{{width:100%}}</style>
<h1>{name}: people it was not trained on</h1>
{figures}</html>
"""


def _jpeg(picture: Image) -> str:
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return base64.b64encode(data.tobytes()).decode()


def _write(path: Path, picture: Image) -> None:
    options = [cv2.IMWRITE_JPEG_QUALITY, 88] if path.suffix == ".jpg" else [cv2.IMWRITE_PNG_COMPRESSION, 9]
    if not cv2.imwrite(str(path), np.ascontiguousarray(picture[..., ::-1]), options):
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
        net, meta = open_network(a.checkpoint), load_checkpoint(a.checkpoint)[1]
        c = confusion(parse_all(net, a.people))
        shown = parse_all(net, a.drawn)
        bench = json.loads(a.bench.read_text()) if a.bench else None
        folder = a.out / a.name
        folder.mkdir(parents=True, exist_ok=True)
        hard = worst(shown)
        _write(folder / "confusion.png", heat(c.counts))
        _write(folder / "predictions.jpg", sheet(shown[:SHOWN]))
        _write(folder / "failures.jpg", failures(hard))
        (folder / "predictions.html").write_text(_html(a.name, shown[:SHOWN]))
        (a.out / f"{a.name}.md").write_text(page(a.name, c, hard, meta, bench))
    except (CheckpointError, DataError, OSError, ValueError) as e:
        sys.stderr.write(f"{e}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
