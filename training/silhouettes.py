"""Silhouettes of photos whose joints are known: GrabCut grown from the skeleton, kept only where it is sure.

    python -m training.silhouettes --data DATA --out runs/silhouettes

writes OUT/lsp/*.png and OUT/lspet/*.png, 0 background, 1 person, 255 in doubt; no test photos among them.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.labels import IGNORE
from runtime.silhouettes.grabcut import cut_trimap
from training.photos import DataError, Photo, read_lsp, with_maps
from training.scribbles import FAR, Skeleton, distance_to_bones
from training.targets import SET_CODES

log = logging.getLogger(__name__)
Mask = NDArray[np.uint8]

SIDE_PX = 208  # longest side a cut is computed at
ROUNDS = 3
STARTS = (0.75, 1.35)  # times the usual half-width: where the two cuts start from
#: half-widths of the body round its bones, torso lengths: surely person, and usual with clothes on
BONES = (
    ("hip", "knee", 0.10, 0.19), ("knee", "ankle", 0.06, 0.14), ("shoulder", "elbow", 0.055, 0.13),
    ("elbow", "wrist", 0.045, 0.11),
)  # fmt: skip
HANDS, FEET = 0.10, 0.13  # half-widths of what lies beyond wrists and ankles
#: a photo's cut is kept when its area is this many times that of the usual body, and the cuts agree so well
AREA = (0.65, 1.25)
AGREEMENT = 0.88
COVERED = 0.8  # of the narrow body that the cut must call person
REACH = 1.35  # times the usual half-width: further from the bones nothing is called person


@dataclass(frozen=True)
class SilhouetteCut:
    """A silhouette and how far it may be believed.

    Attributes:
        mask: (h, w) 0 background, 1 person, 255 in doubt.
        area: person against the usual body of this skeleton.
        agreement: intersection over union of cuts from a narrow and a wide start.
        covered: share of the narrow body round the bones that the cut holds.
    """

    mask: Mask
    area: float
    agreement: float
    covered: float

    @property
    def plausible(self) -> bool:
        right_size = AREA[0] <= self.area <= AREA[1]
        return right_size and self.agreement >= AGREEMENT and self.covered >= COVERED


def body(skeleton: Skeleton, size: tuple[int, int], *, sure: bool = False, widen: float = 1.0) -> Mask:
    """(height, width) 1 on the body drawn round the bones at its usual width, or only where it surely is.

    ``size`` is (width, height) px; all joints must be known.
    """
    width, height = size
    out = np.zeros((height, width), np.uint8)
    torso = torso_length(skeleton)
    at = skeleton.at
    quad = [at(n) for n in ("r_shoulder", "l_shoulder", "l_hip", "r_hip")]
    middle = np.mean(quad, axis=0)
    if sure:
        quad = [middle + 0.8 * (p - middle) for p in quad]
    hull = cv2.convexHull(np.round(quad).astype(np.int32))
    cv2.fillConvexPoly(out, hull, 1)
    if not sure:
        cv2.polylines(out, [hull], True, 1, max(1, round(2 * 0.14 * torso * widen)))  # noqa: FBT003 - OpenCV's order
    for a, b, least, usual in BONES:
        for side in ("r_", "l_"):
            half = (least if sure else usual * widen) * torso
            _capsule(out, at(side + a), at(side + b), half)
            if not sure and b in {"wrist", "ankle"}:
                along = at(side + b) - at(side + a)
                along = along / max(float(np.linalg.norm(along)), 1e-6)
                reach, thick = (0.25, HANDS) if b == "wrist" else (0.12, FEET)
                _capsule(out, at(side + b), at(side + b) + along * reach * torso, thick * widen * torso)
    neck, top = at("neck"), at("head_top")
    # LSP's neck lies at the collar, its head top on the skull: the head fills the upper part of the line.
    low, high = (0.45, 0.8) if sure else (0.4, 0.88)
    _capsule(
        out, neck + low * (top - neck), neck + high * (top - neck), (0.11 if sure else 0.2 * widen) * torso
    )
    _capsule(out, neck, neck + 0.5 * (top - neck), (0.05 if sure else 0.15 * widen) * torso)
    return out


def cut(image: NDArray[np.uint8], skeleton: Skeleton) -> SilhouetteCut | None:
    """The silhouette of the person whose joints are given in a photo (h, w, 3).

    Returns:
        None when a joint is unknown or lies outside: nothing can be said about what is not person then.
    """
    h, w = image.shape[:2]
    inside = (skeleton.xy >= 0).all() and (skeleton.xy < [w, h]).all()
    if not (skeleton.visible > 0).all() or not inside:
        return None
    shrink = min(1.0, SIDE_PX / max(h, w))
    size = max(8, round(w * shrink)), max(8, round(h * shrink))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    bones = Skeleton(skeleton.xy * np.float32(shrink), skeleton.visible)
    torso = torso_length(bones)
    if torso < 12:
        return None
    sure = body(bones, size, sure=True)
    usual = body(bones, size)
    far = distance_to_bones(bones, size) > FAR * torso
    narrow, wide = (_grabcut(small, sure, body(bones, size, widen=f), far) for f in STARTS)
    both, either = narrow & wide, narrow | wide
    agreement = float(both.sum() / either.sum())
    near = body(bones, size, widen=REACH) > 0
    mask = np.where(both & near, 1, np.where(either, IGNORE, 0)).astype(np.uint8)
    core = body(bones, size, widen=0.6) > 0
    mask[core & (mask == 0)] = IGNORE  # a limb the cut has lost is no background
    ring = np.ones((3, 3), np.uint8)
    person = both.astype(np.uint8)
    mask[cv2.dilate(person, ring) != cv2.erode(person, ring)] = IGNORE  # edges are right to a pixel or two
    area = float(both.sum() / usual.sum())
    full = cv2.resize(mask, (w, h), interpolation=cv2.INTER_NEAREST)
    covered = float((both & core).sum() / core.sum())
    return SilhouetteCut(np.asarray(full, np.uint8), area, agreement, covered)


def torso_length(skeleton: Skeleton) -> float:
    """Torso length, px; a sixth of the body's extent at least: a torso seen from above shrinks to nothing."""
    known = skeleton.xy[skeleton.visible > 0]
    extent = float(np.linalg.norm(known.max(0) - known.min(0)))
    return max(skeleton.torso_length() or 0.0, extent / 6)


def _capsule(out: Mask, p: NDArray[np.float32], q: NDArray[np.float32], half: float) -> None:
    shift = 4
    a, b = (tuple(round(float(v) * (1 << shift)) for v in point) for point in (p, q))
    cv2.line(out, a, b, 1, max(1, round(2 * half)), cv2.LINE_8, shift)


def _grabcut(image: NDArray[np.uint8], sure: Mask, likely: Mask, far: NDArray[np.bool_]) -> NDArray[np.bool_]:
    labels = np.where(likely > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[far] = cv2.GC_BGD
    labels[sure > 0] = cv2.GC_FGD
    return _joined(cut_trimap(image, labels, ROUNDS).astype(np.uint8), sure)


def _joined(person: Mask, sure: Mask) -> NDArray[np.bool_]:
    """Only what hangs together with the body; small holes are filled."""
    _, parts = cv2.connectedComponents(person, connectivity=4)
    kept = np.isin(parts, np.unique(parts[(sure > 0) & (person > 0)]))
    count, holes, stats, _ = cv2.connectedComponentsWithStats((~kept).astype(np.uint8), connectivity=4)
    for i in range(1, count):
        if stats[i, cv2.CC_STAT_AREA] < 0.002 * person.size:
            kept |= holes == i
    return np.asarray(kept, np.bool_)


def with_silhouettes(photos: Sequence[Photo], folder: Path) -> list[Photo]:
    """The photos with what their cut in ``folder`` adds: scribbles win, and doubt stays unknown."""
    return with_maps(photos, folder, "training.silhouettes", merged)


def merged(codes: Mask, mask: Mask) -> Mask:
    """Codes (h, w) with the person and background of a mask (0, 1, 255) where they said nothing."""
    said = np.where(mask == 1, SET_CODES["person"], np.where(mask == 0, 0, IGNORE)).astype(np.uint8)
    return np.where(codes == IGNORE, said, codes).astype(np.uint8)


def write(photos: Sequence[Photo], folder: Path, *, every: int = 100) -> tuple[int, int]:
    """SilhouetteCut each photo and write the plausible ones; how many there were and how many were kept."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = 0
    for done, photo in enumerate(photos, start=1):
        found = cut(photo.image, photo.skeleton) if photo.skeleton is not None else None
        if found is not None and found.plausible:
            kept += cv2.imwrite(str(folder / f"{Path(photo.name).stem}.png"), found.mask)
        if done % every == 0:
            log.info("%s: %d of %d, %d kept", folder.name, done, len(photos), kept)
    return len(photos), kept


def main(arguments: list[str] | None = None) -> int:
    """SilhouetteCut every photo that may be trained on; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.silhouettes", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with lsp/ and lspet/")
    parser.add_argument("--out", type=Path, required=True)
    a = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    cv2.setNumThreads(1)
    try:
        for name, part in (("lsp", "train"), ("lspet", "all")):
            found, kept = write(read_lsp(a.data / name, part), a.out / name)
            log.info("%s: %d photos, %d silhouettes kept", name, found, kept)
    except (DataError, OSError) as e:
        sys.stderr.write(f"{e}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
