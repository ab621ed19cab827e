"""`python -m training.pose_scores MODEL --data DIR`: joints on the development test, as `parse` finds them.

PCK@0.2: the share of annotated joints found within 0.2 torso lengths, shoulder centre to hip centre. A person
without a result has all joints wrong; people without a torso are left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from models.labels import JOINT_SETS, LSP14, JointSet
from models.results import Pose
from runtime.engine.augmentation import chosen
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.frames import Frame
from runtime.system.errors import Refusal
from training.photos import DataError, Photo, read_lsp
from training.scribbles import Skeleton

NEAR = 0.2  # torso lengths
FIVE = ("wrist", "elbow", "shoulder", "knee", "ankle")  # joints that every set has at the same place


def hits(pose: Pose | None, joint_set: JointSet, skeleton: Skeleton) -> dict[str, bool]:
    """For each joint of the set that is annotated: found near enough; nothing of people without a torso."""
    torso = skeleton.torso_length()
    if not torso:
        return {}
    found: dict[str, bool] = {}
    for i, name in enumerate(joint_set.names):
        if name in LSP14.names and skeleton.known(name):
            near = pose is not None and np.linalg.norm(pose.points[i] - skeleton.at(name)) <= NEAR * torso
            found[name] = bool(near and pose is not None and pose.scores[i] > 0)
    return found


def pck(counted: Sequence[Mapping[str, bool]]) -> dict[str, float]:
    """Means over all people of each joint, both sides together, of `all` joints, and of `FIVE`."""
    by_joint: dict[str, list[bool]] = {}
    for person in counted:
        for name, hits_of in both_sides(person).items():
            by_joint.setdefault(name, []).extend(hits_of)
    scores = {name: float(np.mean(h)) for name, h in by_joint.items()}
    everything = [hit for h in by_joint.values() for hit in h]
    five = float(np.mean([scores.get(name, 0.0) for name in FIVE]))
    return {**scores, "all": float(np.mean(everything)) if everything else 0.0, "five": five}


def both_sides(person: Mapping[str, bool]) -> dict[str, list[bool]]:
    """Hits of a person by joint, those of both sides under one name."""
    by_joint: dict[str, list[bool]] = {}
    for name, hit in person.items():
        by_joint.setdefault(name.removeprefix("l_").removeprefix("r_"), []).append(hit)
    return by_joint


def scored(engine: Engine, photos: Sequence[Photo]) -> dict[str, float]:
    """PCK of an engine on photos with joints, of the best person in each.

    Raises:
        Refusal: the model gives no joints.
    """
    return pck(found_joints(engine, photos))


def found_joints(engine: Engine, photos: Sequence[Photo]) -> list[dict[str, bool]]:
    """`hits` of the best person in each photo.

    Raises:
        Refusal: the model gives no joints.
    """
    joint_set = JOINT_SETS.get(engine.spec.joint_set or "")
    if joint_set is None:
        raise Refusal(f"model {engine.name}", "it gives no joints", "choose one that does")
    counted = []
    for photo in photos:
        people = engine.parse(Frame(photo.image, 0, 0.0, 0.0)).people
        best = max(people, key=lambda p: p.score, default=None)
        if photo.skeleton is not None:
            counted.append(hits(best.pose if best else None, joint_set, photo.skeleton))
    return counted


def main(argv: list[str] | None = None) -> int:
    """Score a model; 0 done, 1 stopped with a reason."""
    p = argparse.ArgumentParser(prog="python -m training.pose_scores", description="Joints of the lsp test.")
    p.add_argument("model", help="name or folder of a model with joints")
    p.add_argument("--data", type=Path, required=True, help="folder with lsp/")
    p.add_argument("--size", help="of the network's input (default: the model's own)")
    p.add_argument("--views", choices=("1", "2", "6"), default="1")
    a = p.parse_args(argv)
    try:
        size = NetworkSize.parse(a.size) if a.size else None
        engine = load_engine(a.model, device="cpu", size=size).with_views(chosen(a.views, video=False))
        found = scored(engine, read_lsp(a.data / "lsp", "test"))
    except (DataError, Refusal) as e:
        sys.stderr.write(f"{e}\n")
        return 1
    sys.stdout.write(json.dumps({k: round(v, 3) for k, v in found.items()}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
