"""A table of poses lifted from the joints of photos: rotations only, made from the data folder and never
committed.

    python -m synthetic.posetable --data DATA --out runs/poses/lifted.npz
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from synthetic.appearance import Rng
from synthetic.arrays import keep_arrays
from synthetic.bodies import FloatArray, load_bodies
from synthetic.lifting import BONES, Lift, Lifter, pose_of
from synthetic.motions import load_poses
from synthetic.poses import curl_fingers, sample_pose
from synthetic.skeleton import Armature, euler, rotation, unit
from synthetic.splits import of_split

FORMAT = 1
HELD_OUT = 100  # the last files of `lsp` by name are the development test set
COST, ERROR = 1.6, 0.16  # lifts above either are left out
_MIRROR = np.diag([-1.0, 1, 1]).astype(np.float32)
_JITTER = 0.06  # radians by which a limb is turned from the lifted pose


@dataclass(frozen=True)
class PoseTable:
    """Lifted poses.

    Attributes:
        turns: (N, len(BONES), 3) rotation vectors from rest in the axes of a level camera.
    """

    turns: FloatArray

    def __len__(self) -> int:
        return len(self.turns)

    def of_split(self, *, test: bool) -> PoseTable:
        """The photos' poses held out for testing, or the others."""
        return PoseTable(self.turns[of_split(range(len(self)), test=test)])

    def sample(self, skeleton: Armature, rng: Rng) -> FloatArray:
        """A pose (J, 3, 3) as the camera of some photo saw it: mirrored or not, slightly changed."""
        turns = self.turns[rng.integers(len(self.turns))]
        rotations = np.stack([cv2.Rodrigues(t.astype(np.float64))[0] for t in turns]).astype(np.float32)
        if rng.random() < 0.5:
            rotations = mirrored(rotations)
        for limb in range(4):  # each limb's two bones together
            k = 3 + 2 * limb
            turn = rotation(unit(rng.normal(0, 1, 3).astype(np.float32)), float(rng.normal(0, _JITTER)))
            rotations[k : k + 2] = turn @ rotations[k : k + 2]
        yaw, nod = rng.normal(0, 0.35), rng.normal(0, 0.12)
        rotations[2] = rotations[2] @ euler(float(nod), 0, float(yaw))
        local: dict[str, FloatArray] = {}
        for side, sign in (("L", 1.0), ("R", -1.0)):
            curl_fingers(skeleton, local, side, abs(rng.normal(0.35, 0.35)))
            local[f"wrist.{side}"] = euler(*rng.normal(0, 0.25, 3))
            local[f"foot.{side}"] = euler(rng.normal(0.12, 0.25), 0, sign * rng.normal(0.05, 0.15))
        return pose_of(skeleton, rotations, local)


def mirrored(rotations: FloatArray) -> FloatArray:
    """The pose (len(BONES), 3, 3) in a mirror: left and right change places."""
    order = [
        BONES.index(b[:-1] + {"L": "R", "R": "L"}[b[-1]] if b[-2:] in {".L", ".R"} else b) for b in BONES
    ]
    return np.asarray(_MIRROR @ rotations[order] @ _MIRROR, np.float32)


def read_table(path: Path) -> PoseTable:
    """Read a table.

    Raises:
        ValueError: when the file is none, in words.
    """
    remedy = "make it with python -m synthetic.posetable"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            turns, version = np.asarray(stored["turns"], np.float32), int(stored["format"])
    except (OSError, KeyError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as e:
        raise ValueError(f"{path}: not a table of poses ({e}); {remedy}") from e
    if version != FORMAT or turns.ndim != 3 or turns.shape[1:] != (len(BONES), 3) or not len(turns):
        raise ValueError(f"{path}: a table of poses of another format; {remedy}")
    return PoseTable(turns)


def write_table(path: Path, lifts: list[Lift]) -> None:
    """Write a table; the file gets its name when it is complete."""
    turns = [[cv2.Rodrigues(r.astype(np.float64))[0][:, 0] for r in lift.rotations] for lift in lifts]
    keep_arrays(path, {"turns": np.asarray(turns, np.float32), "format": np.asarray(FORMAT)})


def lifter(poses: Path | None) -> Lifter:
    """A lifter that knows the poses of a folder and hand-made ones."""
    skeleton = Armature(load_bodies())
    rng = np.random.default_rng(1)
    known = load_poses(poses, skeleton)[::2] + [sample_pose(skeleton, rng) for _ in range(600)]
    return Lifter(skeleton, known)


def photos(root: Path) -> list[tuple[str, NDArray[np.float32]]]:
    """Name and joints (14, 3) of the photos that may be trained on, precise ones first."""
    out = []
    for folder, kept in (("lsp", slice(None, -HELD_OUT)), ("lspet", slice(None))):
        images = json.loads((root / folder / "keypoints.json").read_text())["images"]
        out += [(f"{folder}/{n}", np.asarray(images[n], np.float32)) for n in sorted(images)[kept]]
    return out


def main(arguments: list[str] | None = None) -> int:
    """Lift every photo's joints; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m synthetic.posetable", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with lsp/, lspet/ and poses/")
    parser.add_argument("--out", type=Path, required=True)
    a = parser.parse_args(arguments)
    try:
        found = photos(a.data)
        lift = lifter(a.data / "poses").lift
    except (OSError, ValueError, KeyError) as error:
        sys.stderr.write(
            f"{a.data}: {error}; point --data at the folder that holds lsp/, lspet/ and poses/\n"
        )
        return 1
    lifts = [x for x in (lift(joints[:, :2], joints[:, 2]) for _, joints in found) if x is not None]
    kept = [x for x in lifts if x.cost <= COST and x.error <= ERROR]
    if not kept:
        sys.stderr.write(f"{a.data}: no pose could be lifted\n")
        return 1
    write_table(a.out, kept)
    sys.stdout.write(f"{len(found)} photos, {len(lifts)} with all joints, {len(kept)} plausible: {a.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
