"""The z-buffer, the cut and the skeleton, without a body model."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

pytest.importorskip("numba", reason="synthetic people need numba (extra `train`)")

from synthetic.pieces import cut_faces
from synthetic.raster import rasterise, vertex_normals
from synthetic.skeleton import between, rotation, transforms, unit

pytestmark = pytest.mark.timeout(180)  # compiled on first use


def draw(points, faces, height=24, width=20, layer=None, uv=None, atlas=None):
    n = len(faces)
    return rasterise(
        np.asarray(points, np.float32),
        np.asarray(faces, np.int32),
        height,
        width,
        np.full(n, -1, np.int32) if layer is None else layer,
        np.zeros((n, 3, 2), np.float32) if uv is None else uv,
        np.zeros((1, 1, 1, 4), np.uint8) if atlas is None else atlas,
    )


def brute_force(points, faces, height, width):
    """Each pixel against each triangle, in float64 and perspective-correct."""
    face = np.full((height, width), -1)
    weight = np.zeros((height, width, 2))
    nearness = np.zeros((height, width))
    margin = np.full((height, width), np.inf)  # distance to the nearest edge, in weights
    for f, (a, b, c) in enumerate(np.asarray(points, float)[np.asarray(faces)]):
        m = np.asarray([[a[0], b[0], c[0]], [a[1], b[1], c[1]], [1, 1, 1]])
        for y in range(height):
            for x in range(width):
                w = np.linalg.solve(m, [x, y, 1])
                margin[y, x] = min(margin[y, x], np.abs(w).min())
                near = w @ (1 / np.asarray([a[2], b[2], c[2]]))
                if (w >= 0).all() and near > nearness[y, x]:
                    nearness[y, x], face[y, x] = near, f
                    weight[y, x] = (w / np.asarray([a[2], b[2], c[2]]) / near)[:2]
    return face, weight, nearness, margin


@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_brute_force(seed):
    rng = np.random.default_rng(seed)
    points = np.column_stack([rng.uniform(-6, 26, 15), rng.uniform(-6, 30, 15), rng.uniform(1, 5, 15)])
    faces = np.arange(15).reshape(5, 3)
    face, weight, nearness = draw(points, faces)
    expected, weights, near, margin = brute_force(points, faces, 24, 20)
    sure = margin > 1e-4  # on an edge, rounding may decide either way
    assert (face == expected)[sure].all()
    assert_allclose(weight[sure], weights[sure], atol=2e-4)
    assert_allclose(nearness[sure], near[sure], rtol=1e-3)


def test_pixel_centres_are_integers():
    # A square from 2 to 5 holds the centres 2, 3, 4 and 5, both ways.
    square = [[2, 2, 1], [5, 2, 1], [5, 5, 1], [2, 5, 1]]
    face, _, _ = draw(square, [[0, 1, 2], [0, 2, 3]], 8, 8)
    rows, columns = np.nonzero(face >= 0)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 5, 2, 5)


def test_shared_edge_leaves_no_gap():
    corners = [[1.3, 1.7, 2], [17.2, 3.1, 1], [15.4, 21.8, 3], [2.2, 19.9, 2]]
    face, _, _ = draw(corners, [[0, 1, 2], [0, 2, 3]])
    for row in face >= 0:
        columns = np.nonzero(row)[0]
        assert len(columns) == 0 or len(columns) == np.ptp(columns) + 1


def test_texture_cuts_holes():
    square = [[0, 0, 1], [7, 0, 1], [7, 7, 1], [0, 7, 1]]
    atlas = np.zeros((1, 4, 4, 4), np.uint8)
    atlas[0, :, :2, 3] = 255  # the left half is solid
    uv = np.asarray([[[0, 0], [0.99, 0], [0.99, 0.99]], [[0, 0], [0.99, 0.99], [0, 0.99]]], np.float32)
    face, _, _ = draw(square, [[0, 1, 2], [0, 2, 3]], 8, 8, np.zeros(2, np.int32), uv, atlas)
    assert (face[:, :3] >= 0).all()
    assert (face[:, 5:] < 0).all()


def test_triangles_behind_the_camera_are_dropped():
    face, _, _ = draw([[0, 0, -1], [9, 0, 1], [0, 9, 1]], [[0, 1, 2]])
    assert (face < 0).all()


def test_cut_is_straight_and_keeps_the_area():
    n = 6
    x, y = np.meshgrid(np.arange(n + 1.0), np.arange(n + 1.0))
    points = np.column_stack([x.ravel(), y.ravel(), 0 * x.ravel()]).astype(np.float32)
    i = (np.arange(n)[:, None] * (n + 1) + np.arange(n)).ravel()
    faces = np.concatenate(
        [np.stack([i, i + 1, i + n + 2], 1), np.stack([i, i + n + 2, i + n + 1], 1)]
    ).astype(np.int32)
    field = (2.3 - points[:, 0]).astype(np.float32)
    kept, cut = cut_faces(faces, field)
    all_points = cut.extend(points)
    a, b, c = (all_points[kept[:, k]] for k in range(3))
    area = np.cross(b - a, c - a)[:, 2]
    assert (area > 0).all()  # no triangle is turned over
    assert area.sum() / 2 == pytest.approx(2.3 * n, rel=1e-5)
    assert all_points[kept].max(axis=(0, 1))[0] == pytest.approx(2.3, abs=1e-5)


def test_normals_of_a_tetrahedron_point_outwards():
    points = np.asarray([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    faces = np.asarray([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32)
    normals = vertex_normals(points, faces)
    assert ((normals * (points - points.mean(axis=0))).sum(axis=1) > 0).all()
    assert_allclose(np.linalg.norm(normals, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_shortest_rotation(seed):
    rng = np.random.default_rng(seed)
    a, b = (unit(rng.normal(size=3).astype(np.float32)) for _ in range(2))
    turn = between(a, b)
    assert_allclose(turn @ a, b, atol=1e-5)
    assert_allclose(turn @ turn.T, np.eye(3), atol=1e-5)
    assert_allclose(between(a, -a) @ a, -a, atol=1e-5)
    assert_allclose(rotation(a, 0.7) @ a, a, atol=1e-5)


def test_a_chain_of_bones_moves_as_one():
    # Root at the origin, a bone at (1, 0, 0), a third at (2, 0, 0): bend the second by a right angle about z.
    heads = np.asarray([[0, 0, 0], [1, 0, 0], [2, 0, 0]], np.float32)
    pose = np.tile(np.eye(3, dtype=np.float32), (3, 1, 1))
    pose[1] = rotation(np.asarray([0, 0, 1], np.float32), np.pi / 2)
    turns, offsets = transforms(pose, heads, np.asarray([-1, 0, 1], np.int32))
    assert_allclose(turns[1] @ heads[1] + offsets[1], [1, 0, 0], atol=1e-6)  # a joint stays where it is
    assert_allclose(turns[2] @ heads[2] + offsets[2], [1, 1, 0], atol=1e-6)
    assert_allclose(turns[2] @ [3, 0, 0] + offsets[2], [1, 2, 0], atol=1e-6)
