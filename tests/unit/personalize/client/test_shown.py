"""What the window shows of a job: verdicts in words, previews, thumbnails, folders, the way of the bar."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.spec import FactorCard
from personalize.client import job_folders
from personalize.client.previews import DIM, EDGE, Previews, composed, portrait
from personalize.client.verdict import gain_words, verdict
from personalize.job import PersonalizationJob, write_job
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
    assert gain_words(replace(card, before={})) == gain_words(None) == ""


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
    cv2.imwrite(str(tmp_path / "mask.png"), np.full((24, 32), 255, np.uint8))
    previews = Previews(tmp_path / "clip.mp4", lambda: None)
    previews.start()
    for frame in (3, 20, 11):
        previews.offer(FrameSilhouette(frame, str(tmp_path / "mask.png")), keep=True)
    previews.offer(FrameSilhouette(5, str(tmp_path / "gone.png")))
    made = {}
    end_s = time.monotonic() + 20
    while len(made) < 3:
        assert time.monotonic() < end_s
        made |= {p.frame: p for p in previews.take()}
        time.sleep(0.02)
    previews.stop()
    previews.join(10)
    assert not previews.is_alive()
    for frame, preview in made.items():
        assert abs(float(preview.picture[130:140].mean()) - 8 * frame) < 6
        assert preview.sure == 1.0


def test_a_clip_without_previews_is_no_fault(tmp_path: Path) -> None:
    previews = Previews(tmp_path / "gone.mp4", lambda: None)
    previews.start()
    previews.join(10)
    assert not previews.is_alive()
    assert previews.take() == []


@pytest.fixture
def job(tmp_path: Path) -> PersonalizationJob:
    return PersonalizationJob(tmp_path / "a.mp4", "Ann", tmp_path)


def test_folders_are_private_listed_and_removed(job: PersonalizationJob) -> None:
    first, second = job_folders.new_folder("Ann & Bo/../x"), job_folders.new_folder("Ann & Bo/../x")
    assert first != second
    assert first.parent == job_folders.jobs_dir()
    assert first.stat().st_mode & 0o077 == 0
    assert job_folders.left_over() == []  # nothing was begun in them
    write_job(first, job)
    write_job(second, job)
    (second / job_folders.REPORT).write_text(json.dumps(REPORT))
    (second / job_folders.FACTOR).write_bytes(b"x")
    assert {x.folder: x.finished for x in job_folders.left_over()} == {first: False, second: True}
    assert job_folders.remove_of("Bo") == 0
    assert job_folders.remove_of("Ann") == 2
    assert job_folders.left_over() == []
    job_folders.remove(first)  # gone already: nothing to say


def test_a_folder_is_named_by_time_and_name_and_follows_a_new_name(
    job: PersonalizationJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_folders.time, "strftime", lambda _: "now")
    folders = [job_folders.new_folder(name) for name in ("Ann & Bo", "Ann & Bo", "ä", 60 * "x", "Ann & Bo")]
    names = ["now Ann-Bo", "now Ann-Bo 2", "now", f"now {40 * 'x'}", "now Ann-Bo 3"]
    assert [f.name for f in folders] == names
    for folder in folders[:2]:
        write_job(folder, job)
    write_job(folders[2], replace(job, name="Bo"))
    assert [left.folder for left in job_folders.left_over()] == [folders[1], folders[0], folders[2]]
    job_folders.rename_of("Ann", "Cy")
    assert [left.job.name for left in job_folders.left_over()] == ["Cy", "Cy", "Bo"]


@pytest.mark.parametrize("text", ["[1]", "{", "[" * 99_999, '{"a": 1}' + " " * (1 << 20)])
def test_a_report_that_is_none_is_empty(tmp_path: Path, text: str) -> None:
    (tmp_path / job_folders.REPORT).write_text(text)
    assert job_folders.read_report(tmp_path) == {}
    (tmp_path / job_folders.REPORT).write_text('{"a": 1}'.ljust(1 << 20))
    assert job_folders.read_report(tmp_path) == {"a": 1}


def test_a_folder_is_in_use_while_it_is_claimed_and_goes_when_it_is_left_empty(tmp_path: Path) -> None:
    assert not job_folders.in_use(tmp_path)
    with job_folders.claimed(tmp_path):
        assert job_folders.in_use(tmp_path)
    assert not job_folders.in_use(tmp_path)
    for name, left in (("new", False), ("full", True)):
        (tmp_path / name).mkdir()
        if left:
            (tmp_path / name / "file").touch()
        with pytest.raises(Refusal), job_folders.not_left_empty(tmp_path / name):
            raise Refusal("what", "why", "how")
        assert (tmp_path / name).exists() is left


def test_only_jobs_are_ever_removed(tmp_path: Path, job: PersonalizationJob) -> None:
    write_job(tmp_path / "mine", job)
    with pytest.raises(Refusal):
        job_folders.remove(tmp_path / "mine")
    outside = tmp_path / "outside"
    outside.mkdir()
    job_folders.new_folder("x")
    link = job_folders.jobs_dir() / "link"
    link.symlink_to(outside)
    with pytest.raises(Refusal):
        job_folders.remove(link)
    assert outside.is_dir()


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
