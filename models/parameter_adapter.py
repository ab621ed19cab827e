"""Parameter adapter of PIL and MuLA: kernels predicted from a picture, and the convolution by them.

The kernels are depthwise, one a channel of each picture, between two learned 1x1 convolutions (methods
§5.2-5.3).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d


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


class AdaptiveMaxPool(nn.Module):
    """`nn.AdaptiveMaxPool2d` in operations that ONNX has for any size."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, h, w) → (b, c, size, size)."""
        if not torch.compiler.is_exporting():
            return nn.functional.adaptive_max_pool2d(x, self.size)
        return self._along_rows(self._along_rows(x).transpose(2, 3)).transpose(2, 3)

    def _along_rows(self, x: Tensor) -> Tensor:
        rows, i = x.shape[2], torch.arange(self.size, device=x.device)
        y = torch.arange(rows, device=x.device)
        first, end = i * rows // self.size, ((i + 1) * rows + self.size - 1) // self.size
        inside = (y >= first[:, None]) & (y < end[:, None])  # (size, rows)
        far = torch.where(inside, 0.0, torch.finfo(x.dtype).min).to(x.dtype)
        return (x[:, :, None] + far[..., None]).amax(dim=3)


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
        own = torch.eye(b, dtype=kernels.dtype, device=kernels.device)
        between = kernels.transpose(0, 1)[:, :, None] * own[:, :, None, None]  # (c, b, b, k, k)
        folded = features.transpose(0, 1).reshape(1, c * b, h, w)
        y = conv2d(folded, between.reshape(c * b, b, k, k), padding=k // 2, groups=c)
        return y.reshape(c, b, h, w).transpose(0, 1)


class AdaptiveConvolution(nn.Module):
    """V 1x1, the predicted kernels, U 1x1; with norm and ReLU as the release, without as the paper."""

    def __init__(self, channels: int, *, norm: bool = True, relu: bool = True) -> None:
        super().__init__()
        self.v = nn.Conv2d(channels, channels, 1)
        self.depthwise = PerSampleDepthwise()
        self.u = nn.Sequential(nn.Conv2d(channels, channels, 1))
        if norm:
            self.u.append(nn.BatchNorm2d(channels))
        if relu:
            self.u.append(nn.ReLU())

    def forward(self, features: Tensor, kernels: Tensor) -> Tensor:
        """(b, c, h, w) and kernels (b, c, k, k) → what is added to the features, (b, c, h, w)."""
        y: Tensor = self.u(self.depthwise(self.v(features), kernels))
        return y
