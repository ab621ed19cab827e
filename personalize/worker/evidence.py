"""Part of phase 9, evidence: the judged frames by six views of the factor before and by the head's parts."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.outputs import PartProbabilities
from personalize.chosen_person import BESIDE, OWN
from personalize.evidence import Agreement, Map, Mask, agreement
from personalize.finetune import IGNORED
from personalize.worker.context import Context, person
from runtime.engine.augmentation import SIX
from runtime.engine.forward import ForwardPass
from runtime.engine.sessions import NoResultError, Session
from runtime.engine.source import FactorSource
from runtime.frames import Frame
from training.metrics import silhouette_iou

MOST_FRAMES: Final = 8  #: that are looked at; six views of one take a quarter of a second
LEAST_FRAMES: Final = 6  #: of a short clip, frames that were learned from are looked at too


class References:
    """References of the frames that are judged, made once for every candidate.

    Args:
        context: of the job.
        judged: held-out frames, counted from the first in use.
    """

    def __init__(self, context: Context, judged: list[int]) -> None:
        self._context, self._frames = context, judged_frames(judged, len(context.array("features")))
        small = context.results.array("small")
        self._size = (int(small.shape[2]), int(small.shape[1]))
        looks = [self._six_views(k) for k in self._frames]
        self._maps = [np.asarray(np.mean(said, axis=0), np.float32) for said in looks]
        self._codes = [np.asarray(context.results.array("codes")[k]) for k in self._frames]
        self._known = [self._own(k) for k in self._frames]
        self._before = self._silhouettes(context.network.factor)
        sure = [known & (c != IGNORED) for known, c in zip(self._known, self._codes, strict=True)]
        learned = [code == 1 for code in self._codes]
        one, other = (agreement(s, self._maps, sure) for s in (self._before, learned))
        self._taught = other - one
        self._six = self._propagated_j([said[0] >= 0.5 for said in looks])

    def agreement(self, candidate: Session) -> Agreement:
        """Agreement of the references with the factor before and with a new one."""
        after = self._silhouettes(candidate)
        one, other = (agreement(s, self._maps, self._known) for s in (self._before, after))
        return Agreement(one, other, self._taught, self._propagated_j(after), self._six)

    def _six_views(self, k: int) -> list[Map]:
        """P(person), and what the parts leave of it, averaged over six views."""
        network, (width, height) = self._context.network, self._context.letterbox.content
        picture = np.ascontiguousarray(self._context.array("canvas")[k, :height, :width])
        source, stages = FactorSource("before", network.factor), network.stages.without_people()
        looks = ForwardPass(network.spec, stages, source, network.size, SIX, 0)
        (found,) = looks.grid_maps((Frame(picture, 0, 0.0, 0.0),))
        if isinstance(found, NoResultError):
            raise found
        parts = [o.name for o in network.spec.outputs if isinstance(o, PartProbabilities)]
        return [self._enlarged(m) for m in (found.maps["person"][0], *(1 - found.maps[p][0] for p in parts))]

    def _propagated_j(self, silhouettes: list[Mask]) -> float:
        rows = zip(silhouettes, self._codes, strict=True)
        return float(np.mean([silhouette_iou(s, code) for s, code in rows]))

    def _own(self, k: int) -> Mask:
        """Everything; of a chosen person what is near them, for others are background for the new factor."""
        if self._context.job.person is None:
            return np.ones(self._size[::-1], np.bool_)
        return np.isin(self._context.array("whose")[k], (OWN, BESIDE))

    def _silhouettes(self, factor: Session) -> list[Mask]:
        features, (across, down) = self._context.array("features"), self._context.letterbox.cells
        maps = (person(factor, features[k])[:down, :across] for k in self._frames)
        return [self._enlarged(np.nan_to_num(m)) >= 0.5 for m in maps]

    def _enlarged(self, cells: NDArray[np.floating]) -> Map:
        cells = np.ascontiguousarray(cells, np.float32)
        return np.asarray(cv2.resize(cells, self._size, interpolation=cv2.INTER_LINEAR), np.float32)


def judged_frames(judged: list[int], count: int) -> list[int]:
    """At most `MOST_FRAMES` of the held-out ones; of a short clip some others too, evenly spaced."""
    chosen = set(judged[:: max(1, -(-len(judged) // MOST_FRAMES))])
    spaced = np.linspace(0, count - 1, min(count, 2 * LEAST_FRAMES)).astype(int).tolist()
    for k in spaced[1::2] + spaced[::2]:
        if len(chosen) < LEAST_FRAMES:
            chosen.add(k)
    return sorted(chosen)
