"""ModelSpec: the one description of a model, stored as JSON in the metadata of every ONNX file.

Nothing else in the project states a mean, a stride, a label or a skeleton a second time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from models.grid import Grid, Sides
from models.outputs import (
    JointOutput,
    Output,
    OutputError,
    PartLabels,
    PartProbabilities,
    PersonProbability,
    SharedFeatures,
    output_from_dict,
)

METADATA_KEY = "xfactor.spec"
FORMAT = 2
IMAGE = "image"  # the input of a model's first stage: (b, h, w, 3) uint8 RGB
PERSON = PersonProbability.type


class SpecError(ValueError):
    """The metadata of a model file is absent or does not describe a model."""


@dataclass(frozen=True)
class TrainingSet:
    """A data set a model was trained on, with its licence in words."""

    name: str
    licence: str


@dataclass(frozen=True)
class FactorCard:
    """Origin of a personalised factor, and the figures of its gate."""

    base_trunk_sha256: str
    clip_sha256: str
    created: str  #: ISO date
    frames: int
    before: dict[str, float]
    after: dict[str, float]
    accepted: bool
    person: str = ""  #: who was chosen, and how; empty: everybody in sight


@dataclass(frozen=True)
class StageSpec:
    """One graph of a model, which is a file of its own: `<name>.onnx`.

    Raises:
        SpecError: when it has no input or no output, or two outputs of one name.
    """

    name: str
    inputs: tuple[str, ...]  #: `IMAGE`, or outputs of stages before
    outputs: tuple[Output, ...]
    multiple: int = field(default=32, compare=False)  #: of the picture's sides; a file says it once, of all

    def __post_init__(self) -> None:
        names = [o.name for o in self.outputs]
        if not self.inputs or not names or len(set(names)) < len(names):
            raise SpecError(
                f"the model description gives its stage {self.name} inputs {self.inputs}, outputs {names}"
            )


def outputs_by_name(stages: Sequence[StageSpec]) -> dict[str, Output]:
    """Every output of some stages, features too."""
    return {o.name: o for s in stages for o in s.outputs}


def sides_of(stages: Sequence[StageSpec]) -> Sides:
    """Sides that the input of these stages may have: multiples of 32 or more, but on corners."""
    corners = [o.stride for o in outputs_by_name(stages).values() if o.grid is Grid.CORNER]
    if corners:
        return Sides(max(corners), Grid.CORNER)
    return Sides(max(s.multiple for s in stages))


def _written(stage: StageSpec) -> dict[str, object]:
    """A stage as JSON says it."""
    outputs = [o.to_dict() for o in stage.outputs]
    return {"name": stage.name, "inputs": stage.inputs, "outputs": outputs}


@dataclass(frozen=True)
class ModelSpec:
    """Everything an engine must know to run a model.

    Raises:
        SpecError: when a value is impossible, and from `from_json`, naming the field that is wrong.
    """

    name: str
    stages: tuple[StageSpec, ...]  #: of the whole model, in the order of the data
    stage: str  #: the name of the one in this file
    input_size: tuple[int, int]  #: (height, width) of the box that pictures are fitted into, px
    preprocessing: str  #: in words; it happens inside the graph
    activation: str
    parameters: int  #: of the whole model
    licence: str
    training_data: tuple[TrainingSet, ...] = ()
    siblings: dict[str, str] = field(
        default_factory=dict
    )  #: stage → sha256 of the files this one belongs with
    card: FactorCard | None = None  #: only in a personalised factor
    size_multiple: int = 32  #: of input height and width, without the pixel more of a corner grid
    format: int = FORMAT

    def __post_init__(self) -> None:
        known = {IMAGE}
        for stage in self.stages:
            if not known.issuperset(stage.inputs):
                raise SpecError(
                    f"the model description feeds its stage {stage.name} with what no stage gives"
                )
            known |= {o.name for o in stage.outputs}
        if self.stage not in self.stage_names:
            raise SpecError(
                f"the model description says stage={self.stage!r}; expected one of {self.stage_names}"
            )
        if min(self.input_size) < self.size_multiple:
            raise SpecError("the model description gives an impossible input size")

    @property
    def stage_names(self) -> tuple[str, ...]:
        """The stages, in the order of the data."""
        return tuple(s.name for s in self.stages)

    @property
    def own_stage(self) -> StageSpec:
        """The stage in this file."""
        return next(s for s in self.stages if s.name == self.stage)

    @property
    def outputs(self) -> tuple[Output, ...]:
        """Outputs of all stages, features apart."""
        return tuple(o for s in self.stages for o in s.outputs if not isinstance(o, SharedFeatures))

    @property
    def factor_stage(self) -> str | None:
        """The stage whose P(person) goes into another one: the X factor, which can be replaced."""
        if not any(PERSON in s.inputs for s in self.stages):
            return None
        return next(s.name for s in self.stages if PERSON in (o.name for o in s.outputs))

    @property
    def part_set(self) -> str | None:
        """The key of its body parts, if it gives parts."""
        return next((o.parts for o in self.outputs if isinstance(o, PartProbabilities)), None)

    @property
    def joint_set(self) -> str | None:
        """The key of its joints, if it gives joints."""
        return next((o.joints for o in self.outputs if isinstance(o, JointOutput)), None)

    @property
    def stride(self) -> int:
        """Input pixels per cell of its coarsest output."""
        return max((o.stride for o in self.outputs), default=1)

    @property
    def sides(self) -> Sides:
        """Sides that its input may have."""
        return Sides(self.size_multiple, self.grid)

    @property
    def grid(self) -> Grid:
        """The convention for the centres of cells: corners if any output has it."""
        return Grid.CORNER if any(o.grid is Grid.CORNER for o in self.outputs) else Grid.CENTRE

    def to_json(self) -> str:
        """One line of JSON, keys sorted."""
        raw = {**asdict(self), "stages": [_written(s) for s in self.stages]}
        if self.card is not None and not self.card.person:
            del raw["card"]["person"]  # as earlier versions know it
        return json.dumps(raw, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ModelSpec:
        """Read what `to_json` wrote, now or in format 1; unknown keys are refused: a newer format."""
        try:
            raw = json.loads(text)
        except json.JSONDecodeError as e:
            raise SpecError(f"the model description is not JSON ({e.msg})") from e
        except RecursionError as e:
            raise SpecError("the model description is nested too deep") from e
        if not isinstance(raw, dict):
            raise SpecError("the model description is not a JSON object")
        try:
            if raw.get("format", 1) == 1:
                raw = _from_format_1(raw)
            unknown = sorted(set(raw) - {f.name for f in fields(cls)})
            if unknown or raw["format"] != FORMAT:
                which = f"unknown fields ({', '.join(unknown)})" if unknown else f"format {raw['format']}"
                raise SpecError(f"the model description has {which}: a newer version made it")
            return _build(cls, raw)
        except OutputError as e:
            raise SpecError(f"the model description cannot be used: {e}") from e
        except (AttributeError, KeyError, TypeError, ValueError) as e:
            if isinstance(e, SpecError):
                raise
            raise SpecError(f"the model description is incomplete or malformed ({e})") from e


def _build(cls: type[ModelSpec], raw: dict[str, Any]) -> ModelSpec:
    data = dict(raw)
    height, width = (int(v) for v in data["input_size"])
    data["input_size"] = (height, width)
    data["stages"] = tuple(
        StageSpec(s["name"], tuple(s["inputs"]), tuple(output_from_dict(o) for o in s["outputs"]))
        for s in data["stages"]
    )
    data["training_data"] = tuple(
        TrainingSet(**_typed(TrainingSet, t)) for t in data.get("training_data", ())
    )
    data["card"] = FactorCard(**_typed(FactorCard, data["card"])) if data.get("card") else None
    return cls(**_typed(cls, data))


#: What JSON may hold where a field says so; other fields are built, and checked there.
_KINDS: dict[str, tuple[type, ...]] = {"str": (str,), "bool": (bool,), "int": (int,), "float": (int, float)}
_WORDS = {"str": "text", "bool": "true or false", "int": "a whole number", "float": "a number"}


def _typed(cls: type[Any], raw: dict[str, Any]) -> dict[str, Any]:
    """The values of a dataclass, each of the kind that its field says."""
    for field_ in fields(cls):
        inner = field_.type.removeprefix("dict[str, ").removesuffix("]")
        if field_.name not in raw or inner not in _KINDS:
            continue
        value = raw[field_.name]
        for one in value.values() if inner != field_.type else (value,):
            if not isinstance(one, _KINDS[inner]):
                found = f"`{field_.name}` holds {one!r:.60}"
                raise SpecError(f"its description is damaged: {found}, which is not {_WORDS[inner]}")
    return raw


def _from_format_1(raw: dict[str, Any]) -> dict[str, Any]:
    """Format 1 knew two kinds of model: trunk, factor and head, or one network with parts or a silhouette."""
    old = ("kind", "part_set", "joint_set", "stride", "grid")
    kind, parts, _, stride, grid = (raw[k] for k in old)
    s, g = int(stride), Grid(grid)
    person = PersonProbability(stride=s, grid=g)
    dense: tuple[Output, ...] = ()
    if parts is not None:
        dense = PartProbabilities(parts=parts, stride=s, grid=g), PartLabels(parts=parts, stride=s, grid=g)
    stages: tuple[StageSpec, ...]
    if kind == "factored":
        stages = (
            StageSpec("trunk", (IMAGE,), (SharedFeatures(stride=s, grid=g),)),
            StageSpec("factor", ("features",), (person,)),
            StageSpec("head", ("features", PERSON), dense),
        )
    elif kind == "network":
        stages = (StageSpec("network", (IMAGE,), dense or (person,)),)
    else:
        raise SpecError(f"the model description says kind={kind!r}; expected factored or network")
    rest = {k: v for k, v in raw.items() if k not in old}
    return {**rest, "stages": [_written(stage) for stage in stages], "format": FORMAT}
