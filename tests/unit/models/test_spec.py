from __future__ import annotations

import json
from dataclasses import asdict, fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.families import ZOO
from models.grid import Grid
from models.outputs import Heatmaps, PartLabels, PartProbabilities, PersonProbability, SharedFeatures
from models.spec import FactorCard, ModelSpec, SpecError, StageSpec, TrainingSet

figures = st.dictionaries(st.text(max_size=8), st.floats(allow_nan=False, allow_infinity=False), max_size=3)
cards = st.builds(
    FactorCard, st.text(), st.text(), st.text(), st.integers(0, 10**6), figures, figures, st.booleans()
)
CORNERS = (
    StageSpec("trunk", ("image",), (SharedFeatures(count=256, stride=16, grid=Grid.CORNER),)),
    StageSpec("joints", ("features",), (Heatmaps(joints="COCO-17", stride=16, grid=Grid.CORNER),)),
)
staged = st.sampled_from([*(row.stages for row in ZOO.values()), CORNERS]).flatmap(
    lambda stages: st.tuples(st.just(stages), st.sampled_from([s.name for s in stages]))
)


def spec_of(stages: tuple[tuple[StageSpec, ...], str], **rest: object) -> ModelSpec:
    return ModelSpec(stages=stages[0], stage=stages[1], **rest)  # type: ignore[arg-type]


specs = st.builds(
    spec_of,
    staged,
    name=st.text(),
    input_size=st.tuples(st.integers(32, 4096), st.integers(32, 4096)),
    preprocessing=st.text(),
    activation=st.text(),
    parameters=st.integers(0),
    licence=st.text(),
    training_data=st.lists(st.builds(TrainingSet, st.text(), st.text()), max_size=3).map(tuple),
    siblings=st.dictionaries(st.text(max_size=8), st.text(max_size=64), max_size=3),
    card=st.none() | cards,
    size_multiple=st.integers(1, 32),
)

ONE = ModelSpec(
    name="m", stages=ZOO["factored-s31"].stages, stage="trunk", input_size=(288, 512),
    preprocessing="p", activation="relu", parameters=1, licence="GPL-3.0-or-later",
)  # fmt: skip


CARD = FactorCard("0" * 64, "0" * 64, "2026-11-20", 12, {"iou": 0.8}, {"iou": 1}, accepted=True)


@given(specs)
def test_round_trip(spec: ModelSpec) -> None:
    assert ModelSpec.from_json(spec.to_json()) == spec
    assert "\n" not in spec.to_json()


def test_a_card_names_the_person_only_where_one_was_chosen() -> None:
    """Earlier versions refuse a field that they do not know."""
    everybody = replace(ONE, card=CARD).to_json()
    assert "person" not in json.loads(everybody)["card"]
    assert ModelSpec.from_json(everybody).card == CARD
    chosen = replace(CARD, person="at 3,4 in frame 5, found by instances")
    assert ModelSpec.from_json(replace(ONE, card=chosen).to_json()).card == chosen


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "{}", '{"name": "x"}', "[" * 100_000])
def test_what_is_no_description_is_refused_in_words(text: str) -> None:
    with pytest.raises(SpecError, match="the model description"):
        ModelSpec.from_json(text)


@pytest.mark.parametrize("name", [f.name for f in fields(ModelSpec)])
def test_a_missing_field_is_refused_or_has_its_default(name: str) -> None:
    raw = json.loads(ONE.to_json())
    del raw[name]
    if name in ("training_data", "siblings", "card", "size_multiple"):
        assert ModelSpec.from_json(json.dumps(raw)) == ONE
    else:
        words = "kind" if name == "format" else name  # without a format it is read as the first
        with pytest.raises(SpecError, match=words):
            ModelSpec.from_json(json.dumps(raw))


@pytest.mark.parametrize(
    ("key", "value"),
    [("stage", "tail"), ("input_size", [16, 512]), ("input_size", 5), ("format", 3), ("stages", []),
     ("stages", [{"name": "trunk", "inputs": ["image"], "outputs": []}]),
     ("stages", [{"name": "trunk", "inputs": ["depth"], "outputs": [PersonProbability().to_dict()]}]),
     ("stages", [{"name": "trunk", "inputs": ["image"], "outputs": [{"type": "surface"}]}]),
     ("stages", [{"name": "trunk", "inputs": ["image"], "outputs": 2 * [PersonProbability().to_dict()]}]),
     ("stages", 7), ("name", 7), ("licence", None), ("parameters", "many"), ("siblings", {"trunk": 1}),
     ("card", {"frames": 1}), ("card", {**asdict(CARD), "after": None}), ("training_data", [{"name": "x"}]),
     ("card", {**asdict(CARD), "frames": "x"}), ("card", {**asdict(CARD), "before": {"iou": None}}),
     ("card", {**asdict(CARD), "created": 3})],
)  # fmt: skip
def test_an_impossible_value_is_refused(key: str, value: object) -> None:
    raw = json.loads(ONE.to_json()) | {key: value}
    with pytest.raises(SpecError, match=r"(the model|its) description"):
        ModelSpec.from_json(json.dumps(raw))


def test_unknown_fields_are_refused_so_that_nothing_is_half_understood() -> None:
    raw = json.loads(ONE.to_json()) | {"flavour": "sweet"}
    with pytest.raises(SpecError, match="flavour"):
        ModelSpec.from_json(json.dumps(raw))


FORMAT_1 = {
    "name": "anna", "kind": "factored", "stage": "factor", "part_set": "S31", "joint_set": None,
    "input_size": [384, 512], "stride": 8, "grid": "centre", "preprocessing": "inside the graph",
    "activation": "relu", "parameters": 500318, "licence": "GPL-3.0-or-later", "training_data": [],
    "siblings": {"trunk": "a"}, "size_multiple": 32, "format": 1,
    "card": {"base_trunk_sha256": "a", "clip_sha256": "b", "created": "2026-11-20", "frames": 9,
             "before": {}, "after": {}, "accepted": True},
}  # fmt: skip


def test_format_1_of_a_factor_is_read_and_written_as_format_2() -> None:
    spec = ModelSpec.from_json(json.dumps(FORMAT_1))
    assert spec.stages == ZOO["factored-s31"].stages
    assert (spec.stage, spec.part_set, spec.joint_set, spec.stride) == ("factor", "S31", None, 8)
    assert spec.card is not None
    assert (spec.factor_stage, spec.grid, spec.format) == ("factor", Grid.CENTRE, 2)
    assert ModelSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize(
    ("parts", "outputs"),
    [
        ("S31", (PartProbabilities, PartLabels)),
        ("S99", (PartProbabilities, PartLabels)),
        (None, (PersonProbability,)),
    ],
)
def test_format_1_of_a_network(parts: str | None, outputs: tuple[type, ...]) -> None:
    old = FORMAT_1 | {"kind": "network", "stage": "network", "part_set": parts, "stride": 4, "grid": "corner"}
    spec = ModelSpec.from_json(json.dumps(old))
    assert spec.stage_names == ("network",)
    assert tuple(type(o) for o in spec.outputs) == outputs
    assert (spec.part_set, spec.stride, spec.grid, spec.factor_stage) == (parts, 4, Grid.CORNER, None)


@pytest.mark.parametrize(
    ("key", "value"), [("kind", "pose"), ("stride", 0), ("stride", "far"), ("grid", "middle"), ("flavour", 1)]
)
def test_an_impossible_value_of_format_1_is_refused(key: str, value: object) -> None:
    with pytest.raises(SpecError, match="the model description"):
        ModelSpec.from_json(json.dumps(FORMAT_1 | {key: value}))


def test_a_spec_is_a_value() -> None:
    assert replace(ONE, stage="head") != ONE
    with pytest.raises(AttributeError):
        ONE.name = "other"  # type: ignore[misc]
