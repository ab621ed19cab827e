"""Joints from part centroids: right on hand-made cases."""

import numpy as np
import pytest

from models.labels import COCO17, S31
from training.centroids import GROUPS, JOINTS, Distances, centroids, expected, true_joints

WRIST = next(i for i, j in enumerate(JOINTS) if j.parts == (S31.id("rwrist"),))


def keypoints(**places: tuple[float, float]) -> np.ndarray:
    out = np.zeros((17, 3), np.float32)
    for name, place in places.items():
        out[COCO17.names.index(name)] = (*place, 2)
    return out


def test_a_block_of_cells_has_its_centre_in_pixels() -> None:
    labels = np.zeros((4, 4), np.uint8)
    labels[1:3, 2] = S31.id("rwrist")
    at = centroids(labels, (32, 32))
    # Cells of 8 px: column 2 covers 16..23, rows 1 and 2 cover 8..23; methods §1.8 gives 8u + 3.5.
    np.testing.assert_allclose(at[WRIST], (19.5, 15.5))
    assert np.isnan(np.delete(at, WRIST, axis=0)).all()


def test_the_head_is_all_four_quarters() -> None:
    labels = np.zeros((8, 8), np.uint8)
    for name, (row, column) in {
        "luhead": (2, 5),
        "ruhead": (2, 3),
        "llhead": (4, 5),
        "rlhead": (4, 3),
    }.items():
        labels[row, column] = S31.id(name)
    np.testing.assert_allclose(centroids(labels, (8, 8))[0], (4, 3))


def test_a_part_that_no_cell_shows_lies_where_it_is_likely() -> None:
    parts = np.zeros((32, 4, 4), np.float32)
    parts[S31.id("rwrist"), 1, 1] = 0.3
    parts[S31.id("rwrist"), 1, 3] = 0.1
    parts[S31.id("rwrist"), 3, 3] = 0.9  # outside the silhouette
    person = np.zeros((4, 4), np.float32)
    person[:2] = 0.8
    np.testing.assert_allclose(expected(parts, person, (4, 4))[WRIST], (1.5, 1), atol=1e-6)
    everywhere = expected(parts, np.zeros((4, 4), np.float32), (4, 4))[WRIST]
    np.testing.assert_allclose(everywhere, (2.538, 2.385), atol=1e-3)


def test_cells_of_wide_pictures_lie_in_their_pixels() -> None:
    """Cells of 8 by 16 px; parts of a head weigh by their areas."""
    labels = np.zeros((4, 6), np.uint8)
    labels[3, 1] = S31.id("rwrist")
    labels[0, :3], labels[2, 5] = S31.id("luhead"), S31.id("rlhead")
    at = centroids(labels, (48, 64))
    np.testing.assert_allclose(at[WRIST], (8 * 1.5 - 0.5, 16 * 3.5 - 0.5))
    np.testing.assert_allclose(at[0], (8 * (2 + 0.5) - 0.5, 16 * (0.5 + 0.5) - 0.5))
    parts = np.zeros((32, 4, 6), np.float32)
    parts[S31.id("rwrist"), 3, 1] = 0.1
    parts[S31.id("luhead"), 1, 2] = parts[S31.id("rlhead"), 1, 4] = 0.2
    found = expected(parts, np.full((4, 6), 0.5, np.float32), (48, 64))
    np.testing.assert_allclose(found[WRIST], (11.5, 55.5))
    np.testing.assert_allclose(found[0], (8 * 3.5 - 0.5, 16 * 1.5 - 0.5))


def test_the_papers_seven_joints() -> None:
    assert [(j.group, [COCO17.names[k] for k in j.keypoints]) for j in JOINTS] == [
        ("head", ["l_ear", "r_ear"]), ("wrists", ["r_wrist"]), ("wrists", ["l_wrist"]),
        ("elbows", ["r_elbow"]), ("elbows", ["l_elbow"]), ("shoulders", ["r_shoulder"]),
        ("shoulders", ["l_shoulder"]),
    ]  # fmt: skip
    assert [S31.names[j.parts[0] - 1] for j in JOINTS[1:]] == [
        side + kind for kind in ("wrist", "elbow", "shoulder") for side in "rl"
    ]


@pytest.mark.parametrize(("pixels", "seen"), [(3, False), (4, True)])
def test_a_joint_is_there_where_four_pixels_show_its_part(pixels: int, seen: bool) -> None:
    labels = np.zeros((4, 4), np.uint8)
    labels.flat[:pixels] = S31.id("luhead")
    whole = true_joints(keypoints(l_ear=(1, 2), r_ear=(3, 6)), labels)[0]
    assert whole.tolist() == [2, 4] if seen else np.isnan(whole).all()
    assert np.isnan(true_joints(keypoints(l_ear=(1, 2)), labels)[0]).all(), "both ears make a head"


def test_hidden_and_outside_joints_are_left_out() -> None:
    labels = np.zeros((16, 16), np.uint8)
    labels[4:8, 4:8] = S31.id("rwrist")
    points = keypoints(r_wrist=(6, 6), l_wrist=(9, 9), l_ear=(3, 1), r_ear=(5, 1))
    truth = true_joints(points, labels)
    np.testing.assert_allclose(truth[WRIST], (6, 6))
    assert np.isnan(np.delete(truth, WRIST, axis=0)).all()
    points[COCO17.names.index("r_wrist"), 2] = 0
    assert np.isnan(true_joints(points, labels)).all()


def test_errors_are_means_of_distances_and_misses_are_counted() -> None:
    truth = np.full((7, 2), np.nan)
    truth[0], truth[WRIST] = (10, 10), (20, 20)
    predicted = np.full((7, 2), np.nan)
    predicted[0] = (13, 14)
    stand_in = np.zeros((7, 2))
    stand_in[WRIST] = (20, 32)
    distances = Distances()
    distances.add(predicted, stand_in, truth)
    predicted[WRIST] = (20, 20)
    distances.add(predicted, stand_in, truth)
    assert distances.mean("head") == pytest.approx(5)
    assert distances.mean("wrists") == pytest.approx(6)
    assert np.isnan(distances.mean("elbows"))
    assert distances.overall == pytest.approx(5.5)
    assert (distances.missed, distances.count) == (1, 4)
    assert tuple(distances.found) == GROUPS
