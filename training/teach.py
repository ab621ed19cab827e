"""Labels for photos of one's own by a teacher, MediaPipe Pose: silhouettes and landmarks of one person each.

    python -m training.teach PHOTOS --out DIR [--install | --python PYTHON]

writes DIR/silhouettes/<stem>.png (8 bits, 255 = surely the person, at the photo's size), DIR/landmarks.json
({"teacher": …, "images": {stem: {"landmarks": 33 rows x, y px and visibility, "agreement", "joint_error"}},
"left_out": {stem: reason}}). Every photo is looked at twice, as it is and mirrored, and the answers averaged.
With joints (PHOTOS/keypoints.json in LSP's layout) it is first turned so that the torso stands upright and
cropped to that person, and kept where the answer has those joints; without, where both answers agree closely.
The same command goes on where it was stopped. The teacher runs in an environment of its own.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.system.errors import Refusal
from runtime.system.files import write_atomic
from training.own_photos import photos_in
from training.photos import DataError, Image, lsp_skeleton, read_image
from training.scribbles import Skeleton
from training.teacher_labels import SEEN, joint_error
from training.teacher_process import NoAnswerError, TeacherAnswer, TeacherProcess, interpreter

log = logging.getLogger(__name__)
Ask = Callable[[Image], TeacherAnswer | None]
Row = dict[str, Any]  # of a photo in landmarks.json

MARGIN = 1.3  # torso lengths round the joints that the teacher is shown
SIDE_PX = 512  # longer side of that view
LONGEST_PX = 1024  # of a photo without joints; the teacher itself works at 256
AGREEMENT, AGREEMENT_ALONE = 0.80, 0.88  # intersection over union of both answers, with and without joints
JOINT_ERROR = 0.30  # mean, torso lengths
LANDMARK_ERROR = 0.03  # mean distance between both answers, longer sides of the photo
#: landmark ids in a mirror
MIRROR = [0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, *(i + 1 if i % 2 else i - 1 for i in range(11, 33))]
EVERY = 25  # photos after which the list is written


@dataclass(frozen=True)
class TeacherView:
    """View of a photo that the teacher is shown.

    Attributes:
        matrix: (2, 3) photo px → view px.
        size: (width, height) px.
    """

    matrix: NDArray[np.float64]
    size: tuple[int, int]

    def of(self, image: Image) -> Image:
        """The view (h, w, 3) of a photo; what lies outside repeats its edge."""
        return np.asarray(
            cv2.warpAffine(image, self.matrix, self.size, borderMode=cv2.BORDER_REPLICATE), np.uint8
        )

    def back(self, answer: TeacherAnswer, size: tuple[int, int]) -> TeacherAnswer:
        """The answer in a photo of `size` (width, height); nobody outside the view."""
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        person = np.asarray(cv2.warpAffine(answer.person, self.matrix, size, flags=flags), np.float32)
        m = cv2.invertAffineTransform(self.matrix)
        landmarks = answer.landmarks.copy()
        landmarks[:, :2] = landmarks[:, :2] @ m[:, :2].T + m[:, 2]
        return TeacherAnswer(landmarks, person)


def view_of(size: tuple[int, int], skeleton: Skeleton | None) -> TeacherView:
    """The person alone and upright where the torso is known; else the whole photo, at most 1 024 px long."""
    torso = None if skeleton is None else skeleton.torso_length()
    if skeleton is None or not torso:
        k = min(1.0, LONGEST_PX / max(size))
        matrix = np.array([[k, 0, (k - 1) / 2], [0, k, (k - 1) / 2]])
        return TeacherView(matrix, (max(1, round(k * size[0])), max(1, round(k * size[1]))))
    shoulders, hips = ((skeleton.at(f"r_{n}") + skeleton.at(f"l_{n}")) / 2 for n in ("shoulder", "hip"))
    x, y = (shoulders - hips) / torso
    turn = np.array([[-y, x], [-x, -y]], np.float64)  # takes the torso's direction to (0, -1)
    known = skeleton.xy[skeleton.visible > 0] @ turn.T
    low, high = known.min(0) - MARGIN * torso, known.max(0) + MARGIN * torso
    k = SIDE_PX / float((high - low).max())
    width, height = (max(1, round(float(v))) for v in k * (high - low))
    return TeacherView(k * np.concatenate((turn, -low[:, None]), axis=1), (width, height))


def taught(image: Image, skeleton: Skeleton | None, ask: Ask) -> tuple[Image, Row] | str:
    """The mean of both answers on a photo (h, w, 3), or the reason why they are not believed.

    Returns:
        P(person) (h, w) times 255, and the photo's row in landmarks.json.
    """
    size = image.shape[1], image.shape[0]
    if skeleton is not None and not skeleton.torso_length():
        return "its joints have no torso"
    view = view_of(size, skeleton)
    picture = view.of(image)
    plain, mirrored = ask(picture), ask(np.ascontiguousarray(picture[:, ::-1]))
    if plain is None or mirrored is None:
        return "the teacher sees nobody"
    other, person = mirrored.landmarks[MIRROR], mirrored.person[:, ::-1]
    other[:, 0] = picture.shape[1] - 1 - other[:, 0]
    both, either = ((f(plain.person >= 0.5, person >= 0.5)).sum() for f in (np.logical_and, np.logical_or))
    agreement = float(both / max(1, either))
    half = np.float32(0.5)
    mean = TeacherAnswer(half * (plain.landmarks + other), half * (plain.person + person))
    answer, error, reason = view.back(mean, size), None, None
    if skeleton is not None:
        error = joint_error(answer.landmarks, skeleton)
        if error > JOINT_ERROR:
            reason = f"its landmarks contradict the joints ({error:.2f} torso lengths)"
    elif not (seen := mean.landmarks[:, 2] >= SEEN).any():
        reason = "the teacher is sure of no landmark"
    elif np.linalg.norm((plain.landmarks - other)[seen, :2], axis=1).mean() > LANDMARK_ERROR * max(view.size):
        reason = "photo and mirror image have other landmarks"
    if reason:
        return reason
    if agreement <= (AGREEMENT_ALONE if skeleton is None else AGREEMENT):
        return f"photo and mirror image have other silhouettes (J {agreement:.2f})"
    rows = [[round(float(x), 1), round(float(y), 1), round(float(v), 2)] for x, y, v in answer.landmarks]
    row = {"landmarks": rows, "agreement": round(agreement, 3), "joint_error": error and round(error, 3)}
    return np.rint(255 * answer.person.clip(0, 1)).astype(np.uint8), row


class TaughtFolder:
    """The teacher's folder: silhouettes/STEM.png and landmarks.json; what is there is kept."""

    def __init__(self, folder: Path) -> None:
        """Open it, or begin it.

        Raises:
            DataError: its list is not one.
        """
        self._silhouettes, self._file = folder / "silhouettes", folder / "landmarks.json"
        try:
            held = json.loads(self._file.read_text("utf-8")) if self._file.exists() else {"images": {}}
            self.images: dict[str, Row] = dict(held["images"])
            self.left_out: dict[str, str] = dict(held.get("left_out", {}))
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise DataError(f"{self._file}: not a teacher's list ({e}). Move it away.") from e

    def done(self, stem: str) -> bool:
        """True when the teacher has judged the photo, and its silhouette is there if it was kept."""
        return stem in self.left_out or (
            stem in self.images and (self._silhouettes / f"{stem}.png").is_file()
        )

    def add(self, stem: str, silhouette: Image, row: Row) -> None:
        """Keep the labels of a photo."""
        self._silhouettes.mkdir(parents=True, exist_ok=True)
        png = cv2.imencode(".png", silhouette)[1].tobytes()
        write_atomic(self._silhouettes / f"{stem}.png", png, mode=None, sync=False)
        self.images[stem] = row

    def write(self, teacher: str) -> None:
        """Replace the list."""
        held = {"teacher": teacher, "images": self.images, "left_out": self.left_out}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(self._file, (json.dumps(held) + "\n").encode(), mode=None)


def joints_of(folder: Path) -> dict[str, Any]:
    """Rows of a folder's keypoints.json by stem, none without one.

    Raises:
        DataError: it is not in LSP's layout.
    """
    joints = folder / "keypoints.json"
    try:
        return dict(json.loads(joints.read_text("utf-8"))["images"]) if joints.is_file() else {}
    except (OSError, ValueError, KeyError, TypeError) as e:
        layout = '{"images": {STEM: 14 rows x, y, v}}'
        raise DataError(f"{joints}: not joints ({e!r}). Write {layout}, or move it away.") from e


def teach(files: list[Path], joints: dict[str, Any], out: TaughtFolder, ask: Ask) -> Iterator[int]:
    """Label the photos that have no verdict yet; the number that are through, after each."""
    seen: set[str] = set()
    for count, path in enumerate(files, start=1):
        if path.stem in seen:
            log.warning("%s: another photo has this name; left out", path)
        elif not out.done(path.stem):
            try:
                skeleton = lsp_skeleton(joints[path.stem]) if path.stem in joints else None
                found = taught(read_image(path), skeleton, ask)
                if isinstance(found, str):
                    out.left_out[path.stem] = found
                    log.info("%s: %s; left out", path, found)
                else:
                    out.add(path.stem, *found)
            except (ValueError, NoAnswerError) as e:  # of the file, or of this moment: tried again next time
                log.warning("%s: %s; left out", path, e)
        seen.add(path.stem)
        yield count


def main(arguments: list[str] | None = None) -> int:
    """Label a folder of photos; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m training.teach", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("photos", type=Path, help="folder of photos, or with images/ and keypoints.json")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--python", type=Path, help="interpreter that has mediapipe 0.10.21")
    parser.add_argument("--install", action="store_true", help="make an environment with it, about 1 GB")
    a = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    cv2.setNumThreads(1)
    try:
        files, joints = photos_in(a.photos), joints_of(a.photos)
        out = TaughtFolder(a.out)
        process = TeacherProcess(interpreter(a.python, install=a.install))
        try:
            for count in teach(files, joints, out, process.ask):
                if count % EVERY == 0:
                    out.write(process.name)
                    log.info("%d of %d photos, %d kept", count, len(files), len(out.images))
        finally:
            out.write(process.name)
            process.close()
    except (DataError, Refusal, OSError) as e:
        sys.stderr.write(f"{e}\n")
        return 1
    kept = sum(p.stem in out.images for p in files)
    log.info("%d of %d photos kept, %d left out", kept, len(files), len(files) - kept)
    return 0


if __name__ == "__main__":
    sys.exit(main())
