"""Clips that are not what they should be: each ends in a factor or in words, never in a trace."""

from __future__ import annotations

import errno
import io
import os
import time
from dataclasses import replace

import cv2
import numpy as np
import pytest

from personalize.job import Correction
from personalize.messages import CANCELLED, DONE, FAILED, Cancelled
from personalize.phases import PHASES
from personalize.worker import candidate, finetune, process, propagation, results
from personalize.worker import frames as reading
from personalize.worker.reporter import LimitError, Orders, Reporter
from runtime.media.clips import Clip
from tests.person_clip import person_frames, write_clip
from tests.personalising import hurry, job_for, run

pytestmark = [pytest.mark.slow, pytest.mark.onnx]


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Little is learned in these; what they are about comes before."""
    hurry(monkeypatch)


@pytest.fixture(scope="module")
def frames():
    return person_frames(12)


def wall(count=6, still=False):
    """A brick wall, which moves along unless it is still."""
    picture = np.full((90, 160, 3), (150, 90, 70), np.uint8)
    for k, y in enumerate(range(0, 90, 10)):
        cv2.line(picture, (0, y), (160, y), (190, 185, 180))
        for x in range(k % 2 * 10, 160, 20):
            cv2.line(picture, (x, y), (x, y + 10), (190, 185, 180))
    return [np.roll(picture, 0 if still else 3 * k, axis=1) for k in range(count)]


@pytest.mark.parametrize("kind", ["black", "nobody", "still, nobody"])
def test_nobody_in_the_picture_is_said_before_any_long_work(tmp_path, kind):
    pictures = [np.zeros((90, 160, 3), np.uint8)] * 6 if kind == "black" else wall(still="still" in kind)
    told = run(tmp_path / "job", job_for(write_clip(tmp_path / "c.mp4", pictures)))
    assert told.code == FAILED
    assert "person" in told.failed.reason
    assert told.failed.remedy
    assert "links" not in told.worked
    assert not (tmp_path / "job" / "factor.onnx").exists()


def test_five_frames_are_enough(tmp_path, frames):
    told = run(tmp_path / "job", job_for(write_clip(tmp_path / "c.mp4", frames[:5])))
    assert told.code == DONE
    assert told.done.report["frames"] == 5


def test_one_frame_is_not(tmp_path, frames):
    told = run(tmp_path / "job", job_for(write_clip(tmp_path / "c.mp4", frames[:1])))
    assert told.failed.what == "c.mp4"
    assert "only 1 frame" in told.failed.reason


def test_a_still_image_is_learned_from_and_does_no_harm(tmp_path, frames):
    told = run(tmp_path / "job", job_for(write_clip(tmp_path / "c.mp4", [frames[0]] * 8)))
    assert told.code == DONE


def test_a_cut_in_the_middle_leaves_the_shot_that_was_chosen(tmp_path, frames):
    scene = [np.ascontiguousarray(f[::-1, ::-1] // 3 + 120) for f in frames]
    clip = write_clip(tmp_path / "c.mp4", [*frames, *scene])
    told = run(tmp_path / "job", job_for(clip, around=3))
    assert told.code == DONE
    assert told.done.report["window"] == [0, 11]
    assert "only frames 0 to 11" in told.notices
    assert {p.stem for p in (tmp_path / "job" / "silhouettes").iterdir()} == {f"{k:06d}" for k in range(12)}


def test_two_people_are_both_learned(tmp_path, frames):
    both = [np.concatenate([f, f[:, ::-1]], axis=1) for f in frames]
    told = run(tmp_path / "job", job_for(write_clip(tmp_path / "c.mp4", both)))
    assert told.code == DONE
    picture = cv2.imread(str(tmp_path / "job" / "silhouettes" / "000005.png"), cv2.IMREAD_UNCHANGED)
    assert (picture[:, : picture.shape[1] // 2] == 255).any()
    assert (picture[:, picture.shape[1] // 2 :] == 255).any()


def test_a_moving_camera(tmp_path, frames):
    wide = [cv2.copyMakeBorder(f, 30, 30, 40, 40, cv2.BORDER_REFLECT) for f in frames]
    moved = [np.ascontiguousarray(f[2 * k : 2 * k + 90, 4 * k : 4 * k + 160]) for k, f in enumerate(wide)]
    told = run(tmp_path / "job", job_for(write_clip(tmp_path / "c.mp4", moved)))
    assert told.code == DONE


def test_a_truncated_clip_is_used_as_far_as_it_goes(tmp_path, frames):
    clip = write_clip(tmp_path / "c.mp4", person_frames(40))
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 3])
    told = run(tmp_path / "job", job_for(clip))
    if told.code == DONE:
        assert told.done.report["frames"] >= 2
    else:
        assert told.failed.what == "c.mp4"


@pytest.mark.parametrize("content", [b"", b"no clip", b"\x00" * 4000])
def test_what_is_no_clip_is_refused_in_words(tmp_path, content):
    (tmp_path / "c.mp4").write_bytes(content)
    told = run(tmp_path / "job", job_for(tmp_path / "c.mp4"))
    assert told.failed.what == "c.mp4"
    assert run(tmp_path / "job", job_for(tmp_path / "none.mp4")).code == FAILED


def test_of_a_long_clip_only_the_window_is_read(tmp_path, frames, monkeypatch):
    """Ten hours by its time stamps would do; what counts is how many frames are decoded."""
    clip = write_clip(tmp_path / "c.mp4", [f[:32, :32] for f in frames] * 60)
    job = job_for(clip, first=600, last=605)
    yielded = []
    real = Clip.frames

    def counting(self, start=None, **named):
        for frame in real(self, start, **named):
            yielded.append(frame.index)
            yield frame

    monkeypatch.setattr(Clip, "frames", counting)
    run(tmp_path / "job", job)
    assert yielded == list(range(600, 606)) or yielded == list(range(600, 607))
    assert reading.wanted_frames(replace(job, last=None), 25 * 36_000).start == 25 * 18_000 - 150


def test_a_range_beyond_the_end_is_named(tmp_path, frames):
    job = replace(job_for(write_clip(tmp_path / "c.mp4", frames[:6])), first=100, last=110)
    assert run(tmp_path / "job", job).failed.reason == "it has no frame 100"


def test_a_range_that_is_too_long_is_refused_before_reading(tmp_path, frames, monkeypatch):
    monkeypatch.setattr(reading, "LONGEST", 10)
    clip = write_clip(tmp_path / "c.mp4", frames)
    told = run(tmp_path / "job", job_for(clip, first=0, last=11))
    assert "Choose a shorter range" in told.failed.remedy


def test_a_folder_of_frames_is_a_clip_too(tmp_path, frames):
    folder = tmp_path / "frames"
    folder.mkdir()
    for k, frame in enumerate(frames[:6]):
        cv2.imwrite(str(folder / f"{k}.png"), frame[..., ::-1])
    assert run(tmp_path / "job", job_for(folder)).code == DONE
    cv2.imwrite(str(folder / "7.png"), frames[0][:50, :50])
    told = run(tmp_path / "job", job_for(folder))
    assert "differs in size" in told.failed.reason
    (tmp_path / "empty").mkdir()
    assert "no pictures" in run(tmp_path / "job2", job_for(tmp_path / "empty")).failed.reason


def test_h06_a_disk_that_fills_is_said_in_words_and_the_work_goes_on_later(tmp_path, frames, monkeypatch):
    clip = write_clip(tmp_path / "c.mp4", frames[:6])

    def full(*_args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(results.os, "posix_fallocate", full)
        told = run(tmp_path / "job", job_for(clip))
        assert "the disk is full" in told.failed.reason
    with monkeypatch.context() as patched:
        patched.setattr(candidate, "write_atomic", full)
        told = run(tmp_path / "job", job_for(clip))
        assert "the disk is full" in told.failed.reason
    told = run(tmp_path / "job", job_for(clip))
    assert told.code == DONE
    assert "learning" not in told.worked


def test_h06_numpy_s_own_fault_of_a_full_disk_is_said_in_words(tmp_path):
    with pytest.raises(OSError, match="requested and") as fault:
        np.zeros(1 << 20).tofile("/dev/full")
    assert fault.value.errno is None
    assert process.failure(fault.value, tmp_path).reason == "the disk is full"


def test_too_little_memory_is_said_in_words(tmp_path, frames, monkeypatch):
    def none(*_args, **_named):
        raise MemoryError

    monkeypatch.setattr(propagation, "propagate", none)
    told = run(tmp_path / "job", job_for(write_clip(tmp_path / "c.mp4", frames[:6])))
    assert "not enough memory" in told.failed.reason


def test_a_fault_of_ours_is_told_with_the_log(tmp_path, frames, monkeypatch):
    def fault(*_args, **_named):
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(propagation, "propagate", fault)
    told = run(tmp_path / "job", job_for(write_clip(tmp_path / "c.mp4", frames[:6])))
    assert "ZeroDivisionError" in told.failed.reason
    assert "log.txt" in told.failed.remedy


def test_h12_a_job_that_takes_too_long_ends(tmp_path, frames):
    told = run(tmp_path / "job", job_for(write_clip(tmp_path / "c.mp4", frames), limit_s=0.01))
    assert "longer than" in told.failed.reason


def test_h12_learning_ends_in_time_with_the_best_so_far(tmp_path, frames, monkeypatch):
    monkeypatch.setattr(finetune, "RESERVE_S", 1e6)
    told = run(tmp_path / "job", job_for(write_clip(tmp_path / "c.mp4", frames)))
    assert told.code == DONE
    assert "its time was up" in told.notices


def test_h02_fifty_wrong_corrections_cannot_make_others_worse(tmp_path, frames):
    """Somebody paints the wall as the person, again and again, in every frame."""
    wall = [
        Correction(k % 12, ((5.0 + 3 * k, 8.0), (60.0, 20.0), (150.0, 10.0 + k)), 12.0, person=True)
        for k in range(50)
    ]
    clip = write_clip(tmp_path / "c.mp4", frames)
    told = run(tmp_path / "job", job_for(clip, strokes=tuple(wall)))
    people = told.done.report["regression"]
    assert not told.done.accepted or people["after"] >= people["before"] - people["margin"]
    assert told.done.report["reason"]


def test_cancel_and_stop(tmp_path, frames):
    clip = write_clip(tmp_path / "c.mp4", frames)
    told = run(tmp_path / "job", job_for(clip), Orders(io.StringIO("")))  # closed from the start
    assert (told.code, told.end) == (CANCELLED, Cancelled())
    orders = Orders(None)
    orders.stop.set()
    told = run(tmp_path / "job", job_for(clip), orders)
    assert told.code == DONE
    assert "you asked for the best so far" in told.notices


def test_a_reader_who_leaves_cancels(tmp_path):
    class Gone(io.StringIO):
        def write(self, _text):
            raise BrokenPipeError

    orders = Orders(None)
    reporter = Reporter(tmp_path, Gone(), orders, 60)
    reporter.begin("reading")
    reporter.progress(0, 1)
    assert orders.cancel.is_set()
    reporter.close()


def test_the_time_left_shrinks_and_the_limit_holds(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    out = io.StringIO()
    reporter = Reporter(tmp_path, out, Orders(None), 1000)
    reporter.expect("reading", 1)
    reporter.expect("cuts", 1)
    reporter.begin("reading")
    now[0] += 6
    reporter.progress(1, 1)
    now[0] += 1
    reporter.begin("cuts")
    reporter.progress(1, 2)
    lines = [line for line in out.getvalue().splitlines() if "left_s" in line]
    left_s = round(PHASES["cuts"].usual_s * 6 / PHASES["reading"].usual_s, 1)
    assert f'"left_s": {left_s}' in lines[0]
    assert '"left_s": ' in lines[1]
    now[0] += 1000
    with pytest.raises(LimitError):
        reporter.progress(2, 2)
    reporter.close()
