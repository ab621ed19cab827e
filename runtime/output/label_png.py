"""Label and silhouette pictures, as other programs read them."""

from __future__ import annotations

import io
import json
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.labels import PartSet
from models.results import Parsing
from runtime.output.scaling import full_labels, full_person

_FAST: Final = 1  # zlib level: label maps are flat, so more work saves little


def label_png(parsing: Parsing) -> bytes:
    """An 8-bit palette PNG of the displayed size whose pixel values are the part ids."""
    image = Image.fromarray(full_labels(parsing))
    image.putpalette(parsing.part_set.palette().tobytes(), "RGB")  # of 256 colours, or Pillow packs the ids
    return _png(image)


def silhouette_png(parsing: Parsing) -> bytes:
    """An 8-bit grey PNG of the displayed size: round(255·P(person))."""
    return _png(Image.fromarray(full_person(parsing)))


def cutout_png(rgba: NDArray[np.uint8]) -> bytes:
    """A PNG (h, w, 4) with transparency."""
    return _png(Image.fromarray(rgba))


def read_labels(data: bytes) -> NDArray[np.uint8]:
    """The part ids (h, w) of what `label_png` wrote."""
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        return np.array(image, dtype=np.uint8)


def labels_json(part_set: PartSet) -> dict[str, Any]:
    """Names, colours and mirror ids of the label ids, for `labels.json`."""
    palette = part_set.palette()
    mirror = part_set.mirror()
    return {
        "part_set": part_set.name,
        "left_right": "the person's own",
        "labels": [
            {"id": i, "name": name, "colour": palette[i].tolist(), "mirror": int(mirror[i])}
            for i, name in enumerate(part_set.class_names)
        ],
    }


def labels_json_bytes(part_set: PartSet) -> bytes:
    """`labels_json` as the bytes of a file."""
    return (json.dumps(labels_json(part_set), indent=1) + "\n").encode()


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, format="PNG", compress_level=_FAST)
    return out.getvalue()
