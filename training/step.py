"""Losses of one batch: the Factored ConvNet under one of four settings, others by their outputs alone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import dropout2d

from models.codecs.registry import decoded
from models.factored import FactoredConvNet, normalise, person_probability
from models.network import Network
from models.outputs import Output
from training.losses import person_from_codes
from training.noise import SETTINGS, Setting, gaussian_noise, swap_noise
from training.objectives import MEAN, Targets, factor_terms, losses_of, part_terms, terms_of


@dataclass(frozen=True)
class StepConfig:
    """Shares of the settings, and the silhouettes that setting 3 shows the head.

    Attributes:
        setting_shares: for settings 1..4. The paper draws them evenly; 3 alone trains the trunk.
        inject: share of images of setting 3 whose head is shown the true silhouette, with
        hide: half of the trunk's features hidden from it, so that the silhouette is worth reading.
        leave_out: share of the images with a shown silhouette that leaves out a box of the picture, and
            whoever is in it: their parts are background then, as with a factor that knows one of several.
        objective: a key of `training.objectives.OBJECTIVES`.
    """

    setting_shares: tuple[float, float, float, float] = (0.08, 0.08, 0.76, 0.08)
    inject: float = 0.3
    hide: float = 0.5
    leave_out: float = 0.4
    bf16: bool = True
    objective: str = ""


def draw_setting(config: StepConfig, generator: torch.Generator) -> int:
    """1..4 by the configured shares."""
    return 1 + int(
        torch.multinomial(torch.tensor(config.setting_shares, dtype=torch.float32), 1, generator=generator)
    )


def losses(
    net: Network,
    outputs: Sequence[Output],
    rgb: Tensor,
    targets: Targets,
    config: StepConfig,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Forward one batch, (b, 3, h, w) RGB in 0..255, the Factored ConvNet under a drawn setting.

    `outputs` describe what the network gives, in its order; those without a loss, and those that the codec of
    another one reads, are not taught by themselves.

    Returns:
        Terms by name; their sum is to be minimised. The Factored ConvNet has `parts`, and `factor` in
        setting 3.
    """
    with mixed_precision(rgb.device, on=config.bf16):
        if isinstance(net, FactoredConvNet):
            return _under_setting(net, rgb, targets, config, generator)
        given = net(normalise(rgb))
        table = losses_of(config.objective)
        taught = [o for o in decoded(outputs) if type(o) in table]
        maps = given if isinstance(given, dict) else {taught[-1].name: given}
        return terms_of(taught, maps, targets, table)


def mixed_precision(device: torch.device, *, on: bool) -> AbstractContextManager[object]:
    """Convolutions in bfloat16 where `on`."""
    return torch.autocast(device.type, dtype=torch.bfloat16) if on else nullcontext()


def _under_setting(
    net: FactoredConvNet, rgb: Tensor, targets: Targets, config: StepConfig, generator: torch.Generator
) -> dict[str, Tensor]:
    setting, balanced = SETTINGS[draw_setting(config, generator)], config.objective != MEAN
    if setting.head_only:
        return part_terms({"parts": _head_only(net, rgb, setting, generator)}, targets, balanced=balanced)
    features = net.trunk(normalise(rgb))
    fb = net.factor(features)
    person = person_probability(fb)
    shown, person, codes = shown_to_head(features, person, targets["codes"], config, generator)
    parts = net.head(shown, person)
    return {
        **factor_terms(fb, targets, balanced=balanced),
        **part_terms({"parts": parts}, {"codes": codes}, balanced=balanced),
    }


def _head_only(net: FactoredConvNet, rgb: Tensor, setting: Setting, generator: torch.Generator) -> Tensor:
    """Part logits in settings 1, 2 and 4: trunk and factor are frozen, their statistics and dropout too."""
    net.trunk.eval()
    net.factor.eval()
    with torch.no_grad():
        features = net.trunk(normalise(rgb))
        person = person_probability(net.factor(features))
        if (
            setting.gaussian
        ):  # the same trunk run twice: the factor sees the clean image (methods §1.6, dual stream)
            features = net.trunk(normalise(gaussian_noise(rgb, generator)))
        if setting.swap:
            person = swap_noise(person, generator)
    net.train()  # but for what is frozen
    logits: Tensor = net.head(features, person)
    return logits


def shown_to_head(
    features: Tensor, person: Tensor, codes: Tensor, config: StepConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Show some heads the true silhouette, half of those fewer features, and some of those not everybody.

    Returns:
        Features, P(person) and the codes (b, H, W) that the parts are to follow.
    """
    b = len(features)
    pick = (torch.rand(b, generator=generator) < config.inject).to(features.device)
    hide = pick & (torch.rand(b, generator=generator) < 0.5).to(features.device)
    left_out = pick & (torch.rand(b, generator=generator) < config.leave_out).to(features.device)
    box = _boxes(b, (codes.shape[1], codes.shape[2]), generator).to(features.device)
    codes = torch.where(left_out[:, None, None] & box, torch.zeros_like(codes), codes)
    truth = person_from_codes(codes, (person.shape[2], person.shape[3]), person.float().detach()).to(
        person.dtype
    )
    person = torch.where(pick[:, None, None, None], truth, person)
    hidden = dropout2d(features, config.hide, training=True)
    return torch.where(hide[:, None, None, None], hidden, features), person, codes


def _boxes(count: int, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """(count, h, w) bool, a box anywhere in each picture, 0.3 to 1 of its sides long."""
    inside = []
    for side in size:
        middle, half = (
            torch.rand(count, generator=generator),
            0.15 + 0.35 * torch.rand(count, generator=generator),
        )
        at = (torch.arange(side) + 0.5) / side
        inside.append((at - middle[:, None]).abs() < half[:, None])
    return inside[0][:, :, None] & inside[1][:, None, :]
