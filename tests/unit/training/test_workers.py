"""Batches that worker processes make ahead."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import torch

from training.stream import Batch
from training.workers import WorkerStream


class Traced:
    """Makes batches of a step's number and of the threads that compute, and leaves a file for each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, *, step: int) -> Batch:
        (self._folder / str(step)).touch()
        threads = np.array([torch.get_num_threads(), cv2.getNumThreads()])
        return Batch(np.full((1, 2, 2, 3), step, np.uint8), {"threads": threads})

    def made(self) -> set[int]:
        return {int(path.name) for path in self._folder.iterdir()}


def test_every_worker_computes_in_one_thread_and_gives_its_steps_in_order(tmp_path: Path) -> None:
    stream = WorkerStream(Traced(tmp_path), start=7, steps=10, workers=1)
    found = list(stream)
    assert [int(batch.images.max()) for batch in found] == [7, 8, 9]
    assert [batch.targets["threads"].tolist() for batch in found] == [[1, 1]] * 3
    stream.close()


def test_a_worker_makes_three_batches_ahead_and_no_more(tmp_path: Path) -> None:
    make = Traced(tmp_path)
    batches = iter(WorkerStream(make, start=0, steps=9, workers=1))
    next(batches)
    ends = time.monotonic() + 20
    while make.made() != {0, 1, 2, 3} and time.monotonic() < ends:
        time.sleep(0.01)
    time.sleep(0.1)  # a fifth would take less
    assert make.made() == {0, 1, 2, 3}
