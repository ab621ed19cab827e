"""`python -m training.people_scores MODEL --data DIR`: everybody's joints and masks in held-out scenes.

Scenes are composed of people that training never shows, cut out of photos or rendered (`--rendered`).
Average precisions are COCO's (pycocotools), of what `parse` finds; people hardly seen are ignored.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from pycocotools import mask as rle
from pycocotools.coco import COCO

from models.codecs.decoding import Decoding
from models.labels import COCO17, IGNORE, S31, from_s31
from models.outputs import JointDisks
from runtime.engine.engine import Engine
from runtime.engine.letterbox import NetworkSize
from runtime.frames import Frame
from runtime.system.errors import Refusal
from training.augment import Image
from training.average_precision import KINDS, RESAMPLES, Evaluation, Row, data_set, gains, result
from training.batches import BACKGROUNDS
from training.crowds import Crowd, draw_crowd
from training.datasets.joint_score import add_parts, group_of
from training.group_scores import pck_dist
from training.metrics import Confusion
from training.people_engine import add_arguments, decoded_by, engine_of
from training.person_cutouts import PersonCutout, read_person_cutouts, read_rendered
from training.photos import DataError, read_backgrounds

SIDE = 512  # px of a scene
OURS = "expected OKS, soft NMS"
ABLATIONS: Final = {
    "expected OKS, hard NMS": Decoding(nms="hard"),
    "Hough, soft NMS": Decoding(scoring="hough"),
    "Hough, hard NMS": Decoding(scoring="hough", nms="hard"),
    "no refinement": Decoding(refinement=False),
}
Table = dict[str, dict[str, dict[str, Any]]]  # variant, kind, score


def scenes(people: Sequence[PersonCutout], backgrounds: Sequence[Image], count: int) -> list[Crowd]:
    """The same scenes for the same people."""
    output = JointDisks(joints=COCO17.name)
    return [
        draw_crowd(np.random.default_rng((2_026, i)), people, backgrounds, output, SIDE) for i in range(count)
    ]


def truth(crowds: Sequence[Crowd]) -> COCO:
    """Scenes as a COCO data set."""
    annotations: list[dict[str, Any]] = []
    for i, crowd in enumerate(crowds):
        for number, person in enumerate(crowd.people, start=1):
            mask = crowd.owners == number
            there = person.labelled & (
                (person.points >= -0.5) & (person.points < np.array(crowd.size) - 0.5)
            ).all(axis=1)
            table = np.column_stack((person.points, 2 * there)) * there[:, None]
            annotations.append(
                {**_region(mask), "image_id": i, "iscrowd": 0, "keypoints": table.ravel().tolist(),
                 "num_keypoints": int(there.sum())}
            )  # fmt: skip
        if crowd.unsure.any():
            nothing = {"keypoints": [0] * 51, "num_keypoints": 0}
            annotations.append({**_region(crowd.unsure), "image_id": i, "iscrowd": 1, **nothing})
    return data_set({i: crowd.size for i, crowd in enumerate(crowds)}, annotations)


def found(engine: Engine, crowds: Iterable[Crowd]) -> list[Row]:
    """Everybody that an engine finds, as COCO results."""
    return [
        result(person, i, crowd.size)
        for i, crowd in enumerate(crowds)
        for person in engine.parse(Frame(crowd.picture, i, 0.0, 0.0)).people
    ]


def beside(engine: Engine, crowds: Iterable[Crowd]) -> dict[str, Any]:
    """PCK_dist of the joints, and accuracies and IoU of parts where scenes and model have them."""
    pictures, tally = [], None
    for i, crowd in enumerate(crowds):
        given = engine.parse(Frame(crowd.picture, i, 0.0, 0.0))
        known = [np.where(p.labelled[:, None], p.points, np.nan) for p in crowd.people]
        truth = np.array(known).reshape(len(known), len(COCO17.names), 2)
        pictures.append(group_of(given.people, truth, np.full(len(truth), np.nan), COCO17))
        if given.parsing is not None and crowd.codes is not None:
            parts = given.parsing.part_set
            tally = tally or Confusion(parts.classes)
            exact = np.where(crowd.codes < S31.classes, crowd.codes, IGNORE)
            add_parts(given.parsing, from_s31(parts)[exact], parts, tally)
    parts_known = tally is not None and bool(tally.counts[1:].any())  # photos tell no part of their people
    return pck_dist(pictures, COCO17) | (tally.summary() if tally and parts_known else {})


def ablations(engine: Engine, sizes: Sequence[str]) -> dict[str, Engine]:
    """The engine as it is, first, and with one setting or two changed (§4.4 of the paper)."""
    variants = {OURS: engine, **{name: decoded_by(engine, d) for name, d in ABLATIONS.items()}}
    for text in sizes:
        size = NetworkSize.parse(text)
        if size.box != engine.size.box:
            variants[f"{size} px"] = engine.with_size(size)
    return variants


def ablation_table(
    engines: Mapping[str, Engine], crowds: Sequence[Crowd], coco: COCO, resamples: int = RESAMPLES
) -> Table:
    """For each engine AP and AR of keypoints and masks, and what the first one gains over it."""
    reference = next(iter(engines))
    results = {name: found(engine, crowds) for name, engine in engines.items()}
    table: Table = {name: {} for name in engines}
    for kind in KINDS:
        evaluations = {name: Evaluation(coco, rows, kind) for name, rows in results.items()}
        gained = gains(evaluations, reference, resamples)
        for name, evaluation in evaluations.items():
            table[name][kind] = {**evaluation.scores(), "gain": gained.get(name)}
    return table


def markdown(table: Table) -> str:
    """The table, with 95 % intervals of what the first row gains over each."""
    lines = ["| | keypoint AP | AP50 | AR | first row less this | mask AP | AP50 | first row less this |",
             "|---|--:|--:|--:|--:|--:|--:|--:|"]  # fmt: skip
    for name, kinds in table.items():
        values = [kinds["keypoints"][k] for k in ("AP", "AP50", "AR", "gain")]
        values += [kinds["segm"][k] for k in ("AP", "AP50", "gain")]
        lines.append(f"| {name} | " + " | ".join(map(_cell, values)) + " |")
    return "\n".join(lines)


def _cell(value: float | tuple[float, float] | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, tuple):
        return f"{value[0]:+.3f} … {value[1]:+.3f}"
    return f"{value:.3f}"


def _region(mask: np.ndarray[Any, Any]) -> dict[str, Any]:
    encoded = rle.encode(np.asfortranarray(mask.astype(np.uint8)))
    x, y, w, h = (float(v) for v in rle.toBbox(encoded))
    return {"category_id": 1, "segmentation": encoded, "area": float(rle.area(encoded)), "bbox": [x, y, w, h]}


def main(argv: list[str] | None = None) -> int:
    """Score a model; 0 done, 1 stopped with a reason."""
    p = argparse.ArgumentParser(prog="python -m training.people_scores", description="People in scenes.")
    add_arguments(p)
    p.add_argument("--data", type=Path, required=True, help="folder with lsp/, lspet/, ccp/, teacher/, …")
    p.add_argument(
        "--rendered", type=Path, help="scenes of synthetic people: python -m synthetic --split test"
    )
    p.add_argument("--count", type=int, default=300, help="scenes")
    p.add_argument(
        "--ablations", nargs="*", metavar="SIZE", help="a table of the decoder's settings, and of these sizes"
    )
    p.add_argument("--markdown", action="store_true", help="print that table for a page")
    a = p.parse_args(argv)
    try:
        engine = engine_of(a)
        backgrounds = read_backgrounds([a.data / "backgrounds" / k for k in BACKGROUNDS])
        people = read_rendered(a.rendered, part="test") if a.rendered else read_person_cutouts(a.data, "test")
        crowds = scenes(people, backgrounds, a.count)
        variants = {"": engine} if a.ablations is None else ablations(engine, a.ablations)
    except (Refusal, DataError) as e:
        sys.stderr.write(f"{e}\n")
        return 1
    coco = truth(crowds)
    if a.ablations is None:
        results = found(engine, crowds)
        said: dict[str, Any] = {kind: Evaluation(coco, results, kind).scores() for kind in KINDS}
        said |= beside(engine, crowds)
    else:
        said = {"ablations": ablation_table(variants, crowds, coco)}
    if a.markdown and a.ablations is not None:
        sys.stdout.write(markdown(said["ablations"]) + "\n")
    else:
        sys.stdout.write(json.dumps({"scenes": a.count, "people": len(coco.anns), **said}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
