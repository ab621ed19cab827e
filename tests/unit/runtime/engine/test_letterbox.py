from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.grid import Grid, Sides
from models.resize import shrink
from runtime.engine.letterbox import PADDING, Letterbox, NetworkSize
from runtime.system.errors import Refusal

sides = st.integers(1, 8192)
pictures = st.tuples(sides, sides)
sizes = st.one_of(
    st.builds(NetworkSize, st.integers(32, 1024)),
    st.builds(lambda w, h: NetworkSize(w, h, padded=True), st.integers(32, 800), st.integers(32, 800)),
)


def test_common_shapes() -> None:
    def network(width: int, height: int, size: NetworkSize | None = None) -> tuple[int, int]:
        return Letterbox.fit((width, height), size or NetworkSize(512)).network

    assert network(1280, 720) == network(1920, 1080) == (512, 288)
    assert network(720, 1280) == (288, 512)
    assert network(640, 480) == (512, 384)
    assert network(1, 1) == (512, 512)
    assert network(1, 8192) == (32, 512)
    assert network(1280, 720, NetworkSize(256)) == (256, 160)
    assert network(1280, 720, NetworkSize(512, padded=True)) == (512, 512)
    assert Letterbox.fit((1280, 720), NetworkSize(512)).content == (512, 288)


def test_a_models_box_bounds_both_sides_and_small_pictures_grow_to_twice_their_size() -> None:
    own = NetworkSize.of_model((384, 512))
    assert Letterbox.fit((1280, 720), own).network == (512, 288)
    assert Letterbox.fit((2000, 3000), own).network == (256, 384)
    assert Letterbox.fit((100, 160), own).content == (200, 320)


@given(pictures, sizes)
def test_content_is_whole_cells_inside_a_network_of_whole_multiples(
    picture: tuple[int, int], size: NetworkSize
) -> None:
    box = Letterbox.fit(picture, size)
    for content, network in zip(box.content, box.network, strict=True):
        assert content % 8 == 0 < content <= network
        assert network % 32 == 0
    if not size.padded:
        assert max(box.network) <= -(-size.width // 32) * 32


@given(pictures, sizes, st.sampled_from((8, 16, 32)))
def test_a_corner_grid_has_a_cell_on_the_first_and_the_last_pixel(
    picture: tuple[int, int], size: NetworkSize, stride: int
) -> None:
    box = Letterbox.fit(picture, size, stride=stride, sides=Sides(stride, Grid.CORNER))
    for side, cells, whole in zip(
        (*box.content, *box.network), (*box.cells, *box.grid), (*box.network, *box.network), strict=True
    ):
        assert (cells - 1) * stride == side - 1
        assert 1 < side <= whole
    assert max(box.network) <= max(-(-(side - 1) // stride) * stride + 1 for side in size.box)
    place = box.placement()
    assert (place.cells, place.grid) == (box.cells, Grid.CORNER)


@given(pictures, sizes)
def test_the_aspect_is_kept_to_half_a_cell(picture: tuple[int, int], size: NetworkSize) -> None:
    box = Letterbox.fit(picture, size)
    scale = max(c / p for c, p in zip(box.content, picture, strict=True))
    limit = size.box
    limit = tuple(-(-side // 32) * 32 for side in limit)
    exact = min(n / p for n, p in zip(limit, picture, strict=True))
    assert all(abs(c - p * exact) <= 4 or c == 8 for c, p in zip(box.content, picture, strict=True))
    assert scale > 0


@given(pictures, sizes, st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=9))
def test_the_inverse_is_within_a_pixel(
    picture: tuple[int, int], size: NetworkSize, at: list[tuple[float, float]]
) -> None:
    place = Letterbox.fit(picture, size).placement()
    points = np.array(at) * (np.array(picture) - 1)
    there = place.to_cells(points)
    assert np.abs(place.to_picture(there) - points).max() < 1e-6 * max(picture)
    assert (there >= -0.5).all()
    assert (there <= np.array(place.cells) - 0.5).all()


@given(st.tuples(st.integers(1, 400), st.integers(1, 400)))
def test_corners_of_the_picture_are_corners_of_the_content(picture: tuple[int, int]) -> None:
    place = Letterbox.fit(picture, NetworkSize(96)).placement()
    corners = np.array([(-0.5, -0.5), (picture[0] - 0.5, picture[1] - 0.5)])
    assert np.allclose(place.to_cells(corners), [(-0.5, -0.5), np.array(place.cells) - 0.5])


@pytest.mark.parametrize("picture", [(1, 1), (1, 8192), (8192, 1), (3, 7), (338, 512), (1280, 720)])
def test_any_shape_becomes_network_input(picture: tuple[int, int]) -> None:
    box = Letterbox.fit(picture, NetworkSize(128))
    image = np.full((picture[1], picture[0], 3), 200, np.uint8)
    canvas = box.apply(image)
    assert canvas.shape == (1, box.network[1], box.network[0], 3)
    assert canvas.dtype == np.uint8
    assert (canvas[0, : box.content[1], : box.content[0]] == 200).all()
    assert (canvas[0, box.content[1] :] == PADDING).all()
    assert (canvas[0, :, box.content[0] :] == PADDING).all()


def test_a_point_lands_where_the_mapping_says() -> None:
    """The picture and the coordinates go the same way: a white square keeps its centre."""
    image = np.zeros((360, 500, 3), np.uint8)
    image[100:160, 300:380] = 255
    box = Letterbox.fit((500, 360), NetworkSize(256))
    ys, xs = np.nonzero(box.apply(image)[0, : box.content[1], : box.content[0], 0] > 127)
    cell = Grid.CENTRE.to_cell(np.array([xs.mean(), ys.mean()]), box.stride)
    centre = box.placement().to_picture(cell)
    assert np.abs(centre - [339.5, 129.5]).max() < 1.0


def test_only_bytes_of_the_right_size_are_taken() -> None:
    box = Letterbox.fit((64, 48), NetworkSize(64))
    for wrong in (
        np.zeros((48, 64, 3), np.float32),
        np.zeros((64, 48, 3), np.uint8),
        np.zeros((48, 64), np.uint8),
    ):
        with pytest.raises(ValueError, match="letterbox"):
            box.apply(wrong)  # type: ignore[arg-type]


@given(st.tuples(st.integers(8, 200), st.integers(8, 200)), st.integers(0, 2**32 - 1))
def test_pooling_is_an_exact_area_average(picture: tuple[int, int], seed: int) -> None:
    box = Letterbox.fit(picture, NetworkSize(64))
    mask = np.random.default_rng(seed).integers(0, 2, (picture[1], picture[0])).astype(np.uint8) * 255
    pooled = box.pool(mask)
    across, down = box.cells
    assert pooled.shape == (box.grid[1], box.grid[0])
    assert pooled.dtype == np.float32
    assert pooled.min() >= 0
    assert pooled.max() <= 1 + 1e-6
    assert (pooled[down:] == 0).all()
    assert (pooled[:, across:] == 0).all()
    if picture[0] >= across and picture[1] >= down:
        assert abs(pooled[:down, :across].mean() - mask.mean() / 255) < 1e-3


def test_pooling_a_half() -> None:
    box = Letterbox.fit((128, 64), NetworkSize(128))
    mask = np.zeros((64, 128), np.uint8)
    mask[:, :68] = 255
    pooled = box.pool(mask)
    assert (pooled[:, :8] == 1).all()
    assert np.allclose(pooled[:, 8], 0.5)
    assert (pooled[:, 9:] == 0).all()
    assert np.allclose(box.pool(np.ascontiguousarray(mask[::2, ::2])), pooled, atol=0.01)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512", NetworkSize(512)),
        (" 512x288 ", NetworkSize(512, 288, padded=True)),
        ("96X64", NetworkSize(96, 64, padded=True)),
    ],
)
def test_sizes_are_read(text: str, size: NetworkSize) -> None:
    assert NetworkSize.parse(text) == size
    assert NetworkSize.parse(str(size)) == size


@pytest.mark.parametrize(
    "text", ["", "0", "31", "9999", "512x", "x288", "512x288x3", "-512", "5e2", "512 288"]
)
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(Refusal, match="network size"):
        NetworkSize.parse(text)


def test_a_size_over_the_limit_is_told_the_limit() -> None:
    with pytest.raises(Refusal, match="a side must be from 32 to 4096"):
        NetworkSize.parse("100000")


def test_shrinking_keeps_the_mean_of_a_fine_texture() -> None:
    """Plain bilinear would see four of sixteen pixels, and every other stripe."""
    stripes = np.zeros((800, 1200, 3), np.uint8)
    stripes[:, ::4] = 255
    assert np.ptp(shrink(stripes, (300, 200))[:, 2:-2].astype(int)) <= 2
