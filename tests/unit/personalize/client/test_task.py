"""A task: what is known of one job from its first frame to its end, by a worker that says what it is told."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from personalize.client import task as tasks
from personalize.client.camera_clip import Recording
from personalize.client.previews import Preview, Previews
from personalize.client.supervisor import Ending
from personalize.client.task import PersonalizationTask
from personalize.job import Correction, PersonalizationJob, read_job
from personalize.messages import FrameSilhouette
from personalize.phases import PHASES
from runtime.frames import Frame
from runtime.media.clips import Clip

SCRIPT = Path(__file__).with_name("scripted_worker.py")
SEEDS = {"event": "Progress", "phase": "seeds", "done": 1, "total": 2, "left_s": 3.5}
DONE = {"event": "Done", "path": "f.onnx", "sha256": "0" * 64, "accepted": True}
END: list[list[object]] = [["say", DONE], ["exit", 0]]
STROKES = (Correction(2, ((1.0, 1.0),), 2.0, person=True),)


def silhouette(frame: int, path: str) -> list[object]:
    return ["say", {"event": "Silhouette", "frame": frame, "path": path}]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., PersonalizationTask]]:
    """Call with the steps of each attempt: a task on twenty numbered pictures, not yet started."""
    made: list[PersonalizationTask] = []

    def task(*attempts: list[list[object]], span: tuple[int, int] | None = None) -> PersonalizationTask:
        clip, folder = tmp_path / "walk", tmp_path / "job"
        clip.mkdir()
        folder.mkdir()
        for k in range(20):
            cv2.imwrite(str(clip / f"{k:02d}.png"), np.full((36, 64, 3), 10 * k, np.uint8))
        (folder / "script.json").write_text(json.dumps(attempts))
        command = (sys.executable, str(SCRIPT))
        job = PersonalizationJob(clip, "Ann", tmp_path)
        made.append(PersonalizationTask(folder, job, lambda: None, span, command))
        return made[0]

    yield task
    for one in made:
        one.cancel(0.0)
        for thread in one.close():
            thread.join(20)
        assert one.close() == []


def collected(task: PersonalizationTask) -> bool:
    """Take in what happened; True once the end has come."""
    task.collect()
    return task.outcome is not None


def test_a_task_that_has_not_begun_knows_nothing(begin) -> None:
    task = begin(END)
    assert (task.words, task.step, task.fraction, task.left_s) == ("Starting", "", None, None)
    assert (task.running, task.outcome, task.started, task.stopping_early) == (False, None, 0, False)
    assert (task.collect(), task.thumbnail, task.notice, task.mask(0), task.recording) == (
        [],
        None,
        "",
        None,
        None,
    )
    assert task.recorded() == ""
    task.stop_early()
    task.cancel()
    assert task.close() == []


def test_what_the_worker_says_is_known_to_the_end(begin, tmp_path: Path, until) -> None:
    mask = np.zeros((9, 16), np.uint8)
    mask[2:, 3:] = 255
    cv2.imwrite(str(tmp_path / "new.png"), mask)
    said = [["say", {"event": "Notice", "text": 300 * "no"}], ["say", SEEDS], ["stdin"]]
    task = begin([silhouette(7, "old.png"), silhouette(7, str(tmp_path / "new.png")), *said, *END])
    task.start()
    assert read_job(task.folder) == task.job
    assert (task.started, task.running, task.words) == (1, True, "Starting")
    until(lambda: task.fraction is not None)
    task.collect()
    before = PHASES["reading"].usual_s + PHASES["seeds"].usual_s / 2
    assert task.fraction == pytest.approx(before / sum(p.usual_s for p in PHASES.values()))
    assert (task.words, task.step, task.left_s) == (PHASES["seeds"].words, "step 2 of 9", 3.5)
    assert (task.notice, task.stopping_early, task.outcome) == (200 * "no", False, None)
    assert task.silhouettes == {7: tmp_path / "new.png"}
    np.testing.assert_array_equal(task.mask(7), mask)
    assert task.mask(6) is None
    task.stop_early()
    assert task.stopping_early
    until(lambda: collected(task))
    assert (task.outcome.how, task.running, task.started) == (Ending.DONE, False, 1)
    assert (task.folder / "heard.txt").read_bytes() == b"stop\n"


def test_one_frame_of_each_of_eight_parts_is_shown_in_its_newest_state(begin, until, monkeypatch) -> None:
    asked: list[tuple[int, str, bool]] = []

    class Asked(Previews):
        def offer(self, silhouette, *, keep=False) -> None:
            asked.append((silhouette.frame, Path(silhouette.path).name, keep))

    monkeypatch.setattr(tasks, "Previews", Asked)
    frames = [20, 19, 18, 17, 7, 6, 5]
    task = begin([*(silhouette(k, "a.png") for k in frames), silhouette(20, "b.png"), *END], span=(5, 20))
    task.start()
    until(lambda: collected(task))
    kept = [True, False, True, False, True, True, False]
    assert asked == [*((k, "a.png", keep) for k, keep in zip(frames, kept, strict=True)), (20, "b.png", True)]
    assert task.silhouettes[20] == task.folder / "b.png"


def test_without_a_range_the_first_frame_is_shown_and_the_surest_is_the_thumbnail(
    begin, tmp_path, until
) -> None:
    for name, rows in (("half", 9), ("most", 18), ("least", 3)):
        mask = np.zeros((18, 32), np.uint8)
        mask[:rows] = 255
        cv2.imwrite(str(tmp_path / f"{name}.png"), mask)
    shown: list[Preview] = []

    task = begin([["stdin"]])
    task.start()
    for name, frame, best in (("half", 3, 3), ("most", 5, 5), ("least", 1, 5)):
        task._on_silhouette(FrameSilhouette(frame, str(tmp_path / f"{name}.png")))
        until(lambda k=frame: shown.extend(task.collect()) or any(p.frame == k for p in shown))
        assert task.thumbnail is not None
        assert (task.thumbnail.frame, task.thumbnail.sure) == (best, 0.5 if best == 3 else 1.0)


def test_corrections_while_it_runs_begin_it_again(begin, until) -> None:
    task = begin([["say", SEEDS], ["stdin"]], [["say", SEEDS], ["stdin"], *END])
    task.start()
    until(lambda: task.fraction is not None)
    task.redo(STROKES)
    assert (task.words, task.running, task.outcome) == ("Beginning again with your corrections", True, None)
    assert task.job.strokes == ()
    until(lambda: task.collect() or task.started == 2)
    assert task.job.strokes == read_job(task.folder).strokes == STROKES
    assert (task.words, task.running) == ("Starting", True)
    until(lambda: task.fraction is not None)
    task.stop_early()
    until(lambda: collected(task))
    assert (task.outcome.how, task.started) == (Ending.DONE, 2)


def test_corrections_after_the_end_begin_it_at_once(begin, until) -> None:
    task = begin(END)
    task.start()
    until(lambda: collected(task))
    task.redo(STROKES)
    assert (task.started, read_job(task.folder).strokes) == (2, STROKES)
    until(lambda: collected(task))
    assert task.outcome.how is Ending.DONE


def test_a_task_that_is_cancelled_does_not_begin_again(begin, until) -> None:
    task = begin([["say", SEEDS], ["stdin"]])
    task.start()
    until(lambda: task.fraction is not None)
    task.redo(STROKES)
    task.cancel()
    until(lambda: collected(task))
    task.collect()
    assert (task.outcome.how, task.started, task.running) == (Ending.CANCELLED, 1, False)


def test_a_worker_that_is_started_again_is_told_of_until_it_says_something(begin, until) -> None:
    task = begin([["kill"]], [["stdin"], ["say", SEEDS], ["stdin"]])
    task.start()
    assert task.words == "Starting"
    until(lambda: task.words != "Starting")
    assert task.words == "The worker broke down; it was started again"
    assert task.step == ""
    task.stop_early()
    until(lambda: task.words != "The worker broke down; it was started again")
    assert task.words == PHASES["seeds"].words


def test_a_recording_comes_first_and_can_end_early(begin, until) -> None:
    task = begin(END)
    camera = SimpleNamespace(tap=None, info=SimpleNamespace(rate=25.0), is_alive=lambda: True)
    task.record(Recording(camera, task.folder / "camera.mp4"))  # type: ignore[arg-type]
    assert read_job(task.folder) == task.job
    for k in range(6):
        camera.tap(Frame(np.zeros((48, 64, 3), np.uint8), k, 0.5 * k, 100 + 0.5 * k))
    assert (task.words, task.running, task.outcome) == ("Recording what the camera sees", True, None)
    assert (task.fraction, task.left_s, task.started) == (0.25, 7.5, 0)
    assert task.close() == [task.recording.thread] or task.recording.ended
    until(lambda: task.recording.ended)
    assert task.recorded() == ""
    assert (task.recording, task.running, camera.tap) == (None, False, None)
    task.start()
    until(lambda: collected(task))
    assert task.outcome.how is Ending.DONE


@pytest.mark.parametrize("end", [PersonalizationTask.stop_early, PersonalizationTask.cancel])
def test_a_recording_that_is_too_short_says_why(begin, until, end) -> None:
    task = begin(END)
    camera = SimpleNamespace(tap=None, info=None, is_alive=lambda: True)
    task.record(Recording(camera, task.folder / "camera.mp4"))  # type: ignore[arg-type]
    camera.tap(Frame(np.zeros((48, 64, 3), np.uint8), 0, 0.0, 0.0))
    end(task)
    until(lambda: task.recording.ended)
    assert task.recorded() == "The camera sent too few pictures. Check it, then try again."


def test_a_recording_is_ten_seconds_of_the_camera(tmp_path: Path, until) -> None:
    camera = SimpleNamespace(tap=None, info=None, is_alive=lambda: True)
    recording = Recording(camera, tmp_path / "camera.mp4")  # type: ignore[arg-type]
    assert (recording.fraction, recording.left_s) == (0.0, 10.0)
    recording.start()
    for k, at_s in enumerate((3.0, 5.0, 6.0, 7.5, 12.9, 13.0)):
        camera.tap(Frame(np.full((48, 64, 3), 40 * k, np.uint8), k, at_s, at_s))
    assert (recording.fraction, recording.left_s, camera.tap) == (1.0, 0.0, None)
    until(lambda: recording.ended)
    assert recording.problem == ""
    with Clip(tmp_path / "camera.mp4") as clip:
        seen = [(float(f.image.mean()), f.pts_s) for f in clip.frames()]
    np.testing.assert_allclose(
        seen, list(zip((0, 40, 80, 120, 160), (0, 2, 3, 4.5, 9.9), strict=True)), atol=3
    )


def test_a_camera_that_went_away_ends_its_recording(tmp_path: Path, until) -> None:
    there = [True, False]
    camera = SimpleNamespace(tap=None, info=None, is_alive=lambda: there[0])
    recording = Recording(camera, tmp_path / "gone" / "camera.mp4")  # type: ignore[arg-type]
    recording.start()
    camera.tap(Frame(np.zeros((48, 64, 3), np.uint8), 0, 0.0, 0.0))
    there.pop(0)
    camera.tap = other = SimpleNamespace()
    until(lambda: recording.ended)
    assert camera.tap is other
    assert recording.problem.startswith("Recording stopped. ")
