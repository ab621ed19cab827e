"""Scores of scenes: the table of the decoder's settings, and people of the test that training never shows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.labels import S31
from runtime.engine.engine import load_engine
from runtime.engine.letterbox import NetworkSize
from tests import drawn_people
from training.crowds import Crowd
from training.people_scores import OURS, ablation_table, ablations, beside, markdown, truth
from training.person_cutouts import read_rendered
from training.photos import DataError


def crowds() -> list[Crowd]:
    made = []
    for i, scene in enumerate(drawn_people.SCENES):
        people = [drawn_people.person(*p) for p in scene]
        unsure = np.zeros((drawn_people.SIDE,) * 2, bool)
        unknown = np.zeros((17, *unsure.shape), bool)
        owners = drawn_people.owners(people)
        made.append(Crowd(drawn_people.picture(i), owners, tuple(people), unknown, unsure))
    return made


def test_settings_are_compared_on_the_same_scenes(tmp_path: Path) -> None:
    engine = load_engine(drawn_people.bundle(tmp_path / "drawn"), device="cpu")
    assert engine.size.box == (256, 256)
    engine = engine.with_size(NetworkSize(256))
    engines = ablations(engine, ["256", "128"])
    assert [n for n in engines if n.endswith("px")] == ["128 px"]
    scenes = crowds()
    table = ablation_table(engines, scenes, truth(scenes), resamples=20)
    assert table[OURS]["keypoints"]["AP"] > 0.95
    assert table["no refinement"]["keypoints"]["AP"] > 0.9, "vectors without fault need none"
    low, high = table["128 px"]["keypoints"]["gain"]
    assert 0 <= low <= high > 0.5, "half as large, the network sees other cells"
    assert table["no refinement"]["keypoints"]["gain"][1] < 0.1
    assert beside(engine, scenes)["PCK_dist"] < 4, "px; of joints nobody annotated nothing is counted"
    lines = markdown(table).splitlines()
    assert len(lines) == 2 + len(engines)
    assert lines[2].startswith(f"| {OURS} | 1.000")


def test_rendered_people_of_the_other_part_are_refused(tmp_path: Path) -> None:
    record = {"keypoints": {}, "recipe": {"split": "train"}}
    (tmp_path / "keypoints.json").write_text(json.dumps(record))
    assert read_rendered(tmp_path) == []
    with pytest.raises(DataError, match="its people are for train, others are for test"):
        read_rendered(tmp_path, part="test")


def test_parts_are_scored_only_where_some_are_known() -> None:
    engine = load_engine("people-s31", device="cpu").with_size(NetworkSize(128))
    scene = crowds()[0]
    background = np.zeros_like(scene.owners)
    assert "mean IoU" not in beside(engine, [replace(scene, codes=background)]), "no part of anybody is told"
    background[:20] = S31.id("rhand")
    assert "mean IoU" in beside(engine, [replace(scene, codes=background)])
