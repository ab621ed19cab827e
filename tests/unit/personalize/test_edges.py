"""The guided filter that learns is the one that writes; learning through it fits what is written better."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate

from models.codecs.guided_filter import refine
from models.resize import average
from personalize.edges import FINE, ColourGuides
from personalize.finetune import STEEPNESS

CELLS = 12, 9  # columns, rows


@pytest.fixture(scope="module")
def scene():
    """A noisy picture with a bar and a disk of another colour, 8 px per cell, and where they are."""
    rows, columns = np.mgrid[: CELLS[1] * 8, : CELLS[0] * 8]
    person = (abs(columns - 30) < 5) | ((columns - 70) ** 2 + (rows - 40) ** 2 < 200)
    colours = np.where(person[..., None], (170, 120, 90), (60, 110, 130))
    noisy = colours + np.random.default_rng(0).normal(0, 12, colours.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8), person


def test_it_is_the_filter_that_writes(scene):
    picture, _ = scene
    cells = np.random.default_rng(1).random(CELLS[::-1]).astype(np.float32)
    guide = average(picture, (CELLS[0] * FINE, CELLS[1] * FINE))
    (expected,) = refine([cells], picture, guide)
    guides = ColourGuides.of([picture[::-1].copy(), picture], CELLS)
    (found,) = guides.written(torch.from_numpy(cells[None]), np.array([1]))
    np.testing.assert_allclose(found.clamp(0, 1).numpy(), expected, atol=1e-3)


def test_cells_fitted_through_it_are_written_better(scene):
    picture, person = scene
    size = CELLS[0] * FINE, CELLS[1] * FINE
    truth = torch.from_numpy(average(person.astype(np.float32), size) > 0.5)[None]
    guides = ColourGuides.of([picture], CELLS)

    def written(odds):
        return guides.written(torch.sigmoid(odds), np.array([0]))

    def wrong(answer):
        odds = torch.zeros(1, *CELLS[::-1], requires_grad=True)
        optimiser = torch.optim.Adam([odds], 0.3)
        for _ in range(60):
            optimiser.zero_grad()
            binary_cross_entropy_with_logits(answer(odds), truth.float()).backward()
            optimiser.step()
        return float(((written(odds) > 0.5) != truth).float().mean())

    plain = wrong(lambda odds: interpolate(odds[:, None], scale_factor=FINE, mode="bilinear")[:, 0])
    through = wrong(lambda odds: STEEPNESS * (written(odds) - 0.5))
    assert through < 0.8 * plain
