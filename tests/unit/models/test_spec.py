from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.grid import Grid
from models.labels import JOINT_SETS, PART_SETS
from models.spec import FactorCard, ModelSpec, SpecError, TrainingSet

figures = st.dictionaries(st.text(max_size=8), st.floats(allow_nan=False, allow_infinity=False), max_size=3)
cards = st.builds(
    FactorCard, st.text(), st.text(), st.text(), st.integers(0, 10**6), figures, figures, st.booleans()
)
specs = st.builds(
    ModelSpec,
    name=st.text(),
    kind=st.sampled_from(("factored", "network")),
    stage=st.sampled_from(("trunk", "factor", "head", "network")),
    part_set=st.sampled_from((None, *PART_SETS)),
    joint_set=st.sampled_from((None, *JOINT_SETS)),
    input_size=st.tuples(st.integers(32, 4096), st.integers(32, 4096)),
    stride=st.integers(1, 64),
    grid=st.sampled_from(Grid),
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
    name="m", kind="factored", stage="trunk", part_set="S31", joint_set=None, input_size=(288, 512), stride=8,
    grid=Grid.CENTRE, preprocessing="p", activation="relu", parameters=1, licence="GPL-3.0-or-later",
)  # fmt: skip


@given(specs)
def test_round_trip(spec: ModelSpec) -> None:
    assert ModelSpec.from_json(spec.to_json()) == spec
    assert "\n" not in spec.to_json()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "{}", '{"name": "x"}'])
def test_what_is_no_description_is_refused_in_words(text: str) -> None:
    with pytest.raises(SpecError, match="the model description"):
        ModelSpec.from_json(text)


@pytest.mark.parametrize("name", [f.name for f in fields(ModelSpec)])
def test_a_missing_field_is_refused_or_has_its_default(name: str) -> None:
    raw = json.loads(ONE.to_json())
    del raw[name]
    optional = ("training_data", "siblings", "card", "size_multiple", "format")
    if name in optional:
        assert ModelSpec.from_json(json.dumps(raw)) == ONE
    else:
        with pytest.raises(SpecError, match=name):
            ModelSpec.from_json(json.dumps(raw))


@pytest.mark.parametrize(
    ("key", "value"),
    [("kind", "pose"), ("stage", "tail"), ("stride", 0), ("input_size", [16, 512]), ("input_size", 5),
     ("grid", "middle"), ("card", {"frames": 1}), ("training_data", [{"name": "x"}])],
)  # fmt: skip
def test_an_impossible_value_is_refused(key: str, value: object) -> None:
    raw = json.loads(ONE.to_json()) | {key: value}
    with pytest.raises(SpecError, match="the model description"):
        ModelSpec.from_json(json.dumps(raw))


def test_unknown_fields_are_refused_so_that_nothing_is_half_understood() -> None:
    raw = json.loads(ONE.to_json()) | {"flavour": "sweet"}
    with pytest.raises(SpecError, match="flavour"):
        ModelSpec.from_json(json.dumps(raw))


def test_a_spec_is_a_value() -> None:
    assert replace(ONE, stage="head") != ONE
    with pytest.raises(AttributeError):
        ONE.name = "other"  # type: ignore[misc]
