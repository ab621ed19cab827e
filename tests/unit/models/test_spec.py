from __future__ import annotations

import json
from dataclasses import asdict, fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.families import ZOO
from models.grid import Grid, Sides
from models.outputs import Heatmaps, PartLabels, PartProbabilities, PersonProbability, SharedFeatures
from models.spec import (
    FactorCard,
    ModelSpec,
    SpecError,
    StageSpec,
    TrainingSet,
    outputs_by_name,
    sides_of,
)

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
    assert spec.to_json() == json.dumps(json.loads(spec.to_json()), sort_keys=True), "one line, keys sorted"


NOT_MINE = "the model description"


def test_what_a_description_says_of_the_whole_model() -> None:
    assert (ONE.own_stage.name, ONE.factor_stage, ONE.part_set, ONE.joint_set) == (
        "trunk",
        "factor",
        "S31",
        None,
    )
    assert [o.name for o in ONE.outputs] == ["person", "parts", "labels"]
    assert set(outputs_by_name(ONE.stages)) == {"features", "person", "parts", "labels"}
    assert (ONE.stride, ONE.sides, ONE.grid, ONE.format) == (8, Sides(32, Grid.CENTRE), Grid.CENTRE, 2)
    assert replace(ONE, stages=ONE.stages[:1]).stride == 1, "features alone are for other stages"
    people = replace(ONE, stages=ZOO["people-s31"].stages)
    assert (people.part_set, people.joint_set) == ("S31", "COCO-17")
    assert replace(ONE, stages=ONE.stages[:2]).factor_stage is None, "a silhouette that nothing is shown"
    corners = replace(ONE, stages=ZOO["personlab-resnet50"].stages, stage="network", size_multiple=16)
    assert (corners.stride, corners.sides, corners.factor_stage) == (16, Sides(16, Grid.CORNER), None)


def test_sides_that_stages_take() -> None:
    assert sides_of(ZOO["factored-s31"].stages) == Sides(32, Grid.CENTRE)
    assert sides_of(ZOO["pil-hg2"].stages) == Sides(64, Grid.CENTRE)
    assert sides_of(CORNERS) == Sides(16, Grid.CORNER)
    fine = replace(CORNERS[0], outputs=(SharedFeatures(stride=4, grid=Grid.CORNER),))
    assert sides_of((fine, CORNERS[1])) == Sides(16, Grid.CORNER)


def test_what_can_be_and_what_cannot() -> None:
    assert replace(ONE, input_size=(32, 32)).input_size == (32, 32)
    assert replace(CORNERS[0], multiple=64) == CORNERS[0]
    for change, words in (
        ({"input_size": (31, 64)}, "gives an impossible input size"),
        ({"input_size": (64, 31)}, "gives an impossible input size"),
        ({"stage": "tail"}, r"says stage='tail'; expected one of \('trunk', 'factor', 'head'\)"),
        ({"stages": ONE.stages[1:]}, "feeds its stage factor with what no stage gives"),
    ):
        with pytest.raises(SpecError, match=f"^{NOT_MINE} {words}$"):
            replace(ONE, **change)  # type: ignore[arg-type]
    person = PersonProbability()
    for inputs, outputs in (((), (person,)), (("image",), ()), (("image",), (person, person))):
        with pytest.raises(SpecError, match=f"^{NOT_MINE} gives its stage all inputs"):
            StageSpec("all", inputs, outputs)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", r"is not JSON \(Expecting property name enclosed in double quotes\)"),
        ("[]", "is not a JSON object"),
        ("[" * 100_000, "is nested too deep"),
        ('{"format": 2, "age": 1, "a": 2}', r"has unknown fields \(a, age\): a newer version made it"),
        ('{"format": 3}', "has format 3: a newer version made it"),
        ('{"format": 2}', r"is incomplete or malformed \('input_size'\)"),
        ('{"name": "m"}', r"is incomplete or malformed \('kind'\)"),
    ],
)
def test_reasons_are_said(text: str, words: str) -> None:
    with pytest.raises(SpecError, match=f"^{NOT_MINE} {words}$"):
        ModelSpec.from_json(text)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": 7}, "`name` holds 7, which is not text"),
        ({"parameters": "many"}, "`parameters` holds 'many', which is not a whole number"),
        ({"siblings": {"trunk": 1}}, "`siblings` holds 1, which is not text"),
        ({"card": {"accepted": "yes"}}, "`accepted` holds 'yes', which is not true or false"),
        ({"card": {"after": {"iou": "good"}}}, "`after` holds 'good', which is not a number"),
        ({"licence": list(range(99))}, "`licence` holds [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,"
         " 15, 16, 1, which is not text"),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_named(change: dict[str, object], words: str) -> None:
    raw = json.loads(replace(ONE, card=CARD).to_json())
    for key, value in change.items():
        raw[key] = {**raw[key], **value} if isinstance(value, dict) else value
    with pytest.raises(SpecError) as refused:
        ModelSpec.from_json(json.dumps(raw))
    assert str(refused.value) == f"its description is damaged: {words}"


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
    assert {(o.stride, o.grid) for o in spec.outputs} == {(4, Grid.CORNER)}
    assert spec.stages[0].inputs == ("image",)


@pytest.mark.parametrize(
    ("key", "value"), [("kind", "pose"), ("stride", 0), ("stride", "far"), ("grid", "middle"), ("flavour", 1)]
)
def test_an_impossible_value_of_format_1_is_refused(key: str, value: object) -> None:
    with pytest.raises(SpecError, match="the model description"):
        ModelSpec.from_json(json.dumps(FORMAT_1 | {key: value}))


def test_a_kind_that_format_1_did_not_know_is_named() -> None:
    with pytest.raises(SpecError, match=r"says kind='pose'; expected factored or network$"):
        ModelSpec.from_json(json.dumps(FORMAT_1 | {"kind": "pose"}))


def test_a_spec_is_a_value() -> None:
    assert replace(ONE, stage="head") != ONE
    for value in (ONE, CARD, CORNERS[0], TrainingSet("x", "y")):
        with pytest.raises(AttributeError):
            value.name = "other"  # type: ignore[misc, union-attr]
