"""A contact sheet: frames of a clip, evenly in time, on one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.media.clips import Clip
from runtime.system import files
from runtime.system.errors import Refusal

CELL_WIDTH_PX: Final = 480
GAP_PX: Final = 8


def contact_sheet(clip: Path, out: Path, *, columns: int = 4, rows: int = 3) -> None:
    """Write `columns` x `rows` frames of `clip` to `out` (.jpg or .png), each with its time.

    Raises:
        Refusal: when the clip cannot be read, or the sheet not be written.
    """
    with Clip(clip) as source:
        count = columns * rows
        wanted = set(np.linspace(0, max(0, source.frames_expected - 1), count).round().astype(int).tolist())
        cells = [_cell(f.image, f.pts_s) for f in source.frames() if f.index in wanted]
    ok, data = cv2.imencode(out.suffix, cv2.cvtColor(_grid(cells, columns), cv2.COLOR_RGB2BGR))
    if not ok:
        raise Refusal(str(out), "the contact sheet cannot be encoded", "Name it .jpg or .png")
    try:
        files.write_atomic(out, data.tobytes(), mode=0o644)
    except OSError as e:
        raise Refusal(str(out), f"it was not written ({e.strerror})", "Choose another folder") from e


def _cell(image: NDArray[np.uint8], pts_s: float) -> NDArray[np.uint8]:
    """A frame, (h, w, 3), at the width of a cell, with its time in the corner."""
    height = round(image.shape[0] * CELL_WIDTH_PX / image.shape[1])
    cell = cv2.resize(image, (CELL_WIDTH_PX, height), interpolation=cv2.INTER_AREA)
    text = f"{pts_s:.2f} s"
    (wide, high), low = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
    plate = cell[height - high - low - 12 : height - 4, 4 : 16 + wide]
    plate[:] = plate // 4  # readable on any picture
    cv2.putText(
        cell, text, (10, height - low - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA
    )
    return np.asarray(cell, np.uint8)


def _grid(cells: list[NDArray[np.uint8]], columns: int) -> NDArray[np.uint8]:
    height, width = cells[0].shape[:2]
    rows = -(-len(cells) // columns)
    sheet = np.full((rows * (height + GAP_PX) + GAP_PX, columns * (width + GAP_PX) + GAP_PX, 3), 24, np.uint8)
    for n, cell in enumerate(cells):
        top, left = (
            v * (s + GAP_PX) + GAP_PX for v, s in zip(divmod(n, columns), (height, width), strict=True)
        )
        sheet[top : top + height, left : left + width] = cell
    return sheet
