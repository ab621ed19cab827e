"""The paper's measures, with networks whose answers are known, and with a real one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.checkpoint import save_network
from models.factored import BaselineConvNet, FactoredConvNet
from models.families import ZOO
from models.labels import FSP14, IGNORE, LIP20, LSP14, PASCAL7, PASCAL_PARTS, S31
from tests.unit.training.datasets import made
from training.datasets.registry import DATA_SETS
from training.datasets.samples import Sample, person
from training.datasets.score import fitted, open_run, score
from training.datasets.sets import FSP_PARTS, LIP_COARSE, YOUTUBE7
from training.photos import DataError
from training.prediction import cell_labels

SIDE = 128
RNG = np.random.default_rng(0)


def one_hot(labels: np.ndarray) -> np.ndarray:
    known = np.where(labels == IGNORE, 0, labels)
    return np.moveaxis(np.eye(32, dtype=np.float32)[known], -1, 0)


def sample(tmp_path: Path, labels: np.ndarray, label_set=S31, *, name: str = "p", **more) -> Sample:
    path = made.picture(tmp_path / f"{name}.png", (labels.shape[1], labels.shape[0]))
    return Sample(name, "test", path, label_set=label_set, read_labels=lambda: labels, **more)


def all_parts(width: int = 128, height: int = 96) -> np.ndarray:
    """Every S31 label at least once, in blocks of cells."""
    blocks = np.resize(np.arange(32), (height // 8, width // 8))
    return np.kron(blocks, np.ones((8, 8))).astype(np.uint8)


def test_labels_are_taken_at_the_centres_of_cells() -> None:
    labels = RNG.integers(0, 32, (64, 128), dtype=np.uint8)
    grid = cell_labels(labels, fitted(labels, SIDE))
    assert grid.shape == (16, 16)
    assert (grid[:8] == labels[4::8, 4::8]).all(), "row 8v+4, column 8u+4"
    assert (grid[8:] == IGNORE).all(), "the padding is not scored"


def test_a_perfect_network_scores_one(tmp_path: Path) -> None:
    labels = all_parts()
    perfect = one_hot(cell_labels(labels, fitted(labels, SIDE)))
    out = score("up-s31", lambda _im, _s: perfect, iter([sample(tmp_path, labels)]), SIDE)
    for name in (
        "mean accuracy",
        "mean IoU",
        "mean IoU of 16",
        "mean accuracy of 16",
        "silhouette IoU",
        "IoU hands",
    ):
        assert out[name] == 1, name


def test_left_and_right_are_averaged_after_counting(tmp_path: Path) -> None:
    labels = np.zeros((128, 128), np.uint8)
    labels[:, :8], labels[:, 8:32] = S31.id("rhand"), S31.id("lhand")  # 16 cells and 48
    found = cell_labels(labels, fitted(labels, SIDE))
    found[found == S31.id("rhand")] = 0  # right hands are never found
    out = score("up-s31", lambda _im, _s: one_hot(found), iter([sample(tmp_path, labels)]), SIDE)
    assert out["accuracy hands"] == 0.5, "not 48 of 64"
    assert out["accuracy background"] == 1
    assert out["IoU background"] == 192 / 208
    assert out["mean IoU with background"] == pytest.approx((192 / 208 + 1) / 3)
    assert out["mean accuracy"] == 0.5, "classes that are not there do not count"
    assert out["mean accuracy of 16"] == 0.5
    assert out["mean accuracy with background"] == pytest.approx(2 / 3)
    assert out["silhouette IoU"] == 0.75


@pytest.mark.parametrize(
    ("name", "mapping", "label_set"),
    [("fsp", FSP14, FSP_PARTS), ("pascal-person-part", PASCAL7, PASCAL_PARTS)],
)
def test_posteriors_of_merged_parts_are_summed(tmp_path: Path, name, mapping, label_set) -> None:
    fine = all_parts()
    coarse = mapping.table()[fine]
    perfect = one_hot(cell_labels(fine, fitted(fine, SIDE)))
    out = score(name, lambda _im, _s: perfect, iter([sample(tmp_path, coarse, label_set)]), SIDE)
    assert out["mean IoU"] == out["mean IoU with background"] == 1
    # the background is the likeliest single class, but head parts together are likelier
    torn = np.zeros((32, 16, 16), np.float32)
    torn[0], torn[[27, 28, 29, 30]] = 0.4, 0.15
    head = np.full((128, 128), 1, np.uint8)
    out = score(name, lambda _im, _s: torn, iter([sample(tmp_path, head, label_set)]), SIDE)
    assert out["mean accuracy"] == 1
    assert out["silhouette IoU"] == 0


def test_lip_is_scored_where_its_clothes_tell(tmp_path: Path) -> None:
    labels = np.zeros((128, 128), np.uint8)
    labels[:32], labels[32:64], labels[64:96] = LIP20.id("face"), LIP20.id("coat"), LIP20.id("left-arm")
    found = np.zeros((16, 16), np.uint8)
    found[:4], found[4:8], found[8:12] = S31.id("llhead"), S31.id("rlleg"), S31.id("ruarm")
    s = sample(tmp_path, labels, LIP20, coarse=LIP_COARSE)
    out = score("lip", lambda _im, _s: one_hot(found), iter([s]), SIDE)
    assert out["IoU head"] == out["IoU arms"] == out["mean IoU"] == out["silhouette IoU"] == 1
    assert np.isnan(out["accuracy legs"])


def test_coco_is_scored_by_silhouettes(tmp_path: Path) -> None:
    truth = np.zeros((128, 128), np.uint8)
    truth[:64], truth[64:96] = 1, IGNORE
    path = made.picture(tmp_path / "p.png", (128, 128))
    s = Sample("p", "val2017", path, read_silhouette=lambda: truth)
    found = np.zeros((16, 16), np.uint8)
    found[:10] = 5
    assert score("coco", lambda _im, _s: one_hot(found), iter([s]), SIDE) == {"silhouette IoU": 1}


def test_error_of_joints_in_the_pixels_of_the_data_set(tmp_path: Path) -> None:
    parts = {"r_wrist": "rwrist", "l_wrist": "lwrist", "r_elbow": "relbow", "l_elbow": "lelbow",
             "r_shoulder": "rshoulder", "l_shoulder": "lshoulder", "head": "luhead"}  # fmt: skip
    labels = np.zeros((16, 16), np.uint8)
    xy = np.zeros((7, 2))
    for i, name in enumerate(YOUTUBE7.names):
        labels[2 * i, 3] = S31.id(parts[name])
        xy[i] = (3 * 8 + 3.5) * 2 + 0.5, (2 * i * 8 + 3.5) * 2 + 0.5  # the picture is twice the input
    samples = []
    for v in range(6):
        path = made.picture(tmp_path / f"{v}.png", (256, 256))
        off = xy + np.array((v, 0))  # each video is one pixel worse than the one before
        samples.append(Sample(str(v), "all", path, (person(YOUTUBE7, off, [2] * 6 + [0]),), group=f"v{v}"))
    out = score("youtube-pose", lambda _im, _s: one_hot(labels), iter(samples), SIDE)
    assert out["wrists, px, all videos"] == pytest.approx(2.5, abs=1e-4)
    assert out["elbows, px, five worst videos"] == pytest.approx(3, abs=1e-4)
    assert out["mean of v3, px"] == pytest.approx(3, abs=1e-4)
    assert out["head, share without a cell"] == 0


def test_a_joint_whose_part_no_cell_shows_lies_where_it_is_likely(tmp_path: Path) -> None:
    """The right wrist is never likeliest; its probability lies in the one cell of the elbow."""
    wrist, elbow = (YOUTUBE7.names.index(n) for n in ("r_wrist", "r_elbow"))
    posteriors = np.zeros((32, 16, 16), np.float32)
    posteriors[0] = 1
    posteriors[:, 4, 6] = 0
    posteriors[S31.id("relbow"), 4, 6], posteriors[S31.id("rwrist"), 4, 6] = 0.75, 0.25
    xy = np.full((7, 2), 6 * 8 + 3.5)
    xy[:, 1] = 4 * 8 + 3.5
    xy[wrist] += 3, 4
    seen = [2 if i in (wrist, elbow) else 0 for i in range(7)]
    path = made.picture(tmp_path / "0.png", (128, 128))
    s = Sample("0", "all", path, (person(YOUTUBE7, xy, seen),), group="v")
    whole = Sample("1", "all", path, (person(YOUTUBE7, xy, [2] * 7),), group="w")
    for elbows, missed in ((0.75, 1.0), (0.2, 1 / 3)):  # of three wrists, two of them right ones
        posteriors[S31.id("relbow"), 4, 6] = elbows
        out = score("youtube-pose", lambda _im, _s: posteriors, iter([s, whole]), SIDE)
        assert out["wrists, share without a cell"] == pytest.approx(missed)
        assert out["mean of v, px"] == pytest.approx(2.5, abs=1e-3)


STANDING = np.array([(80, 120), (80, 100), (78, 76), (50, 76), (48, 100), (48, 120), (100, 76), (96, 56),
                     (84, 36), (44, 36), (32, 56), (28, 76), (64, 34), (64, 4)], float)  # fmt: skip


def test_probes_of_a_drawn_skeleton(tmp_path: Path) -> None:
    xy = STANDING
    path = made.picture(tmp_path / "p.png", (128, 128))
    s = Sample("p", "test", path, (person(LSP14, xy, [2] * 14),))
    nothing = np.zeros((16, 16), np.uint8)
    out = score("lsp", lambda _im, _s: one_hot(nothing), iter([s]), SIDE)
    assert out["background probe"] == 1
    assert out["limb probe"] == out["head"] == 0


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    torch.manual_seed(0)
    save_network(folder / "factored.safetensors", ZOO["factored-s31"], FactoredConvNet(), {})
    baseline = BaselineConvNet()
    with torch.no_grad():
        baseline.net[-1].bias[0] += 1e6  # certain of the background everywhere
    save_network(folder / "baseline.safetensors", ZOO["baseline-relu"], baseline, {})
    return folder


def test_a_shown_silhouette_reaches_the_head(checkpoints: Path) -> None:
    run = open_run(checkpoints / "factored.safetensors", SIDE)
    picture = RNG.integers(0, 256, (96, 128, 3), dtype=np.uint8)
    own = run(picture, None)
    assert own.shape == (32, 16, 16)
    assert np.allclose(own.sum(0), 1, atol=1e-4)
    assert not np.allclose(own, run(picture, np.ones((96, 128), np.uint8)))


def test_the_baseline_is_held_to_a_silhouette(checkpoints: Path) -> None:
    run = open_run(checkpoints / "baseline.safetensors", SIDE)
    picture = RNG.integers(0, 256, (128, 128, 3), dtype=np.uint8)
    silhouette = np.zeros((128, 128), np.uint8)
    silhouette[:, :68] = 1  # of the ninth column of cells one half
    silhouette[:, 80:] = IGNORE
    assert not run(picture, None).argmax(0).any()
    background = run(picture, silhouette)[0]
    assert (background[:, :9] == 0).all()
    assert (background[:, 9:] == 1).all()


@pytest.mark.parametrize("told", [False, True])
def test_the_true_silhouette_is_told_only_where_that_is_asked_for(told: bool, tmp_path: Path) -> None:
    labels, seen = all_parts(), []

    def run(_picture: np.ndarray, silhouette: np.ndarray | None) -> np.ndarray:
        seen.append(silhouette)
        return one_hot(np.zeros((16, 16), np.uint8))

    out = score(
        "up-s31", run, iter([sample(tmp_path, labels)]), SIDE, **({"show_truth": True} if told else {})
    )
    assert (seen[0] is not None) == told
    assert not told or (seen[0] == (labels > 0)).all()
    assert (out["silhouette IoU"], out["mean IoU"], out["accuracy background"]) == (0, 0, 1)


def test_joints_are_probed_in_the_picture_without_what_surrounds_it(tmp_path: Path) -> None:
    """A picture twice as wide as high fills the upper half of the grid; its left half is head."""
    xy = STANDING / (1, 2)
    path = made.picture(tmp_path / "p.png", (128, 64))
    posteriors = one_hot(np.full((16, 16), S31.id("neck"), np.uint8))
    posteriors[:, :8] = 0
    posteriors[S31.id("luhead"), :8, :8] = posteriors[0, :8, 8:] = 1
    for x, right in ((63, 1), (64, 0)):
        xy[[12, 13], 0] = x
        s = Sample("p", "test", path, (person(LSP14, xy, [2] * 14),))
        for name in ("lsp", "lspet"):
            assert score(name, lambda _im, _s: posteriors, iter([s]), SIDE)["head"] == right


def test_what_cannot_be_scored_is_refused() -> None:
    for name in ("mpii", "up-3d"):
        with pytest.raises(DataError, match="joints of several people only"):
            score(name, lambda _im, _s: None, iter([]), SIDE)
    for name in DATA_SETS.keys() - {"mpii", "up-3d"}:
        with pytest.raises(DataError, match="nothing to score"):
            score(name, lambda _im, _s: None, iter([]), SIDE)
