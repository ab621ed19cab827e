"""Batches made by several processes: a thread feeds a CPU, a GPU takes as much as many cores can make."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from training.stream import Batch, Batches

Tensors = tuple[Tensor, dict[str, Tensor]]


class _Steps(Dataset[Tensors]):
    """The batch of any step, as tensors: they come back through shared memory."""

    def __init__(self, make: Batches) -> None:
        self._make = make

    def __getitem__(self, step: int) -> Tensors:
        batch = self._make(step=step)
        return torch.from_numpy(batch.images), {k: torch.from_numpy(v) for k, v in batch.targets.items()}


class WorkerStream:
    """Batches of consecutive steps, in order, the same as `Stream` gives; made ahead by `workers` processes.

    Raises:
        RuntimeError: from iterating, when a worker died (out of memory, killed).
    """

    AHEAD = 3  # batches a worker

    def __init__(self, make: Batches, *, start: int, steps: int, workers: int) -> None:
        self._loader: DataLoader[Tensors] = DataLoader(
            _Steps(make),
            batch_size=None,
            sampler=range(start, steps),
            num_workers=workers,
            prefetch_factor=self.AHEAD,
            worker_init_fn=_one_thread,
            multiprocessing_context="fork",  # the pictures are gigabytes: shared, not sent
        )

    def __iter__(self) -> Iterator[Batch]:
        for images, targets in self._loader:
            yield Batch(images.numpy(), {k: v.numpy() for k, v in targets.items()})

    def close(self) -> None:
        """Nothing to do: the workers end with the loop over the batches."""


def _one_thread(_worker: int) -> None:
    cv2.setNumThreads(0)  # of torch's the loader sees to it
