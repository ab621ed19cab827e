"""One small clip from its first frame to a factor, and what happens when it is done again."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
from dataclasses import replace

import cv2
import numpy as np
import pytest

from personalize import finetune
from personalize.gate import Judgement
from personalize.job import Correction
from personalize.messages import DONE, FrameSilhouette
from personalize.phases import PHASES
from personalize.worker import candidate
from personalize.worker import finetune as worker_finetune
from runtime.engine.engine import load_engine
from runtime.frames import Frame
from runtime.system import paths
from tests.person_clip import SIZE, person_frames, write_clip
from tests.personalising import hurry, job_for, run

pytestmark = [pytest.mark.slow, pytest.mark.onnx]


@pytest.fixture(scope="module", autouse=True)
def _quick():
    with pytest.MonkeyPatch.context() as patched:
        hurry(patched)
        yield


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "ann.mp4", person_frames())


@pytest.fixture(scope="module")
def finished(clip, tmp_path_factory):
    """A folder in which a job has been done, and what was told; copied by whoever changes it."""
    folder = tmp_path_factory.mktemp("finished")
    return folder, run(folder, job_for(clip))


@pytest.fixture
def again(finished, tmp_path):
    return shutil.copytree(finished[0], tmp_path / "again")


def model_hashes():
    folder = paths.models_dir() / "factored-s31"
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def test_a_clip_becomes_a_factor_with_numbers(finished):
    folder, told = finished
    assert told.code == DONE
    assert told.worked == list(PHASES)
    done = told.done
    data = (folder / "factor.onnx").read_bytes()
    assert done.path == str(folder / "factor.onnx")
    assert done.sha256 == hashlib.sha256(data).hexdigest()
    report = done.report
    assert json.loads((folder / "report.json").read_text()) == report
    for measure in ("held_out_J", "boundary_F", "regression"):
        assert 0 <= report[measure]["before"] <= 1
        assert 0 <= report[measure]["after"] <= 1
    assert report["window"] == [0, 15]
    assert report["frames"] == 16
    assert set(report["seconds"]) == set(PHASES)
    assert report["held_out_J"]["after"] > report["held_out_J"]["before"] - 0.02
    assert report["reason"]


def test_silhouettes_come_as_pictures(finished):
    folder, told = finished
    shown = [e for e in told.events if isinstance(e, FrameSilhouette)]
    assert {e.frame for e in shown} == set(range(16))
    for event in shown:
        picture = cv2.imread(event.path, cv2.IMREAD_UNCHANGED)
        assert picture.shape == SIZE[::-1]
        assert set(np.unique(picture)) <= {0, 128, 255}
        assert (picture == 255).any()
    assert {p.suffix for p in (folder / "silhouettes").iterdir()} == {".png"}


def test_everything_but_the_factor_stays_bit_identical(finished):
    """Trunk, head and the model's own factor; going back gives the very output that was there before."""
    folder, _ = finished
    before = model_hashes()
    engine = load_engine("factored-s31")
    frame = Frame(person_frames(1)[0], 0, 0.0, 0.0)
    own = engine.parsing(frame)
    swapped = engine.with_factor(engine.load_factor(folder / "factor.onnx"))
    assert swapped.stages is engine.stages
    assert not np.array_equal(swapped.parsing(frame).person, own.person)
    back = swapped.with_factor(None).parsing(frame)
    assert np.array_equal(back.person, own.person)
    assert np.array_equal(back.labels, own.labels)
    assert model_hashes() == before


def test_a_job_folder_is_for_its_user_alone(finished):
    """Row H11: what shows a person, nobody else may read."""
    folder, _ = finished
    for path in folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_h10_same_data_and_seed_give_the_same_bytes(finished, clip, tmp_path):
    folder, told = finished
    run(tmp_path, job_for(clip))
    before = {f: (f / "cache" / "candidate.onnx").read_bytes() for f in (folder, tmp_path)}
    assert before[folder] == before[tmp_path]  # the factor alone: its card has a date
    other = run(tmp_path, job_for(clip, seed=1))
    assert other.worked == ["learning", "writing", "checking"]
    assert other.done.sha256 != told.done.sha256


def test_frames_that_watch_or_judge_are_never_learned_from(again, clip, monkeypatch):
    given = []

    def learn(factor, data, *args, **kwargs):
        given.append(data)
        return finetune.learn(factor, data, *args, **kwargs)

    monkeypatch.setattr(worker_finetune, "learn", learn)
    (again / "cache" / "learning.json").unlink()
    run(again, job_for(clip))
    judged = json.loads((again / "cache" / "learning.json").read_text())["facts"]["judged"]
    (data,) = given
    assert data.watched
    assert judged
    assert len(data.clip.codes) == 16, "all frames are useful here, so their numbers are the clip's"
    assert sorted([*data.learned, *data.watched, *judged]) == list(range(16))


def test_a_finished_job_is_not_done_again(again, clip):
    told = run(again, job_for(clip))
    assert told.worked == []
    assert told.code == DONE


@pytest.mark.parametrize("phase", ["seeds", "cuts", "learning", "checking"])
def test_it_goes_on_at_the_first_unfinished_phase(finished, again, clip, phase):
    """As after a kill in that phase: its record is missing, and half of an array may lie about."""
    names = list(PHASES)
    for name in names[names.index(phase) :]:
        (again / "cache" / f"{name}.json").unlink()
    (again / "cache" / "features.npy.part").write_bytes(b"half")
    told = run(again, job_for(clip))
    assert told.worked == names[names.index(phase) :]
    made = ((f / "cache" / "candidate.onnx").read_bytes() for f in (again, finished[0]))
    assert next(made) == next(made)
    assert not list((again / "cache").glob("*.part"))


def test_a_stroke_is_true_at_once_and_only_what_it_touches_is_done_again(again, clip):
    width, height = SIZE
    stroke = Correction(5, ((10.0, 10.0), (30.0, 10.0)), 6.0, person=True)
    told = run(again, job_for(clip, strokes=(stroke,)))
    expected = ["propagating", "cuts", "learning", "writing", "checking"]
    assert told.worked == expected
    picture = cv2.imread(str(again / "silhouettes" / "000005.png"), cv2.IMREAD_UNCHANGED)
    assert picture.shape == (height, width)
    assert (picture[6:14, 10:30] == 255).all()
    background = replace(stroke, person=False)
    told = run(again, job_for(clip, strokes=(stroke, background)))
    assert "links" not in told.worked
    picture = cv2.imread(str(again / "silhouettes" / "000005.png"), cv2.IMREAD_UNCHANGED)
    assert (picture[6:14, 10:30] == 0).all()  # the later one counts


def test_a_factor_can_be_learned_on(finished, clip, tmp_path):
    base = tmp_path / "first.factor.onnx"
    shutil.copy(finished[0] / "factor.onnx", base)
    told = run(tmp_path / "job", job_for(clip, base_factor=base))
    first, second = finished[1].done.report, told.done.report
    own = first["held_out_J"]["before"]
    assert second["held_out_J"]["before"] != own, "judged from the factor given, not from the model's own"
    assert told.done.sha256 != finished[1].done.sha256


@pytest.mark.parametrize("method", ["none", "grabcut", "graphcut"])
def test_other_methods_reach_the_end_too(clip, tmp_path, method):
    told = run(tmp_path, job_for(clip, method=method))
    assert told.code == DONE
    assert "links" not in told.worked
    assert (tmp_path / "silhouettes" / "000000.png").exists()


@pytest.mark.parametrize("again_better", [True, False])
def test_h03_a_small_gain_counts_only_if_another_seed_shows_it_too(again, clip, monkeypatch, again_better):
    verdicts = [
        Judgement(accepted=True, reason="Better.", close=True),
        Judgement(accepted=again_better, reason="Again."),
    ]
    monkeypatch.setattr(candidate, "judge", lambda *_: verdicts.pop(0))
    (again / "cache" / "checking.json").unlink()
    told = run(again, job_for(clip))
    assert not verdicts
    assert told.done.accepted is again_better
    assert ("not again with another seed" in told.done.report["reason"]) is not again_better
    assert "learned once more" in told.notices
