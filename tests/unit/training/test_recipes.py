"""Recipes by family, and plain SGD in the loop."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.families import ZOO
from models.network import build
from training.__main__ import main
from training.loop import LAST, DivergedError, TrainConfig, learning_rate, new_state, resume, train
from training.recipes import TrainingRecipe, recipe_of
from training.step import StepConfig
from training.stream import Batch

CPU = torch.device("cpu")
ROW = ZOO["enet-relu"]


def test_resnets_are_trained_as_in_the_paper_unless_told_otherwise() -> None:
    paper = recipe_of(ZOO["personlab-resnet101"])
    assert (paper.optimiser, paper.lr, paper.ema, paper.batch, paper.crop) == ("sgd", 1e-3, 0.9999, 8, 801)
    config = TrainConfig(steps=paper.steps, decay_steps=paper.decay_steps, warmup_steps=paper.warmup_steps)
    assert {learning_rate(config, s) for s in (0, 10, 999_999)} == {1e-3}, "constant"
    assert recipe_of(ZOO["personlab-resnet50"], crop=401, lr=None).crop == 401
    assert recipe_of(ZOO["personlab-small"]).crop == 320
    assert recipe_of(ZOO["factored-s31"]) == TrainingRecipe()


def batches(start: int) -> list[Batch]:
    made = []
    for step in range(start, 4):
        rng = np.random.default_rng(step)
        images = rng.integers(0, 255, (2, 64, 64, 3), dtype=np.uint8)
        made.append(Batch(images, {"codes": rng.integers(0, 32, (2, 16, 16), dtype=np.uint8)}))
    return made


def config() -> TrainConfig:
    return TrainConfig(
        steps=4,
        decay_steps=0,
        warmup_steps=0,
        checkpoint_every=2,
        optimiser="sgd",
        step=StepConfig(bf16=False),
    )


def test_a_run_by_sgd_resumes_to_the_bit(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = build(ROW)
    whole, first, second = (new_state(config(), ROW, copy.deepcopy(net), CPU) for _ in range(3))
    train(whole, config(), batches(0), tmp_path / "whole", {}, CPU)
    train(first, config(), batches(0)[:2], tmp_path / "parts", {}, CPU)
    resume(second, tmp_path / "parts" / LAST)
    train(second, config(), batches(2), tmp_path / "parts", {}, CPU)
    for a, b in zip(whole.net.state_dict().values(), second.net.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_a_run_that_diverges_at_once_names_no_checkpoint(tmp_path: Path) -> None:
    state = new_state(config(), ROW, build(ROW), CPU)
    with torch.no_grad():
        next(state.net.parameters()).fill_(float("nan"))
    with pytest.raises(DivergedError, match="Start with a lower --lr") as said:
        train(state, config(), batches(0), tmp_path, {}, CPU)
    assert LAST not in str(said.value)
    assert not (tmp_path / LAST).exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"conv1.weight": torch.zeros(64, 3, 7, 7)}, "another architecture"),
        (b"\x80\x04pickle", "never loaded"),
        (None, "no such file"),
    ],
)
def test_weights_that_cannot_be_started_from_are_refused_in_words(
    content: dict[str, torch.Tensor] | bytes | None, reason: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = tmp_path / "start.safetensors"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        save_file(content, path)
    assert (
        main(["personlab-resnet50", "--init", str(path), "--out", str(tmp_path / "o"), "--steps", "1"]) == 1
    )
    assert reason in capsys.readouterr().err
