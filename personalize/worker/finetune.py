"""Phase 7, fine-tuning: the factor learns the person."""

from __future__ import annotations

import time
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load, save

from export.rewrite import FastFactor
from personalize import factor as factors
from personalize.edges import FINE, ColourGuides
from personalize.finetune import (
    IGNORED,
    FinetuneConfig,
    FinetuneData,
    FinetuneResult,
    FrameDataset,
    ReplayBuffer,
    held_out,
    learn,
)
from personalize.seeds import MOST_STUDIED
from personalize.worker.context import Context
from personalize.worker.results import Array, Facts
from runtime.system.files import write_atomic

CONFIG: Final = FinetuneConfig()
RESERVE_S: Final = 30.0  #: that writing and checking need before the job's time is up
SHARE: Final = (0.005, 0.9)  #: of a picture that a person fills in frames worth learning from
FILE: Final = "learned.safetensors"


def needs(context: Context) -> list[object]:
    """Inputs of the result, beside silhouettes and features."""
    return [context.job.seed, repr(CONFIG)]


def run(context: Context) -> Facts:
    """The learned weights, and which frames they were not learned from."""
    made, judged = teach(context, context.job.seed)
    if made.ended:
        context.reporter.notice(f"Learning ended early: {made.ended}.")
    path = context.results.folder / FILE
    write_atomic(path, save({k: v.contiguous() for k, v in made.factor.state_dict().items()}))
    return {"judged": judged, "losses": made.losses, "epoch": made.best_epoch}


def learned(context: Context) -> FastFactor:
    """The factor that `run` has made."""
    made = factors.load(context.network.factor.data)
    made.load_state_dict(load((context.results.folder / FILE).read_bytes()))
    return made.eval()


def teach(context: Context, seed: int) -> tuple[FinetuneResult, list[int]]:
    """Fine-tune once.

    Returns:
        What was learned, and the frames that the gate may look at.
    """
    codes = grid_labels(context.results.array("codes"), context.letterbox.cells)
    useful = useful_frames(codes)
    if len(useful) > MOST_STUDIED:
        useful = sorted({*useful} & {*context.studied})
    watched, judged = held_out(len(useful))
    width, height = context.letterbox.content
    canvas = context.array("canvas")
    data = FinetuneData(
        FrameDataset(
            context.array("features")[useful],
            codes[useful],
            ColourGuides.of((canvas[k][:height, :width] for k in useful), context.letterbox.cells),
        ),
        [k for k in range(len(useful)) if k not in {*watched, *judged}],
        watched,
        ReplayBuffer(context.results.array("replayed_features"), context.results.array("replayed_person")),
    )
    base = factors.load(context.network.factor.data)

    def should_end() -> str:
        if context.reporter.stop_early:
            return "you asked for the best so far"
        if time.monotonic() > context.reporter.deadline_s - RESERVE_S:
            return "its time was up"
        return ""

    made = learn(base, data, CONFIG, seed=seed, on_step=context.reporter.progress, should_end=should_end)
    return made, [useful[k] for k in judged]


def useful_frames(codes: NDArray[np.uint8]) -> list[int]:
    """Frames with enough of a person and enough of something else."""
    share = (codes == 1).mean(axis=(1, 2))
    return [int(k) for k in np.flatnonzero((share >= SHARE[0]) & (share <= SHARE[1]))]


def grid_labels(codes: Array, cells: tuple[int, int]) -> NDArray[np.uint8]:
    """Silhouettes at four samples per cell: what most of a sample is, 255 where most of it is in doubt.

    Args:
        codes: (n, h, w) 1 person, 0 background, 255 in doubt.
        cells: (columns, rows) of the grid that the picture covers.
    """
    size = (cells[0] * FINE, cells[1] * FINE)
    made = np.empty((len(codes), size[1], size[0]), np.uint8)
    for k, code in enumerate(codes):
        known = cv2.resize((code != IGNORED).astype(np.float32), size, interpolation=cv2.INTER_AREA)
        person = cv2.resize((code == 1).astype(np.float32), size, interpolation=cv2.INTER_AREA)
        made[k] = np.where(known > 0.5, person > 0.5 * known, IGNORED)
    return made
