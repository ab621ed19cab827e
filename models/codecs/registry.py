"""CODECS: how each type of output is decoded. An output without a row is used by others or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from models.codecs.codec import Codec
from models.codecs.heatmaps import HeatmapCodec
from models.codecs.parts import PartCodec
from models.codecs.personlab import PersonLabCodec
from models.outputs import Heatmaps, JointDisks, Output, PartProbabilities

Codecs = Mapping[type[Output], Codec[Any]]
CODECS: Final[Codecs] = {
    PartProbabilities: PartCodec(),
    Heatmaps: HeatmapCodec(),
    JointDisks: PersonLabCodec(),
}
