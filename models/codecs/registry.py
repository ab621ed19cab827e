"""CODECS: how each type of output is decoded. An output without a row is used by others or not at all."""

from __future__ import annotations

from typing import Any

from models.codecs.codec import Codec
from models.outputs import Output

CODECS: dict[type[Output], Codec[Any]] = {}
