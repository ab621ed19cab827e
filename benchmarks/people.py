"""PersonLab's decoder over the number of people, and the models with joints beside `factored-s31`.

`python -m benchmarks.people`: at most 15 ms for 20 people on one core, and nearly flat. Maps are drawn from
standing people, with noise; medians of CPU time, ms.
Beside it the formulas as they stand: every vector of every cell refined, the embedding of every pixel.
Last, the consistency of 20 people's joints with the parts, at most 1 ms, beside a loop over joints.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.codecs.codec import FloatMap, PictureContext, Placement
from models.codecs.personlab import AnnotatedPerson, PersonLabCodec, directed_bones, encode_people
from models.codecs.vector_fields import Fields, complex_places
from models.consistency import REACH_CELLS, consistency, parts_at
from models.grid import Grid
from models.labels import COCO17, S31
from models.outputs import JointDisks
from models.results import Parsing, Pose
from runtime.engine.engine import load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.media.clips import Clip
from runtime.system import paths

CASES: Final = (((801, 529), 16, Grid.CORNER, 32.0), ((512, 288), 8, Grid.CENTRE, 16.0))
COUNTS: Final = (0, 1, 2, 5, 10, 20, 30)
NOISE_PX: Final = 2.0
MODELS: Final = (
    "factored-s31", "pil-small", "mula-small", "joints-s31", "people-s31", "personlab-small", "paf-fcn-small",
)  # fmt: skip
FRAMES: Final = range(60, 260, 5)  # of the sample clip, with somebody in them
BODY: Final = np.array(
    [(0, -9), (0.4, -9.4), (-0.4, -9.4), (0.8, -9.1), (-0.8, -9.1), (2, -7), (-2, -7), (3, -4.5), (-3, -4.5),
     (3.3, -2), (-3.3, -2), (1.3, -2), (-1.3, -2), (1.4, 2), (-1.4, 2), (1.5, 6), (-1.5, 6)], np.float32
)  # fmt: skip


def drawn(count: int, placement: Placement, radius_px: float) -> dict[str, FloatMap]:
    """Maps of people strewn over the picture; those in front cover others."""
    rng = np.random.default_rng(count)
    cells = np.stack(np.meshgrid(*(np.arange(n) for n in placement.cells)), axis=-1)
    pixels, owners = placement.to_picture(cells), np.zeros(placement.cells[::-1], np.intp)
    people = []
    for number in range(1, count + 1):
        centre, scale = rng.uniform((0.05, 0.2), (0.95, 0.8)) * placement.picture, rng.uniform(6, 14)
        people.append(AnnotatedPerson((BODY * scale + centre).astype(np.float32), np.ones(17, bool)))
        owners[(((pixels - centre) / (3.5 * scale, 9 * scale)) ** 2).sum(axis=-1) < 1] = number
    maps = encode_people(COCO17, people, owners, placement, radius_px)
    for name in ("short", "mid", "long"):
        maps[name] += rng.normal(0, NOISE_PX, maps[name].shape).astype(np.float32)
    return {**maps, "person": (owners > 0).astype(np.float32)[None]}


def naive(maps: dict[str, FloatMap], placement: Placement, points: NDArray[np.float32]) -> None:
    """Refinement of whole maps (§3.1.2, §3.2), then Eq. 6 at every pixel for every person."""
    fields = Fields(maps["short"], maps["mid"], maps["long"], placement)
    columns, rows = placement.cells
    cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
    at = complex_places(placement.grid.to_pixel(cells, placement.stride))
    for bone, (_, joint) in enumerate(directed_bones(COCO17)):
        fields.refined(at + fields.mid_at(np.full(len(at), bone), at), np.full(len(at), joint))
    ends = (at + fields.long_at(at)).reshape(17, rows, columns).view(np.float32)
    large = [cv2.resize(e.reshape(rows, columns, 2), placement.content) for e in ends]
    for person in points:
        away = [np.linalg.norm(e - p, axis=-1) for e, p in zip(large, person, strict=True)]
        np.mean(away, axis=0)


def consistencies(count: int = 20) -> str:
    """A line: milliseconds of the check of joints against parts, and of the same joint by joint."""
    rng = np.random.default_rng(count)
    labels = np.kron(rng.integers(0, S31.classes, (24, 32)), np.ones((12, 16), int)).astype(np.uint8)
    parsing = Parsing(S31, (512, 288), labels, np.full_like(labels, 255), np.full_like(labels, 255))
    places = rng.uniform((0, 0), (512, 288), (count, 17, 2)).astype(np.float32)
    poses = [Pose(COCO17, points, np.ones(17, np.float32)) for points in places]
    parts = parts_at(COCO17, S31)

    def by_joint() -> int:
        far, reach = 0, round(REACH_CELLS)
        for pose in poses:
            for joint, (x, y) in enumerate(np.floor(pose.points + 0.5).astype(int)):
                near = itertools.product(range(-reach, reach + 1), repeat=2)
                cells = ((y + v, x + u) for u, v in near if u * u + v * v <= REACH_CELLS**2)
                inside = (
                    labels[c] for c in cells if 0 <= c[0] < labels.shape[0] and 0 <= c[1] < labels.shape[1]
                )
                far += (
                    x < labels.shape[1] and y < labels.shape[0] and not any(parts[joint, i] for i in inside)
                )
        return far

    found = consistency(parsing, poses)
    if int(found.outside.sum()) != by_joint():
        raise AssertionError("the check and the loop differ")
    ours = milliseconds(lambda: [consistency(parsing, poses) for _ in range(20)], 11) / 20
    return (
        f"joints of {count} people beside parts: {ours:.2f} ms, by a loop {milliseconds(by_joint, 11):.1f} ms"
    )


def milliseconds(work: Callable[[], object], times: int) -> float:
    """Median CPU time."""
    spent = []
    for _ in range(times):
        begin = time.process_time()
        work()
        spent.append(time.process_time() - begin)
    return 1000 * median(spent)


def measured(count: int, placement: Placement, radius_px: float) -> str:
    """A line of the table."""
    output, maps = JointDisks(joints=COCO17.name, radius_px=radius_px), drawn(count, placement, radius_px)
    blank = np.zeros((placement.picture[1], placement.picture[0], 3), np.uint8)
    context = PictureContext(placement, blank, blank, placement.picture)
    people = PersonLabCodec().decode(output, maps, context).people
    points = np.array([p.pose.points for p in people if p.pose], np.float32)
    ours = milliseconds(lambda: PersonLabCodec().decode(output, maps, context), 21)
    other = milliseconds(lambda: naive(maps, placement, points), 3)
    return f"{count:4d} {len(people):4d} {ours:7.1f} {other:8.0f}"


def ratios(rounds: int = 40) -> dict[str, float]:
    """Median time of a frame of the sample clip, picture to result, as a share of the first model's."""
    size = NetworkSize.parse("512x288")
    engines = {name: load_engine(name, device="cpu", size=size) for name in MODELS}
    with Clip(paths.sample_clip()) as clip:
        frames = list(itertools.islice(clip.frames(), FRAMES.start, FRAMES.stop, FRAMES.step))
    spent: dict[str, list[float]] = {name: [] for name in engines}
    for frame in itertools.islice(itertools.cycle(frames), rounds):
        for name, engine in engines.items():
            begin = time.process_time()
            engine.parse(frame)
            spent[name].append(time.process_time() - begin)
    first = np.array(spent[MODELS[0]])
    return {name: float(np.median(times / first)) for name, times in spent.items()}


def main() -> int:
    """Measure and print."""
    cv2.setNumThreads(1)
    for name, ratio in ratios().items():
        print(f"{name:16s} {ratio:.2f} of {MODELS[0]}", flush=True)  # noqa: T201 - the output
    for size, stride, grid, radius_px in CASES:
        print(f"{size[0]}x{size[1]}, stride {stride}: people, found, ms, naive ms")  # noqa: T201 - the output
        for count in COUNTS:
            line = measured(count, Placement(size, size, stride, grid), radius_px)
            print(line, flush=True)  # noqa: T201 - the output
    print(consistencies())  # noqa: T201 - the output
    return 0


if __name__ == "__main__":
    sys.exit(main())
