"""Experiment 6: what it scores, the silhouettes it compares, and the page it writes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="needs the extra `train`")
pytest.importorskip("anny", reason="needs the extra `train`")
pytest.importorskip("matplotlib", reason="needs the extra `train`")

from experiments.personalization import page
from experiments.personalization.scoring import ScoredClip, TrueSilhouettes, floor, likely, score
from experiments.personalization.variants import PROGRAM, VARIANTS
from personalize.job import METHODS
from runtime.engine.engine import Engine, load_engine
from runtime.frames import Frame
from runtime.system import paths
from synthetic.bodies import load_bodies
from synthetic.footage import choreography, places
from synthetic.footage.cast import SAMPLE
from synthetic.footage.takes import Production, Take
from training.centroids import GROUPS, true_joints


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine(paths.models_dir() / "factored-s31", device="cpu", threads=1)


@pytest.fixture(scope="module")
def scene() -> ScoredClip:
    take = Take("squats", replace(SAMPLE, body=2), choreography.squats, places.studio, hard=False)
    shots = [Production(take, (192, 192), load_bodies(10)).frame(k) for k in (5, 60)]
    frames = [Frame(s.image, i, 0.0, 0.0) for i, s in enumerate(shots)]
    masks = [(s.labels > 0).astype(np.uint8) for s in shots]
    labels = [s.labels for s in shots]
    return ScoredClip(
        take.name, Path(), frames, masks, labels, [true_joints(s.joints, s.labels) for s in shots]
    )


def test_true_silhouettes_score_best(engine: Engine, scene: ScoredClip) -> None:
    perfect = score(engine.with_factor(TrueSilhouettes(scene.silhouettes)), scene)
    assert perfect["J"] > 0.97
    nobody = score(engine.with_factor(TrueSilhouettes([0 * m for m in scene.silhouettes])), scene)
    assert nobody["J"] < 0.03
    assert nobody["missed"] == 1
    assert nobody["joints"] > perfect["joints"]


def test_the_truth_has_the_least_error(engine: Engine, scene: ScoredClip) -> None:
    least = floor(scene)
    assert least["joints"] < 0.03 * 192
    assert set(GROUPS) < set(least)
    assert least["missed"] == 0


def test_likely_places_lie_in_the_picture(engine: Engine, scene: ScoredClip) -> None:
    places_of = likely(engine, scene.frames[0])
    assert places_of.shape == (7, 2)
    assert ((places_of > 0) & (places_of < 191)).all()


def test_every_variant_is_a_method_of_the_worker() -> None:
    assert set(VARIANTS.values()) == set(METHODS) - {"tree"}


def _measured(j: float, joints: float) -> dict[str, float]:
    return {"J": j, **dict.fromkeys(GROUPS, joints), "joints": joints, "missed": 0.25}


def _record() -> dict[str, Any]:
    gate = {"report": {"accepted": True, "reason": "better."}, "frames": 60, "course": "ten minutes"}
    rendered = {
        "generic": _measured(0.5, 20.0),
        PROGRAM: _measured(0.8, 15.0),
        "true silhouettes": _measured(1, 10.0),
    }
    rendered |= {"true parts": _measured(1, 3)}
    other = {**rendered, "generic": _measured(0.7, 10.0), PROGRAM: _measured(0.9, 9.0)}
    masked: dict[str, Any] = {"generic": {"J": 0.61}, PROGRAM: {"J": 0.7}}
    masked["ablation"] = {"course": "an hour", PROGRAM: {"J": 0.7}, **{v: {"J": 0.65} for v in VARIANTS}}
    ablated = {v: _measured(0.6, 18.0) for v in (*VARIANTS, PROGRAM)}
    ablated = {"ablation": {"course": "an hour", **ablated}}
    return {
        "one": {**gate, "hard": True, **rendered, **ablated},
        "two": {**gate, "report": {"accepted": False, "reason": "worse."}, "hard": False, **other},
        "tennis_masks": {**gate, "hard": False, **masked},
    }


def test_the_page_says_what_was_measured(tmp_path: Path) -> None:
    page.write(tmp_path, _record(), "`command`", "weights `abc`", None)
    text = " ".join((tmp_path / "6-personalisation.md").read_text().split())
    assert "| generic | 15.00 | 15.00 | 15.00 | 15.00 | 15.00 | 25.00 | 0.60 |" in text
    assert "| personalised | 12.00 | 12.00 | 12.00 | 12.00 | 12.00 | 25.00 | 0.85 |" in text
    kept = "personalised where the gate accepts, else generic | 12.50 | 12.50 | 12.50 | 12.50 | 12.50 | 25.00"
    assert f"| {kept} | 0.75 |" in text
    assert "| paper, personalised | 9.10 | 12.60 | 17.30 | 9.60 |" in text
    assert "| one | hard | 0.50 | 0.80 | 20.00 | 15.00 | -25.00 | accepted |" in text
    assert "As in the paper wrists and elbows and shoulders gain." in text
    assert "the mean of the four by -20 %, and by -17 % where a refused factor is not used" in text
    assert "The aim was −20 %: missed." in text
    assert "from 0.610 to 0.700 (+0.090); the aim was +0.10 or 0.85: missed" in text
    assert "(what a user has after the gate: 0.700)" in text
    assert "| graph cut | 0.600 |" in text  # of the clip that all variants were run on
    assert "1 of them are" in text
    assert "which takes ten minutes" in text
    assert "Learned for an hour" in text
    assert (tmp_path / "6-personalisation-joints.png").stat().st_size > 1000


def test_before_and_after_stand_side_by_side(engine: Engine, scene: ScoredClip) -> None:
    better = engine.with_factor(TrueSilhouettes(scene.silhouettes))
    strips = page.strips([scene], engine, {scene.name: better})
    assert strips is not None
    assert strips.shape == (260, 2 * 516, 3)
    assert not np.array_equal(strips[:256, :256], strips[:256, 256:512])
    assert page.strips([], engine, {}) is None
