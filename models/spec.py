"""ModelSpec: the one description of a model, stored as JSON in the metadata of every ONNX file.

Nothing else in the project states a mean, a stride, a label or a skeleton a second time.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from models.grid import Grid

METADATA_KEY = "xfactor.spec"
Kind = Literal["factored", "network"]
Stage = Literal["trunk", "factor", "head", "network"]


class SpecError(ValueError):
    """The metadata of a model file is absent or does not describe a model."""


@dataclass(frozen=True)
class TrainingSet:
    """A data set a model was trained on, with its licence in words."""

    name: str
    licence: str


@dataclass(frozen=True)
class FactorCard:
    """Where a personalised factor comes from and what its gate measured."""

    base_trunk_sha256: str
    clip_sha256: str
    created: str  #: ISO date
    frames: int
    before: dict[str, float]
    after: dict[str, float]
    accepted: bool


@dataclass(frozen=True)
class ModelSpec:
    """Everything an engine must know to run one stage.

    Raises:
        SpecError: from `from_json`, naming the field that is wrong.
    """

    name: str
    kind: Kind
    stage: Stage
    part_set: str | None  #: a key of `models.labels.PART_SETS`
    joint_set: str | None  #: a key of `models.labels.JOINT_SETS`
    input_size: tuple[int, int]  #: (height, width) of the box that pictures are fitted into, px
    stride: int  #: input pixels per output cell
    grid: Grid  #: where a cell's centre lies
    preprocessing: str  #: in words; it happens inside the graph
    activation: str
    parameters: int  #: of the whole model
    licence: str
    training_data: tuple[TrainingSet, ...] = ()
    siblings: dict[str, str] = field(
        default_factory=dict
    )  #: stage → sha256 of the files this one belongs with
    card: FactorCard | None = None  #: only in a personalised factor
    size_multiple: int = 32  #: input height and width must be multiples of this
    format: int = 1

    def to_json(self) -> str:
        """One line of JSON, keys sorted."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ModelSpec:
        """Read what `to_json` wrote; unknown keys are refused: a newer format is not half understood."""
        try:
            raw = json.loads(text)
        except json.JSONDecodeError as e:
            raise SpecError(f"the model description is not JSON ({e.msg})") from e
        if not isinstance(raw, dict):
            raise SpecError("the model description is not a JSON object")
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(raw) - known)
        if unknown:
            raise SpecError(
                f"the model description has unknown fields ({', '.join(unknown)}): a newer version made it"
            )
        return _build(cls, raw)


def _build(cls: type[ModelSpec], raw: dict[str, Any]) -> ModelSpec:
    try:
        data = dict(raw)
        height, width = (int(v) for v in data["input_size"])
        data["input_size"] = (height, width)
        data["grid"] = Grid(data["grid"])
        data["training_data"] = tuple(TrainingSet(**t) for t in data.get("training_data", ()))
        data["card"] = FactorCard(**data["card"]) if data.get("card") else None
        spec = cls(**data)
    except (KeyError, TypeError, ValueError) as e:
        raise SpecError(f"the model description is incomplete or malformed ({e})") from e
    for name, allowed in (("kind", get_args(Kind)), ("stage", get_args(Stage))):
        if getattr(spec, name) not in allowed:
            raise SpecError(
                f"the model description says {name}={getattr(spec, name)!r}; expected one of {allowed}"
            )
    if spec.stride < 1 or min(spec.input_size) < spec.size_multiple:
        raise SpecError("the model description gives an impossible stride or input size")
    return spec
