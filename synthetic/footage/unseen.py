"""Takes on which nothing was ever tuned: other people, clothes, rooms and lamps than in `TAKES`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from synthetic.footage import cast, choreography, places
from synthetic.footage.choreography import Choreography
from synthetic.footage.takes import Performer, Take

FAR, NEAR = 1.1, 1.45  # focal lengths, picture widths: for several people and for one


def _performance(words: str) -> Callable[[], Choreography]:
    name, *mirrored = words.split()
    score: Callable[[], Choreography] = getattr(choreography, name)
    return (lambda: choreography.mirrored(score())) if mirrored else score


def _take(row: dict[str, Any]) -> Take:
    """A row of unseen.json, whose settings are arguments of the place."""
    others = tuple(Performer(cast.CAST[n], _performance(w), (x, y)) for n, w, x, y in row["others"])
    place = partial(getattr(places, row["place"]), *row["settings"])
    performed, focal = _performance(row["performed"]), FAR if others else NEAR
    digest = hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:12]
    return Take(row["name"], cast.drawn(row["body"]), performed, place, row["hard"], focal, others, digest)


UNSEEN = tuple(map(_take, json.loads(Path(__file__).with_name("unseen.json").read_text("utf-8"))))
