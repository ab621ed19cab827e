"""Parts on the screen: colours that are seen, lines between them, what is unsure."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from app.ui.layers import rendered
from models.labels import PASCAL_PARTS, S31
from models.results import Parsing, Result
from runtime.frames import Frame, FrameResult
from runtime.output.composition import UNSURE
from runtime.output.palettes import colours
from runtime.output.style import DisplayStyle, ViewMode

WIDTH, HEIGHT = 64, 48


def parsed(labels: np.ndarray) -> FrameResult:
    image = np.random.default_rng(3).integers(30, 220, (HEIGHT, WIDTH, 3), np.uint8)
    sure = np.where(labels > 0, 255, 0).astype(np.uint8)
    parsing = Parsing(S31, (WIDTH, HEIGHT), labels, sure, np.full(labels.shape, 200, np.uint8))
    return FrameResult(Frame(image, 0, 0.0, 0.0), Result(parsing), 1, 1.0)


@pytest.fixture
def halves() -> FrameResult:
    """The left hand fills the right half of the picture."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[:, WIDTH // 2 :] = S31.id("lhand")
    return parsed(labels)


def test_what_is_unsure_is_hatched(halves: FrameResult) -> None:
    shape = halves.parsing.labels.shape
    seen = {}
    for confidence in (UNSURE - 1, UNSURE):
        parsing = replace(halves.parsing, confidence=np.full(shape, confidence, np.uint8))
        result = replace(halves, result=replace(halves.result, parsing=parsing))
        image = rendered(result, DisplayStyle(view=ViewMode.CONFIDENCE))
        seen[confidence] = len(np.unique(image.reshape(-1, 3), axis=0))
    assert seen[UNSURE - 1] > seen[UNSURE]


def test_no_colour_is_too_dark_to_be_seen_and_files_of_labels_keep_theirs() -> None:
    for parts in (S31, PASCAL_PARTS):
        table = colours(parts, colour_blind=False)
        lab = cv2.cvtColor(table[None, 1 : parts.classes].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        assert lab[..., 0].min() > 36
        assert len(np.unique(table[1 : parts.classes], axis=0)) == len(np.unique(parts.colours, axis=0))
    light = S31.id("luarm")
    assert np.abs(colours(S31, colour_blind=False)[light].astype(int) - S31.palette()[light]).max() < 14
    assert tuple(S31.palette()[S31.id("llhead")]) == (38, 26, 24)


def test_lines_between_parts_are_dark_and_only_there(halves: FrameResult) -> None:
    labels = halves.parsing.labels.copy()
    labels[: HEIGHT // 2, WIDTH // 2 :] = S31.id("llarm")
    two = parsed(labels)
    plain, lined = (
        rendered(two, DisplayStyle(view=ViewMode.PARTS, contours=on)).astype(int) for on in (False, True)
    )
    changed = np.abs(plain - lined).max(axis=2) > 30
    assert changed[HEIGHT // 2 - 1 : HEIGHT // 2 + 1, WIDTH // 2 + 4 :].any(axis=0).all()
    assert not changed[: HEIGHT // 2 - 3, WIDTH // 2 + 4 : -3].any()
    assert lined[changed].sum() < plain[changed].sum()
