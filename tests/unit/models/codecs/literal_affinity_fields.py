"""Cao's decoder read literally: loops over peaks, pairs, samples and rows of people, no arrays of indices."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from models.codecs.affinity_fields import LimbAssembly
from models.labels import JointSet

BLUR, SAMPLES, MOST = 0.375, 10, 40
Peak = tuple[float, float, float]


@dataclass
class Row:
    """A person being assembled: for each joint a peak's number, the summed scores."""

    parts: dict[int, int] = field(default_factory=dict)
    total: float = 0.0


def literal_people(
    joints: JointSet, heat: np.ndarray, fields: np.ndarray, assembly: LimbAssembly
) -> list[tuple[dict[int, tuple[float, float]], float]]:
    """Places of the joints found and the summed score of each person, the best first."""
    peaks = [literal_peaks(plane.astype(float), assembly.peak) for plane in heat[: len(joints.names)]]
    limbs = [
        (score, (a, start), (b, end))
        for i, (a, b) in enumerate(joints.bones)
        for start, end, score in _connections(peaks[a], peaks[b], fields[2 * i : 2 * i + 2], assembly)
    ]
    rows: list[Row] = []
    for score, start, end in sorted(limbs, key=lambda limb: -limb[0]):
        _fill(rows, start, end, score, peaks)
    people = [
        ({k: peaks[k][i][:2] for k, i in row.parts.items()}, row.total)
        for row in rows
        if len(row.parts) >= assembly.fewest and row.total / len(row.parts) >= assembly.least
    ]
    return sorted(people, key=lambda p: -p[1])[: assembly.keep]


def literal_peaks(plane: np.ndarray, least: float) -> list[Peak]:
    rows, columns = plane.shape
    side = math.exp(-1 / (2 * BLUR**2))
    kernel = [side / (1 + 2 * side), 1 / (1 + 2 * side), side / (1 + 2 * side)]

    def smooth(y: int, x: int) -> float:
        total = 0.0
        for j in (-1, 0, 1):
            for i in (-1, 0, 1):
                v = plane[min(max(y + j, 0), rows - 1), min(max(x + i, 0), columns - 1)]
                total += kernel[j + 1] * kernel[i + 1] * v
        return total

    blurred = [[smooth(y, x) for x in range(columns)] for y in range(rows)]

    def at(y: int, x: int) -> float:
        return blurred[y][x] if 0 <= y < rows and 0 <= x < columns else -1.0

    found = []
    for y in range(rows):
        for x in range(columns):
            here = blurred[y][x]
            left, right, up, down = at(y, x - 1), at(y, x + 1), at(y - 1, x), at(y + 1, x)
            if here > least and here > left and here >= right and here > up and here >= down:
                found.append((x + _vertex(left, here, right), y + _vertex(up, here, down), here))
    return sorted(found, key=lambda p: -p[2])[:MOST]


def _vertex(before: float, here: float, after: float) -> float:
    c = math.log(max(here, 1e-6))
    b, a = math.log(max(before, 1e-6)), math.log(max(after, 1e-6))
    if before == -1.0:
        b = 2 * c - a - 1
    if after == -1.0:
        a = 2 * c - b - 1
    bend = 2 * c - b - a
    return min(max((a - b) / (2 * bend), -0.5), 0.5) if bend > 0 else 0.0


def _connections(
    starts: list[Peak], ends: list[Peak], limb: np.ndarray, assembly: LimbAssembly
) -> list[tuple[int, int, float]]:
    candidates = []
    for m, a in enumerate(starts):
        for n, b in enumerate(ends):
            across, down = b[0] - a[0], b[1] - a[1]
            length = math.hypot(across, down)
            if length <= 1e-3:
                continue
            along = []
            for s in range(SAMPLES):
                t = s / (SAMPLES - 1)
                vx, vy = (_bilinear(plane, a[0] + t * across, a[1] + t * down) for plane in limb)
                along.append(vx * across / length + vy * down / length)
            score = sum(along) / SAMPLES + min(0, 0.5 * limb.shape[1] / length - 1)
            if sum(e > assembly.along for e in along) > assembly.support * SAMPLES and score > 0:
                candidates.append((score, m, n))
    candidates.sort(key=lambda c: -c[0])
    taken: list[tuple[int, int, float]] = []
    for score, m, n in candidates:
        if all(m != i and n != j for i, j, _ in taken):
            taken.append((m, n, score))
    return taken


def _bilinear(plane: np.ndarray, x: float, y: float) -> float:
    rows, columns = plane.shape
    x, y = min(max(x, 0), columns - 1), min(max(y, 0), rows - 1)
    i, j = int(x), int(y)
    fx, fy = x - i, y - j
    i2, j2 = min(i + 1, columns - 1), min(j + 1, rows - 1)
    upper = plane[j, i] * (1 - fx) + plane[j, i2] * fx
    lower = plane[j2, i] * (1 - fx) + plane[j2, i2] * fx
    return float(upper * (1 - fy) + lower * fy)


def _fill(
    rows: list[Row], a: tuple[int, int], b: tuple[int, int], score: float, peaks: list[list[Peak]]
) -> None:
    found = [r for r in rows if r.parts.get(a[0]) == a[1] or r.parts.get(b[0]) == b[1]]
    if not found:
        found = [Row()]
        rows.append(found[0])
    row = found[0]
    if any(row.parts.get(joint, peak) != peak for joint, peak in (a, b)):
        return  # bones with a loop: two peaks of a joint
    if len(found) == 2:
        if set(row.parts) & set(found[1].parts):
            return
        row.parts |= found[1].parts
        row.total += found[1].total
        rows.remove(found[1])
    row.total += score
    for joint, peak in (a, b):
        if joint not in row.parts:
            row.parts[joint] = peak
            row.total += peaks[joint][peak][2]
