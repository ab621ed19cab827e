"""Predictions of a torch network: the picture's place in the input, and maps back at the picture's size."""

from __future__ import annotations

import numpy as np
import torch

from models.factored import FactoredConvNet, normalise
from models.labels import IGNORE
from runtime.engine.letterbox import Letterbox, NetworkSize
from training.prediction import NetworkInput, cell_labels, decided, predict


def test_a_picture_lies_in_the_upper_left_of_its_input_as_it_is() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (32, 64, 3), dtype=np.uint8)
    for size in (64, NetworkSize(64)):
        given = NetworkInput.of(picture, size)
        assert given.x.shape == (1, 3, 32, 64)
        assert torch.equal(given.x[0], normalise(torch.from_numpy(picture).permute(2, 0, 1).float()[None])[0])
        assert given.letterbox.content == (64, 32)


def test_what_is_decided_is_as_large_as_the_picture_and_padding_is_cut() -> None:
    """A grid of 8 by 4 cells in one of 8 by 8: its left half is part 5, the padding would be part 9."""
    given = NetworkInput.of(np.zeros((40, 80, 3), np.uint8), NetworkSize(64, padded=True))
    logits, person = torch.zeros(1, 32, 8, 8), torch.zeros(1, 1, 8, 8)
    logits[:, 0], logits[:, 9, 4:], person[:, :, 4:] = 5, 30, 1
    logits[:, 5, :, :4], person[..., :4] = 20, 1
    found = decided(logits, person, given.request)
    assert (found.labels.shape, found.person.shape) == ((40, 80), (40, 80))
    assert (found.labels.dtype, found.person.dtype) == (np.uint8, np.float32)
    assert set(np.unique(found.labels)) == {0, 5}
    assert (found.labels[:, :34] == 5).all()
    assert (found.labels[:, 46:] == 0).all()
    assert (found.person[:, :20] > 0.95).all()
    assert (found.person[:, 60:] < 0.05).all()


def test_a_head_is_shown_what_is_injected_and_the_factor_is_told() -> None:
    torch.manual_seed(0)
    net, picture = FactoredConvNet().eval(), np.full((32, 32, 3), 90, np.uint8)
    seen: list[torch.Tensor] = []
    shown: list[torch.Tensor] = []
    net.head.register_forward_pre_hook(lambda _m, given: shown.append(given[1]))

    def inject(person: torch.Tensor) -> torch.Tensor:
        seen.append(person)
        return torch.ones_like(person)

    plain, injected = predict(net, picture, 32), predict(net, picture, 32, inject)
    assert torch.equal(seen[0], shown[0])
    assert (shown[1] == 1).all()
    assert not shown[0].requires_grad
    assert np.array_equal(plain.person, injected.person)


def test_a_cell_has_the_label_at_its_centre_and_padding_none() -> None:
    labels = np.arange(16 * 32).reshape(16, 32).astype(np.uint8)
    box = Letterbox.fit((32, 16), NetworkSize(32, padded=True), stride=8)
    wanted = np.full((4, 4), IGNORE)
    wanted[:2] = labels[4::8, 4::8]
    assert np.array_equal(cell_labels(labels, box), wanted)
