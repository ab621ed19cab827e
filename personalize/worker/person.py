"""Part of phase 2, person: the chosen one, found and followed by instances, else by connected regions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final, NoReturn

import cv2
import numpy as np
from numpy.typing import NDArray

from models.results import PersonResult
from personalize.chosen_person import (
    OTHER,
    FrameRoles,
    Mask,
    PeopleInFrame,
    Zones,
    follow,
    largest_moving,
    middle_of,
    person_at,
    silhouette_regions,
    twins,
    zones,
)
from personalize.worker.context import Context
from personalize.worker.results import Facts
from runtime.engine.engine import load_engine
from runtime.frames import Frame
from runtime.output.instances import instances
from runtime.silhouettes.people import NETWORK, separates_people
from runtime.system.errors import Refusal
from runtime.tracking.assignment import assign
from runtime.tracking.similarity import Sighting, overlaps, sightings
from runtime.tracking.tracker import Tracker

EVERY: Final = 4  #: frames of which one is searched for people; the propagation fills those between
RATE: Final = 25.0  #: frames a second, as far as the tracker is concerned
LEAST_OVERLAP: Final = 0.3  #: IoU of one region in two frames
ALIKE: Final = (
    "Somebody beside the chosen person looks the same (a mirror image, or dressed alike): a factor cannot"
    " tell the two apart, and that one is left as it was."
)
LISTED: Final = 8  #: people whom a refusal names


def needs(context: Context) -> list[object]:
    """Inputs of the result; nothing where nobody was chosen."""
    job = context.job
    if job.person is None:
        return []
    return [asdict(job.person), job.method == "tree", job.around]


def follow_chosen(context: Context, persons: NDArray[np.float32]) -> tuple[Zones | None, Facts]:
    """The owner of each pixel of the frames read, and a record of it; nothing where nobody was chosen.

    Args:
        context: with the frames read.
        persons: (frames, rows, columns) P(person) on the grid.

    Raises:
        Refusal: nobody is where the user said, and no stroke of the brush says more.
    """
    choice = context.job.person
    if choice is None:
        return None, {}
    start = _frame(context)
    found, way = _instances(context, start), "found by instances"
    people, chosen = found, _chosen(context, found, start)
    if chosen is None:
        found, way = _regions(context, persons), "found by its connected region"
        people, chosen = people or found, _chosen(context, found, start)
    if chosen is None:
        if any(s.person for s in context.job.strokes):
            return np.zeros((context.frames, *_shape(context)), np.uint8), {"words": "drawn with the brush"}
        _refuse(context, people, start)
    i, number = chosen
    roles = follow(found, i, number)
    same = twins(found, roles)
    roles = [FrameRoles(r.own, r.others - same) for r in roles]
    whose = zones(found, roles, context.frames, _shape(context))
    if same:
        context.reporter.notice(ALIKE)
    return whose, _record(context, found[i], roles, number, way)


def _record(context: Context, at: PeopleInFrame, roles: list[FrameRoles], number: int, way: str) -> Facts:
    """Words about the person, who was chosen by this number in a frame."""
    frame, choice = context.facts["reading"]["first"] + at.frame, context.job.person
    x, y = middle_of(at.masks[number], context.facts["reading"]["size"])
    seen, others = sum(r.own is not None for r in roles), {n for r in roles for n in r.others}
    largest = "the largest who moves, " * (choice is not None and choice.at is None)
    words = f"{largest}at {x:.0f},{y:.0f} in frame {frame}, {way}"
    said = f"The person {words}, is learned alone: surely seen in {seen} of {len(roles)} frames searched"
    context.reporter.notice(f"{said}; {len(others)} others count as background.")
    return {"words": words, "frame": frame, "seen": seen, "searched": len(roles), "others": len(others)}


def area_alone(context: Context, frames: list[int]) -> float:
    """Share of some frames in use that the factor before took for a person, without the others."""
    others = context.array("whose") == OTHER
    across, down = context.letterbox.cells
    before = (cv2.resize(context.array("person")[k][:down, :across], others.shape[:0:-1]) for k in frames)
    return float(np.mean([((p >= 0.5) & ~others[k]).mean() for k, p in zip(frames, before, strict=True)]))


# -- where the user pointed


def refuse_outside(context: Context) -> None:
    """Say that the chosen frame is not among those read, or the point beside the picture.

    Raises:
        Refusal: it is so.
    """
    _frame(context)


def _frame(context: Context) -> int:
    """Index among the frames read of the one that the user meant.

    Raises:
        Refusal: it is not among them, or the point is beside the picture.
    """
    choice, job = context.job.person, context.job
    if choice is None or choice.at is None:
        return 0
    first: int = context.facts["reading"]["first"]
    count, frame = context.frames, choice.frame
    if frame is None:
        frame = first + count // 2 if job.around is None else min(max(job.around, first), first + count - 1)
    if not first <= frame < first + count:
        reason = f"frames {first} to {first + count - 1} are learned from, and it is none of them"
        raise Refusal(f"frame {frame}", reason, "Choose the person in one of these, or another range")
    (x, y), (width, height) = choice.at, context.facts["reading"]["size"]
    if not (0 <= x < width and 0 <= y < height):
        remedy = f"Give a point from 0,0 to {width - 1},{height - 1}"
        raise Refusal(f"point {x:g},{y:g}", f"the picture has {width}x{height} pixels", remedy)
    return frame - first


def _chosen(context: Context, found: list[PeopleInFrame], start: int) -> tuple[int, int] | None:
    """Index and number of who is at the chosen point or next to it, or of the largest who moves."""
    choice = context.job.person
    if choice is None or choice.at is None:
        return largest_moving(found)
    i = next((i for i, at in enumerate(found) if at.frame == start), None)
    if i is None:
        return None
    width, height = context.facts["reading"]["size"]
    hit = person_at(list(found[i].masks.values()), choice.at[0] / width, choice.at[1] / height)
    return None if hit is None else (i, list(found[i].masks)[hit])


def _refuse(context: Context, found: list[PeopleInFrame], start: int) -> NoReturn:
    """Say that nobody is there, and who else it could be.

    Raises:
        Refusal: always.
    """
    choice, frame = context.job.person, context.facts["reading"]["first"] + start
    if choice is None or choice.at is None:
        raise Refusal("the chosen range", "no person is found in it", "Choose one with a person in sight")
    here = next((at.masks for at in found if at.frame == start), {})
    people = [middle_of(mask, context.facts["reading"]["size"]) for mask in here.values()]
    words = "; ".join(f"{x:.0f},{y:.0f}" for x, y in people[:LISTED])
    more = f" and {len(people) - LISTED} more" * (len(people) > LISTED)
    remedy = f"Choose somebody who is: at {words}{more}" if people else "Choose another frame"
    raise Refusal(
        f"point {choice.at[0]:g},{choice.at[1]:g} of frame {frame}", "nobody is found there", remedy
    )


def _shape(context: Context) -> tuple[int, int]:
    shape = context.results.array("small").shape
    return int(shape[1]), int(shape[2])


# -- people


def _instances(context: Context, start: int) -> list[PeopleInFrame]:
    """People with numbers by the model in use, or by the one beside it; none where that is not installed."""
    try:
        engine = load_engine(context.job.model, device="cpu", threads=1)
        finder = engine if separates_people(engine) else load_engine(NETWORK, device="cpu", threads=1)
    except Refusal as e:
        context.reporter.notice(f"People are told apart by their silhouettes alone: {e}.")
        return []
    every = EVERY if context.job.method == "tree" else 1
    tracker, found = Tracker(), []
    for k in range(start % every, context.frames, every):
        frame = Frame(_picture(context, k), k, k / RATE, 0.0)
        people = tracker.track(frame, finder.parse(frame)).people
        found.append(_in_frame(context, k, frame, people, unnumbered=k == start))
        context.reporter.check()
    return found if any(at.seen for at in found) else []


def _picture(context: Context, k: int) -> NDArray[np.uint8]:
    """The picture as the network saw it, without the padding."""
    width, height = context.letterbox.content
    return np.ascontiguousarray(context.results.array("canvas")[k, :height, :width])


def _in_frame(
    context: Context, k: int, frame: Frame, people: tuple[PersonResult, ...], *, unnumbered: bool
) -> PeopleInFrame:
    """People with a number; where one is chosen and nobody has any, whoever is sure, by a negative one."""
    rows, columns = _shape(context)
    seen, masks = {}, {}
    for i, person in enumerate(i.person for i in instances(people)):
        number = person.track_id or (-1 - i if unnumbered else 0)
        if number and person.mask is not None and person.mask.any():
            (seen[number],) = sightings([person], frame.image)
            masks[number] = cv2.resize(person.mask, (columns, rows), interpolation=cv2.INTER_NEAREST) > 0
    return PeopleInFrame(k, seen, masks)


def _regions(context: Context, persons: NDArray[np.float32]) -> list[PeopleInFrame]:
    """Connected regions of P(person) as people, numbered by overlap from frame to frame."""
    (rows, columns), (across, down) = _shape(context), context.letterbox.cells
    small = context.results.array("small")
    found: list[PeopleInFrame] = []
    last: list[tuple[int, Sighting]] = []
    following = 1
    for k in range(context.frames):
        likely = cv2.resize(persons[k, :down, :across], (columns, rows)) > 0.5
        now = [_region(np.asarray(small[k]), mask) for mask in silhouette_regions(likely)]
        numbers: dict[int, int] = {}
        if last and now:
            pairs = assign(overlaps([s for _, s in last], now), LEAST_OVERLAP)
            numbers = {c: last[r][0] for r, c in pairs}
        for c in range(len(now)):
            if c not in numbers:
                numbers[c], following = following, following + 1
        last = [(numbers[c], s) for c, s in enumerate(now)]
        found.append(PeopleInFrame(k, dict(last), {n: s.cells for n, s in last}))
    return found


def _region(image: NDArray[np.uint8], mask: Mask) -> Sighting:
    """A region with the mean colours of its upper, middle and lower third."""
    v, u = np.nonzero(mask)
    thirds = np.array_split(np.arange(len(v)), 3)  # nonzero goes from above to below
    colours = np.stack([image[v[t], u[t]].mean(axis=0) for t in thirds]).astype(np.float32)
    centre, one = np.array([[u.mean(), v.mean()]], np.float32), np.ones(1, np.float32)
    size = float(np.sqrt(len(v)))
    return Sighting(centre, one, 1.0, size, mask, (1.0, 1.0), colours, np.ones(3, np.float32))
