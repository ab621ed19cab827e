from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.batch.options import ParseJob
from models.codecs.parts import decide
from models.grid import Grid
from models.labels import S31
from models.outputs import Mirror
from runtime.engine.augmentation import MIRRORED, ONE, SIX, View, Views, merged, mirrored, moved
from runtime.engine.detail import FULL
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import MAX_SIDE, Letterbox, NetworkSize
from runtime.engine.sessions import NoResultError
from runtime.engine.source import Request, Silhouette, SilhouetteSource
from runtime.engine.stages import WholeNetwork
from runtime.engine.temporal import Smoother
from runtime.frames import Frame
from runtime.system.errors import Refusal
from tests.unit.runtime.model_files import crafted
from training.metrics import silhouette_iou
from training.photos import read_ccp

sides = st.tuples(st.integers(9, 400), st.integers(9, 400))
zooms = st.sampled_from([0.5, 0.8, 1.0, 1.25, 1.7])


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return load_engine(crafted.bundle(tmp_path / "tiny"))


@dataclass(frozen=True)
class Shown:
    """A view, and what it shows."""

    view: View
    request: Request

    @property
    def letterbox(self) -> Letterbox:
        return self.view.letterbox


def view(picture: tuple[int, int], zoom: float = 1.0, *, flip: bool = False) -> Shown:
    """A view of a picture whose red grows to the right, its green downwards."""
    width, height = picture
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.linspace(0, 255, width)
    image[..., 1] = np.linspace(0, 255, height)[:, None]
    letterbox = Letterbox.fit(picture, NetworkSize(96), zoom=zoom)
    canvas = letterbox.apply(image)
    if flip:
        canvas = mirrored(canvas, letterbox)
    return Shown(View(letterbox, flip), Request(Frame(image, 0, 0.0, 0.0), letterbox, canvas, {}))


def colours(seen: Shown) -> np.ndarray:
    """(3, gh, gw) mean colours of the cells that a view sees."""
    grid = seen.request.letterbox.grid
    small = cv2.resize(seen.request.canvas[0].astype(np.float32), grid, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small.transpose(2, 0, 1))


@given(sides, zooms)
def test_the_mirror_of_a_mirror_is_the_picture(picture: tuple[int, int], zoom: float) -> None:
    upright, flipped = view(picture, zoom), view(picture, zoom, flip=True)
    letterbox = upright.request.letterbox
    assert (mirrored(flipped.request.canvas, letterbox) == upright.request.canvas).all()
    maps = colours(upright)
    order = Mirror(np.array([0, 2, 1]))
    across, down = letterbox.cells
    once = flipped.view.to_displayed(maps, letterbox.cells, order)
    assert (flipped.view.to_displayed(once, letterbox.cells, order) == maps[:, :down, :across]).all()


@given(sides, zooms)
def test_maps_of_a_mirrored_view_come_back_onto_their_cells(picture: tuple[int, int], zoom: float) -> None:
    """Padding never comes along, and at one size nothing moves at all."""
    upright, flipped = view(picture, zoom), view(picture, zoom, flip=True)
    across, down = cells = upright.request.letterbox.cells
    assert (flipped.view.to_displayed(colours(flipped), cells) == colours(upright)[:, :down, :across]).all()


@given(sides, zooms, st.booleans())
def test_maps_of_any_size_come_back_onto_their_cells(
    picture: tuple[int, int], zoom: float, flip: bool
) -> None:
    base, other = view(picture), view(picture, zoom, flip=flip)
    across, down = cells = base.request.letterbox.cells
    back = other.view.to_displayed(colours(other), cells)
    truth = colours(base)[:, :down, :across]
    coarsest = [min(pair) for pair in zip(cells, other.request.letterbox.cells, strict=True)]
    for axis, count in enumerate(coarsest):  # bilinear: off by half a cell of the coarser grid at the rim
        assert np.abs(back[axis] - truth[axis]).max() <= 255 * 0.55 / count + 3


@given(sides, zooms, st.booleans())
def test_a_silhouette_is_carried_by_area_with_its_padding(
    picture: tuple[int, int], zoom: float, flip: bool
) -> None:
    base, other = view(picture), view(picture, zoom, flip=flip)
    mask = np.zeros((picture[1], picture[0]), np.uint8)
    mask[: picture[1] // 2 + 1, : picture[0] // 3 + 1] = 255
    answer = base.request.answer(mask)
    letterbox = other.request.letterbox
    carried = other.view.to_seen(answer, base.request.letterbox)
    seen = np.ascontiguousarray(mask[:, ::-1]) if flip else mask
    assert np.allclose(carried, letterbox.pool(seen), atol=1e-5)
    rough = other.view.to_seen(Silhouette(answer.grid), base.request.letterbox)
    across, down = letterbox.cells
    for carried_grid in (carried, rough):
        outside = carried_grid.copy()
        outside[:down, :across] = 0
        assert not outside.any()
    assert abs(float(rough[:down, :across].mean()) - mask.mean() / 255) < 0.08


def test_a_zoomed_letterbox_stays_within_bounds() -> None:
    assert Letterbox.fit((600, 400), NetworkSize(384), zoom=1.25).content == (480, 320)
    assert Letterbox.fit((600, 400), NetworkSize(384, 384, padded=True), zoom=0.8).network == (320, 224)
    assert Letterbox.fit((600, 400), NetworkSize(384, 384, padded=True)).network == (384, 384)
    assert max(Letterbox.fit((600, 400), NetworkSize(MAX_SIDE), zoom=1.25).network) == MAX_SIDE


class LeftIsRight:
    """A network that knows its left from its right by where things are: it must be swapped back to agree.

    It sees a hand wherever the picture is bright, the right one in the left half of what it sees.
    """

    sessions = ()

    def __init__(self) -> None:
        self.seen: list[tuple[int, ...]] = []

    def features(self, canvas: np.ndarray) -> Mapping[str, np.ndarray]:
        self.seen.append(canvas.shape)
        bright = (canvas[0, ..., 2] > 200).astype(np.float32)
        cells = cv2.resize(bright, None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA)
        hands = np.zeros((S31.classes, *cells.shape), np.float32)
        padded = (canvas[0] == 128).all(axis=2)
        half = (canvas.shape[2] - int(padded[0].sum())) // 16
        hands[S31.id("rhand"), :, :half] = cells[:, :half]
        hands[S31.id("lhand"), :, half:] = cells[:, half:]
        hands[0] = 1 - cells
        return {"parts": hands[None]}

    def maps(self, features: Mapping[str, np.ndarray], person: np.ndarray) -> dict[str, np.ndarray]:
        return {"parts": np.asarray(features["parts"])}

    def own_source(self) -> SilhouetteSource:
        return WholeNetwork()


def hands(width: int, height: int) -> Frame:
    image = np.zeros((height, width, 3), np.uint8)
    image[height // 4 : height // 2, width // 16 : width // 4, 2] = 255
    image[height // 2 :, 3 * width // 4 :, 2] = 255
    return Frame(image, 0, 0.0, 0.0)


@pytest.mark.parametrize("size", [(192, 128), (250, 130), (131, 257)])
@pytest.mark.parametrize("views", [MIRRORED, SIX, Views((1.0, 0.8))])
def test_left_and_right_are_those_of_the_picture(size: tuple[int, int], views: Views) -> None:
    stages = LeftIsRight()
    one = Engine(crafted.spec("network", "parts"), stages, stages.own_source(), NetworkSize(192), FULL)
    expected, found = one.parsing(hands(*size)), one.with_views(views).parsing(hands(*size))
    assert len(stages.seen) == 1 + views.count
    assert set(np.unique(expected.labels)) == {0, S31.id("rhand"), S31.id("lhand")}
    width = size[0]
    assert set(np.unique(found.labels[:, : width // 3])) == {0, S31.id("rhand")}
    assert set(np.unique(found.labels[:, -width // 3 :])) == {0, S31.id("lhand")}
    assert silhouette_iou(found.labels > 0, (expected.labels > 0).astype(np.uint8)) > 0.8


def test_one_view_is_the_engine_without_views_bit_for_bit(engine: Engine) -> None:
    assert engine.views is ONE
    smoothing, again = Smoother(), Smoother()
    for index in range(3):
        frame = crafted.frame(250, 130, index=index, pts_s=index / 25)
        letterbox = Letterbox.fit(frame.size, engine.size)
        canvas = letterbox.apply(frame.image)
        request = Request(frame, letterbox, canvas, engine.stages.features(canvas))
        step = smoothing.step(request, engine.id)
        grid = engine.source.person(request).grid
        assert grid is not None
        person = step.average("person", grid)
        parts = engine.stages.maps(request.features, person[None])["parts"][0]
        across, down = letterbox.cells
        parts = step.decide("parts", parts[:, :down, :across])
        by_hand = decide(person[:down, :across], parts, request.context(engine.detail.size(letterbox)))
        result = engine.parsing(frame, again)
        for name in ("labels", "person", "confidence"):
            assert (getattr(result, name) == getattr(by_hand, name)).all()


def test_one_view_copies_nothing() -> None:
    maps = np.zeros((3, 4, 5), np.float32)
    assert merged([view((40, 32)).view], [maps]) is maps


class Mask:
    """A source that answers with one mask, and counts how often it is asked."""

    name = "mask"
    sessions = ()

    def __init__(self, mask: np.ndarray) -> None:
        self.mask, self.asked = mask, 0

    def person(self, request: Request) -> Silhouette:
        self.asked += 1
        return request.answer(self.mask)

    def reset(self) -> None: ...


def test_a_given_silhouette_is_asked_for_once_and_obeyed_in_six_views(tmp_path: Path) -> None:
    path = tmp_path / "whole.onnx"
    path.write_bytes(crafted.network("parts"))
    frame = crafted.frame(250, 130)
    mask = np.zeros((130, 250), np.uint8)
    cv2.ellipse(mask, (80, 70), (40, 50), 0, 0, 360, 255, -1)
    source = Mask(mask)
    one = load_engine(path, size=NetworkSize(256)).with_detail(FULL).with_factor(source)
    six = one.with_views(SIX)
    expected, found = one.parsing(frame), six.parsing(frame)
    assert source.asked == 2
    assert (found.person == expected.person).all()
    assert silhouette_iou(found.labels > 0, (mask > 0).astype(np.uint8)) > 0.99
    six.parsing(frame, Smoother())
    for value in (0, 255):
        labels = one.with_factor(Mask(np.full_like(mask, value))).with_views(SIX).parsing(frame).labels
        assert ((labels > 0) == (value > 0)).all()


def test_the_shipped_head_obeys_a_silhouette_in_six_views() -> None:
    mask = np.zeros((192, 128), np.uint8)
    mask[30:170, 40:90] = 255
    frame = Frame(np.random.default_rng(0).integers(0, 255, (192, 128, 3), np.uint8), 0, 0.0, 0.0)
    engine = load_engine("factored-s31", device="cpu", size=NetworkSize(192)).with_factor(Mask(mask))
    one, six = (engine.with_views(v).with_detail(FULL).parsing(frame) for v in (ONE, SIX))
    assert (six.person == one.person).all()
    scores = [silhouette_iou(p.labels > 0, (mask > 0).astype(np.uint8)) for p in (one, six)]
    assert scores[1] >= scores[0] - 0.02


def test_smoothing_sees_what_is_averaged(engine: Engine) -> None:
    six = engine.with_views(SIX)
    smoothing = Smoother()
    alone = six.parsing(crafted.frame())
    for index in range(4):  # nothing came before, then nothing moves
        found = six.parsing(crafted.frame(index=index, pts_s=index / 25), smoothing)
        assert index or (found.labels == alone.labels).all()  # later ones have a bonus for staying
        assert np.abs(found.person.astype(int) - alone.person).max() <= 1


@given(sides, zooms, st.floats(-1, 1, width=32))
def test_what_smoothing_changes_moves_every_view(picture: tuple[int, int], zoom: float, by: float) -> None:
    views = [view(picture), view(picture, zoom, flip=True)]
    own = [colours(v)[0] / np.float32(255) for v in views]
    change = np.full_like(own[0], by)
    for seen, before, after in zip(views, own, moved([v.view for v in views], own, change), strict=True):
        across, down = seen.request.letterbox.cells
        expected = before.copy()
        expected[:down, :across] += np.float32(by)
        assert np.allclose(after, np.clip(expected, 0, 1), atol=1e-5)


def test_a_view_without_a_result_leaves_the_frame_without_one(engine: Engine) -> None:
    class FailsFourth:
        def __init__(self) -> None:
            self.runs = 0

        def __getattr__(self, name: str) -> object:
            return getattr(engine.stages, name)

        def maps(self, features: object, person: object) -> object:
            self.runs += 1
            if self.runs == 4:
                raise NoResultError("the head failed")
            return engine.stages.maps(features, person)  # type: ignore[arg-type]

    broken = replace(engine, stages=FailsFourth()).with_views(SIX)  # type: ignore[arg-type]
    with pytest.raises(NoResultError, match="the head failed"):
        broken.parsing(crafted.frame())
    assert broken.parsing(crafted.frame()) is not None


def test_two_engines_side_by_side_share_every_view(engine: Engine) -> None:
    stages = LeftIsRight()
    own = Engine(crafted.spec("network", "parts"), stages, stages.own_source(), NetworkSize(96), views=SIX)
    other = replace(own, source=WholeNetwork())
    here, there = own.parse_both(other, hands(96, 64), None, None)
    assert len(stages.seen) == 6
    assert (here.parsing.labels == there.parsing.labels).all()
    own.parse_both(other.with_views(ONE), hands(96, 64), None, None)
    assert len(stages.seen) == 6 + 7


def test_views_a_model_cannot_average_are_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "corner.onnx"
    path.write_bytes(crafted.network("parts", grid=Grid.CORNER))
    auto = ParseJob(("a.png",), tmp_path, model=str(path), device="cpu")
    for job, count in ((replace(auto, views="2"), 2), (replace(auto, views="6"), 6)):
        with pytest.raises(Refusal, match=f"{count} views with model tiny: .*corners.* Use 1 view"):
            job.load()
    for job in (auto, replace(auto, views="1")):
        engine = job.load()
        assert job.engine_for(engine, "a", clip=False).views is ONE
        assert job.recipe(engine, clip=False)["views"] == 1
    six = replace(auto, views="6")
    assert ParseJob.from_json(json.loads(json.dumps(six.to_json()))) == six  # as it reaches workers of Ray


def test_regions_need_smoothing_and_are_a_recipe_of_their_own(tmp_path: Path) -> None:
    regions = ParseJob(("a.mp4",), tmp_path, views="regions", device="cpu")
    with pytest.raises(Refusal, match=r"--views regions: .* --no-smooth leaves out"):
        replace(regions, smooth=False).load()
    engine = regions.load()
    assert regions.recipe(engine, clip=True)["views"] == "regions"
    assert regions.recipe(engine, clip=False)["views"] == 1
    assert regions.recipe(load_engine("people-s31", device="cpu"), clip=True)["views"] == 1, "it looks whole"


def test_six_views_see_people_better_than_one(shared_data: Path) -> None:
    photos = read_ccp(shared_data / "ccp", "test")[-12:]
    one = load_engine("factored-s31", device="cpu").with_detail(FULL)
    scores: dict[Views, list[float]] = {ONE: [], SIX: []}
    for photo in photos:
        stem = Path(photo.name).stem
        truth = np.asarray(Image.open(shared_data / "ccp" / "silhouettes" / f"{stem}.png"), np.uint8)
        for views, said in scores.items():
            person = one.with_views(views).parsing(Frame(photo.image, 0, 0.0, 0.0)).person
            said.append(silhouette_iou(person >= 128, truth))
    gain = float(np.mean(scores[SIX]) - np.mean(scores[ONE]))
    assert gain > 0.003, f"six views are {gain:+.4f} of silhouette J better than one"
