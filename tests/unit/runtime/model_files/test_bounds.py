"""Bounds on files that nobody vouches for: time, memory, bytes read, and words of theirs that are shown."""

from __future__ import annotations

import json
import os
import random
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import onnx
import pytest

from models.spec import FactorCard
from runtime.engine.engine import load_engine
from runtime.library import models
from runtime.library.models import find_model, load_bundle
from runtime.model_files import admission, trial
from runtime.model_files.graph import StructureError, check_structure
from runtime.model_files.metadata import describe
from runtime.system.errors import Refusal
from tests.unit.runtime.model_files import crafted, hostile
from tests.unit.runtime.model_files.test_admission import _peak_mb, refusal, written


def test_names_in_a_graph_steer_no_terminal(tmp_path: Path) -> None:
    for name, words in (("Sig\x1b[2Jmoid", "Sig?[2Jmoid"), ("Tele\x07port", "Tele?port")):
        text = refusal(written(tmp_path, hostile.edited(lambda m, n=name: _rename_last(m, n))))
        assert words in text
        assert text.isprintable()


def test_what_the_runtime_prints_is_no_part_of_the_answer() -> None:
    """A name that is no UTF-8: the runtime complains on standard output."""
    whole = crafted.network("person")
    broken = whole.replace(b"\x0a\x01z\x12\x06person", b"\x0a\x01\xd0\x12\x06person")
    assert broken != whole
    assert "the runtime cannot load it" in admission.try_in_child({"network": broken})


def _rename_last(made: onnx.ModelProto, name: str) -> None:
    made.graph.node[-1].op_type = name


@pytest.mark.parametrize("number", ["opset", "format"])
def test_e09_a_file_for_a_newer_runtime_says_so(tmp_path: Path, number: str) -> None:
    assert "newer version" in refusal(written(tmp_path, hostile.newer(number)))


@pytest.mark.parametrize("seed", range(4))
def test_flipped_cut_and_repeated_bytes_are_refused_or_harmless(seed: int) -> None:
    """Reading alone; what passes it is tried in the child."""
    rng, whole = random.Random(seed), crafted.personalised(crafted.trunk())
    for _ in range(150):
        mutant = bytearray(whole)
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(mutant))
            mutant[at : at + rng.choice((1, 1, 1, 40))] = rng.randbytes(rng.choice((0, 1, 1, 9)))
        with suppress(Refusal):
            describe("mutant", bytes(mutant))
        with suppress(StructureError):
            check_structure(bytes(mutant))


# What passes at the sizes of a trial and costs everything at those in use


@pytest.mark.parametrize("case", hostile.GROWING)
def test_a_factor_that_grows_with_the_picture_is_refused(tmp_path: Path, case: str) -> None:
    build, words = hostile.GROWING[case]
    folder, path = crafted.bundle(tmp_path / "tiny"), tmp_path / "grows.factor.onnx"
    path.write_bytes(build((folder / "trunk.onnx").read_bytes()))
    before = _peak_mb()
    with pytest.raises(Refusal, match=words):
        load_engine(folder, factor=path)
    assert _peak_mb() - before < 100


@pytest.mark.parametrize("number", [1, 2])
def test_a_personalised_factor_of_either_format_is_admitted(tmp_path: Path, number: int) -> None:
    """Of the shipped model, as earlier versions described it and as this one does."""
    own = find_model("factored-s31").files
    description = json.loads(describe("factor.onnx", own["factor"].read_bytes()).to_json())
    trunk = models.sha256(own["trunk"].read_bytes())
    card = FactorCard(trunk, "", "2026-01-01", 9, {"iou": 0.8}, {"iou": 0.9}, accepted=True)
    description |= {"name": "ann", "card": asdict(card), "siblings": {"trunk": trunk}}
    if number == 1:
        del description["stages"]
        description |= {"format": 1, "kind": "factored", "part_set": "S31", "joint_set": None}
        description |= {"stride": 8, "grid": "centre"}
    path = tmp_path / "ann.factor.onnx"
    path.write_bytes(hostile.described(json.dumps(description), own["factor"].read_bytes()))
    assert load_engine("factored-s31", factor=path).factor_name == "ann"


def test_a_large_picture_takes_no_longer_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "LIMIT_S", 0.0)
    assert "more than 0 s" in trial.reason_against({"network": crafted.network("person")})


@pytest.mark.parametrize("sides", [(64, 96), (928, 928)])
def test_the_sizes_in_use_are_tried(monkeypatch: pytest.MonkeyPatch, sides: tuple[int, int]) -> None:
    seen = []
    monkeypatch.setattr(trial, "probabilities", lambda v: seen.append(v.shape))
    assert trial.reason_against({"network": crafted.network("person")}) == ""
    assert (1, 1, sides[0] // 8, sides[1] // 8) in seen


@pytest.mark.parametrize(
    "entry", [b"\x18\x01" * (10 << 20), b"\x0a\x00" * (10 << 20)], ids=["numbers", "spans"]
)
def test_a_description_of_millions_of_fields_is_refused_soon(tmp_path: Path, entry: bytes) -> None:
    path, started_s = written(tmp_path, hostile.with_metadata(entry)), time.process_time()
    assert "more fields than a model" in refusal(path)
    assert time.process_time() - started_s < 5


@pytest.mark.parametrize("kind", ["pipe", "device", "large"])
def test_sums_that_are_no_small_file_are_refused_at_once(tmp_path: Path, kind: str) -> None:
    sums = crafted.bundle(tmp_path / "tiny") / "SHA256SUMS"
    sums.unlink()
    if kind == "pipe":
        os.mkfifo(sums)
    elif kind == "device":
        sums.symlink_to("/dev/zero")
    else:
        sums.write_bytes(b"\n" * (2 << 20))
    with pytest.raises(Refusal, match=r"SHA256SUMS of tiny.*(not a regular file|more than)"):
        load_bundle(find_model(tmp_path / "tiny"))
