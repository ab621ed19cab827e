"""Batch normalisation measured anew after training, for running averages lag behind the weights.

Wu and Johnson, Rethinking "Batch" in BatchNorm, 2021, §3.1. Those of the Factored ConvNet's head mix
pictures with noise and without, too; a test has none (methods §1.6).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import torch
from torch import Tensor, nn

from models.factored import FactoredConvNet, normalise, person_probability
from models.network import Network


@torch.no_grad()
def recalibrate(net: Network, pictures: Iterable[Tensor]) -> None:
    """Replace running averages by those over clean pictures, (b, 3, h, w) RGB in 0..255.

    Of a Factored ConvNet those of the head: its trunk and factor run as in a test. Dropout is off, no weight
    changes, and the network is left in eval mode.

    Raises:
        ValueError: there are no pictures.
    """
    batches = iter(pictures)
    first = next(batches, None)
    if first is None:
        raise ValueError("no pictures to recalibrate with. Give --agg-bn-recalibrate batches of them.")
    measured = net.head if isinstance(net, FactoredConvNet) else net
    norms = [(m, m.momentum) for m in measured.modules() if isinstance(m, nn.BatchNorm2d)]
    net.eval()
    for norm, _ in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
        norm.train()
    for rgb in chain((first,), batches):
        if isinstance(net, FactoredConvNet):
            features = net.trunk(normalise(rgb))
            net.head(features, person_probability(net.factor(features)))
        else:
            net(normalise(rgb))
    for norm, momentum in norms:
        norm.momentum = momentum
    net.eval()
