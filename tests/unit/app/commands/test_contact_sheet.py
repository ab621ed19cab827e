"""A contact sheet has its frames in order, at their times, and says when it cannot."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.commands.contact_sheet import CELL_WIDTH_PX, GAP_PX, contact_sheet
from runtime.media.writing import VideoWriter
from runtime.system.errors import Refusal


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with VideoWriter(path, (160, 90), 25.0) as writer:
        for n in range(24):
            writer.write(np.full((90, 160, 3), 10 * n, np.uint8), n / 25)
    return path


def test_frames_stand_in_order(clip: Path, tmp_path: Path) -> None:
    contact_sheet(clip, tmp_path / "sheet.png", columns=4, rows=2)
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    height, width = 270 + GAP_PX, CELL_WIDTH_PX + GAP_PX
    assert sheet.shape == (2 * height + GAP_PX, 4 * width + GAP_PX, 3)
    middles = [
        int(sheet[GAP_PX + r * height + 100, GAP_PX + c * width + 240].mean())
        for r in (0, 1)
        for c in range(4)
    ]
    assert middles == sorted(middles)
    assert middles[0] < 12
    assert middles[-1] > 215


def test_a_clip_shorter_than_the_sheet(clip: Path, tmp_path: Path) -> None:
    contact_sheet(clip, tmp_path / "sheet.jpg", columns=6, rows=6)
    assert (tmp_path / "sheet.jpg").stat().st_size > 1000


def test_refusals(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="there is no such file"):
        contact_sheet(tmp_path / "absent.mp4", tmp_path / "sheet.jpg")
    with pytest.raises(Refusal, match="was not written"):
        contact_sheet(clip, tmp_path / "absent" / "sheet.jpg")
