"""Tracker: people found in each picture of a video, each with a number that stays.

A person is predicted by their drift (`Drift`) and found again by the similarity of joints (OKS) and masks
(IoU) to what was seen last. Those seen in the last result choose first, then those who are hidden, then those
not yet sure to exist, as in "Simple online and realtime tracking with a deep association metric" (Wojke et
al., 2017).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.results import Result
from runtime.frames import Frame
from runtime.tracking.assignment import Affinity, assign
from runtime.tracking.drift import Drift
from runtime.tracking.similarity import Sighting, likeness, oks, overlaps, sightings

LOST_S = 2.0  # how long somebody unseen is looked for; the number is then never given again
UNSURE_S = 0.4  # the same for somebody who has no number yet
SURE = 0.3  # score of a person who gets a number at once
LIKELY = 0.12  # of one who gets it once seen in `SIGHTINGS` results; whoever scores less begins no track
SIGHTINGS = 3
LEAST = 0.17  # affinity of one person at two times
COLOUR = 0.6  # share of the affinity that other colours take away
DOUBLE = 0.5  # OKS of two sightings in one picture that are of one person
ALIKE = 0.3  # the same, where it is not known that there are two
COVERED = 0.7  # or IoU of their masks
CUT = 40.0  # grey levels of mean change: another scene
SAMPLES = 32  # rows and columns of a picture that are compared
LIMIT = 100  # people; the surest are tracked
SNAPSHOT_S = 0.25  # apart, of the tracks that a seek brings back
SNAPSHOTS = 2048


@dataclass(frozen=True, eq=False)
class Track:
    """A person over time.

    Attributes:
        id: the number shown; None until it is sure that there is somebody.
        seen_s: presentation time of the last sighting.
        count: sightings.
    """

    id: int | None
    last: Sighting
    drift: Drift
    seen_s: float
    count: int = 1


class Tracker:
    """Numbers for the people of a source, from 1, none given twice; owned by one thread.

    Another source or picture size begins anew. After a cut everybody gets a new number. After a seek (a gap
    of more than `LOST_S`, or backwards) people have the numbers they had at that place before; where none is
    known, new ones.
    """

    def __init__(self) -> None:
        self._tracks: tuple[Track, ...] = ()
        self._next = 1
        self._previous: tuple[int, tuple[int, int]] | None = None  # source and size
        self._at_s, self._index = 0.0, -1
        self._picture: NDArray[np.int16] | None = None
        self._snapshots: OrderedDict[int, tuple[float, tuple[Track, ...]]] = OrderedDict()

    def reset(self) -> None:
        """Forget everybody: numbers begin at 1."""
        self._tracks, self._next, self._previous, self._picture = (), 1, None, None
        self._snapshots.clear()

    def track(self, frame: Frame, result: Result) -> Result:
        """The result with numbers for its people; those without joints or mask have none.

        Args:
            frame: of which the result is; frames in any order, a seek included.
            result: of an engine.
        """
        self._follow(frame)
        whole = [i for i, p in enumerate(result.people) if p.pose is not None and p.mask is not None]
        found = sorted(whole, key=lambda i: -result.people[i].score)[:LIMIT]
        seen = sightings([result.people[i] for i in found], frame.image)
        ids = self._associate(seen, frame.pts_s)
        self._keep(frame.pts_s)
        people = list(result.people)
        for i, number in zip(found, ids, strict=True):
            people[i] = replace(people[i], track_id=number)
        return replace(result, people=tuple(people)) if found else result

    # -- time

    def _follow(self, frame: Frame) -> None:
        """Tracks as they may go on at this frame."""
        if self._previous != (frame.source, frame.size):
            self.reset()
        anew = self._previous is None
        self._previous = frame.source, frame.size
        picture = _sampled(frame.image)
        before, self._picture = self._picture, picture
        elapsed_s, steps = frame.pts_s - self._at_s, frame.index - self._index
        self._at_s, self._index = frame.pts_s, frame.index
        if anew or (elapsed_s == 0 and steps == 0):
            return
        if elapsed_s == 0:  # another picture of a folder
            self._tracks = ()
        elif not 0 < elapsed_s <= LOST_S or steps < 0:
            self._tracks = self._known_at(frame.pts_s)
        elif before is not None and float(np.abs(picture - before).mean()) > CUT:
            self._tracks = ()

    def _known_at(self, pts_s: float) -> tuple[Track, ...]:
        """The tracks that were known nearest to a time."""
        key = int(pts_s // SNAPSHOT_S)
        near = [self._snapshots[k] for k in (key - 1, key, key + 1) if k in self._snapshots]
        then_s, tracks = min(near, key=lambda s: abs(s[0] - pts_s), default=(0.0, ()))
        return tuple(t for t in tracks if abs(t.seen_s - then_s) < UNSURE_S)

    def _keep(self, pts_s: float) -> None:
        key = int(pts_s // SNAPSHOT_S)
        self._snapshots[key] = pts_s, tuple(t for t in self._tracks if t.id is not None)
        self._snapshots.move_to_end(key)
        if len(self._snapshots) > SNAPSHOTS:
            self._snapshots.popitem(last=False)

    # -- association

    def _associate(self, seen: Sequence[Sighting], now_s: float) -> list[int | None]:
        """The number of each sighting, the surest first."""
        self._tracks = _comparable(self._tracks, seen)
        tracks = [replace(t, drift=t.drift.after(now_s - t.seen_s, t.last.size)) for t in self._tracks]
        chosen, free = self._chosen(tracks, seen)
        of_track = {t: d for d, t in chosen.items()}
        ids: list[int | None] = [None] * len(seen)
        kept: list[Track] = []
        for t, (before, predicted) in enumerate(zip(self._tracks, tracks, strict=True)):
            if t in of_track:
                kept.append(self._seen(predicted, seen[of_track[t]], now_s))
                ids[of_track[t]] = kept[-1].id
            elif abs(now_s - before.seen_s) <= (LOST_S if before.id is not None else UNSURE_S):
                kept.append(before)
        for d in free:
            ids[d] = self._number(sure=seen[d].score >= SURE)
            kept.append(Track(ids[d], seen[d], Drift.begin(seen[d].size), now_s))
        self._tracks = tuple(kept)
        return ids

    @staticmethod
    def _chosen(tracks: Sequence[Track], seen: Sequence[Sighting]) -> tuple[dict[int, int], list[int]]:
        """Track by sighting, and the sightings that may be of somebody new."""
        chosen: dict[int, int] = {}
        if not seen:
            return chosen, []
        alike = oks(seen, seen)
        doubles = _doubles(alike > DOUBLE, set())
        free = [d for d in range(len(seen)) if d not in doubles]
        tiers: list[list[int]] = [[], [], []]
        newest_s = max((t.seen_s for t in tracks), default=0.0)
        for i, t in enumerate(tracks):
            tiers[2 if t.id is None else int(t.seen_s != newest_s)].append(i)
        affinity = _affinity(tracks, seen) if tracks else np.zeros((0, len(seen)), np.float32)
        same = (alike > ALIKE) | (overlaps(seen, seen) > COVERED)
        for tier in tiers:
            pairs = assign(affinity[tier][:, free], LEAST)
            chosen |= {free[d]: tier[t] for t, d in pairs}
            doubles = _doubles(same, set(chosen))
            free = [d for d in free if d not in chosen and d not in doubles and seen[d].score >= LIKELY]
        return chosen, free

    def _seen(self, track: Track, sighting: Sighting, now_s: float) -> Track:
        """A predicted track after a sighting."""
        dx, dy = sighting.away_from(track.last)
        drift = track.drift.measured(dx - track.drift.x, dy - track.drift.y, track.last.size)
        count = track.count + 1
        number = track.id if track.id is not None else self._number(sure=count >= SIGHTINGS)
        return Track(number, sighting.after(track.last), drift, now_s, count)

    def _number(self, *, sure: bool) -> int | None:
        if not sure:
            return None
        self._next += 1
        return self._next - 1


def _comparable(tracks: tuple[Track, ...], seen: Sequence[Sighting]) -> tuple[Track, ...]:
    """Tracks as the network of the sightings would show them; none of one that has other joints."""
    if not seen:
        return tracks
    alike = (t for t in tracks if t.last.points.shape == seen[0].points.shape)
    return tuple(replace(t, last=t.last.on_cells_of(seen[0])) for t in alike)


def _affinity(tracks: Sequence[Track], seen: Sequence[Sighting]) -> Affinity:
    """(tracks, seen) of predicted tracks, of which there are some."""
    lasts, drifts = [t.last for t in tracks], [t.drift for t in tracks]
    place = oks(lasts, seen, drifts) / 2 + overlaps(lasts, seen, drifts) / 2
    return place * (1 - COLOUR + COLOUR * likeness(lasts, seen))


def _doubles(same: NDArray[np.bool_], sure: set[int]) -> set[int]:
    """Sightings of somebody whom a surer one, or one of `sure`, shows already.

    Args:
        same: (seen, seen) pairs that are of one person; the surest sighting is first.
        sure: sightings that are no doubles.
    """
    doubles: set[int] = set()
    order = [*sorted(sure), *(d for d in range(len(same)) if d not in sure)]
    for n, d in enumerate(order):
        if d not in sure and any(same[d, o] for o in order[:n] if o not in doubles):
            doubles.add(d)
    return doubles


def _sampled(image: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Pixels of a picture at regular places."""
    height, width = image.shape[:2]
    return image[:: max(1, height // SAMPLES), :: max(1, width // SAMPLES)].astype(np.int16)
