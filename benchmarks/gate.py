"""Verdicts of the gate against the truth, on clips with exact silhouettes.

`python -m benchmarks.gate --work DIR [--data DATA]`. Each clip is personalised as it is
and with the silhouettes that are learned from damaged in two ways; learning is short and steep. What the gate
says, with the references and without, is compared with J and boundary F on the held-out frames. Whether other
people are forgotten is left out, for there the gate has exact silhouettes. Finished runs are kept in DIR.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.damaged_silhouettes import DAMAGES, Damage, TrueClip, clips
from benchmarks.personalisation import measured, say, scores
from personalize.evidence import Agreement
from personalize.finetune import FinetuneConfig, held_out
from personalize.gate import LEAST_GAIN, GateScore, judge
from personalize.job import PersonalizationJob
from personalize.worker import finetune
from personalize.worker.results import FOLDER
from runtime.engine.engine import load_engine
from runtime.system import paths

MODEL = "factored-s31"
PEOPLE = GateScore(1, 1, 1, 1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.gate", description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--data", type=Path, help="folder of the development data")
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    finetune.CONFIG = FinetuneConfig(epochs=4, rate=1e-3)  # type: ignore[misc]
    right, count = {"without": 0, "with": 0}, 0
    for i, clip in enumerate(clips(given.work, given.data)):
        for damage in (None, *(DAMAGES[(2 * i + k) % len(DAMAGES)] for k in (0, 1))):
            case = _case(given.work, clip, damage)
            better = case["J"][1] - case["J"][0] >= LEAST_GAIN
            said = verdicts(case["report"])
            count += 1
            for name, accepted in said.items():
                right[name] += accepted == better
            say(row(clip.name, damage.__name__ if damage else "–", case, said, better=better))
    for name, number in right.items():
        say(f"{name} the references: right in {number} of {count}")
    return 0


def verdicts(report: dict[str, Any]) -> dict[str, bool]:
    """Accepted or not without the references and with them, from the figures of a report."""
    j, edge, asked = (report[name] for name in ("held_out_J", "boundary_F", "evidence_J"))
    areas = {"before": 1.0, "after": report["area_drift"]}
    before, after = (GateScore(j[when], edge[when], area, 1) for when, area in areas.items())
    answer = Agreement(asked["before"], asked["after"], asked["taught"])
    evidence = {"without": Agreement(0, 0, 0), "with": answer}
    return {name: judge((before, after), (PEOPLE, PEOPLE), e).accepted for name, e in evidence.items()}


def row(name: str, damage: str, case: dict[str, Any], said: dict[str, bool], *, better: bool) -> str:
    """One case of the table, in Markdown."""
    j, edge, report = case["J"], case["F"], case["report"]
    own, asked = report["held_out_J"], report["evidence_J"]
    words = [("" if s == better else "wrongly ") + ("accepted" if s else "refused") for s in said.values()]
    figures = f"{j[0]:.3f} → {j[1]:.3f} | {edge[0]:.3f} → {edge[1]:.3f} | {own['after'] - own['before']:+.3f}"
    denied = f"{asked['after'] - asked['before']:+.3f} | {asked['taught']:+.3f}"
    return f"| {name} | {damage} | {figures} | {denied} | {words[0]} | {words[1]} |"


def _case(work: Path, clip: TrueClip, damage: Damage | None) -> dict[str, Any]:
    """Personalise, as far as it is not done, and score before and after."""
    folder = work / "cases" / clip.name / (damage.__name__ if damage else "normal")
    if damage is not None:
        _damage(folder, folder.parent / "normal", clip, damage)
    model = paths.models_dir() / MODEL
    done = measured(folder, PersonalizationJob(clip.pictures, "x", model, first=0, last=len(clip.labels) - 1))
    engine = load_engine(MODEL, device="cpu", threads=1)
    case: dict[str, Any] = {"report": done.report, "J": [], "F": []}
    for one in (engine, engine.with_factor(engine.load_factor(done.path))):
        rows = scores(one, clip.pictures, [labels > 0 for labels in clip.labels])
        j, edge = np.mean([rows[k] for part in held_out(len(rows)) for k in part], axis=0).tolist()
        case["J"].append(j)
        case["F"].append(edge)
    return case


def _damage(folder: Path, normal: Path, clip: TrueClip, damage: Damage) -> None:
    """Link the results of the normal run, with its silhouettes damaged as the true ones would be."""
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    later = {"codes.npy", "learning.json", "writing.json", "checking.json"}
    for file in (normal / FOLDER).iterdir():
        if file.name not in later and not (folder / FOLDER / file.name).exists():
            os.link(file, folder / FOLDER / file.name)
    codes = np.load(normal / FOLDER / "codes.npy")
    ever = np.asarray((clip.labels > 0).any(axis=0), np.uint8)
    for k, code in enumerate(codes):
        labels, size = np.asarray(clip.labels[k]), code.shape[::-1]
        truth = cv2.resize((labels > 0).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        made = cv2.resize(damage(labels, ever), size, interpolation=cv2.INTER_NEAREST)
        code[made != truth] = made[made != truth]
    np.save(folder / FOLDER / "codes.npy", codes)


if __name__ == "__main__":
    sys.exit(main())
