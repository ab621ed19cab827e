"""The region of interest: around everybody, of few shapes; a newcomer is found, a swapped source obeyed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.results import Parsing
from runtime.engine.augmentation import BY_COUNT, MIRRORED, ONE
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import Letterbox, NetworkSize
from runtime.engine.region import COARSE_PX, EVERY, LARGEST, Rectangle, allowed, around
from runtime.engine.source import Request, Silhouette
from runtime.engine.temporal import Smoother
from runtime.frames import Frame
from runtime.library.models import find_model
from tests.unit.runtime.model_files import crafted

SIZE = 512, 288
GREY, BRIGHT = 40, 230
REGIONS = BY_COUNT["regions"]


@given(st.integers(40, 900), st.integers(40, 900), st.sampled_from([256, 512, 520]), st.data())
def test_a_region_has_everybody_with_a_margin_inside_the_picture(
    width: int, height: int, size: int, data: st.DataObject
) -> None:
    letterbox = Letterbox.fit((width, height), NetworkSize(size))
    across, down = letterbox.cells
    person = np.zeros((down, across), np.float32)
    for _ in range(data.draw(st.integers(1, 3))):
        column, row = data.draw(st.integers(0, across - 1)), data.draw(st.integers(0, down - 1))
        person[row : row + 6, column : column + 4] = 0.9
    people, needed = around(person, 0, 0), around(person)
    assert people is not None
    assert needed is not None
    region = allowed(needed, letterbox)
    assert region == allowed(needed, letterbox)
    if region is None:
        return
    for span, there, inner, cells in (
        (region.columns, people.columns, needed.columns, letterbox.grid[0]),
        (region.rows, people.rows, needed.rows, letterbox.grid[1]),
    ):
        assert 0 <= span.start <= max(0, there.start - 2)
        assert min(cells, there.stop) <= span.stop <= cells
        assert span.start <= inner.start
        assert inner.stop <= span.stop
        length = span.stop - span.start
        assert length == cells or length % (COARSE_PX // 8) == 0
    assert region.area <= LARGEST * letterbox.grid[0] * letterbox.grid[1]


def test_nobody_is_no_region() -> None:
    assert around(np.full((8, 8), 0.1, np.float32)) is None
    assert around(np.full((8, 8), 0.4, np.float32)) is None


@given(st.data())
def test_doubt_counts_only_where_it_touches_somebody(data: st.DataObject) -> None:
    person = np.zeros((36, 64), np.float32)
    person[10:20, 20:26] = 0.3  # a faint outline
    person[12:18, 22:24] = data.draw(st.sampled_from([0.5, 0.9]))
    expected = Rectangle(slice(20, 26), slice(10, 20))
    assert around(person, 0, 0) == expected
    far = np.pad(person, 0)
    for _ in range(data.draw(st.integers(1, 4))):
        far[data.draw(st.integers(22, 34)), data.draw(st.integers(0, 63))] = data.draw(st.floats(0, 0.49))
    assert around(far, 0, 0) == expected


@pytest.fixture
def bright(tmp_path: Path) -> Engine:
    """An engine to which people are what is bright."""
    folder = crafted.bundle(tmp_path / "bright")
    channels = crafted.CHANNELS
    light = np.full((channels, 3, 8, 8), 1 / (192 * 255), np.float32)
    trunk = crafted.model(
        crafted.front("features"), crafted.IMAGE, crafted.FEATURES, {"w": light}, crafted.spec("trunk")
    )
    nodes = [
        crafted.helper.make_node("Conv", ["features", "w", "b"], ["z"], kernel_shape=[1, 1]),
        crafted.sigmoid("z"),
    ]
    weights = {"w": np.full((1, channels, 1, 1), 40 / channels, np.float32), "b": np.array([-20], np.float32)}
    made = crafted.spec("factor", siblings={"trunk": crafted.sha256(trunk)})
    (folder / "trunk.onnx").write_bytes(trunk)
    (folder / "factor.onnx").write_bytes(
        crafted.model(nodes, crafted.FEATURES, crafted.PERSON, weights, made)
    )
    (folder / "head.onnx").write_bytes(crafted.head(trunk))
    crafted.write_sums(folder)
    return load_engine(folder, device="cpu", size=NetworkSize(512)).with_views(REGIONS)


def frames(count: int, newcomer: int = 10**6, moves: int = 2) -> Iterator[Frame]:
    """A bright person who walks, and another one far away from a frame on."""
    for index in range(count):
        image = np.full((SIZE[1], SIZE[0], 3), GREY, np.uint8)
        image[96:192, 64 + moves * index : 112 + moves * index] = BRIGHT
        if index >= newcomer:
            image[200:248, 440:464] = BRIGHT
        yield Frame(image, index, index / 30, 0.0)


class Looks:
    """The trunk, and the pixels that it was shown of each picture."""

    def __init__(self, real: object) -> None:
        self.real = real
        self.pixels: list[int] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    def run(self, feeds: dict[str, np.ndarray], outputs: tuple[str, ...]) -> list[np.ndarray]:
        self.pixels.append(feeds["image"].shape[1] * feeds["image"].shape[2])
        return self.real.run(feeds, outputs)


def watched(engine: Engine) -> tuple[Engine, Looks]:
    looks = Looks(engine.stages.trunk)
    return replace(engine, stages=replace(engine.stages, trunk=looks)), looks


def test_less_is_looked_at_and_the_same_is_seen(bright: Engine) -> None:
    engine, looks = watched(bright)
    part, whole = Smoother(), Smoother()
    for frame in frames(24):
        before = len(looks.pixels)
        seen = engine.parsing(frame, part)
        spent = sum(looks.pixels[before:])
        assert np.array_equal(seen.person >= 128, engine.with_views(ONE).parsing(frame, whole).person >= 128)
        assert (seen.person >= 128).any()
        if frame.index and (frame.index - 1) % EVERY:
            assert spent < 0.4 * SIZE[0] * SIZE[1]


@pytest.mark.parametrize("arrives", range(2, 2 + EVERY))
def test_a_newcomer_is_found_in_time(bright: Engine, arrives: int) -> None:
    smoother = Smoother()
    found = [
        frame.index
        for frame in frames(arrives + 2 * EVERY, newcomer=arrives)
        if (bright.parsing(frame, smoother).person[200:248, 440:464] >= 128).any()
    ]
    assert arrives <= found[0] < arrives + EVERY
    assert found == list(range(found[0], arrives + 2 * EVERY))  # and not lost again


def test_a_fast_person_is_never_left_behind(bright: Engine) -> None:
    smoother = Smoother()
    for frame in frames(30, moves=12):
        on = bright.parsing(frame, smoother).person >= 128
        truth = frame.image[..., 0] == BRIGHT
        assert (on & truth).sum() > 0.9 * truth.sum()


def test_the_same_frames_give_the_same_bytes_again(bright: Engine) -> None:
    def run() -> list[Parsing]:
        smoother = Smoother()
        return [bright.parsing(f, smoother) for f in frames(20, newcomer=9)]

    assert all(
        np.array_equal(a.person, b.person) and np.array_equal(a.labels, b.labels)
        for a, b in zip(run(), run(), strict=True)
    )


@pytest.mark.parametrize("pause_s", [-1.0, 0.0, 0.5])
def test_a_jump_in_time_is_looked_at_whole(bright: Engine, pause_s: float) -> None:
    engine, looks = watched(bright)
    smoother = Smoother()
    *_, last = [engine.parsing(f, smoother) and f for f in frames(3)]
    engine.parsing(replace(last, pts_s=last.pts_s + pause_s), smoother)
    assert looks.pixels[-2] < looks.pixels[-1] == SIZE[0] * SIZE[1]


class Square:
    """A silhouette source that speaks of the whole picture: a square at a place that it is given."""

    name = "square"
    sessions = ()
    columns = slice(8, 14)

    def person(self, request: Request) -> Silhouette:
        grid = np.zeros(request.letterbox.grid[::-1], np.float32)
        grid[10:20, self.columns] = 0.9
        return Silhouette(grid)

    def reset(self) -> None: ...


def test_a_swapped_source_is_cropped_as_by_hand(engine: Engine) -> None:
    source, smoother = Square(), Smoother()
    swapped, looks = watched(engine.with_factor(source).with_size(NetworkSize(512)).with_views(REGIONS))
    for index in range(3):
        image = np.random.default_rng(index).integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
        frame = Frame(image, index, index / 30, 0.0)
        (maps,) = swapped.forward.grid_maps((frame,), smoother)
    region = smoother.region._last.region
    person = np.zeros((36, 64), np.float32)
    person[10:20, Square.columns] = 0.9
    stages = engine.stages
    features = stages.features(region.pixels(image[None], 8))
    by_hand = stages.maps(features, region.crop(person)[None])["parts"][0]
    smoother.reset()
    assert looks.pixels[-1] == region.area * 64
    assert np.array_equal(maps.maps["person"][0], person)
    assert region.crop(maps.maps["parts"]).argmax(0).tolist() == by_hand.argmax(0).tolist()
    outside = maps.maps["parts"][0].copy()
    outside[region.rows, region.columns] = 1
    assert (outside == 1).all()


def test_a_source_that_knows_better_is_followed_at_once(bright: Engine) -> None:
    source, smoother = Square(), Smoother()
    engine, looks = watched(bright.with_factor(source))
    for frame in frames(3):
        engine.parsing(frame, smoother)
    assert looks.pixels[-1] < SIZE[0] * SIZE[1]
    source.columns = slice(50, 56)
    engine.parsing(replace(frame, pts_s=frame.pts_s + 1 / 30), smoother)
    assert looks.pixels[-1] == SIZE[0] * SIZE[1]


def test_other_models_and_several_views_look_at_the_whole(bright: Engine) -> None:
    assert bright.forward.regional
    assert not bright.with_views(MIRRORED).forward.regional
    assert not bright.with_views(ONE).forward.regional
    assert not replace(bright, batch=8).forward.regional  # on a GPU
    if find_model("people-s31") is not None:
        assert not load_engine("people-s31", device="cpu").with_views(REGIONS).forward.regional


def test_what_lies_inside_comes_back(engine: Engine) -> None:
    region = Rectangle(slice(2, 5), slice(1, 3))
    maps = np.random.default_rng(0).random((1, 3, 4, 6)).astype(np.float32)
    assert np.array_equal(region.pasted(region.crop(maps), maps), maps)
    among = region.pasted(region.crop(maps), (6, 4))
    assert np.array_equal(region.crop(among), region.crop(maps))
    assert among[0, 0, 0, 0] == 1
    assert among[0, 1:, 0, 0].tolist() == [0, 0]
