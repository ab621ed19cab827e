"""Street photos (`ccp`) as a new domain: what is scored there while the factor is moved."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.factored import FactoredConvNet, person_probability
from training.evaluate import restore
from training.metrics import Tally, boundary_f, probe_garments, silhouette_iou
from training.photos import DataError, Photo, read_ccp
from training.transfer import Features, extract

Image = NDArray[np.uint8]


def silhouette(data: Path, photo: Photo) -> Image:
    """The stored silhouette of a photo: 0 background, 1 person, 255 unknown."""
    return _stored(data, "silhouettes", photo)


def _stored(data: Path, kind: str, photo: Photo) -> Image:
    path = data / "ccp" / kind / f"{Path(photo.name).stem}.png"
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if found is None:
        raise DataError(f"{path}: not there or not a picture. Get the data set again (docs/datasets.md).")
    return np.asarray(found, np.uint8)


@dataclass(frozen=True)
class Street:
    """Test photos with the features of one trunk, which no transfer changes."""

    features: Features
    silhouettes: Sequence[Image]
    garments: Sequence[Image]
    names: Sequence[str]

    @classmethod
    def read(cls, net: FactoredConvNet, data: Path, long_side: int, limit: int | None = None) -> Street:
        """The development test photos.

        Raises:
            DataError: they are not there.
        """
        photos = read_ccp(data / "ccp", "test")[:limit]
        names: list[str] = json.loads((data / "ccp" / "labels.json").read_text())
        return cls(
            extract(net, [p.image for p in photos], long_side),
            [silhouette(data, p) for p in photos],
            [_stored(data, "labels", p) for p in photos],
            names,
        )

    @torch.no_grad()
    def score(self, net: FactoredConvNet) -> dict[str, float]:
        """Accuracy of the factor, J and boundary F of parts and factor, garments on the right parts."""
        tally = Tally()
        rows: dict[str, list[float]] = {}
        for i, (truth, garments) in enumerate(zip(self.silhouettes, self.garments, strict=True)):
            features = self.features.of(i)
            person = person_probability(net.factor(features))
            size = (truth.shape[0], truth.shape[1])
            p = restore(net.head(features, person), person, self.features.contents[i], size)
            mask, known = p.person >= 0.5, truth < 2
            tally.add("factor accuracy", float((mask == (truth == 1))[known].sum()), float(known.sum()))
            tally.add("background", float((p.labels == 0)[truth == 0].sum()), float((truth == 0).sum()))
            probe_garments(p.labels, garments, self.names, tally)
            for name, value in (
                ("factor J", silhouette_iou(mask, truth)),
                ("parts J", silhouette_iou(p.labels > 0, truth)),
                ("parts boundary F", boundary_f(p.labels > 0, truth)),
            ):
                rows.setdefault(name, []).append(value)
        return {k: tally.rate(k) for k in tally.tries} | {k: float(np.mean(v)) for k, v in rows.items()}
