"""Poses from files: MakeHuman's BVH poses and DeepMimic's motions, as poses of our skeleton."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from synthetic.bodies import FloatArray
from synthetic.skeleton import Armature, between, euler, power, rotation, unit
from synthetic.splits import of_split

# DeepMimic: x forwards, y up, z to the right; ours: z up, facing -y, left +x.
_TO_OURS = np.asarray([[0, 0, -1], [-1, 0, 0], [0, 1, 0]], np.float32)
_DOWN = np.asarray([0, 0, -1], np.float32)


def load_poses(folder: Path | None, skeleton: Armature, *, test: bool | None = None) -> list[FloatArray]:
    """Every pose (J, 3, 3) found under a folder; bone 0 carries the body's own orientation.

    Args:
        folder: of BVH poses and DeepMimic's motions; None gives no pose.
        skeleton: whose bones are turned.
        test: those held out for testing (a file is in one split as a whole), or not; None gives all.
    """
    if folder is None:
        return []
    found, motions = (sorted(folder.rglob(name)) for name in ("*.bvh", "humanoid3d_*.txt"))
    if test is not None:
        found, motions = of_split(found, test=test), of_split(motions, test=test)
    poses = [read_bvh(p, skeleton) for p in found]
    return poses + [pose for path in motions for pose in read_deepmimic(path, skeleton)]


def read_bvh(path: Path, skeleton: Armature) -> FloatArray:
    """The first frame of a BVH on MakeHuman's rig; bones it does not name keep their rest rotation."""
    bones: list[tuple[str, list[str]]] = []
    name = ""
    lines = path.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("MOTION"))
    for line in lines[:start]:
        words = line.split()
        if words[0] in {"ROOT", "JOINT"}:
            name = words[1]
        elif words[0] == "CHANNELS":
            bones.append((name, words[2:]))
    frame = next(line for line in lines[start:] if line[:1] in set("-0123456789"))
    values = iter(float(w) for w in frame.split())
    pose = skeleton.rest_pose()
    for bone, channels in bones:
        turn: FloatArray = np.eye(3, dtype=np.float32)
        for channel in channels:
            value = next(values)
            if channel.endswith("rotation"):
                axis = np.eye(3, dtype=np.float32)["XYZ".index(channel[0])]
                turn = turn @ rotation(axis, np.radians(value))
        if bone in skeleton.index:
            pose[skeleton.index[bone]] = turn
    return pose


def read_deepmimic(path: Path, skeleton: Armature) -> list[FloatArray]:
    """Every frame of a DeepMimic motion.

    A frame is 44 numbers: duration, root position 3, then rotations, quaternions wxyz or one angle about z:
    root, chest, neck, right hip, knee (1), ankle, right shoulder, elbow (1), and the same on the left.
    """
    return [_humanoid(np.asarray(f, np.float64), skeleton) for f in json.loads(path.read_text())["Frames"]]


def _humanoid(f: FloatArray, skeleton: Armature) -> FloatArray:
    root = _ours(_quaternion(f[4:8]))
    chest = root @ _ours(_quaternion(f[8:12]))
    world: dict[str, FloatArray] = {"root": root, "head": chest @ _ours(_quaternion(f[12:16]))}
    # The motion bends the back in one place; spreading it over the spine gives a back, not a hinge.
    halfway = root @ power(root.T @ chest, 0.5)
    world["spine03"], world["spine01"] = halfway, chest
    world["neck01"] = chest @ power(chest.T @ world["head"], 0.4)
    for side, leg, arm in (("R", 16, 25), ("L", 30, 39)):
        hip = root @ _ours(_quaternion(f[leg : leg + 4]))
        shank = hip @ _ours(_about_z(f[leg + 4]))
        foot = shank @ _ours(_quaternion(f[leg + 5 : leg + 9]))
        shoulder = chest @ _ours(_quaternion(f[arm : arm + 4]))
        forearm = shoulder @ _ours(_about_z(f[arm + 4]))
        for limb, first, second, upper, lower in (
            ("leg", "upperleg01", "lowerleg01", hip, shank),
            ("arm", "upperarm01", "lowerarm01", shoulder, forearm),
        ):
            rest_upper, rest_lower, _ = skeleton.limbs[limb, side]
            world[f"{first}.{side}"] = upper @ between(rest_upper, _DOWN)
            world[f"{second}.{side}"] = lower @ between(rest_lower, _DOWN)
        world[f"foot.{side}"] = foot
    return skeleton.pose_from_globals(world, {})


def _ours(turn: FloatArray) -> FloatArray:
    return _TO_OURS @ turn @ _TO_OURS.T


def _about_z(angle: float) -> FloatArray:
    return euler(0, 0, float(angle))


def _quaternion(q: FloatArray) -> FloatArray:
    w, x, y, z = (float(v) for v in q / np.linalg.norm(q))
    angle = 2 * np.arctan2(np.sqrt(x * x + y * y + z * z), w)
    return rotation(unit(np.asarray([x, y, z], np.float32)), float(angle))
