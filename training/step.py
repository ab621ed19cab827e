"""One optimisation step: the Factored ConvNet under one of four settings, the others on the parts alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import dropout2d

from models.checkpoint import Network
from models.factored import FactoredConvNet, normalise, person_probability
from training.losses import PartLoss, factor_loss, person_from_codes
from training.noise import SETTINGS, Setting, gaussian_noise, swap_noise


@dataclass(frozen=True)
class StepConfig:
    """How often each setting is drawn, and what setting 3 shows the head.

    Attributes:
        setting_shares: for settings 1..4. The paper draws them evenly; 3 alone trains the trunk.
        inject: share of images of setting 3 whose head is shown the true silhouette, with
        hide: half of the trunk's features hidden from it, so that the silhouette is worth reading.
    """

    setting_shares: tuple[float, float, float, float] = (0.08, 0.08, 0.76, 0.08)
    inject: float = 0.3
    hide: float = 0.5
    bf16: bool = True


def draw_setting(config: StepConfig, generator: torch.Generator) -> int:
    """1..4 by the configured shares."""
    return 1 + int(
        torch.multinomial(torch.tensor(config.setting_shares, dtype=torch.float32), 1, generator=generator)
    )


def losses(
    net: Network,
    part_loss: PartLoss,
    rgb: Tensor,
    codes: Tensor,
    config: StepConfig,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Forward one batch, (b, 3, h, w) RGB in 0..255 and (b, H, W) uint8 codes, under a drawn setting.

    Returns:
        `parts`, and `factor` in setting 3; their sum is to be minimised. A network without a factor has no
        settings and only `parts`.
    """
    if not isinstance(net, FactoredConvNet):
        with torch.autocast(rgb.device.type, dtype=torch.bfloat16, enabled=config.bf16):
            return {"parts": part_loss(net(normalise(rgb)), codes)}
    setting = SETTINGS[draw_setting(config, generator)]
    with torch.autocast(rgb.device.type, dtype=torch.bfloat16, enabled=config.bf16):
        if setting.head_only:
            return {"parts": _head_only(net, part_loss, rgb, codes, setting, generator)}
        features = net.trunk(normalise(rgb))
        fb = net.factor(features)
        person = person_probability(fb)
        shown, person = _inject(features, person, codes, config, generator)
        parts = net.head(shown, person)
        return {"factor": factor_loss(fb, codes), "parts": part_loss(parts, codes)}


def _head_only(
    net: FactoredConvNet,
    part_loss: PartLoss,
    rgb: Tensor,
    codes: Tensor,
    setting: Setting,
    generator: torch.Generator,
) -> Tensor:
    """Settings 1, 2 and 4: trunk and factor are frozen, their statistics and dropout too."""
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
    net.trunk.train()
    net.factor.train()
    loss: Tensor = part_loss(net.head(features, person), codes)
    return loss


def _inject(
    features: Tensor, person: Tensor, codes: Tensor, config: StepConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Show some heads the true silhouette, and half of those fewer features."""
    b = len(features)
    pick = (torch.rand(b, generator=generator) < config.inject).to(features.device)
    hide = pick & (torch.rand(b, generator=generator) < 0.5).to(features.device)
    truth = person_from_codes(codes, (person.shape[2], person.shape[3]), person.float().detach()).to(
        person.dtype
    )
    person = torch.where(pick[:, None, None, None], truth, person)
    hidden = dropout2d(features, config.hide, training=True)
    return torch.where(hide[:, None, None, None], hidden, features), person
