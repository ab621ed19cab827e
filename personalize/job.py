"""Job file of a personalisation: the worker's whole input, and all that a bug report needs.

A job is a folder. `job.json` says what to do; the worker adds its events, its log, what each phase found and,
at the end, the factor. Imported by the program as well, so there is no torch here.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from runtime.system.disk import cannot_write
from runtime.system.errors import Refusal
from runtime.system.files import make_private_dir, write_atomic

Method = Literal["tree", "grabcut", "graphcut", "none"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)

FILE: Final = "job.json"
FORMAT: Final = 1
AUTO: Final = "auto"  #: of `--person`
LIMIT_S: Final = 1200.0  #: a job that takes longer is stopped; five times what it takes on two slow cores
MOST_BYTES: Final = 64 << 20
_REMEDY: Final = "Start the personalisation again"
_NUMBER: Final = r"\s*(\d{1,6}(?:\.\d{1,6})?)\s*"
_PERSON: Final = re.compile(_NUMBER + "," + _NUMBER + r"(?:@\s*(\d{1,9})\s*)?")


@dataclass(frozen=True)
class PersonChoice:
    """Person who is learned alone: whoever is at a point, or the largest who moves."""

    at: tuple[float, float] | None = (
        None  #: x, y in displayed pixels of the clip; None is the largest who moves
    )
    frame: int | None = None  #: of the clip, from 0, to which the point belongs; None is the range's middle

    @classmethod
    def parse(cls, text: str) -> PersonChoice:
        """Read `X,Y`, `X,Y@FRAME` or `auto`.

        Raises:
            ValueError: in words for the command line.
        """
        if text.strip() == AUTO:
            return cls()
        match = _PERSON.fullmatch(text)
        if match is None:
            wanted = "X,Y or X,Y@FRAME in pixels of the clip (320,180@12), or auto for the largest who moves"
            raise ValueError(f"--person takes {wanted}, not {text[:40]!r}")
        return cls((float(match[1]), float(match[2])), None if match[3] is None else int(match[3]))

    def __str__(self) -> str:
        if self.at is None:
            return "the largest person who moves"
        place = f"person at {self.at[0]:.0f},{self.at[1]:.0f}"
        return place if self.frame is None else f"{place} in frame {self.frame}"


@dataclass(frozen=True)
class Correction:
    """Stroke of the user on one frame: sure to be the person, or sure not to be."""

    frame: int  #: of the clip, from 0
    points: tuple[tuple[float, float], ...]  #: x, y of the brush in displayed pixels of the clip
    radius: float  #: of the brush, displayed pixels
    person: bool


@dataclass(frozen=True)
class PersonalizationJob:
    """One personalisation."""

    clip: Path
    name: str  #: of the factor to be
    model: Path  #: the folder of the model whose factor is to learn the person
    first: int = 0  #: frame; counts only with `last`
    last: int | None = None  #: frame, included; None looks at a window of the paper's length
    around: int | None = None  #: the frame in the window's middle; None is the middle of the clip
    method: Method = "tree"
    base_factor: Path | None = None  #: a factor to go on from, instead of the model's own
    strokes: tuple[Correction, ...] = ()
    person: PersonChoice | None = None  #: None learns everybody in sight together
    seed: int = 0
    limit_s: float = LIMIT_S


def write_job(folder: Path, job: PersonalizationJob) -> None:
    """Put `job.json` into the folder, which is made for this user alone; whole or not at all.

    Raises:
        Refusal: the folder cannot be written.
    """
    raw = {"format": FORMAT, **asdict(job)}
    for key in ("clip", "model", "base_factor"):
        raw[key] = None if raw[key] is None else str(Path(raw[key]).absolute())
    try:
        make_private_dir(folder)
        write_atomic(folder / FILE, json.dumps(raw, indent=1).encode())
    except OSError as e:
        refusal = cannot_write(folder, e)
        raise Refusal(f"job folder {folder}", refusal.reason, "Free some space, or set XFACTOR_HOME") from e


def read_job(folder: Path) -> PersonalizationJob:
    """The job of a folder.

    Raises:
        Refusal: there is none, or it is not one.
    """
    what = f"job {folder / FILE}"
    try:
        with (folder / FILE).open("rb") as file:
            data = file.read(MOST_BYTES)
    except OSError as e:
        raise Refusal(what, f"it cannot be read ({e.strerror})", _REMEDY) from e
    try:
        raw = json.loads(data)
        return _checked(raw)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as e:
        raise Refusal(what, f"it is not a job ({str(e)[:80]})", _REMEDY) from e


def _checked(raw: dict[str, Any]) -> PersonalizationJob:
    """The job of what was read; nothing is taken on trust."""
    if raw.pop("format") != FORMAT:
        raise ValueError("another version of the program wrote it")
    strokes = tuple(_stroke(s) for s in raw.pop("strokes"))
    base = raw.pop("base_factor")
    job = PersonalizationJob(
        clip=Path(_of(str, raw.pop("clip"))),
        name=_of(str, raw.pop("name")),
        model=Path(_of(str, raw.pop("model"))),
        first=_of(int, raw.pop("first")),
        last=_optional(raw.pop("last")),
        around=_optional(raw.pop("around")),
        method=raw.pop("method"),
        base_factor=None if base is None else Path(_of(str, base)),
        strokes=strokes,
        person=_person(raw.pop("person", None)),  # older files have none
        seed=_of(int, raw.pop("seed")),
        limit_s=_number(raw.pop("limit_s")),
    )
    if raw:
        raise ValueError(f"unknown: {', '.join(sorted(raw))}")
    if job.method not in METHODS or job.limit_s <= 0:
        raise ValueError(f"method {job.method!r}, limit {job.limit_s}")
    return job


def _stroke(raw: dict[str, Any]) -> Correction:
    points = tuple((_number(x), _number(y)) for x, y in raw["points"])
    stroke = Correction(_of(int, raw["frame"]), points, _number(raw["radius"]), _of(bool, raw["person"]))
    if not points or stroke.radius <= 0 or stroke.frame < 0:
        raise ValueError("a stroke of nothing")
    return stroke


def _person(raw: dict[str, Any] | None) -> PersonChoice | None:
    if raw is None:
        return None
    at, frame = raw.pop("at"), _optional(raw.pop("frame"))
    if raw or (at is None and frame is not None) or (frame or 0) < 0:
        raise ValueError("a person who is nowhere")
    if at is None:
        return PersonChoice()
    x, y = at
    return PersonChoice((_number(x), _number(y)), frame)


def _of(kind: type[Any], value: object) -> Any:  # noqa: ANN401 - the kind that was asked for
    """The value, when it is of this very kind: `True` is no number."""
    if type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def _optional(value: object) -> int | None:
    return None if value is None else int(_of(int, value))


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise TypeError(f"{value!r} is no number")
    return float(value)
