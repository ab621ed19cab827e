"""Every ablation takes away what it names and nothing else."""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments import ablations
from experiments.ablations import COLUMNS, VARIANTS, Variant, write
from experiments.networks import TRUNK
from models.checkpoint import load_checkpoint, load_network, row_of
from models.labels import IGNORE, S31
from training.loop import LAST
from training.photos import Photo
from training.step import StepConfig
from training.stream import BatchShape, Mixture, Sources, make_batch
from training.targets import SET_CODES

HEAD, PERSON = SET_CODES["head"], SET_CODES["person"]


@pytest.fixture
def everything() -> Variant:
    image = np.full((64, 64, 3), 90, np.uint8)
    street = np.full((64, 64), PERSON, np.uint8)
    street[:20], street[50:], street[20:24] = HEAD, 0, IGNORE
    sport = np.full((64, 64), IGNORE, np.uint8)
    sport[:30], sport[40:50] = 0, S31.id("ruleg")
    alpha = np.dstack([image, np.full((64, 64), 255, np.uint8)])
    found = Sources(
        silhouettes=[Photo("street", image, street)],
        sport=[Photo("sport", image, sport)],
        cutouts=[Photo("cutout", alpha, np.full((64, 64), PERSON, np.uint8))],
        backgrounds=[image],
    )
    return Variant(found, StepConfig(), replace(found, backgrounds=()))


def test_each_variant_changes_only_what_it_names(everything: Variant) -> None:
    made = {name: change(everything) for name, change in VARIANTS.items()}
    assert made["all terms"] is everything
    assert not made["without lsp scribbles"].sources.sport
    (far,) = made["without background far from skeletons"].sources.sport
    assert set(np.unique(far.codes)) == {IGNORE, S31.id("ruleg")}
    (plain,) = made["without ccp garments"].sources.silhouettes
    assert set(np.unique(plain.codes)) == {0, PERSON, IGNORE}
    bare = made["without composites and backgrounds"].sources
    assert not bare.backgrounds
    assert not bare.cutouts
    assert made["without dense labels of a teacher"].sources is everything.plain
    assert made["AdamW alone"].optimiser == "adamw"
    assert made["AdamW alone"].sources is everything.sources
    settings = made["without noise settings and injection"]
    assert settings.step.setting_shares == (0, 0, 1, 0)
    assert settings.step.inject == 0
    assert settings.sources is everything.sources
    for name in ("without lsp scribbles", "without ccp garments", "without composites and backgrounds"):
        assert made[name].step == everything.step
    (untouched,) = everything.sources.sport
    assert (untouched.codes == 0).any()


def test_every_variant_still_makes_batches(everything: Variant) -> None:
    for change in VARIANTS.values():
        batch = make_batch(change(everything).sources, Mixture(), BatchShape(4, 64, 4), seed=0, step=0)
        assert batch.images.shape == (4, 64, 64, 3)


def test_the_page_says_what_was_not_run(tmp_path: Path) -> None:
    scores = {group: {} for _, group, _ in COLUMNS}
    for _, group, key in COLUMNS:
        scores[group][key] = 0.5
    worse = json.loads(json.dumps(scores))
    worse["ccp"]["hair"] = 0.1
    a = argparse.Namespace(
        ablation_steps=300, out=tmp_path, shipped=TRUNK, silhouettes=None, pseudolabels=None
    )
    write(a, {"as it was": scores, "all terms": scores, "without ccp garments": worse})
    text = (tmp_path / "ablations.md").read_text()
    assert "without ccp garments: hair -0.400" in text
    assert "Not run: without noise settings and injection, " in text


def test_a_stopped_run_goes_on_with_what_is_missing(
    everything: Variant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[Path] = []
    monkeypatch.setattr(ablations, "sources", lambda *_, **__: replace(everything).sources)
    monkeypatch.setattr(ablations, "_continue", lambda *given: trained.append(given[-1]))
    filled = {group: dict.fromkeys((k for _, g, k in COLUMNS if g == group), 0.5) for _, group, _ in COLUMNS}
    monkeypatch.setattr(ablations, "report", lambda *_, **__: filled)
    a = argparse.Namespace(
        runs=tmp_path,
        ablation_steps=3,
        shipped=TRUNK,
        data=tmp_path,
        synthetic=[],
        test=tmp_path,
        silhouettes=None,
        pseudolabels=None,
        out=tmp_path,
    )
    digest = hashlib.sha256(TRUNK.read_bytes()).hexdigest()[:8]
    done = tmp_path / f"exp-ablations-3-{digest}" / "all-terms" / "score.json"
    done.parent.mkdir(parents=True)
    done.write_text(json.dumps(filled))
    ablations.run(a)
    assert [p.name for p in trained] == [n.replace(" ", "-") for n in VARIANTS if n != "all terms"]
    trained.clear()
    ablations.run(a)
    assert trained == []


def test_a_variant_is_trained_from_the_checkpoint_given(
    everything: Variant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ablations, "BATCH", 4)
    monkeypatch.setattr(ablations, "CROP", 64)
    net, stored = load_network(TRUNK)
    ablations._continue(
        row_of(stored, TRUNK), argparse.Namespace(ablation_steps=2), net, everything, tmp_path
    )
    groups, meta = load_checkpoint(tmp_path / LAST)
    start = load_checkpoint(TRUNK)[0]["ema"]
    assert meta["step"] == 2
    moved = max(float((v - start[k]).abs().max()) for k, v in groups["net"].items() if k.endswith("weight"))
    assert 0 < moved < 0.01, "two small steps from the checkpoint, not a new network"
