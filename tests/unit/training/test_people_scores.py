"""Scores of scenes: the table of the decoder's settings, and people of the test that training never shows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.codecs.personlab import AnnotatedPerson
from models.labels import S31
from models.outputs import JointDisks
from runtime.engine.engine import load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.frames import Frame
from runtime.output.scaling import full_labels
from tests import drawn_people
from tests.unit.training.test_person_cutouts import joints, rendered
from training.batches import BACKGROUNDS
from training.crowds import Crowd, draw_crowd
from training.people_scores import OURS, ablation_table, ablations, beside, main, markdown, scenes, truth
from training.person_cutouts import PersonCutout, read_rendered
from training.photos import DataError
from training.targets import SET_CODES


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
    settings = [e.codecs[JointDisks].decoding for e in engines.values()]  # type: ignore[attr-defined]
    assert [(d.scoring, d.nms, d.refinement) for d in settings[1:5]] == [
        ("expected-oks", "hard", True), ("hough", "soft", True), ("hough", "hard", True),
        ("expected-oks", "soft", False),
    ]  # fmt: skip
    drawn = crowds()
    table = ablation_table(engines, drawn, truth(drawn), resamples=20)
    assert table[OURS]["keypoints"]["AP"] > 0.95
    assert table["no refinement"]["keypoints"]["AP"] > 0.9, "vectors without fault need none"
    low, high = table["128 px"]["keypoints"]["gain"]
    assert 0 <= low <= high > 0.5, "half as large, the network sees other cells"
    assert table["no refinement"]["keypoints"]["gain"][1] < 0.1
    assert beside(engine, drawn)["PCK_dist"] < 4, "px; of joints nobody annotated nothing is counted"
    lines = markdown(table).splitlines()
    assert len(lines) == 2 + len(engines)
    assert lines[2].startswith(f"| {OURS} | 1.000")


def test_a_table_shows_three_digits_and_signs_of_what_is_gained() -> None:
    rows = {
        "one": {"keypoints": {"AP": 0.5, "AP50": 0.75, "AR": 0.6254, "gain": None},
                "segm": {"AP": 1.0, "AP50": 0.25, "gain": None}},
        "two": {"keypoints": {"AP": 0.1, "AP50": 0.2, "AR": 0.3, "gain": (-0.0126, 0.5)},
                "segm": {"AP": 0.4, "AP50": 0.5, "gain": (0.001, 0.002)}},
    }  # fmt: skip
    assert markdown(rows).splitlines()[1:] == [
        "|---|--:|--:|--:|--:|--:|--:|--:|",
        "| one | 0.500 | 0.750 | 0.625 | – | 1.000 | 0.250 | – |",
        "| two | 0.100 | 0.200 | 0.300 | -0.013 … +0.500 | 0.400 | 0.500 | +0.001 … +0.002 |",
    ]


def test_scenes_are_the_same_in_every_release() -> None:
    """Published figures are of three hundred scenes of 512 px, each from its number."""
    person = PersonCutout(
        "one", np.full((40, 20, 3), 200, np.uint8), np.full((40, 20), 255, np.uint8),
        np.full((17, 2), 9, np.float32), np.ones(17, bool),
    )  # fmt: skip
    walls = [np.full((60, 60, 3), 30, np.uint8)]
    first, second = scenes([person], walls, 2)
    assert first.size == second.size == (512, 512)
    again = draw_crowd(np.random.default_rng((2026, 1)), [person], walls, JointDisks(joints="COCO-17"), 512)
    assert np.array_equal(second.picture, again.picture)
    assert not np.array_equal(first.picture, second.picture)


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


def test_the_truth_has_people_with_the_joints_in_the_picture_and_where_nobody_knows() -> None:
    """Of a scene of 8 px a side joints are told from -0.5 up to 7.5 px."""
    points = np.full((17, 2), 3, np.float32)
    points[:6] = [(-0.5, 3), (-0.6, 3), (7.4, 3), (7.5, 3), (3, 7.5), (3, -0.6)]
    labelled = np.ones(17, bool)
    labelled[16] = False
    owners, unsure = np.zeros((8, 8), np.uint8), np.zeros((8, 8), bool)
    owners[2:5, 1:7], unsure[6:, 5:] = 1, True
    crowd = Crowd(np.zeros((8, 8, 3), np.uint8), owners, (AnnotatedPerson(points, labelled),),
                  np.zeros((17, 8, 8), bool), unsure)  # fmt: skip
    person, nobody = truth([replace(crowd, people=(), unsure=np.zeros_like(unsure)), crowd]).loadAnns([1, 2])
    table = np.reshape(person["keypoints"], (17, 3))
    assert np.flatnonzero(table[:, 2]).tolist() == [0, 2, *range(6, 16)]
    assert set(table[:, 2]) == {0, 2}
    assert table[[0, 2, 6]].tolist() == [[-0.5, 3, 2], [pytest.approx(7.4), 3, 2], [3, 3, 2]]
    assert not table[[1, 3, 4, 5, 16]].any()
    assert (person["num_keypoints"], person["iscrowd"], person["image_id"]) == (12, 0, 1)
    assert (person["bbox"], person["area"]) == ([1, 2, 6, 3], 18)
    assert (nobody["num_keypoints"], nobody["iscrowd"], nobody["bbox"]) == (0, 1, [5, 6, 3, 2])
    assert not any(nobody["keypoints"])


def test_parts_are_compared_where_they_are_exact() -> None:
    """Sets of parts and what is beyond them count as unknown; the same labels as the model's score one."""
    engine = load_engine("people-s31", device="cpu").with_size(NetworkSize(128))
    scene = crowds()[0]
    given = engine.parse(Frame(scene.picture, 0, 0.0, 0.0)).parsing
    assert given is not None
    codes = full_labels(given)
    codes[:100][codes[:100] == 0] = S31.id("neck")
    known = codes.copy()
    known[100:] = SET_CODES["person"]
    found, same = (beside(engine, [replace(scene, codes=c)]) for c in (known, codes))
    assert found["pixel accuracy"] == pytest.approx((full_labels(given)[:100] == codes[:100]).mean())
    assert found["pixel accuracy"] < same["pixel accuracy"]


def test_scenes_of_a_folder_are_scored_by_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rendered people of the test part in scenes: as a summary, as a table, and refused in words."""
    folder = rendered(tmp_path / "people", a=[joints()])
    record = folder / "keypoints.json"
    record.write_text(record.read_text().replace('"train"', '"test"'))
    for kind in BACKGROUNDS:
        (tmp_path / "backgrounds" / kind).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "backgrounds" / kind / "a.jpg"), np.full((80, 80, 3), 30, np.uint8))
    asked = [
        "personlab-small",
        "--data",
        str(tmp_path),
        "--rendered",
        str(folder),
        "--count",
        "2",
        "--size",
        "64",
    ]
    assert main(asked) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["scenes"] == 2
    assert {"people", "keypoints", "segm", "PCK_dist"} <= set(said)
    assert main([*asked, "--ablations", "--markdown"]) == 0
    assert capsys.readouterr().out.startswith("| | keypoint AP | AP50 | AR |")
    assert main([*asked[:3], *asked[5:]]) == 1
    assert "lsp" in capsys.readouterr().err
    assert main(["factored-s31", *asked[1:]]) == 1
