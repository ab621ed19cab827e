"""What the window shows of a job: verdicts in words, previews, thumbnails, the way of the bar."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.spec import FactorCard
from personalize.client.previews import DIM, EDGE, Preview, Previews, composed, portrait
from personalize.client.verdict import gain_words, verdict
from personalize.messages import Finished, FrameSilhouette, PhaseProgress
from personalize.phases import PHASES, fraction, step, words
from runtime.library.factors import usable_name, user_factors
from runtime.library.models import NAME
from runtime.media.writing import VideoWriter
from runtime.system import paths
from runtime.system.errors import Refusal

REPORT = {"held_out_J": {"before": 0.5, "after": 0.75}, "frames": 301, "reason": "Better."}


def test_a_verdict_says_before_and_after_in_words() -> None:
    found = verdict(Finished("f", "0", accepted=True, report=REPORT), "Ann")
    assert found.headline == "Ann: better on this person, 50 % → 75 %"
    assert [(r.before, r.after, r.change) for r in found.rows] == [(0.5, 0.75, 0.25)]
    assert "frames: 301" in found.details
    assert found.reason == "Better."
    refused = verdict(Finished("f", "0", accepted=False, report=REPORT), "Ann")
    assert refused.headline == "Not accepted: the factor in use stays"


def test_details_are_all_that_is_not_for_bug_reports_alone() -> None:
    pair, reason = {"before": 0.5, "after": 0.123456}, 250 * "no"
    report = {"evidence_J": pair, "window": [0, 300.00001], "losses": [1], "accepted": True, "reason": reason}
    report |= {"person": {"words": 150 * "he"}, "cpu_seconds": 3, "boundary_F": {"before": 1, "after": True}}
    found = verdict(Finished("f", "0", accepted=True, report=report), "Ann")
    assert found.headline == "Ann: better on this person"
    assert [r.words for r in found.rows] == ["By six views and body parts"]
    assert (found.reason, found.person) == (200 * "no", "Person: " + 100 * "he")
    assert found.details.split("\n") == [
        "evidence J: before 0.5, after 0.1235",
        "window: 0–300",
        "reason: " + 200 * "no",
        "person: words " + 150 * "he",
        "boundary F: before 1, after True",
    ]
    assert verdict(Finished("f", "0", accepted=True), "Ann").person == ""


@given(
    st.dictionaries(
        st.sampled_from(["held_out_J", "boundary_F", "regression", "reason", "window"]),
        st.none() | st.floats() | st.text(max_size=5) | st.lists(st.floats(), max_size=2)
        | st.dictionaries(
            st.sampled_from(["before", "after"]), st.floats() | st.text(max_size=3) | st.booleans()
        ),
    )
)  # fmt: skip
def test_a_report_of_anything_is_shown_without_what_it_lacks(report) -> None:
    found = verdict(Finished("f", "0", accepted=True, report=report), "x")
    assert all(np.isfinite([r.before, r.after]).all() for r in found.rows)


def test_a_gain_for_a_menu() -> None:
    card = FactorCard("", "", "", 1, {"held_out_J": 0.712}, {"held_out_J": 0.857}, accepted=True)
    assert gain_words(card) == "silhouette 71 → 86 %"
    assert gain_words(replace(card, person="at 1,2")) == "one person, silhouette 71 → 86 %"
    assert gain_words(replace(card, before={})) == gain_words(replace(card, after={})) == ""
    assert gain_words(None) == ""


@given(st.lists(st.tuples(st.sampled_from(list(PHASES)), st.integers(0, 10), st.integers(0, 10)), min_size=2))
def test_the_bar_never_leaves_its_ends_and_never_goes_back_in_order(steps) -> None:
    fractions = [fraction(PhaseProgress(*s)) for s in steps]
    assert all(0 <= f <= 1 + 1e-9 for f in fractions)
    ordered = [fraction(PhaseProgress(phase, n, 4)) for phase in PHASES for n in range(5)]
    assert ordered == sorted(ordered)
    assert ordered[-1] == pytest.approx(1)


def test_a_step_and_its_share_in_words() -> None:
    whole = sum(p.usual_s for p in PHASES.values())
    reading, seeds = PHASES["reading"].usual_s, PHASES["seeds"].usual_s
    for progress, share, said, at in (
        (None, 0, "Starting", ""),
        (PhaseProgress("new" * 30, 1, 2), 0, "new" * 20, ""),
        (PhaseProgress("reading", 0, 0), 0, "Reading the frames", "step 1 of 9"),
        (PhaseProgress("seeds", 1, 2), (reading + seeds / 2) / whole, PHASES["seeds"].words, "step 2 of 9"),
        (PhaseProgress("seeds", 3, 1), (reading + seeds) / whole, PHASES["seeds"].words, "step 2 of 9"),
        (PhaseProgress("seeds", -1, 1), reading / whole, PHASES["seeds"].words, "step 2 of 9"),
    ):
        assert (words(progress), step(progress)) == (said, at)
        assert fraction(progress) == pytest.approx(share)


def test_a_preview_dims_the_room_and_shows_doubt() -> None:
    image = np.full((90, 160, 3), 200, np.uint8)
    mask = np.zeros((45, 80), np.uint8)
    mask[10:40, 10:30], mask[10:40, 50:70] = 255, 128
    picture = composed(image, mask, width=160)
    assert (picture[50, 40] == 200).all()
    assert (picture[5, 5] == round(200 * DIM)).all()
    assert picture[50, 120].tolist() == [146, 114, 62]  # amber
    assert np.abs(picture[20, 21:59] - np.array(EDGE)).max() < 30
    assert composed(image, mask).shape == (202, 360, 3)
    assert composed(np.zeros((1, 1000, 3), np.uint8), mask).shape == (1, 360, 3)
    mask[10:40, 50:70] = 255  # two people
    row = composed(image, mask, width=160)[50].astype(int)
    for outside, inwards in ((19, 1), (60, -1), (99, 1)):  # next to an edge
        across = row[outside - inwards : outside + 5 * inwards : inwards]
        assert across[[0, -1]].tolist() == [[80, 80, 80], [200, 200, 200]]
        assert np.abs(across[2] - np.array(EDGE)).max() < 12


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_a_portrait_is_square_and_holds_the_person(height: int, width: int, data) -> None:
    mask = np.zeros((height, width), np.uint8)
    y, x = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    mask[y, x] = data.draw(st.sampled_from([0, 128, 255]))
    image = np.zeros((3 * height, 3 * width, 3), np.uint8)
    image[3 * y : 3 * y + 3, 3 * x : 3 * x + 3] = 255
    cut = portrait(image, mask, side=32)
    assert cut.shape == (32, 32, 3)
    if mask[y, x] == 255:
        assert cut.max() > 0


@pytest.mark.parametrize(
    ("rows", "columns", "left", "top", "reach"),
    [
        ((10, 20), (30, 35), 54, 19, 22),
        ((0, 10), (0, 5), 0, 0, 22),
        ((30, 40), (70, 80), 138, 58, 22),
        ((10, 20), (24, 64), 48, 0, 80),  # wider than the picture is high
        ((0, 0), (0, 0), 40, 0, 80),
    ],
)
def test_a_portrait_is_a_tenth_larger_than_the_person(rows, columns, left, top, reach) -> None:
    image = np.random.default_rng(0).integers(0, 255, (80, 160, 3)).astype(np.uint8)
    mask = np.full((40, 80), 128, np.uint8)
    mask[slice(*rows), slice(*columns)] = 255
    cut = image[top : top + reach, left : left + reach]
    expected = cv2.resize(cut, (96, 96), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(portrait(image, mask), expected)


def test_previews_are_made_of_the_right_frames(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "clip.mp4", (64, 48), 25)
    for index in range(30):
        writer.write(np.full((48, 64, 3), 8 * index, np.uint8), index / 25)
    writer.close()
    mask = np.zeros((24, 32), np.uint8)
    mask[6:] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    made: list[Preview] = []
    previews = Previews(tmp_path / "clip.mp4", lambda: made.extend(previews.take()))
    for frame in (3, 20, 99, 11):  # there is no frame 99
        previews.offer(FrameSilhouette(frame, str(tmp_path / "mask.png")), keep=True)
    previews.offer(FrameSilhouette(7, str(tmp_path / "gone.png")), keep=True)
    for frame in (4, 5):
        previews.offer(FrameSilhouette(frame, str(tmp_path / "mask.png")), keep=False)
    previews.start()
    end_s = time.monotonic() + 20
    while not any(p.frame == 5 for p in made):
        assert time.monotonic() < end_s
        time.sleep(0.01)
    previews.stop()
    previews.join(10)
    assert not previews.is_alive()
    assert [p.frame for p in made] == [3, 11, 20, 5]
    for preview in made:
        assert abs(float(preview.picture[130:140].mean()) - 8 * preview.frame) < 6
        assert abs(float(preview.thumbnail.mean()) - 8 * preview.frame) < 6
        assert (preview.picture.shape, preview.thumbnail.shape) == ((270, 360, 3), (96, 96, 3))
        assert preview.sure == 0.75


def test_of_many_previews_the_last_are_made_and_the_last_are_shown(tmp_path: Path) -> None:
    """Of 66 offered 64 are kept; they and the newest, which is made once more, are one too many to take."""
    for index in range(330):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.zeros((1, 8, 3), np.uint8))
    news = threading.Semaphore(0)
    previews = Previews(tmp_path, news.release)
    for frame in range(264, 330):
        previews.offer(FrameSilhouette(frame, str(tmp_path / "0.png")), keep=True)
    previews.start()
    assert all(news.acquire(timeout=10) for _ in range(65))
    previews.stop()
    previews.join(10)
    assert [p.frame for p in previews.take()] == [*range(267, 330), 329]


def test_a_fault_while_they_are_made_ends_previews_and_nothing_else(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "0.png"), np.zeros((9, 9, 3), np.uint8))
    previews = Previews(tmp_path, [].pop)
    previews.offer(FrameSilhouette(0, str(tmp_path / "0.png")), keep=True)
    previews.start()
    previews.join(10)
    assert (previews.is_alive(), previews.daemon) == (False, True)
    assert [p.frame for p in previews.take()] == [0]


def test_a_clip_without_previews_is_no_fault(tmp_path: Path) -> None:
    previews = Previews(tmp_path / "gone.mp4", lambda: None)
    previews.start()
    previews.join(10)
    assert not previews.is_alive()
    assert previews.take() == []


@given(st.text(max_size=90))
def test_any_text_becomes_a_name_that_the_library_takes(text: str) -> None:
    assert NAME.fullmatch(usable_name(text))


def test_export_and_rename_refuse_in_words(tmp_path: Path) -> None:
    factor = paths.models_dir() / "factored-s31" / "factor.onnx"
    trunk = (paths.models_dir() / "factored-s31" / "trunk.onnx").read_bytes()
    library = user_factors()
    library.add(factor, trunk, "Ann")
    library.add(factor, trunk, "Bo")
    for act in (
        lambda: library.rename("Ann", "Bo"),
        lambda: library.rename("Ann", "../Bo"),
        lambda: library.rename("nobody", "Cy"),
        lambda: library.export("Ann", tmp_path / "none" / "x"),
    ):
        with pytest.raises(Refusal):
            act()
    assert {x.name for x in library.factors()} == {"Ann", "Bo"}
