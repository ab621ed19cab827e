"""CODECS: how each type of output is decoded. An output without a row is used by others or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from models.codecs.affinity_fields import AffinityFieldsCodec
from models.codecs.codec import Codec
from models.codecs.heatmaps import HeatmapCodec
from models.codecs.parts import PartCodec
from models.codecs.person_centres import PersonCentresCodec
from models.codecs.personlab import PersonLabCodec
from models.outputs import AffinityFields, CentreOffsets, Heatmaps, JointDisks, Output, PartProbabilities

Codecs = Mapping[type[Output], Codec[Any]]
CODECS: Final[Codecs] = {
    PartProbabilities: PartCodec(),
    Heatmaps: HeatmapCodec(),
    JointDisks: PersonLabCodec(),
    AffinityFields: AffinityFieldsCodec(),
    CentreOffsets: PersonCentresCodec(),
}


def decoded(outputs: Iterable[Output]) -> tuple[Output, ...]:
    """The outputs of a network that are decoded: those with a codec that no other's codec reads beside."""
    able = [o for o in outputs if type(o) in CODECS]
    beside = {name for o in able for name in CODECS[type(o)].needs}
    return tuple(o for o in able if o.name not in beside)
