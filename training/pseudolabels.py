"""Dense part labels for photos that have none: a trained network's, corrected by what is known.

    python -m training.pseudolabels CHECKPOINT --data DATA --out runs/pseudo

writes OUT/{lsp,lspet,ccp,ccp_unlabelled}/*.png, code maps (targets.py) of the photos that may be trained on.
The teacher's probabilities are averaged over the picture and its mirror image at several sizes, which is
worth more than any single view, and the student learns the same from one: consistency under augmentation.
Where joints are known they weigh the parts (a left arm is near the left elbow and wrist), so a teacher that
takes a back for a front is put right; silhouettes and garments rule out what they exclude. Pixels that stay
in doubt teach nothing.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from models.checkpoint import CheckpointError
from models.factored import FactoredConvNet
from models.labels import IGNORE, S31
from training.photos import DataError, Photo, read_ccp, read_lsp, read_unlabelled, with_maps
from training.prediction import NetworkInput, open_network
from training.scribbles import BROADSIDE, LIMBS, Skeleton, across
from training.silhouettes import body, merged, torso_length, with_silhouettes
from training.targets import CODES, SET_CODES, allowed
from training.teacher_labels import silhouette, silhouette_file, with_joints

log = logging.getLogger(__name__)
Maps = NDArray[np.float32]
Mask = NDArray[np.uint8]

SPORT_SIDES, STREET_SIDES = (
    (256, 352),
    (384, 480),
)  # px of the teacher's input; each also mirrored
SURE, SURE_BACKGROUND = 0.6, 0.85  # probabilities from which a pixel teaches its part, or background
SURE_PERSON = 0.7
EVERY = 100  # photos between two lines of the log
SOMEBODY = 0.5  # P(person) of the network from which the surroundings may be somebody else
OWN_MARGIN = 0.06  # of the longer side: so near to its person a photo has nobody else
NEAR = 0.1  # torso lengths a part may be further from its bone than the nearest part is, one sigma
MINIMUM_JOINTS = 8  # of 14, fewer say too little
UNKNOWN = 0.35  # torso lengths: how far a part counts as being whose joints are not known
OTHER_SIDE = 0.3  # of the teacher's belief goes to the mirrored part where joints tell the sides apart
Segment = tuple[
    NDArray[np.floating], NDArray[np.floating], float
]  # from, to, and the radius within which the distance is 0; px


@torch.no_grad()
def teach(net: FactoredConvNet, image: NDArray[np.uint8], sides: Sequence[int]) -> Maps:
    """Probabilities (32, h, w) of an image (h, w, 3), averaged over long sides and mirror images."""
    size = image.shape[0], image.shape[1]
    mirror = torch.from_numpy(S31.mirror()[: S31.classes].astype(np.int64))
    total = torch.zeros(S31.classes, *size)
    for side in sides:
        for mirrored in (False, True):
            given = NetworkInput.of(np.ascontiguousarray(image[:, ::-1]) if mirrored else image, side)
            across, down = given.letterbox.cells
            parts = net(given.x)[1].softmax(1)[:, :, :down, :across]
            own = interpolate(parts, size, mode="bilinear", align_corners=False)[0]
            total += own.flip(2)[mirror] if mirrored else own
    mean: Maps = (total / (2 * len(sides))).numpy()
    return mean


def supports(s: Skeleton, torso: float) -> dict[str, list[Segment]]:
    """Segments of the parts of a skeleton by part name; a part of unknown joints is absent."""
    found: dict[str, list[Segment]] = {}
    for letter, side in (("r", "r_"), ("l", "l_")):
        for part, a, b, (t0, t1) in LIMBS:
            if s.known(side + a, side + b):
                p, q = s.at(side + a), s.at(side + b)
                found[letter + part] = [(p + (t0 - 0.1) * (q - p), p + (t1 + 0.04) * (q - p), 0.06 * torso)]
        for joint in ("knee", "ankle", "elbow", "wrist"):
            if s.known(side + joint):
                found[letter + joint] = [(s.at(side + joint), s.at(side + joint), 0.08 * torso)]
        if side + "heel" in s.tips and side + "toes" in s.tips:
            found[letter + "foot"] = [(s.tips[side + "heel"], s.tips[side + "toes"], 0.07 * torso)]
        elif s.known(side + "ankle"):
            found[letter + "foot"] = [(s.at(side + "ankle"), s.at(side + "ankle"), 0.2 * torso)]
        if side + "fingers" in s.tips:
            wrist, end = s.at(side + "wrist"), s.tips[side + "fingers"]
            found[letter + "hand"] = [(_between(wrist, end, 0.35), _between(wrist, end, 1.3), 0.05 * torso)]
        elif s.known(side + "elbow", side + "wrist"):
            wrist, elbow = s.at(side + "wrist"), s.at(side + "elbow")
            along = (wrist - elbow) / max(float(np.linalg.norm(wrist - elbow)), 1e-6)
            found[letter + "hand"] = [
                (wrist + 0.06 * torso * along, wrist + 0.3 * torso * along, 0.05 * torso)
            ]
    _trunk(found, s, torso)
    _head(found, s, torso)
    return found


def _between(p: NDArray[np.floating], q: NDArray[np.floating], t: float) -> NDArray[np.floating]:
    return p + t * (q - p)


def _trunk(found: dict[str, list[Segment]], s: Skeleton, torso: float) -> None:
    """Shoulders and quarters of the torso; sides apart only on a broadside body."""
    if not s.known("r_shoulder", "l_shoulder", "r_hip", "l_hip"):
        return
    width = float(np.linalg.norm(across(s)))
    inner = 0.27 if width > BROADSIDE * torso else 0.5
    for letter, side, other in (("r", "r_", "l_"), ("l", "l_", "r_")):
        shoulder, hip = s.at(side + "shoulder"), s.at(side + "hip")
        top = shoulder + inner * (s.at(other + "shoulder") - shoulder)
        bottom = hip + inner * (s.at(other + "hip") - hip)
        radius = max(0.1 * torso, 0.2 * width)
        for part, low, high in (("ubody", 0.2, 0.52), ("lbody", 0.66, 1.0)):
            found[letter + part] = [(top + low * (bottom - top), top + high * (bottom - top), radius)]
        found[letter + "shoulder"] = [
            (shoulder, shoulder + 0.3 * (s.at(other + "shoulder") - shoulder), 0.1 * torso)
        ]


def _head(found: dict[str, list[Segment]], s: Skeleton, torso: float) -> None:
    """Neck and head; its halves apart only on a broadside body."""
    if not s.known("neck", "head_top"):
        return
    neck, top = s.at("neck"), s.at("head_top")
    apart = np.zeros(2, np.float32)
    if s.known("r_shoulder", "l_shoulder", "r_hip", "l_hip"):
        towards_right = across(s)
        width = float(np.linalg.norm(towards_right))
        if width > BROADSIDE * torso:
            apart = (0.1 * torso / width * towards_right).astype(np.float32)
    found["neck"] = [(neck, neck + 0.3 * (top - neck), 0.1 * torso)]
    for part, low, high in (("lhead", 0.4, 0.62), ("uhead", 0.68, 1.0)):
        for letter, shift in (("r", apart), ("l", -apart)):
            found[letter + part] = [
                (neck + low * (top - neck) + shift, neck + high * (top - neck) + shift, 0.12 * torso)
            ]


def likelihood(s: Skeleton, size: tuple[int, int]) -> Maps:
    """(31, height, width) in 0..1: how well each part fits a place given the joints; ``size`` is (w, h)."""
    width, height = size
    torso = torso_length(s)
    found = supports(s, torso)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    distance = np.full((S31.classes - 1, height, width), UNKNOWN, np.float32)
    for name, segments in found.items():
        each = [_from_segment(x, y, *segment) / np.float32(torso) for segment in segments]
        distance[S31.id(name) - 1] = np.min(each, axis=0)
    beyond = (distance - distance.min(0)) / NEAR
    fit: Maps = np.exp(-0.5 * np.minimum(beyond, 3.5) ** 2).astype(np.float32)
    return fit


def _from_segment(x: Maps, y: Maps, p: NDArray[np.floating], q: NDArray[np.floating], radius: float) -> Maps:
    dx, dy = q - p
    length = max(float(dx * dx + dy * dy), 1e-6)
    t = np.clip(((x - p[0]) * dx + (y - p[1]) * dy) / length, 0, 1)
    away: Maps = np.maximum(np.hypot(x - p[0] - t * dx, y - p[1] - t * dy) - radius, 0).astype(np.float32)
    return away


def label(teacher: Maps, photo: Photo) -> Mask:
    """Codes (h, w) of a photo from a teacher's probabilities (32, h, w) and from what is known of it.

    What the photo already teaches stays; a set of parts becomes one of its parts where that is sure. Where a
    usual body lies round the bones a teacher's background is not believed: it may have lost a limb.
    """
    codes = photo.codes
    known = np.minimum(codes, CODES)
    table = np.concatenate((allowed(), np.ones((1, S31.classes), np.bool_)))
    belief = teacher.copy()
    if photo.skeleton is not None and (photo.skeleton.visible > 0).sum() >= MINIMUM_JOINTS:
        parts = belief[1:]
        swapped = parts[S31.mirror()[1 : S31.classes].astype(np.int64) - 1]
        person = parts.sum(0)
        h, w = codes.shape
        parts = ((1 - OTHER_SIDE) * parts + OTHER_SIDE * swapped) * likelihood(photo.skeleton, (w, h))
        belief[1:] = parts * (person / np.maximum(parts.sum(0), 1e-6))
    belief *= np.moveaxis(table[known], 2, 0)
    belief /= np.maximum(belief.sum(0), 1e-6)
    best = belief.argmax(0).astype(np.uint8)
    sure = belief.max(0) >= np.where(best == 0, SURE_BACKGROUND, SURE)
    somebody = np.where(1 - belief[0] >= SURE_PERSON, SET_CODES["person"], IGNORE)
    fresh = np.where(sure, best, np.where(codes == IGNORE, somebody, codes)).astype(np.uint8)
    if photo.skeleton is not None and (photo.skeleton.visible > 0).all():
        fresh[(fresh == 0) & (body(photo.skeleton, (codes.shape[1], codes.shape[0])) > 0)] = IGNORE
    exact = codes < S31.classes
    return np.where(exact, codes, fresh).astype(np.uint8)


def with_labels(photos: Sequence[Photo], folder: Path) -> list[Photo]:
    """The photos with the codes in ``folder`` in place of their own."""
    return with_maps(photos, folder, "training.pseudolabels", lambda _own, made: made)


def without_others(codes: Mask, belief: Maps) -> Mask:
    """Codes (h, w) that do not call other people background: annotations are of one person each.

    Args:
        codes: of a photo of one person.
        belief: (32, h, w) the network's probabilities; where it sees somebody away from the person,
            nothing is known.
    """
    margin = max(1, round(OWN_MARGIN * max(codes.shape)))
    own = ((codes > 0) & (codes != IGNORE)).astype(np.uint8)
    own = cv2.dilate(own, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8))
    others = (codes == 0) & (own == 0) & (1 - belief[0] >= SOMEBODY)
    return np.where(others, IGNORE, codes).astype(np.uint8)


def write(
    net: FactoredConvNet,
    photos: Sequence[Photo],
    sides: Sequence[int],
    folder: Path,
    teacher: Path | None = None,
) -> None:
    """Label each photo that has no file yet; `teacher` is a folder of labels of theirs."""
    folder.mkdir(parents=True, exist_ok=True)
    for done, photo in enumerate(photos, start=1):
        path = folder / f"{Path(photo.name).stem}.png"
        if not path.exists():
            belief = teach(net, photo.image, sides)
            mask = None if teacher is None else silhouette(teacher, photo)
            codes = photo.codes if mask is None else merged(photo.codes, mask)
            known = replace(photo, codes=without_others(codes, belief))
            cv2.imwrite(str(path), label(belief, known))
        if done % EVERY == 0:
            log.info("%s: %d of %d", folder.name, done, len(photos))


def main(arguments: list[str] | None = None) -> int:
    """Label every photo that may be trained on; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.pseudolabels", description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="the teacher")
    parser.add_argument("--data", type=Path, required=True, help="folder with lsp/, lspet/, ccp/…")
    parser.add_argument("--silhouettes", type=Path, help="cuts (python -m training.silhouettes)")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=("lsp", "lspet", "ccp", "ccp_unlabelled"))
    a = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        net = open_network(a.checkpoint)
        sets = {
            "lsp": (read_lsp(a.data / "lsp", "train"), SPORT_SIDES),
            "lspet": (read_lsp(a.data / "lspet", "all"), SPORT_SIDES),
            "ccp_unlabelled": (read_unlabelled(a.data / "ccp_unlabelled"), STREET_SIDES),
            "ccp": (read_ccp(a.data / "ccp", "train"), STREET_SIDES),
        }
        for name in a.only or sets:
            photos, sides = sets[name]
            teacher = a.data / "teacher" / name
            if teacher.is_dir():
                photos = with_joints(photos, teacher)
            cuts = a.silhouettes / name if a.silhouettes is not None else None
            if cuts is not None and cuts.is_dir():
                lacking = [p for p in photos if not silhouette_file(teacher, p).is_file()]
                known = {p.name: p for p in with_silhouettes(lacking, cuts)}
                photos = [known.get(p.name, p) for p in photos]
            write(net, photos, sides, a.out / name, teacher)
    except (CheckpointError, DataError, OSError) as e:
        sys.stderr.write(f"{e}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
