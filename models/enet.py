"""The whole ENet of Paszke et al. 2016, decoder included: the peer that speed is measured against.

Max-pool indices of the two down-sampling bottlenecks place the decoder's values (max-unpool), and the last
transposed convolution answers at full size. 365 492 parameters with 32 classes (the paper reports 0.37 M).
"""

from __future__ import annotations

from torch import Tensor, nn

from models.blocks import Bottleneck, Initial, activation, init_weights, norm, stage128
from models.families import Activation


class IndexedDown(nn.Module):
    """A `down` bottleneck that also gives the positions of its maxima."""

    def __init__(self, ci: int, co: int, act: Activation, dropout: float) -> None:
        super().__init__()
        self.block = Bottleneck(ci, co, "down", act=act, dropout=dropout)
        self.pool: nn.Module = nn.MaxPool2d(2, 2, return_indices=True)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(b, ci, h, w) → (b, co, h/2, w/2) and indices (b, ci, h/2, w/2)."""
        b = self.block
        skip, indices = self.pool(x)
        extension = b.dropout(b.expand(b.main(b.project(x))))
        skip = nn.functional.pad(skip, (0, 0, 0, 0, 0, b.padding_channels))
        return b.act(skip + extension), indices


class Up(nn.Module):
    """An up-sampling bottleneck: 1x1, transposed 3x3 with stride 2, 1x1; max-unpool on the skip branch."""

    def __init__(self, ci: int, co: int, act: Activation) -> None:
        super().__init__()
        m = co // 4
        self.extension = nn.Sequential(
            nn.Conv2d(ci, m, 1, bias=False),
            norm(m),
            activation(act, m),
            nn.ConvTranspose2d(m, m, 3, stride=2, padding=1, output_padding=1),
            norm(m),
            activation(act, m),
            nn.Conv2d(m, co, 1, bias=False),
            norm(co),
        )
        self.skip = nn.Sequential(nn.Conv2d(ci, co, 1, bias=False), norm(co))
        self.unpool: nn.Module = nn.MaxUnpool2d(2)
        self.act = activation(act, co)

    def forward(self, x: Tensor, indices: Tensor) -> Tensor:
        """(b, ci, h, w) and indices (b, co, h, w) → (b, co, 2h, 2w)."""
        y: Tensor = self.act(self.unpool(self.skip(x), indices) + self.extension(x))
        return y


class ENet(nn.Module):
    """Encoder and decoder; logits at the size of the picture."""

    def __init__(self, classes: int = 32, act: Activation = "prelu") -> None:
        super().__init__()
        self.initial = Initial(act)
        self.down1 = IndexedDown(16, 64, act, 0.01)
        self.stage1 = nn.Sequential(*(Bottleneck(64, 64, "regular", act=act, dropout=0.01) for _ in range(4)))
        self.down2 = IndexedDown(64, 128, act, 0.1)
        self.stages = nn.Sequential(stage128(act), stage128(act))
        self.up2 = Up(128, 64, act)
        self.decode2 = nn.Sequential(*(Bottleneck(64, 64, "regular", act=act) for _ in range(2)))
        self.up1 = Up(64, 16, act)
        self.decode1 = Bottleneck(16, 16, "regular", act=act)
        self.classify = nn.ConvTranspose2d(16, classes, 2, stride=2)
        init_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        """(b, 3, h, w) normalised, sizes multiples of 8 → logits (b, classes, h, w)."""
        x, indices1 = self.down1(self.initial(x))
        x, indices2 = self.down2(self.stage1(x))
        x = self.decode2(self.up2(self.stages(x), indices2))
        x = self.decode1(self.up1(x, indices1))
        y: Tensor = self.classify(x)
        return y
