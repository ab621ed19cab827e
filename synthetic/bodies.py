"""A pool of rest bodies: built once with anny (torch), read ever after as plain numpy.

The pool is one ``.npz`` file in the per-user cache directory. It holds everything generation needs of the
body
model, so that worker processes never import torch.
"""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from runtime.system.files import write_atomic

if TYPE_CHECKING:
    import torch
    from anny import Anny

FloatArray = NDArray[np.floating[Any]]  # float32 throughout; the compiled code is specialised for it
IntArray = NDArray[np.int32]
ByteArray = NDArray[np.uint8]

POOL_COUNT = 160  # bodies; pairs of them are blended, so 160 give some 12 000 directions of variation
FORMAT = 4  # raise when the fields below change: a cached pool of another format is rebuilt
INFLUENCES = 6  # bones per vertex kept for skinning
GROUPS = ("body", "tights", "skirt", "hair", "eyes")
_OBJ_GROUPS = {
    "body": "body",
    "helper-tights": "tights",
    "helper-skirt": "skirt",
    "helper-hair": "hair",
    "helper-l-eye": "eyes",
    "helper-r-eye": "eyes",
}


@dataclass(frozen=True)
class Bodies:
    """Rest bodies that share one topology and one skeleton.

    Metres, z up, facing -y, the person's own left at +x. V vertices (helper geometry included), J bones, N
    bodies.
    """

    template: FloatArray  # (V, 3) the mesh without any phenotype: label rules are written in its space
    template_heads: FloatArray  # (J, 3)
    rest: FloatArray  # (N, V, 3)
    rest_heads: FloatArray  # (N, J, 3)
    traits: FloatArray  # (N, 5) female 0..1, age in years, african, asian, caucasian
    parents: IntArray  # (J,), -1 at the root; parents come before their children
    bone_names: tuple[str, ...]
    skin_bones: IntArray  # (V, INFLUENCES)
    skin_weights: FloatArray  # (V, INFLUENCES), rows sum to 1
    joint_vertices: IntArray  # (17, K) vertices whose weighted mean is a COCO joint
    joint_weights: FloatArray  # (17, K)
    body_faces: IntArray  # (F, 3), and the same for the helper geometry
    body_uv: FloatArray  # (F, 3, 2) texture coordinates of each corner, v downwards
    tights_faces: IntArray
    skirt_faces: IntArray
    hair_faces: IntArray
    eyes_faces: IntArray

    def bone(self, name: str) -> int:
        return self.bone_names.index(name)


def load_bodies(count: int = POOL_COUNT, cache: Path | None = None) -> Bodies:
    """The pool of ``count`` bodies, from the cache directory, or built there first (about a minute)."""
    folder = cache or Path(platformdirs.user_cache_dir("xfactor")) / "bodies"
    return _load(folder / f"bodies-{FORMAT}-{count}.npz", count)


@functools.lru_cache(maxsize=2)
def _load(path: Path, count: int) -> Bodies:
    if not path.exists():
        _write(path, _build(count))
    with np.load(path) as stored:
        values: dict[str, Any] = {f.name: stored[f.name] for f in fields(Bodies)}
    values["bone_names"] = tuple(str(n) for n in values["bone_names"])
    return Bodies(**values)


def _write(path: Path, bodies: Bodies) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {f.name: np.asarray(getattr(bodies, f.name)) for f in fields(Bodies)}
    data = io.BytesIO()
    np.savez(data, allow_pickle=False, **values)
    write_atomic(path, data.getvalue(), mode=None)  # two processes may build at once


def _build(count: int) -> Bodies:
    import torch  # noqa: PLC0415  # only the pool needs torch and anny
    from anny import Anny, KeypointsRegressor  # noqa: PLC0415

    torch.manual_seed(20)
    model = Anny(rig="makehuman", topology="makehuman", phenotypes="all", skinning_method="lbs").float()
    phenotypes, traits = _phenotypes(model, count)
    rest, heads = [], []
    identity = torch.eye(4).repeat(1, model.bone_count, 1, 1)
    with torch.no_grad():
        for i in range(0, count, 8):
            part = {k: v[i : i + 8] for k, v in phenotypes.items()}
            out = model(
                pose_parameters=identity.repeat(len(part["age"]), 1, 1, 1),
                phenotype_kwargs=part,
                return_bone_ends=True,
            )
            rest.append(out["rest_vertices"].float().numpy())
            heads.append(out["rest_bone_heads"].float().numpy())
    bones, weights = _strongest(model.dense_vertex_bone_weights.float().numpy())
    joints = KeypointsRegressor.coco(model)
    joint_vertices, joint_weights = _sparse(joints.regression_weights.float().numpy()[:17])
    template = model.template_vertices.float().numpy()
    faces, uv = _read_faces(_base_mesh())
    return Bodies(
        template=template,
        template_heads=model.template_bone_heads.float().numpy(),
        rest=np.concatenate(rest),
        rest_heads=np.concatenate(heads),
        traits=traits,
        parents=np.asarray(model.bone_parents, np.int32),
        bone_names=tuple(model.bone_labels),
        skin_bones=bones,
        skin_weights=weights,
        joint_vertices=joint_vertices,
        joint_weights=joint_weights,
        body_faces=faces["body"],
        body_uv=uv["body"],
        tights_faces=faces["tights"],
        skirt_faces=faces["skirt"],
        hair_faces=faces["hair"],
        eyes_faces=faces["eyes"],
    )


def _phenotypes(model: Anny, count: int) -> tuple[dict[str, Any], FloatArray]:
    """Bodies of all ages, men and women, heavy and thin: (arguments of the model, traits (count, 5))."""
    import torch  # noqa: PLC0415
    from anny.shape_distribution import SimpleShapeDistribution  # noqa: PLC0415

    model_distribution = SimpleShapeDistribution(model)
    children = torch.distributions.Uniform(3.0, 15.0)
    adults = torch.distributions.Uniform(16.0, 80.0)

    class Ages:
        def sample(self, shape: tuple[int]) -> torch.Tensor:
            old = torch.rand(shape) < 0.82  # children are a fifth of the pool
            return torch.where(old, adults.sample(shape), children.sample(shape))

    class Genders:
        def sample(self, shape: tuple[int]) -> torch.Tensor:
            return torch.distributions.Beta(0.35, 0.35).sample(shape)

    model_distribution.morphological_age_distribution = Ages()
    model_distribution.gender_distribution = Genders()
    years, arguments = model_distribution.sample(count)
    arguments = {k: v.float() for k, v in arguments.items()}
    # The calibrated weights are narrower than a street: spread them, and flatten extreme cup sizes.
    arguments["weight"] = (arguments["weight"] + 0.35 * (torch.rand(count) - 0.42)).clamp(0.05, 1.0)
    arguments["cupsize"] = 0.25 + 0.5 * arguments["cupsize"]
    race = torch.distributions.Dirichlet(torch.full((3,), 0.4)).sample((count,))
    for i, name in enumerate(("african", "asian", "caucasian")):
        arguments[name] = race[:, i]
    traits = torch.stack([arguments["gender"], years.float(), *race.T], dim=1)
    return arguments, traits.numpy().astype(np.float32)


def _strongest(dense: FloatArray) -> tuple[IntArray, FloatArray]:
    """The INFLUENCES largest weights of each row, normalised."""
    order = np.argsort(-dense, axis=1)[:, :INFLUENCES]
    weights = np.take_along_axis(dense, order, axis=1)
    weights /= weights.sum(axis=1, keepdims=True)
    return order.astype(np.int32), weights.astype(np.float32)


def _sparse(weights: FloatArray) -> tuple[IntArray, FloatArray]:
    width = int((weights != 0).sum(axis=1).max())
    order = np.argsort(-np.abs(weights), axis=1)[:, :width]
    return order.astype(np.int32), np.take_along_axis(weights, order, axis=1).astype(np.float32)


def _base_mesh() -> Path:
    import anny  # noqa: PLC0415

    return Path(anny.__file__).parent / "data" / "mpfb2" / "3dobjs" / "base.obj"


def _read_faces(path: Path) -> tuple[dict[str, IntArray], dict[str, FloatArray]]:
    """Triangles and their texture coordinates for each of GROUPS, fanned from the quads of the file."""
    texture: list[tuple[float, float]] = []
    corners: dict[str, list[list[tuple[int, int]]]] = {g: [] for g in GROUPS}
    group: str | None = None
    for line in path.read_text().splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "vt":
            u, v = rest.split()[:2]
            texture.append((float(u), 1.0 - float(v)))
        elif kind == "g":
            group = _OBJ_GROUPS.get(rest.strip())
        elif kind == "f" and group is not None:
            polygon = [(int(c.split("/")[0]) - 1, int(c.split("/")[1]) - 1) for c in rest.split()]
            corners[group] += [[polygon[0], polygon[i], polygon[i + 1]] for i in range(1, len(polygon) - 1)]
    uv_table = np.asarray(texture, np.float32)
    faces = {g: np.asarray(c, np.int32)[:, :, 0] for g, c in corners.items()}
    return faces, {g: uv_table[np.asarray(c, np.int32)[:, :, 1]] for g, c in corners.items()}
