"""MediaPipe's networks for an interpreter that has mediapipe: `PYTHON mediapipe_worker.py`.

Asked by JSON lines `{"network": …, "picture": FILE.npy, "mask": FILE.npy}`, it answers the CPU time in ms;
`{"forget": true}` begins a new clip.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import Any

import numpy as np


def main() -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what the package prints is no answer
    solutions: Any = importlib.import_module("mediapipe").solutions
    known = {
        name: solutions.pose.Pose(static_image_mode=still, model_complexity=1, enable_segmentation=True)
        for name, still in (("Pose, tracking", False), ("Pose, from scratch", True))
    }
    known["Selfie"] = solutions.selfie_segmentation.SelfieSegmentation(model_selection=0)
    for question in map(json.loads, sys.stdin):
        if "forget" in question:
            known["Pose, tracking"].reset()
            continue
        picture = np.load(question["picture"])
        begin = time.process_time()
        found = known[question["network"]].process(picture).segmentation_mask
        spent = 1000 * (time.process_time() - begin)
        np.save(question["mask"], np.zeros(picture.shape[:2], bool) if found is None else found >= 0.5)
        answers.write(f"{spent}\n")


if __name__ == "__main__":
    main()
