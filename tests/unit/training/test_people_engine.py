"""What a user says of the model that is scored, and what comes of it."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import pytest

from models.codecs.affinity_fields import AffinityFieldsCodec, LimbAssembly
from models.codecs.decoding import Decoding
from models.codecs.person_centres import CentreGrouping, PersonCentresCodec
from models.codecs.personlab import PersonLabCodec
from models.codecs.registry import CODECS
from models.outputs import AffinityFields, CentreOffsets, Heatmaps, JointDisks, Output
from runtime.engine.augmentation import ONE, Views
from runtime.engine.engine import Engine, load_engine
from runtime.system.errors import Refusal
from tests import drawn_people
from training.people_engine import add_arguments, decoded_by, engine_of, pyramid


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn_people.bundle(tmp_path_factory.mktemp("models") / "drawn")


def told(model: Path, *words: str) -> Engine:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return engine_of(parser.parse_args([str(model), *words]))


def test_left_out_all_is_the_models_own_and_ours(drawn: Path) -> None:
    engine, own = told(drawn), load_engine(drawn, device="cpu")
    assert (engine.size, engine.views, engine.name) == (own.size, ONE, "drawn")
    assert engine.codecs[JointDisks] == PersonLabCodec(Decoding())
    assert dict(engine.codecs) == {**CODECS, JointDisks: PersonLabCodec(Decoding(keep=20))}


def test_what_the_ablations_change_is_told(drawn: Path) -> None:
    engine = told(drawn, "--size", "128", "--views", "2", "--scoring", "hough", "--nms", "hard",
                  "--no-refinement", "--proposals", "1")  # fmt: skip
    assert (engine.size.box, engine.views) == ((128, 128), Views(mirrored=True))
    wanted = Decoding(scoring="hough", nms="hard", refinement=False, keep=1)
    assert engine.codecs[JointDisks] == PersonLabCodec(wanted)
    seen = told(drawn, "--scales", "64,256,128,256")
    assert (seen.size.box, seen.views) == ((256, 256), Views((1.0, 0.5, 0.25)))


def test_a_pyramid_is_a_share_of_its_largest_picture() -> None:
    size, views = pyramid("601,1201,1801,2401")
    assert size.box == (2401, 2401)
    assert views == Views((1.0, 1801 / 2401, 1201 / 2401, 601 / 2401))
    with pytest.raises(Refusal, match="it is not a number of pixels"):
        pyramid("601,x")


def test_at_least_one_person_is_kept_and_sizes_exclude_each_other(drawn: Path) -> None:
    with pytest.raises(Refusal, match=r"--proposals 0.*at least one person must be kept"):
        told(drawn, "--proposals", "0")
    with pytest.raises(SystemExit):
        told(drawn, "--size", "64", "--scales", "64")


def finding(drawn: Path, *outputs: Output) -> Engine:
    """An engine that says it has these outputs."""
    engine = load_engine(drawn, device="cpu")
    (stage,) = engine.spec.stages
    return replace(engine, spec=replace(engine.spec, stages=(replace(stage, outputs=outputs),)))


def test_of_other_models_the_number_of_people_is_told(drawn: Path) -> None:
    heat, few = Heatmaps(joints="COCO-17"), Decoding(scoring="hough", keep=3)
    limbs = decoded_by(finding(drawn, heat, AffinityFields(joints="COCO-17")), few)
    assert dict(limbs.codecs) == {**CODECS, AffinityFields: AffinityFieldsCodec(LimbAssembly(keep=3))}
    centres = decoded_by(finding(drawn, heat, CentreOffsets(joints="COCO-17")), few)
    assert dict(centres.codecs) == {**CODECS, CentreOffsets: PersonCentresCodec(CentreGrouping(keep=3))}
    with pytest.raises(Refusal, match=r"model drawn.*it does not tell people apart"):
        decoded_by(finding(drawn, heat), few)
