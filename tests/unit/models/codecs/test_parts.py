from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.codecs.guided_filter import refine
from models.codecs.parts import PartCodec, decide, part_labels, to_bytes
from models.outputs import PartProbabilities
from models.resize import resize
from runtime.engine.detail import FULL, LIVE
from runtime.engine.letterbox import Letterbox, NetworkSize
from runtime.engine.source import Request
from tests.unit.runtime.model_files import crafted


def ellipse(width: int, height: int) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, (width // 2, height // 2), (width // 6, height // 3), 20, 0, 360, 255, -1)
    return mask


def request(width: int = 512, height: int = 288, contrast: int = 90) -> tuple[Request, np.ndarray]:
    """A person-like ellipse before a plain wall, and its mask."""
    mask = ellipse(width, height)
    image = np.where(mask[..., None] > 0, 120 + contrast // 2, 120 - contrast // 2).astype(np.uint8)
    image = np.repeat(image[..., :1], 3, axis=2)
    frame = crafted.picture(image)
    box = Letterbox.fit(frame.size, NetworkSize(512))
    return Request(frame, box, box.apply(frame.image), {}), mask > 0


def coarse(asked: Request, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a network that is a little off would say: P(person) blurred, shifted by half a cell; two parts."""
    across, down = asked.letterbox.cells
    person = asked.letterbox.pool(mask.astype(np.uint8) * 255)[:down, :across]
    person = cv2.GaussianBlur((person + np.roll(person, 1, axis=1)) / 2, (0, 0), 0.6)
    parts = np.zeros((4, down, across), np.float32)
    parts[0] = 1 - person
    parts[1, : down // 2], parts[2, down // 2 :] = person[: down // 2], person[down // 2 :]
    return person, parts


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("detail", [LIVE, FULL])
def test_edges_follow_the_person(detail: object) -> None:
    asked, mask = request(640, 360)
    person, parts = coarse(asked, mask)
    made = decide(person, parts, asked.context(detail.size(asked.letterbox)))  # type: ignore[arg-type]
    size = made.labels.shape[::-1]
    truth = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
    blocks = cv2.resize(person, size, interpolation=cv2.INTER_NEAREST) >= 0.5
    assert iou(made.labels > 0, truth) > 0.97
    assert iou(made.labels > 0, truth) > iou(blocks, truth) + 0.05
    assert iou(made.person > 127, truth) > 0.97
    upper, lower = np.split(made.labels, 2)
    assert set(np.unique(upper)) == {0, 1}
    assert set(np.unique(lower[8:])) == {0, 2}


def test_without_contrast_the_network_is_believed() -> None:
    asked, mask = request(contrast=0)
    person, parts = coarse(asked, mask)
    made = decide(person, parts, asked.context(LIVE.size(asked.letterbox)))
    plain = resize(person, (512, 288)) >= 0.5
    assert iou(made.person > 127, plain) > 0.9


def test_whom_the_factor_leaves_out_has_no_parts() -> None:
    """Two people stand side by side, the factor knows the left one alone; the head sees both."""
    asked, mask = request()
    both = mask | np.roll(mask, 180, axis=1)
    _, parts = coarse(asked, both)
    person, _ = coarse(asked, mask)
    made = decide(person, parts, asked.context(LIVE.size(asked.letterbox)))
    labels = cv2.resize(made.labels, mask.shape[::-1], interpolation=cv2.INTER_NEAREST)
    assert iou(labels > 0, mask) > 0.85
    alone = decide(1 - parts[0], parts, asked.context(LIVE.size(asked.letterbox)))
    assert (alone.labels > 0).sum() > 1.7 * (made.labels > 0).sum()


def test_nobody_stays_nobody_and_everybody_everybody() -> None:
    asked, _ = request()
    for value in (0.0, 1.0):
        person = np.full((36, 64), value, np.float32)
        parts = np.zeros((4, 36, 64), np.float32)
        parts[0], parts[3] = 1 - value, value
        made = decide(person, parts, asked.context(LIVE.size(asked.letterbox)))
        assert (made.person == round(255 * value)).all()
        assert (made.labels == (3 if value else 0)).all()
        assert (made.confidence == 255).all()


def test_a_finer_mask_gives_the_edge_but_not_the_parts_of_a_chair() -> None:
    asked, mask = request()
    _, parts = coarse(asked, mask)
    fine = (mask * 255).astype(np.uint8)
    fine[:, :60] = 255  # a chair in the mask, where the head sees nobody
    made = decide(parts[1] + parts[2], parts, asked.context(LIVE.size(asked.letterbox), fine))
    assert (made.person == fine).all()
    assert (made.labels[:, :60] == 0).all()
    assert (made.confidence[:, :60] == 255).all(), "sure of the background"
    assert iou(made.labels[:, 60:] > 0, mask[:, 60:]) > 0.95


@given(st.integers(0, 2**32 - 1), st.sampled_from([(96, 64), (97, 61), (200, 150), (30, 20)]))
def test_part_borders_are_those_of_interpolation(seed: int, size: tuple[int, int]) -> None:
    """The short way agrees with the long one: interpolate every part, take the largest."""
    rng = np.random.default_rng(seed)
    logits = np.stack([cv2.GaussianBlur(rng.standard_normal((8, 12)), (0, 0), 1.5) * 8 for _ in range(7)])
    logits[0] = -9
    parts = (np.exp(logits) / np.exp(logits).sum(0)).astype(np.float32)
    zoomed = (12 * 16, 8 * 16)
    long_way = np.stack([resize(p, zoomed) for p in parts[1:]]).argmax(0) + 1
    long_way = cv2.resize(long_way.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    short_way = part_labels(parts, size)
    assert short_way.shape == (size[1], size[0])
    assert (short_way == long_way).mean() > 0.9


@pytest.mark.parametrize("zoom", [8, 16])
def test_at_whole_zooms_borders_are_exactly_those_of_interpolation(zoom: int) -> None:
    rng = np.random.default_rng(0)
    parts = np.stack([cv2.GaussianBlur(rng.random((8, 12)), (0, 0), 1.5) for _ in range(6)]).astype(
        np.float32
    )
    parts[0] = 0
    size = (12 * zoom, 8 * zoom)
    long_way = np.stack([resize(p, size) for p in parts[1:]]).argmax(0) + 1
    assert (part_labels(parts, size) == long_way).mean() > 0.998, "but for ties"


@pytest.mark.parametrize(
    ("person", "body", "shown", "labelled"),
    [(1.0, 0.24, 255, False), (1.0, 0.26, 255, True), (0.52, 1.0, 133, True), (0.48, 1.0, 122, False)],
)
def test_a_mask_decides_the_edge_unless_the_head_sees_clearly_less(
    person: float, body: float, shown: int, labelled: bool
) -> None:
    asked, _ = request()
    parts = np.zeros((4, 36, 64), np.float32)
    parts[0], parts[2] = 1 - body, body
    mask = np.full((288, 512), round(255 * person), np.uint8)
    made = decide(np.ones((36, 64), np.float32), parts, asked.context(LIVE.size(asked.letterbox), mask))
    assert set(made.person.flat) == {shown}
    assert set(made.labels.flat) == {2 if labelled else 0}
    sure = round(255 * body) if labelled else 255 if body < 0.5 else 255 - shown
    assert set(made.confidence.flat) == {sure}


def test_probabilities_as_bytes_are_rounded() -> None:
    values = np.array([[0, 1, 0.5, 1.4 / 255, 1.6 / 255, 254.6 / 255]], np.float32)
    assert to_bytes(values).tolist() == [[0, 255, 128, 1, 2, 255]]


@pytest.mark.parametrize("with_person", [True, False])
def test_the_silhouette_is_the_map_of_the_person_or_else_of_the_body(with_person: bool) -> None:
    asked, _ = request()
    parts = np.zeros((32, 36, 64), np.float32)
    parts[0], parts[7] = 0.25, 0.75
    maps = {"parts": parts} | ({"person": np.full((1, 36, 64), 0.75, np.float32)} if with_person else {})
    result = PartCodec().decode(
        PartProbabilities(parts="S31"), maps, asked.context(LIVE.size(asked.letterbox))
    )
    assert result.parsing is not None
    assert (result.parsing.size, result.parsing.part_set.name) == ((512, 288), "S31")
    assert set(result.parsing.labels.flat) == {7}
    assert set(result.parsing.confidence.flat) == {191}
    assert {abs(int(v) - 191) <= 1 for v in result.parsing.person.flat} == {True}


def test_refining_is_bounded_and_leaves_the_grid_it_was_given() -> None:
    asked, mask = request()
    person, _ = coarse(asked, mask)
    before = person.copy()
    (refined,) = refine((person,), asked.picture, asked.picture)
    assert refined.dtype == np.float32
    assert 0 <= refined.min() <= refined.max() <= 1
    assert (person == before).all()
