"""What every phase is given: frames in use, the network in the size that was asked for, and its factor."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.outputs import PartProbabilities
from personalize.chosen_person import BESIDE, NOBODY, OTHER, OWN
from personalize.evidence import agreement
from personalize.job import PersonChoice
from personalize.messages import FrameSilhouette
from personalize.worker.context import BaseNetwork, Context, person
from personalize.worker.evidence import References
from runtime.engine.augmentation import SIX
from runtime.engine.engine import load_engine
from runtime.engine.letterbox import Letterbox, NetworkSize
from runtime.frames import Frame
from runtime.system import paths
from runtime.system.errors import Refusal
from tests.person_clip import person_frames
from tests.personalising import context_of, job_for, small_network, told
from training.metrics import silhouette_iou

pytestmark = pytest.mark.onnx
SIZE = (64, 40)


def test_frames_in_use_are_counted_from_the_first_of_the_shot(tmp_path: Path) -> None:
    reading = {"first": 10, "frames": 9, "studied": [0, 3, 5, 6, 8]}
    context = context_of(
        job_for(tmp_path / "clip.mp4"), tmp_path, SIZE, reading=reading, links={"span": [3, 6]}
    )
    assert (context.frames, context.first_frame, context.span) == (9, 13, slice(3, 6))
    assert context.studied == [0, 2]
    context.results.keep("some", np.arange(9))
    assert context.array("some").tolist() == [3, 4, 5]
    assert context.letterbox == Letterbox(SIZE, SIZE, (64, 64), 8)
    assert context.network.letterbox(SIZE, 0.5).content == (32, 16)
    for value in (7, 0, 9):
        context.show(2, np.full((4, 6), value, np.uint8))
    folder = tmp_path / "silhouettes"
    shown = cv2.imread(str(folder / "000015.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(shown, np.full((4, 6), 9))
    assert folder.stat().st_mode & 0o777 == 0o700
    assert told(context) == 3 * [FrameSilhouette(15, str(folder / "000015.png"))]


def test_a_network_starts_from_its_own_factor_or_a_given_one(tmp_path: Path) -> None:
    network = small_network()
    other = shutil.copy(paths.models_dir() / "factored-s31" / "factor.onnx", tmp_path)
    given = BaseNetwork.of(job_for(tmp_path, base_factor=Path(other)))
    engine = load_engine("factored-s31", device="cpu", size=NetworkSize(64))
    assert network.trunk_sha256 == engine.stages.trunk.sha256
    assert network.factor.sha256 == given.factor.sha256
    assert given.spec == network.spec
    assert given.stages.trunk.threads == given.factor.threads == 1
    assert given.factor is not given.stages.factor
    assert network.factor is network.stages.factor
    (image,) = person_frames(1, SIZE)
    canvas = network.letterbox(SIZE).apply(image)[0]
    (maps,) = engine.forward.grid_maps((Frame(image, 0, 0.0, 0.0),))
    said = person(network.factor, network.features(canvas))
    assert said.shape == (8, 8)
    np.testing.assert_allclose(said[:5], maps.maps["person"][0], atol=1e-5)
    with pytest.raises(Refusal) as refused:
        BaseNetwork.of(replace(job_for(tmp_path), model=paths.models_dir() / "pil-small"))
    assert str(refused.value) == (
        "model pil-small: it has no factor that could be replaced. Choose a factored model"
    )


@pytest.fixture
def judged(tmp_path: Path):
    """A context before checking: four frames of which three are in use, a person in each."""
    reading = {"first": 0, "frames": 4}
    context = context_of(
        job_for(tmp_path / "clip.mp4"), tmp_path, SIZE, reading=reading, links={"span": [1, 4]}
    )
    network = context.network = small_network()
    chance = np.random.default_rng(0)
    canvas = np.stack([network.letterbox(SIZE).apply(f)[0] for f in person_frames(4, SIZE)])
    context.results.keep("canvas", canvas)
    context.results.keep("features", np.stack([network.features(c) for c in canvas]).astype(np.float16))
    context.results.keep("small", np.zeros((4, 20, 32, 3), np.uint8))
    context.results.keep("codes", chance.choice([0, 1, 255], (3, 20, 32)).astype(np.uint8))
    whose = chance.choice([OWN, BESIDE, OTHER, NOBODY], (4, 20, 32)).astype(np.uint8)
    context.results.keep("whose", whose)
    yield context
    context.reporter.close()


@pytest.mark.parametrize("alone", [False, True])
def test_six_views_and_the_parts_seen_in_them_are_asked(judged: Context, alone: bool) -> None:
    context = judged
    context.job = replace(context.job, person=PersonChoice() if alone else None)
    engine = load_engine("factored-s31", device="cpu", size=NetworkSize(64)).with_views(SIX)
    parts = next(o.name for o in engine.spec.outputs if isinstance(o, PartProbabilities))

    def large(cells: np.ndarray) -> np.ndarray:
        return cv2.resize(np.ascontiguousarray(cells, np.float32), (32, 20))

    shown, maps, six = [], [], []
    for features, canvas in zip(context.array("features"), context.array("canvas"), strict=True):
        (found,) = engine.forward.grid_maps((Frame(np.array(canvas[:40]), 0, 0.0, 0.0),))
        said = [large(found.maps["person"][0]), large(1 - found.maps[parts][0])]
        maps.append((said[0] + said[1]) / 2)
        six.append(said[0] >= 0.5)
        shown.append(large(person(context.network.factor, features)[:5]) >= 0.5)
    codes, whose = context.results.array("codes"), context.array("whose")
    known = np.isin(whose, (OWN, BESIDE)) if alone else np.ones((3, 20, 32), bool)
    sure = known & (codes != 255)
    before = agreement(shown, maps, list(known))
    found = References(context, [1]).agreement(context.network.factor)
    assert (found.before, found.after) == pytest.approx((before, before), abs=1e-4)
    taught = agreement([c == 1 for c in codes], maps, list(sure)) - agreement(shown, maps, list(sure))
    assert found.taught == pytest.approx(taught, abs=1e-4)
    one, of_six = (np.mean([silhouette_iou(*r) for r in zip(s, codes, strict=True)]) for s in (shown, six))
    assert (found.one_view, found.six_views) == pytest.approx((one, of_six))
    assert one > 0
