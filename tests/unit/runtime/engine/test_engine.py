from __future__ import annotations

import itertools
import json
import threading
from dataclasses import FrozenInstanceError, asdict, replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from models.labels import S31
from models.spec import FactorCard
from runtime.engine.augmentation import ONE, SIX
from runtime.engine.detail import FULL
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.engine.sessions import NoResultError
from runtime.engine.temporal import Smoother
from runtime.library.factors import user_factors
from runtime.library.models import find_model, list_models
from runtime.silhouettes.other_network import load_network
from runtime.system.errors import Refusal
from tests.unit.runtime.engine.fixed import Fixed
from tests.unit.runtime.model_files import crafted


def test_a_frame_becomes_labels(engine: Engine) -> None:
    result = engine.parsing(crafted.frame(1280, 720))
    assert result.part_set is S31
    assert result.size == (1280, 720)
    assert result.labels.shape == result.person.shape == result.confidence.shape == (56, 96)
    assert result.labels.max() < S31.classes
    assert not result.labels.flags.writeable
    assert engine.provider == "CPU"
    assert (engine.name, engine.factor_name, engine.notice) == ("tiny", "own factor", "")


@pytest.mark.parametrize("picture", [(1, 1), (1, 8192), (8192, 1), (5, 3), (338, 512), (640, 480)])
def test_any_picture_size(engine: Engine, picture: tuple[int, int]) -> None:
    for shown in (engine, engine.with_detail(FULL)):
        result = shown.parsing(crafted.frame(*picture))
        assert result.size == picture
        assert max(result.labels.shape) <= 1920
    if max(picture) <= 1920:
        assert result.labels.shape == picture[::-1]


def test_full_detail_is_the_displayed_picture(engine: Engine) -> None:
    assert engine.with_detail(FULL).parsing(crafted.frame(333, 177)).labels.shape == (177, 333)
    assert engine.with_size(NetworkSize(64)).parsing(crafted.frame(128, 64)).labels.shape == (32, 64)


def test_an_engine_is_frozen_and_each_has_its_id(engine: Engine) -> None:
    with pytest.raises(FrozenInstanceError):
        engine.source = Fixed(1)  # type: ignore[misc]
    others = [engine.with_factor(Fixed(1)), engine.with_size(NetworkSize(64)), replace(engine)]
    assert len({e.id for e in (engine, *others)}) == 4
    assert others[0].stages is engine.stages


def test_the_silhouette_given_is_the_silhouette_shown(engine: Engine) -> None:
    for value in (0.0, 0.6, 1.0):
        result = engine.with_factor(Fixed(value)).parsing(crafted.frame())
        assert np.abs(result.person.astype(int) - round(255 * value)).max() <= 1


def test_a_personalised_factor_changes_the_result_and_back(engine: Engine, tmp_path: Path) -> None:
    trunk = engine.stages.sessions[0].data
    file = tmp_path / "anna.factor.onnx"
    file.write_bytes(crafted.personalised(trunk, bias=3))
    frame = crafted.frame()
    own = engine.parsing(frame).person
    swapped = engine.with_factor(engine.load_factor(file))
    assert swapped.factor_name == "anna"
    assert (swapped.parsing(frame).person != own).any()
    assert (swapped.with_factor(None).parsing(frame).person == own).all()
    assert (
        load_engine(tmp_path / "tiny", factor=file).parsing(frame).person == swapped.parsing(frame).person
    ).all()


def test_e14_a_factor_for_another_trunk_is_refused_in_words(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "bob.factor.onnx"
    file.write_bytes(crafted.personalised(crafted.trunk(seed=8)))
    with pytest.raises(Refusal, match="another trunk"):
        engine.load_factor(file)
    file.write_bytes(engine.stages.sessions[0].data)
    with pytest.raises(Refusal, match="trunk stage"):
        engine.load_factor(file)


def test_the_users_library_of_factors(engine: Engine, tmp_path: Path, user_home: Path) -> None:
    trunk = engine.stages.sessions[0].data
    file = tmp_path / "anna.factor.onnx"
    file.write_bytes(crafted.personalised(trunk))
    library = user_factors()
    assert library.factors() == []
    assert library.add(file, trunk).name == "anna"
    assert library.add(file, trunk, "Anna 2").path.stat().st_mode & 0o777 == 0o600
    assert [f.name for f in library.factors()] == ["Anna 2", "anna"]
    assert user_home in library.find("anna").path.parents
    assert engine.with_factor(engine.load_factor("anna")).factor_name == "anna"
    with pytest.raises(Refusal, match="already has one"):
        library.add(file, trunk)
    for name in ("../escape", "", "a/b", ".hidden", "x" * 99):
        with pytest.raises(Refusal, match="file name"):
            library.add(file, trunk, name or "/")
    library.remove("anna")
    assert [f.name for f in library.factors()] == ["Anna 2"]
    for name in ("anna", "../anna", "*"):
        with pytest.raises(Refusal, match="not in the library"):
            library.remove(name)
    with pytest.raises(Refusal, match="Choose one of: Anna 2"):
        library.find("anna")


def test_models_are_listed_and_the_shipped_one_is_there() -> None:
    names = [m.name for m in list_models()]
    assert "factored-s31" in names
    with pytest.raises(Refusal, match="factored-s31"):
        load_engine("no-such-model")


# G09: no result


class Broken:
    """A stage whose output is replaced."""

    def __init__(self, real: object, output: object) -> None:
        self.real, self.output = real, output
        self.notice = ""

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    def run(self, feeds: object, outputs: tuple[str, ...]) -> list[object]:
        return [self.output(r) for r in self.real.run(feeds, outputs)]  # type: ignore[attr-defined,operator]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0, 3.0])
@pytest.mark.parametrize("stage", ["factor", "head"])
def test_no_probabilities_are_no_result(engine: Engine, stage: str, bad: float) -> None:
    def spoil(values: np.ndarray) -> np.ndarray:
        values = values.copy()
        values.flat[7] = bad
        return values

    stages = replace(engine.stages, **{stage: Broken(getattr(engine.stages, stage), spoil)})  # type: ignore[type-var]
    broken = replace(engine, stages=stages, source=stages.own_source())
    smoother = Smoother()
    for i in range(3):
        with pytest.raises(NoResultError, match="not a probability"):
            broken.parsing(crafted.frame(index=i), smoother)
    assert engine.parsing(crafted.frame(index=4), smoother) is not None


def test_a_wrong_shape_is_no_result(engine: Engine) -> None:
    stages = replace(engine.stages, head=Broken(engine.stages.head, lambda p: p[:, :9]))  # type: ignore[type-var,attr-defined]
    with pytest.raises(NoResultError, match="description says"):
        replace(engine, stages=stages).parsing(crafted.frame())


# What a source does not deliver


def test_a_lost_mask_is_held_then_blank(engine: Engine) -> None:
    source = Fixed(0.8)
    shown = engine.with_factor(source)
    assert shown.parsing(crafted.frame(pts_s=10.0)).person.min() > 200
    source.value = None
    assert shown.parsing(crafted.frame(pts_s=10.9)).person.min() > 200
    assert "showing the last mask" in shown.notice
    assert shown.parsing(crafted.frame(pts_s=11.1)).person.max() == 0
    assert "nothing is shown" in shown.notice
    assert "nothing came" in shown.notice
    source.value = 0.8
    assert shown.parsing(crafted.frame(pts_s=11.2)).person.min() > 200
    assert shown.notice == ""


def test_a_held_mask_never_goes_to_another_picture(engine: Engine) -> None:
    source = Fixed(1.0)
    shown = engine.with_factor(source)
    shown.parsing(crafted.frame(pts_s=0.0))
    source.value = None
    for other in (crafted.frame(pts_s=0.0), crafted.frame(64, 64, pts_s=0.1), crafted.frame(pts_s=-1.0)):
        assert shown.parsing(other).person.max() == 0


# Other networks


def test_a_network_without_a_factor_obeys_a_silhouette(tmp_path: Path) -> None:
    path = tmp_path / "whole.onnx"
    path.write_bytes(crafted.network("parts"))
    engine = load_engine(path)
    plain = engine.parsing(crafted.frame())
    assert engine.factor_name == "own silhouette"
    assert (engine.with_factor(Fixed(1.0)).parsing(crafted.frame()).labels > 0).all()
    assert (engine.with_factor(Fixed(0.0)).parsing(crafted.frame()).labels == 0).all()
    # Its own silhouette, imposed, changes nothing.
    request = engine.stages.features(crafted.frame().image[None])
    parts = request["parts"][0]
    assert np.allclose(engine.stages.maps(request, (1 - parts[0])[None])["parts"][0], parts, atol=1e-6)
    assert plain.labels.shape == (64, 96)


@pytest.mark.parametrize("output", ["person", "parts"])
def test_another_network_as_a_silhouette(engine: Engine, tmp_path: Path, output: str) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(crafted.network(output))
    source = load_network(path)
    shown = engine.with_factor(source)
    assert shown.factor_name == "other"
    assert shown.parsing(crafted.frame()).person.std() > 0
    assert source.sessions[0] in shown.sessions


def test_another_bundle_as_a_silhouette(engine: Engine, tmp_path: Path) -> None:
    other = load_network(crafted.bundle(tmp_path / "second", seed=40))
    assert (
        engine.with_factor(other).parsing(crafted.frame()).person != engine.parsing(crafted.frame()).person
    ).any()


def test_a_silhouette_network_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "fb.onnx"
    path.write_bytes(crafted.network("person"))
    with pytest.raises(Refusal, match="X factor"):
        load_engine(path)


# G10


@pytest.mark.slow
def test_a_thousand_swaps_under_load_without_an_error_or_a_torn_frame(engine: Engine, tmp_path: Path) -> None:
    """Two threads parse while a third assigns engines; each result belongs to exactly one engine."""
    trunk = engine.stages.sessions[0].data
    engines = [engine, engine.with_factor(Fixed(0.0)), engine.with_factor(Fixed(1.0))]
    for i in (1, 2):
        file = tmp_path / f"f{i}.factor.onnx"
        file.write_bytes(crafted.personalised(trunk, seed=50 + i, bias=2.0 * i))
        engines.append(engine.with_factor(engine.load_factor(file)))
    frame = crafted.frame()
    truth = {e.id: e.parsing(frame).person.tobytes() for e in engines}
    assert len(set(truth.values())) == len(engines)
    current = [engine]
    stop = threading.Event()
    seen: list[int] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            while not stop.is_set():
                now = current[0]
                assert now.parsing(frame).person.tobytes() == truth[now.id]
                seen.append(now.id)
        except BaseException as e:  # noqa: BLE001 - shown by the test
            errors.append(e)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for t in threads:
        t.start()
    for _, chosen in zip(range(1000), itertools.cycle(engines), strict=False):
        current[0] = chosen
        before = len(seen)
        while len(seen) == before and not errors:
            stop.wait(0.0005)
    stop.set()
    for t in threads:
        t.join(10)
    assert errors == []
    assert len(seen) >= 1000
    assert set(seen) == set(truth)


def test_two_engines_side_by_side_share_the_trunk_and_say_what_each_says_alone(engine: Engine) -> None:
    frame = crafted.frame(320, 200)
    nobody = engine.with_factor(Fixed(0.0))
    runs: list[int] = []
    trunk = engine.stages.sessions[0]
    original = trunk.run

    def counted(*arguments, **named):
        runs.append(1)
        return original(*arguments, **named)

    trunk.__dict__["run"] = counted
    own, other = engine.parse_both(nobody, frame, None, None)
    assert len(runs) == 1
    for together, alone in ((own, engine.parsing(frame)), (other, nobody.parsing(frame))):
        for name in ("labels", "person", "confidence"):
            assert (getattr(together.parsing, name) == getattr(alone, name)).all()
    smaller = nobody.with_size(NetworkSize(64))
    _, other = engine.parse_both(smaller, frame, None, None)
    assert other.parsing.labels.shape == smaller.parsing(frame).labels.shape
    silent = engine.with_factor(Fixed(None))
    engine.parse_both(silent, frame, None, None)
    assert engine.notice == ""  # what the other one lacks is no notice of this one


def test_a_network_with_joints_alone_gives_people_and_takes_no_silhouette(tmp_path: Path) -> None:
    path = tmp_path / "joints.onnx"
    path.write_bytes(crafted.joints())
    joints = load_engine(path)
    result = joints.parse(crafted.frame(320, 200), Smoother())
    assert result.parsing is None
    (person,) = result.people
    assert person.pose is not None
    assert person.pose.points.shape == (14, 2)
    assert joints.part_set is None
    with pytest.raises(Refusal, match="no body parts"):
        joints.with_factor(Fixed(1.0))
    with pytest.raises(Refusal, match="neither person nor parts"):
        load_network(path)
    both = [joints.with_views(v).parse_many([crafted.frame(320, 200)] * 2) for v in (ONE, SIX)]
    assert all(len(o.given().people) == 1 for os in both for o in os)


def test_shipped_files_and_a_users_factor_of_format_1_are_loaded(tmp_path: Path) -> None:
    """As versions before output descriptions wrote them."""
    shipped = load_engine("factored-s31-paper", device="cpu")
    folder = find_model("factored-s31-paper").path
    made = onnx.load(folder / "factor.onnx")
    (entry,) = made.metadata_props
    raw = json.loads(entry.value)
    if raw["format"] == 2:
        pytest.skip("the shipped files were exported again")
    card = FactorCard(shipped.trunk_sha256, "0" * 64, "2026-11-20", 12, {}, {}, accepted=True)
    entry.value = json.dumps(raw | {"name": "anna", "card": asdict(card)})
    path = tmp_path / "anna.factor.onnx"
    path.write_bytes(made.SerializeToString())
    frame = crafted.frame(320, 180)
    personalised = shipped.with_factor(shipped.load_factor(path))
    assert personalised.factor_name == "anna"
    assert (personalised.parsing(frame).labels == shipped.parsing(frame).labels).all()
