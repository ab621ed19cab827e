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
from personalize.client.previews import DIM, Previews, composed, portrait
from personalize.client.verdict import gain_words, verdict
from personalize.job import PersonalizationJob, write_job
from personalize.messages import Finished, FrameSilhouette, PhaseProgress
from personalize.phases import PHASES, fraction
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
    refused = verdict(Finished("f", "0", accepted=False, report=REPORT), "Ann")
    assert refused.headline == "Not accepted: the factor in use stays"


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


def test_a_preview_dims_the_room_and_shows_doubt() -> None:
    image = np.full((90, 160, 3), 200, np.uint8)
    mask = np.zeros((45, 80), np.uint8)
    mask[10:40, 10:30], mask[10:40, 50:70] = 255, 128
    picture = composed(image, mask, width=160)
    assert (picture[50, 40] == 200).all()
    assert (picture[5, 5] == round(200 * DIM)).all()
    red, _, blue = (int(c) for c in picture[50, 120])
    assert red > blue + 60  # amber


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
