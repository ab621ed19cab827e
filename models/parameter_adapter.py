"""Parameter adapter of PIL and MuLA: kernels predicted from a picture, and the convolution by them.

The kernels are depthwise, one a channel of each picture, between two learned 1x1 convolutions (methods
§5.2-5.3).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, max_pool2d
from torch.onnx.ops import symbolic

NEARLY_ALIKE = 1e-6  #: initial deviation of kernels from an average, beside the features that they come from
Attribute = int | float | str | bool | Sequence[int] | Sequence[float] | Sequence[str] | Sequence[bool]


class ParameterAdapter(nn.Module):
    """Features of one task → a depthwise kernel per channel and picture for the other.

    As in the release there are neither norms nor activations between the convolutions. `size` fixes the
    kernels' side by an adaptive max-pool, so that pictures may have any size; without it 64 cells give 7
    and 32 give 3.
    """

    def __init__(self, channels: int, size: int | None = None) -> None:
        super().__init__()
        c = channels
        self.enter = nn.Conv2d(c, c, 3, stride=2)
        # as many cells as pairs, and one where there is one: 2n − 1 → n
        self.pool = nn.MaxPool2d(2, 2, padding=0 if size is None else 1)
        self.middle = nn.Conv2d(c, c, 3, padding=1)
        self.shrink = nn.MaxPool2d(2, 2) if size is None else AdaptiveMaxPool(size)
        self.leave = nn.Conv2d(c, c, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """(b, channels, h, w) → kernels (b, channels, k, k)."""
        y: Tensor = self.leave(self.shrink(self.middle(self.pool(self.enter(features)))))
        return y


def begin_as_averages(network: nn.Module, side: int) -> None:
    """Let predicted kernels of `side` cells begin as nearly an average of the cells round each, whatever the
    picture: PIL from trained encoders is better for it than from random ones (experiment 7).
    """
    for adapter in (m for m in network.modules() if isinstance(m, ParameterAdapter)):
        nn.init.normal_(adapter.leave.weight, std=NEARLY_ALIKE)
        assert adapter.leave.bias is not None  # as every convolution of an adapter
        nn.init.constant_(adapter.leave.bias, 1 / side**2)


class AdaptiveMaxPool(nn.Module):
    """Cells of any number → `size` by `size`: resized to twice as many each way, of which pairs are pooled.

    Not `nn.AdaptiveMaxPool2d`: its windows follow from the picture, and no graph is admitted that computes
    sizes.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, h, w) → (b, c, size, size)."""
        twice = 2 * self.size
        if torch.compiler.is_exporting():
            how: dict[str, Attribute] = {"axes": [2, 3], "mode": "linear"}  # between centres, as torch
            resized = symbolic(
                "Resize", (x, None, None, torch.tensor((twice, twice))), how, dtype=x.dtype,
                shape=(*x.shape[:2], twice, twice),
            )  # fmt: skip
        else:
            resized = interpolate(x, (twice, twice), mode="bilinear", align_corners=False)
        return max_pool2d(resized, 2)


class PerSampleDepthwise(nn.Module):
    """Depthwise convolution of each picture by kernels of its own: one convolution with b·c groups."""

    def forward(self, features: Tensor, kernels: Tensor) -> Tensor:
        """(b, c, h, w) and kernels (b, c, k, k), k odd → (b, c, h, w)."""
        b, c, h, w = features.shape
        k = kernels.shape[-1]
        folded = features.reshape(1, b * c, h, w)
        y = conv2d(folded, kernels.reshape(b * c, 1, k, k), padding=k // 2, groups=b * c)
        return y.reshape(b, c, h, w)


class BlockDiagonalDepthwise(nn.Module):
    """As `PerSampleDepthwise`, with groups that do not depend on the batch: what an ONNX graph can hold.

    The pictures are the channels of a group; the kernel from one picture to another is 0. The work grows with
    the square of the batch, and is that of the other form for one picture.
    """

    def forward(self, features: Tensor, kernels: Tensor) -> Tensor:
        """(b, c, h, w) and kernels (b, c, k, k), k odd → (b, c, h, w)."""
        b, c, h, w = features.shape
        k = kernels.shape[-1]
        between = (
            kernels.transpose(0, 1)[:, :, None] * _identity(kernels)[:, :, None, None]
        )  # (c, b, b, k, k)
        weights = _reshaped(between, (-1, 0, k, k), (c * b, b, k, k))
        folded = _reshaped(features.transpose(0, 1), (1, -1, 0, 0), (1, c * b, h, w))
        y = _grouped(folded, weights, c)
        return _reshaped(y, (c, -1, 0, 0), (c, b, h, w)).transpose(0, 1)


def _grouped(x: Tensor, weights: Tensor, groups: int) -> Tensor:
    """Convolution that keeps the size; the exporter would add a bias, of a computed size."""
    k = weights.shape[-1]
    if not torch.compiler.is_exporting():
        return conv2d(x, weights, padding=k // 2, groups=groups)
    how: dict[str, Attribute] = {"group": groups, "kernel_shape": [k, k], "pads": [k // 2] * 4}
    return symbolic("Conv", (x, weights), how, dtype=x.dtype, shape=x.shape)


def _identity(kernels: Tensor) -> Tensor:
    """The identity (b, b) of kernels (b, c, k, k), in a graph by an operation without a computed size."""
    b = kernels.shape[0]  # len() would fix it in a graph
    if not torch.compiler.is_exporting():
        return torch.eye(b, dtype=kernels.dtype, device=kernels.device)
    total = kernels.sum((1, 2, 3))
    return symbolic("EyeLike", (total[:, None] * total,), {}, dtype=kernels.dtype, shape=(b, b))


def _reshaped(x: Tensor, target: tuple[int, ...], shape: tuple[int, ...]) -> Tensor:
    """`x` in `shape`; in a graph by a constant `target`: 0 keeps an axis, −1 is what remains."""
    if not torch.compiler.is_exporting():
        return x.reshape(shape)
    return symbolic("Reshape", (x, torch.tensor(target)), {}, dtype=x.dtype, shape=shape)


class AdaptiveConvolution(nn.Module):
    """V 1x1, the predicted kernels, U 1x1 and a ReLU, as in the release; its norm stands before the ReLU."""

    def __init__(self, channels: int, *, norm: bool) -> None:
        super().__init__()
        self.v = nn.Conv2d(channels, channels, 1)
        self.depthwise = PerSampleDepthwise()
        self.u = nn.Sequential(nn.Conv2d(channels, channels, 1))
        if norm:
            self.u.append(nn.BatchNorm2d(channels))
        self.u.append(nn.ReLU())

    def forward(self, features: Tensor, kernels: Tensor) -> Tensor:
        """(b, c, h, w) and kernels (b, c, k, k) → what is added to the features, (b, c, h, w)."""
        y: Tensor = self.u(self.depthwise(self.v(features), kernels))
        return y
