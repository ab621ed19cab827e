"""MediaPipe Pose, asked picture by picture: a program for an interpreter that has mediapipe, and little else.

    PYTHON mediapipe_pose.py CONFIDENCE

reads JSON lines {"picture": PNG, "person": PNG} and answers each by one: {"landmarks": 33 rows x, y px and
visibility} after P(person) times 255 was written to the second file; landmarks are null where nobody is
found. The first line says who answers. It imports nothing of this project: mediapipe pins other versions.
"""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what the libraries print is no answer
    if hasattr(os, "sched_setaffinity"):  # its thread pools have no other setting
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    import cv2  # noqa: PLC0415 - after the core is chosen
    import mediapipe  # noqa: PLC0415

    cv2.setNumThreads(1)
    pose = mediapipe.solutions.pose.Pose(
        static_image_mode=True, enable_segmentation=True, min_detection_confidence=float(sys.argv[1])
    )
    name = f"MediaPipe Pose {mediapipe.__version__}, pose_landmark_full, Apache-2.0"
    answers.write(json.dumps({"teacher": name}) + "\n")
    for line in sys.stdin:
        question = json.loads(line)
        picture = cv2.cvtColor(cv2.imread(question["picture"]), cv2.COLOR_BGR2RGB)  # type: ignore[arg-type]
        found, (h, w) = pose.process(picture), picture.shape[:2]
        rows = None
        if found.pose_landmarks is not None:
            cv2.imwrite(question["person"], (255 * found.segmentation_mask).clip(0, 255).astype("uint8"))
            rows = [(p.x * w - 0.5, p.y * h - 0.5, p.visibility) for p in found.pose_landmarks.landmark]
        answers.write(json.dumps({"landmarks": rows}) + "\n")


if __name__ == "__main__":
    main()
