"""Experiment 6's page: tables, verdicts, a plot, and pictures of rendered people before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from experiments.bootstrap import Interval
from experiments.pages import Page, filled
from experiments.personalization import claims
from experiments.personalization.claims import FLOOR, GENERIC, KEPT, PERFECT, VIEWS, Record
from experiments.personalization.scoring import ScoredClip, overlap
from experiments.personalization.variants import PROGRAM, VARIANTS
from runtime.engine.engine import Engine
from runtime.output.overlay import overlay
from training.centroids import GROUPS
from training.markdown import Row, table

PAPER = {"generic": (9.1, 15.4, 23.5, 12.8), "personalised": (9.1, 12.6, 17.3, 9.6)}
SHOWN = {
    "generic": GENERIC,
    "generic, six views": VIEWS,
    "personalised": PROGRAM,
    "personalised where the gate accepts, else generic": KEPT,
    "true silhouettes given": PERFECT,
    "true parts (what the measure itself costs)": FLOOR,
}
HEAD = " by joint head"  # of the keys of a score
MEANS_HEAD = ("mean error, px", *GROUPS, "mean of the four", "missed, %", "mean of the four by joint head",
              "silhouette J")  # fmt: skip
CLIP_HEAD = ("clip", "people", "scene", "J generic", "six views", "personalised", "joints generic, px",
             "six views", "personalised", "gate", "its reason")  # fmt: skip
MASKED_HEAD = ("clip", "J generic", "J six views", "J personalised", "gain", "gate", "its reason")
AIM = ("missed", "reached")
OPACITY = 0.6
SHOWN_PX = 192
ACROSS = 3  # pairs of pictures beside each other
Picture = NDArray[np.uint8]


def write(folder: Path, record: Record, command: str, run: str, strips: Picture | None) -> None:
    """Write the page and its pictures; `run` says what all of it was run with."""
    page = Page(folder, "6-personalisation")
    rendered = {n: {**r, KEPT: kept(r)} for n, r in record.items() if FLOOR in r}
    masked = {n: r for n, r in record.items() if FLOOR not in r}
    ablated = {n: r for n, r in record.items() if all(v in r.get("ablation", {}) for v in VARIANTS)}
    bars: dict[str, dict[str, float | Interval]] = {
        w: {g: claims.mean(rendered, n, g) for g in GROUPS}
        for w, n in SHOWN.items()
        if n not in (KEPT, FLOOR)
    }
    bars |= {f"paper, {w}": dict(zip(GROUPS, figures, strict=True)) for w, figures in PAPER.items()}
    sets = claims.sets(rendered)
    page.write(
        **_outcome(rendered),
        command=command,
        run=run,
        count=len(rendered),
        several=len(sets.get(claims.SEVERAL, {})),
        frames=_either(r["frames"] for r in rendered.values()),
        hard=sum(bool(r["hard"]) for r in rendered.values()),
        course=_either(r["course"] for r in rendered.values()),
        means=table(MEANS_HEAD, _means(rendered), 2),
        claims=claims.verdicts(sets),
        bars=page.bars("joints", bars, "mean error, px"),
        clips=table(CLIP_HEAD, [_clip_row(name, r) for name, r in rendered.items()], 2),
        people="" if strips is None else _people(folder, strips),
        masked=filled("masked", scores=table(MASKED_HEAD, _masked_rows(masked))) if masked else "",
        ablation=_ablation(ablated) if ablated else "",
    )


def _either(values: Any) -> str:  # noqa: ANN401 - numbers or words
    return " or ".join(sorted({str(v) for v in values}))


def _means(rendered: Record) -> list[Row]:
    rows: list[Row] = []
    for words, name in SHOWN.items():
        m = mean_of(rendered, name)
        head = m.get("joints" + HEAD, float("nan"))
        rows.append((words, *(m[g] for g in GROUPS), m["joints"], 100 * m["missed"], head, m["J"]))
    for words, figures in PAPER.items():
        rows.append((f"paper, {words}", *figures, float(np.mean(figures)), *[float("nan")] * 3))
    return rows


def _outcome(rendered: Record) -> dict[str, object]:
    """Change of the joint error, and how many clips are better personalised than by six views."""

    def wins(name: str, measure: str, sign: int = 1) -> int:
        return sum(sign * (r[VIEWS][measure] - r[name][measure]) > 0 for r in rendered.values())

    def with_joints(least: float, most: float, *, accepted: bool) -> str:
        changes = {n: r[PROGRAM]["joints"] / r[GENERIC]["joints"] for n, r in rendered.items()}
        some = [n for n, c in changes.items() if least < c < most]
        return ", ".join(n for n in some if rendered[n]["report"]["accepted"] == accepted) or "none"

    means = {n: mean_of(rendered, n)["joints"] for n in (GENERIC, PROGRAM, KEPT, PERFECT)}
    changes = {n: 100 * (v / means[GENERIC] - 1) for n, v in means.items()}
    return {
        "change": changes[PROGRAM],
        "kept": changes[KEPT],
        "possible": changes[PERFECT],
        "aim": AIM[changes[KEPT] <= -20],
        "wins": (by_parts := wins(PROGRAM, "joints")),
        "wins_kept": wins(KEPT, "joints"),
        "wins_by_head": wins(PROGRAM, "joints" + HEAD),
        "wins_j": (by_silhouettes := wins(PROGRAM, "J", -1)),
        "target": AIM[4 * by_parts >= 3 * len(rendered)],
        "target_j": AIM[4 * by_silhouettes >= 3 * len(rendered)],
        "harmed": with_joints(1.05, np.inf, accepted=True),
        "forgone": with_joints(0, 0.95, accepted=False),
    }


def _gate(r: Mapping[str, Any]) -> tuple[str, str]:
    return "accepted" if r["report"]["accepted"] else "refused", str(r["report"]["reason"])


def _clip_row(name: str, r: Mapping[str, Any]) -> Row:
    figures = [r[n][m] for m in ("J", "joints") for n in (GENERIC, VIEWS, PROGRAM)]
    return (name, 1 + r["others"], "hard" if r["hard"] else "plain", *figures, *_gate(r))


def _masked_rows(masked: Record) -> list[Row]:
    each = {n: [r[of]["J"] for of in (GENERIC, VIEWS, PROGRAM)] for n, r in masked.items()}
    return [(n, *each[n], each[n][2] - each[n][0], *_gate(r)) for n, r in masked.items()]


def _people(folder: Path, strips: Picture) -> str:
    name = "6-personalisation-people.jpg"
    cv2.imwrite(str(folder / name), strips[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    words = "Rendered people before (left) and after (right of each pair), at the frame of the median gain:"
    return f"{words}\n\n![people]({name})"


def _ablation(ablated: Record) -> str:
    found = {n: {GENERIC: r[GENERIC], **r["ablation"]} for n, r in ablated.items()}
    rows = [
        (f"**{name}** (the program)" if name == PROGRAM else name, *(r[name]["J"] for r in found.values()))
        for name in (GENERIC, *VARIANTS, PROGRAM)
    ]
    return filled(
        "ablation",
        courses=_either(r["course"] for r in found.values()),
        scores=table(("silhouettes", *(f"J on {n}" for n in found)), rows),
    )


def kept(r: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a score
    """The scores of the factor that a user has in the end."""
    return r[PROGRAM if r["report"]["accepted"] else GENERIC]


def mean_of(record: Record, name: str) -> dict[str, float]:
    """Mean over clips of everything measured."""
    keys = next(iter(record.values()))[name]
    return {k: float(np.nanmean([r[name][k] for r in record.values()])) for k in keys}


def strips(clips: Sequence[ScoredClip], before: Engine, after: Mapping[str, Engine]) -> Picture | None:
    """For every rendered clip the frame of the median gain in J, before beside after."""
    pairs = [_pair(clip, before, after[clip.name]) for clip in clips]
    if not pairs:
        return None
    pairs += [np.full_like(pairs[0], 255)] * (-len(pairs) % ACROSS)
    return np.vstack([np.hstack(pairs[i : i + ACROSS]) for i in range(0, len(pairs), ACROSS)])


def _pair(clip: ScoredClip, before: Engine, after: Engine) -> Picture:
    chosen = range(0, len(clip.frames), max(1, len(clip.frames) // 12))
    before_j, after_j = (
        [overlap(e.parsing(clip.frames[i]), clip.silhouettes[i]) for i in chosen] for e in (before, after)
    )
    gains = np.subtract(after_j, before_j)
    frame = clip.frames[chosen[int(np.argsort(gains)[len(gains) // 2])]]
    halves = [overlay(frame.image, engine.parsing(frame), OPACITY) for engine in (before, after)]
    small = [cv2.resize(h, (SHOWN_PX, SHOWN_PX), interpolation=cv2.INTER_AREA) for h in halves]
    return np.pad(np.hstack(small), ((0, 4), (0, 4), (0, 0)), constant_values=255)
