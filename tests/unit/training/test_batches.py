"""Where pictures come from: which photos of a data folder are read, how often, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from models.labels import COCO17, IGNORE, LIP20, LSP14, S31
from models.outputs import AffinityFields, CentreOffsets, Heatmaps, JointDisks, Output, PartProbabilities
from training.batches import (
    BACKGROUNDS,
    DataFolders,
    batches_for,
    crowd_sources,
    draws_a_mixture,
    joint_sources,
    labelled_photos,
    packed,
    sources,
)
from training.joint_photos import LANDMARKS
from training.photos import DEVELOPMENT_TEST, GARMENTS, DataError
from training.published import PublishedSet
from training.stream import BatchShape, Mixture
from training.targets import SET_CODES

SIZE = (40, 60)  # w, h
SIDES = {"shoulder": (6, 14), "elbow": (10, 22), "wrist": (11, 30), "hip": (4, 32), "knee": (4, 44),
         "ankle": (4, 56)}  # fmt: skip
SETS = ("lsp", "lspet", "ccp", "ccp_unlabelled")
COLOURS = dict(zip(BACKGROUNDS, ((0, 0, 240), (0, 150, 150), (200, 0, 240)), strict=True))
NECK = S31.id("neck")
PARTS, JOINTS, DISKS = (
    PartProbabilities(parts="S31"),
    Heatmaps(joints="COCO-17"),
    JointDisks(joints="COCO-17"),
)


def joints(*, behind: bool = False) -> list[list[float]]:
    """LSP's rows of somebody upright, from in front: the right side is on the left of the picture."""
    rows: list[list[float]] = []
    for name in LSP14.names:
        if name in {"neck", "head_top"}:
            rows.append([20, 12 if name == "neck" else 4, 2])
        else:
            x, y = SIDES[name[2:]]
            rows.append([20 + (x if (name[0] == "l") != behind else -x), y, 2])
    return rows


def picture(path: Path, colour: tuple[int, int, int] = (90, 90, 90)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((SIZE[1], SIZE[0], 3), colour[::-1], np.uint8))


def codes(path: Path, code: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full(SIZE[::-1], code, np.uint8))


def person_mask() -> np.ndarray[Any, Any]:
    mask = np.zeros(SIZE[::-1], np.uint8)
    mask[3:58, 8:33] = 1
    return mask


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data_folder(tmp_path_factory.mktemp("data"))


def data_folder(data: Path) -> Path:
    """Three training photos of lsp, the second from behind; two of ccp; one of each other set."""
    tests = [f"{i}" for i in range(100, 100 + DEVELOPMENT_TEST)]
    for folder, stems in (("lsp/images", ["000", "001", "002", *tests]), ("lspet/images", ["003"]),
                          ("ccp/images", ["004", "005", *tests]), ("ccp_unlabelled", ["006"])):  # fmt: skip
        for stem in stems:
            picture(data / folder / f"{stem}.jpg")
    for name in ("lsp", "lspet"):
        rows = dict.fromkeys(["000", "002", "003"], joints()) | {"001": joints(behind=True)}
        (data / name / "keypoints.json").write_text(json.dumps({"images": rows}))
    (data / "ccp/labels.json").write_text(json.dumps(["null", *GARMENTS]))
    for stem in ("004", "005"):
        for kind in ("silhouettes", "labels"):
            codes(data / f"ccp/{kind}/{stem}.png", 0)
            cv2.imwrite(str(data / f"ccp/{kind}/{stem}.png"), person_mask())
    for kind, colour in COLOURS.items():
        picture(data / "backgrounds" / kind / "a.jpg", colour)
    (data / "cutouts").mkdir()
    rgba = np.dstack((np.full((*SIZE[::-1], 3), 90, np.uint8), person_mask() * np.uint8(255)))
    cv2.imwrite(str(data / "cutouts/cut.png"), rgba)
    return taught(data)


def landmarks(*, behind: bool) -> list[list[float]]:
    """Of the same person, of whom nothing but the nose is seen."""
    rows, at = np.zeros((33, 3)), dict(zip(LSP14.names, joints(behind=behind), strict=True))
    for name, row in LANDMARKS.items():
        rows[row, :2] = at.get(name, (0, 0, 0))[:2]
    rows[LANDMARKS["nose"]] = 21, 8, 1
    return rows.tolist()


def taught(data: Path) -> Path:
    """The folder with a teacher's landmarks of all, who saw the nose alone, and some silhouettes."""
    stems = {
        "lsp": ("000", "001", "002"),
        "lspet": ("003",),
        "ccp": ("004", "005"),
        "ccp_unlabelled": ("006",),
    }
    for name in SETS:
        (data / f"teacher/{name}/silhouettes").mkdir(parents=True)
        rows = {stem: {"landmarks": landmarks(behind=stem == "001")} for stem in stems[name]}
        (data / f"teacher/{name}/landmarks.json").write_text(json.dumps({"images": rows}))
    for place in ("lsp/silhouettes/000", "lsp/silhouettes/001", "lspet/silhouettes/003"):
        cv2.imwrite(str(data / f"teacher/{place}.png"), person_mask() * np.uint8(255))
    return data


def dense(folder: Path) -> Path:
    """Dense labels: neck everywhere in the first photo of each set."""
    for name, stem in zip(SETS, ("000", "003", "004", "006"), strict=True):
        codes(folder / name / f"{stem}.png", NECK)
    return folder


def rendered(stem: Path) -> Path:
    np.save(f"{stem}.images.npy", np.full((2, 64, 64, 3), 90, np.uint8))
    np.save(f"{stem}.labels.npy", np.full((2, 64, 64), NECK, np.uint8))
    return stem


def names(photos: Any) -> list[str]:
    return [p.name.split(".")[0] for p in photos]


def test_a_folder_gives_its_training_photos_precise_ones_and_backs_more_often(
    root: Path, tmp_path: Path
) -> None:
    found = sources(root, [rendered(tmp_path / "set")])
    assert len(found.synthetic) == 1
    assert names(found.silhouettes) == ["004", "005"]
    assert names(found.sport) == [*["000", "001", "002"] * 3, "001", "001", "003"]
    assert names(found.cutouts) == ["cut", "000", "001", "003", "004", "005"], (
        "whom a teacher or ccp knows whole"
    )
    shown = np.stack([b[5, 5] for b in found.backgrounds]).astype(int)
    assert np.abs(shown - list(COLOURS.values())).max() < 10
    assert (found.own, dict(found.published)) == ([], {})
    more = sources(root, (), pseudolabels=dense(tmp_path))
    assert names(more.silhouettes) == ["004", "005", "006"]
    assert "006" in names(more.cutouts), "its dense labels know the whole person"


def test_without_a_folder_rendered_people_are_all(tmp_path: Path) -> None:
    found = sources(None, [rendered(tmp_path / "a"), rendered(tmp_path / "b")])
    assert [p.images.shape for p in found.synthetic] == [(2, 64, 64, 3)] * 2
    assert found.synthetic[0].keypoints is None
    assert not any(
        (found.silhouettes, found.sport, found.cutouts, found.backgrounds, found.own, found.published)
    )
    np.save(tmp_path / "a.keypoints.npy", np.ones((2, 17, 3), np.float32))
    (known,) = sources(None, [tmp_path / "a"]).synthetic
    assert known.keypoints is not None
    assert known.keypoints.shape == (2, 17, 3)
    with pytest.raises(
        DataError, match=r"none: not a packed synthetic set .*\. Make it with python -m synthetic"
    ):
        packed(tmp_path / "none")


def test_cuts_tell_of_sports_and_dense_labels_of_all(root: Path, tmp_path: Path) -> None:
    """Cuts: all person where the joints said nothing; dense labels: all neck."""
    cuts, labels = tmp_path / "cuts", dense(tmp_path / "dense")
    for place in ("lsp/000", "lspet/003"):
        codes(cuts / f"{place}.png", 1)
    plain = labelled_photos(root, silhouettes=None, pseudolabels=None, strict=False)
    assert list(plain) == ["lsp", "lspet", "ccp"]
    unsaid = {name: plain[name][0].codes == IGNORE for name in ("lsp", "lspet")}
    assert all(where.any() for where in unsaid.values())
    cut = labelled_photos(root, silhouettes=cuts, pseudolabels=None, strict=False)
    for name, where in unsaid.items():
        assert (cut[name][0].codes[where] == SET_CODES["person"]).all()
    assert (cut["lsp"][1].codes == plain["lsp"][1].codes).all(), "there is no cut of it"
    full = labelled_photos(root, silhouettes=cuts, pseudolabels=labels, strict=False)
    assert {k: len(v) for k, v in full.items()} == {"lsp": 3, "lspet": 1, "ccp": 2, "ccp_unlabelled": 1}
    assert all((full[name][0].codes == NECK).all() for name in SETS)
    assert full["lsp"][0].skeleton is not None


def test_a_photo_that_is_broken_is_read_around_unless_strict(root: Path) -> None:
    broken = root / "lspet/images/007.jpg"
    broken.write_bytes(b"no picture")
    try:
        assert names(sources(root, ()).sport)[-1] == "003"
        for read in (
            lambda: sources(root, (), strict=True),
            lambda: people_of(root, strict=True),
            lambda: batches_for([PARTS], DataFolders(root, strict=True), BatchShape(1, 64, 4), 0),
        ):
            with pytest.raises(DataError, match=r"007\.jpg: not a readable picture"):
                read()
    finally:
        broken.unlink()


def people_of(data: Path | None, **given: Any) -> Any:
    return joint_sources.__wrapped__(JOINTS, S31, DataFolders(data, **given))


def test_photos_teach_parts_and_joints_unless_rendered_people_teach_all(root: Path, tmp_path: Path) -> None:
    made, labels = (rendered(tmp_path / "set"),), dense(tmp_path)
    people = people_of(root, pseudolabels=labels)
    wanted = [*["000", "001", "002"] * 3, "001", "001", "003", "004", "005", "006"]
    assert names(people.photos) == wanted
    assert (people.parts, people.rendered, len(people.backgrounds)) == (S31, [], 3)
    assert (people.photos[0].codes == NECK).all()
    assert people.photos[0].points[COCO17.id("nose")].tolist() == [21, 8], "the teacher's"
    assert people.photos[0].points[COCO17.id("l_hip")].tolist() == [24, 32], "the annotator's"
    some = people_of(root, synthetic=made, rendered_share=0.99)
    assert len(some.photos) == len(wanted) - 1
    assert (len(some.rendered), some.rendered_share) == (1, 0.99)
    alone = people_of(root, synthetic=made, rendered_share=1)
    assert (alone.photos, len(alone.backgrounds)) == ([], 3)
    assert people_of(root, rendered_share=1).photos, "nobody is rendered"


def test_parts_of_another_kind_are_taught_by_published_sets_alone(root: Path, tmp_path: Path) -> None:
    asked = "parts and joints need photos. Give --data DIR with lsp/, lspet/, ccp/, teacher/, backgrounds/."
    with pytest.raises(DataError, match=f"^{asked}$"):
        people_of(None)
    other = DataFolders(root, published=(PublishedSet("lip", tmp_path),))
    alone = r"^LIP-20 is taught by its own labels\. Give --data NAME=ROOT, and no --synthetic\.$"
    for folders in (replace(other, published=()), replace(other, synthetic=(tmp_path / "set",))):
        with pytest.raises(DataError, match=alone):
            joint_sources(JOINTS, LIP20, folders)


def scene_sources(data: Path | None, **given: Any) -> Any:
    return crowd_sources.__wrapped__(DISKS, DataFolders(data, **given))


def test_scenes_have_people_with_silhouettes_and_joints(root: Path, tmp_path: Path) -> None:
    found = scene_sources(root, pseudolabels=dense(tmp_path))
    assert names(found.people) == names(found.photos) == ["000", "001", "003"], (
        "ccp has no joints but the nose"
    )
    assert (found.people[0].codes == NECK).all()
    assert found.people[1].codes is None
    assert (found.rendered, len(found.backgrounds), found.output) == ([], 3, DISKS)
    drawn = tmp_path / "drawn"
    for kind, value in (("instances", 1), ("labels", NECK)):
        codes(drawn / f"{kind}/x.png", value)
    picture(drawn / "images/x.jpg")
    table = [[20.0, 30.0, 2.0]] * 17
    (drawn / "keypoints.json").write_text(
        json.dumps({"keypoints": {"x": [table]}, "recipe": {"split": "train"}})
    )
    (person,) = scene_sources(root, synthetic=(drawn,)).rendered
    assert person.known.sum() == 17
    missing = (
        r"^people need photos\. Give --data DIR with lsp/, .*; --coco DIR instead teaches PersonLab alone\.$"
    )
    with pytest.raises(DataError, match=missing):
        scene_sources(None)


FIELDS, CENTRES = AffinityFields(joints="COCO-17"), CentreOffsets(joints="COCO-17")


@pytest.mark.parametrize(
    ("outputs", "targets"),
    [
        ((PARTS,), {"codes": (3, 16, 16)}),
        ((JOINTS,), {"heatmaps": (3, 17, 8, 8), "known": (3, 17)}),
        ((PARTS, JOINTS), {"codes": (3, 16, 16), "heatmaps": (3, 17, 8, 8), "known": (3, 17)}),
        ((JointDisks(joints="COCO-17", stride=16),), {"disks": (3, 17, 4, 4), "person": (3, 1, 4, 4)}),
        ((PARTS, JOINTS, FIELDS), {"codes": (3, 16, 16), "heatmaps": (3, 18, 8, 8)}),
        ((JOINTS, CENTRES), {"heatmaps": (3, 17, 8, 8), CENTRES.type: (3, 34, 8, 8)}),
    ],
)
def test_each_network_gets_pictures_with_targets_on_its_grid(
    root: Path, outputs: tuple[Output, ...], targets: dict[str, tuple[int, ...]]
) -> None:
    make = batches_for(outputs, DataFolders(root), BatchShape(3, 64, 4), seed=5)
    made, other = make(step=1), batches_for(outputs, DataFolders(root), BatchShape(3, 64, 4), seed=6)(step=1)
    assert made.images.shape == (3, 64, 64, 3)
    assert {k: made.targets[k].shape for k in targets} == targets
    assert not np.array_equal(made.images, other.images)


def test_of_as_many_outputs_the_last_are_taught(root: Path) -> None:
    shape, folders = BatchShape(1, 64, 4), DataFolders(root)
    assert CENTRES.type in batches_for((PARTS, JOINTS, CENTRES), folders, shape, 0)(step=0).targets
    assert "codes" in batches_for((CENTRES, JOINTS, PARTS), folders, shape, 0)(step=0).targets
    assert draws_a_mixture((DISKS, PARTS))
    assert not draws_a_mixture((PARTS, DISKS))


def test_the_paper_pastes_no_background(root: Path) -> None:
    mixture = Mixture(composites=5)

    def blue(augmentation: Any) -> int:
        shape = BatchShape(40, 64, 4, augmentation)
        images = batches_for((PARTS,), DataFolders(root, mixture=mixture), shape, 0)(step=0).images.astype(
            int
        )
        return int((images[..., 2] - images[..., 1] > 60).sum())

    assert blue("ours") > 0
    assert blue("paper") == 0


@pytest.mark.parametrize(
    ("outputs", "given", "option"),
    [
        ((PARTS, JOINTS), {"own": (Path("x"),)}, "--own"),
        ((JOINTS,), {"own": (Path("x"),)}, "--own"),
        ((JOINTS,), {"published": (PublishedSet("lip", Path("x")),)}, "--data NAME=ROOT"),
        ((DISKS,), {"published": (PublishedSet("lip", Path("x")),)}, "--data NAME=ROOT"),
    ],
)
def test_what_teaches_no_joints_is_refused_for_networks_that_learn_them(
    outputs: tuple[Output, ...], given: dict[str, Any], option: str
) -> None:
    words = f"^{option} teaches silhouettes and parts; this network learns joints. Leave it out.$"
    with pytest.raises(DataError, match=words):
        batches_for(outputs, DataFolders(**given), BatchShape(1, 64, 4), 0)


def test_joints_alone_need_a_folder() -> None:
    words = r"^joints need photos\. Give --data DIR with lsp/, lspet/, ccp/, teacher/, backgrounds/\.$"
    with pytest.raises(DataError, match=words):
        batches_for((JOINTS,), DataFolders(), BatchShape(1, 64, 4), 0)
