"""The gate asks six views and the parts' head as well: silhouettes damaged on purpose do not pass."""

from __future__ import annotations

import numpy as np
import pytest

from personalize.finetune import FinetuneConfig
from personalize.worker import finetune
from personalize.worker.evidence import LEAST_FRAMES, MOST_FRAMES, judged_frames
from tests.person_clip import person_frames, write_clip
from tests.personalising import hurry, job_for, run

pytestmark = [pytest.mark.slow, pytest.mark.onnx]


def test_a_thing_taken_for_the_person_all_through_the_clip_is_refused(tmp_path, monkeypatch) -> None:
    hurry(monkeypatch)
    folder, job = tmp_path / "job", job_for(write_clip(tmp_path / "ann.mp4", person_frames(12)))
    assert run(folder, job).done.report["evidence_J"]["taught"] > -0.5
    cache = folder / "cache"
    codes = np.load(cache / "codes.npy")
    person = (codes == 1).any(axis=0)
    width = max(6, round(0.4 * float((codes == 1).mean(axis=0).sum()) / (0.6 * codes.shape[1])))
    left = int(np.argmin([person[:, x : x + width].sum() for x in range(codes.shape[2] - width)]))
    codes[:, int(0.3 * codes.shape[1]) : int(0.9 * codes.shape[1]), left : left + width] = 1
    np.save(cache / "codes.npy", codes)  # a wardrobe, say
    monkeypatch.setattr(finetune, "CONFIG", FinetuneConfig(epochs=12))
    report = run(folder, job).done.report
    own = report["held_out_J"]  # by the damaged silhouettes
    assert own["after"] > own["before"] + 0.005
    assert not report["accepted"]
    assert "speak against it" in report["reason"]


@pytest.mark.parametrize("count", [5, 24, 301, 900])
def test_a_few_frames_are_asked_about_held_out_ones_first(count) -> None:
    judged = list(range(5, count, 20)) or [2]
    frames = judged_frames(judged, count)
    assert frames == sorted(set(frames))
    assert min(LEAST_FRAMES, count) <= len(frames) <= MOST_FRAMES
    assert set(frames) <= set(judged) or set(judged) <= set(frames) <= set(range(count))
