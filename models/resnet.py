"""ResNet-50, -101 and -152 (He et al., CVPR 2016) at output stride 8, 16 or 32 by atrous convolution (torch).

Weights have the names and shapes of torchvision's, so that published ImageNet weights fit. The stride of a
3x3 convolution becomes 1 where the output stride is reached, and every convolution behind is dilated: with
the same weights, the cells of stride 32 are found again among those of stride 16 and 8, up to rounding.
"""

from __future__ import annotations

from torch import Tensor, nn

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}  # by depth: of conv2_x to conv5_x
WIDTHS = (64, 128, 256, 512)
EXPANSION = 4
FOURTH, FIFTH = (EXPANSION * w for w in WIDTHS[2:])  # channels of conv4_x and conv5_x
STRIDES = (8, 16, 32)


class ResidualBlock(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut."""

    def __init__(self, inputs: int, width: int, stride: int, dilation: int, *, projected: bool) -> None:
        super().__init__()
        outputs = EXPANSION * width
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()
        self.downsample: nn.Module = nn.Identity()
        if projected:
            shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(b, inputs, h, w) → (b, 4·width, h/stride, w/stride)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(y)))))
        out: Tensor = self.relu(y + self.downsample(x))
        return out


class ResNet(nn.Module):
    """Picture → features of conv4_x and conv5_x. Cell u lies on pixel stride·u: every kernel is odd.

    The statistics of its norms stay as they are in training too; their scales and shifts are learned.

    Args:
        depth: 50, 101 or 152.
        stride: of the features, input px; 32 as published.
    """

    def __init__(self, depth: int, stride: int) -> None:
        super().__init__()
        if depth not in BLOCKS or stride not in STRIDES:
            raise ValueError(f"ResNet-{depth} at stride {stride}: depths {(*BLOCKS,)}, strides {STRIDES}")
        self.conv1, self.bn1 = nn.Conv2d(3, WIDTHS[0], 7, 2, 3, bias=False), nn.BatchNorm2d(WIDTHS[0])
        self.relu, self.maxpool = nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        inputs, reached, dilation = WIDTHS[0], 4, 1
        for i, (count, width) in enumerate(zip(BLOCKS[depth], WIDTHS, strict=True), start=1):
            step, before = 1 if i == 1 else 2, dilation
            if reached == stride:
                step, dilation = 1, dilation * step
            reached *= step
            outputs = EXPANSION * width
            blocks = [ResidualBlock(inputs, width, step, before, projected=True)]
            blocks += [ResidualBlock(outputs, width, 1, dilation, projected=False) for _ in range(count - 1)]
            self.add_module(f"layer{i}", nn.Sequential(*blocks))
            inputs = outputs
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
            if isinstance(m, ResidualBlock):  # norms that never see a picture let sums of 50 blocks grow
                nn.init.constant_(m.bn3.weight, 0.2)

    def train(self, mode: bool = True) -> ResNet:  # noqa: FBT001, FBT002 - torch's signature
        """Training mode; the norms keep their statistics."""
        super().train(mode)
        for m in self.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.eval()
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(b, 3, h, w), sides stride·n + 1 → (b, 1024, …) of conv4_x and (b, 2048, h', w') of conv5_x."""
        y = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        fourth = self.get_submodule("layer3")(self.get_submodule("layer2")(self.get_submodule("layer1")(y)))
        return fourth, self.get_submodule("layer4")(fourth)
