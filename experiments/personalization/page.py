"""Experiment 6's page: tables, a plot, and pictures of rendered people before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from experiments.pages import Page, filled
from experiments.personalization.scoring import ScoredClip, overlap
from experiments.personalization.variants import PROGRAM, VARIANTS
from runtime.engine.engine import Engine
from runtime.output.overlay import overlay
from training.centroids import GROUPS
from training.markdown import Row, table

GENERIC, PERFECT, FLOOR = "generic", "true silhouettes", "true parts"
KEPT = "kept"  # what a user has in the end
PAPER = {"generic": (9.1, 15.4, 23.5, 12.8), "personalised": (9.1, 12.6, 17.3, 9.6)}
SHOWN = {
    "generic": GENERIC,
    "personalised": PROGRAM,
    "personalised where the gate accepts, else generic": KEPT,
    "true silhouettes given": PERFECT,
    "true parts (what the measure itself costs)": FLOOR,
}
MEANS_HEAD = ("mean error, px", *GROUPS, "mean of the four", "missed, %", "silhouette J")
CLIP_HEAD = ("clip", "scene", "J before", "J after", "joints before, px", "joints after, px", "change, %",
             "gate", "its reason")  # fmt: skip
MASKED_HEAD = ("clip", "J before", "J after", "gain", "gate", "its reason")
OPACITY = 0.6
SHOWN_PX = 256
Record = Mapping[str, Mapping[str, Any]]
Picture = NDArray[np.uint8]


def write(folder: Path, record: Record, command: str, run: str, strips: Picture | None) -> None:
    """Write the page and its pictures; `run` says what all of it was run with."""
    page = Page(folder, "6-personalisation")
    rendered = {n: {**r, KEPT: kept(r)} for n, r in record.items() if FLOOR in r}
    masked = {n: r for n, r in record.items() if FLOOR not in r}
    ablated = {n: r for n, r in record.items() if all(v in r.get("ablation", {}) for v in VARIANTS)}
    bars = {
        w: {g: mean_of(rendered, n)[g] for g in GROUPS} for w, n in SHOWN.items() if n not in (KEPT, FLOOR)
    }
    bars |= {f"paper, {w}": dict(zip(GROUPS, figures, strict=True)) for w, figures in PAPER.items()}
    page.write(
        **_changes(rendered),
        command=command,
        run=run,
        count=len(rendered),
        frames=_either(r["frames"] for r in rendered.values()),
        hard=sum(bool(r["hard"]) for r in rendered.values()),
        course=_either(r["course"] for r in rendered.values()),
        means=table(MEANS_HEAD, _means(rendered), 2),
        bars=page.bars("joints", bars, "mean error, px"),
        clips=table(CLIP_HEAD, [_clip_row(name, r) for name, r in rendered.items()], 2),
        people="" if strips is None else _people(folder, strips),
        masked=filled("masked", scores=table(MASKED_HEAD, _masked_rows(masked))) if masked else "",
        ablation=_ablation(ablated) if ablated else "",
        masked_gain="\n\n".join(_masked_gain(n, r) for n, r in masked.items()),
    )


def _either(values: Any) -> str:  # noqa: ANN401 - numbers or words
    return " or ".join(sorted({str(v) for v in values}))


def _means(rendered: Record) -> list[Row]:
    rows: list[Row] = []
    for words, name in SHOWN.items():
        m = mean_of(rendered, name)
        rows.append((words, *(m[g] for g in GROUPS), m["joints"], 100 * m["missed"], m["J"]))
    for words, figures in PAPER.items():
        rows.append((f"paper, {words}", *figures, float(np.mean(figures)), float("nan"), float("nan")))
    return rows


def _gate(r: Mapping[str, Any]) -> tuple[str, str]:
    return "accepted" if r["report"]["accepted"] else "refused", str(r["report"]["reason"])


def _clip_row(name: str, r: Mapping[str, Any]) -> Row:
    before, after = r[GENERIC], r[PROGRAM]
    change = 100 * (after["joints"] / before["joints"] - 1)
    figures = before["J"], after["J"], before["joints"], after["joints"], change
    return (name, "hard" if r["hard"] else "plain", *figures, *_gate(r))


def _masked_rows(masked: Record) -> list[Row]:
    pairs = {n: (r[GENERIC]["J"], r[PROGRAM]["J"]) for n, r in masked.items()}
    return [(n, *pairs[n], pairs[n][1] - pairs[n][0], *_gate(r)) for n, r in masked.items()]


def _people(folder: Path, strips: Picture) -> str:
    name = "6-personalisation-people.jpg"
    cv2.imwrite(str(folder / name), strips[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    words = "Rendered people before (left) and after (right of each pair), at the frame of the median gain:"
    return f"{words}\n\n![people]({name})"


def _ablation(ablated: Record) -> str:
    found = {n: {GENERIC: r[GENERIC], **r["ablation"]} for n, r in ablated.items()}
    joints = {n: found[n] for n, r in ablated.items() if FLOOR in r}
    masked = {n: found[n] for n, r in ablated.items() if FLOOR not in r}
    rows: list[Row] = []
    for name in (GENERIC, *VARIANTS, PROGRAM):
        row: list[str | float] = [f"**{name}** (the program)" if name == PROGRAM else name]
        if joints:
            means = mean_of(joints, name)
            row += [means["J"], *(means[g] for g in GROUPS), means["joints"]]
        rows.append(tuple(row + [r[name]["J"] for r in masked.values()]))
    head = ["J", *(f"{g}, px" for g in GROUPS), "mean, px"] if joints else []
    return filled(
        "ablation",
        courses=_either(r["course"] for r in found.values()),
        clips=f" Rendered clips: {', '.join(joints)}." if joints else "",
        scores=table(("silhouettes", *head, *(f"J on {n}" for n in masked)), rows),
    )


def _changes(rendered: Record) -> dict[str, object]:
    """Changes by the personalised factor, beside the paper's figures."""
    before, after = mean_of(rendered, GENERIC), mean_of(rendered, PROGRAM)
    change = {g: 100 * (after[g] / before[g] - 1) for g in (*GROUPS, "joints")}
    paper = {g: 100 * (b / a - 1) for g, a, b in zip(GROUPS, *PAPER.values(), strict=True)}
    joints = {n: 100 * (mean_of(rendered, n)["joints"] / before["joints"] - 1) for n in (KEPT, PERFECT)}
    agree = [g for g in GROUPS if change[g] < 0 and paper[g] < 0]
    worse = [g for g in GROUPS if change[g] > 1]
    return {
        "agrees": (
            f"As in the paper {' and '.join(agree)} gain." if agree else "Unlike in the paper no joint gains."
        )
        + (f" Unlike in the paper {' and '.join(worse)} get worse." if worse else ""),
        "changes": ", ".join(f"{change[g]:+.0f} % ({g}; paper {paper[g]:+.0f} %)" for g in GROUPS),
        "change": change["joints"],
        "kept": joints[KEPT],
        "aim": _aim(joints[KEPT] <= -20),
        "possible": joints[PERFECT],
    }


def _aim(met: bool) -> str:  # noqa: FBT001 - a verdict
    return "reached" if met else "missed"


def _masked_gain(name: str, r: Mapping[str, Any]) -> str:
    before, after, used = (s["J"] for s in (r[GENERIC], r[PROGRAM], kept(r)))
    met = after - before >= 0.10 or used >= 0.85
    beforehand = " (the generic factor had it before)" if met and before >= 0.85 else ""
    return (
        f"On {name} silhouette J goes from {before:.3f} to {after:.3f} ({after - before:+.3f}); the aim was"
        f" +0.10 or 0.85: {_aim(met)}{beforehand} (what a user has after the gate: {used:.3f})."
    )


def kept(r: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a score
    """The scores of the factor that a user has in the end."""
    return r[PROGRAM if r["report"]["accepted"] else GENERIC]


def mean_of(record: Record, name: str) -> dict[str, float]:
    """Mean over clips of everything measured."""
    keys = next(iter(record.values()))[name]
    return {k: float(np.mean([r[name][k] for r in record.values()])) for k in keys}


def strips(clips: Sequence[ScoredClip], before: Engine, after: Mapping[str, Engine]) -> Picture | None:
    """For every rendered clip the frame of the median gain in J, before beside after."""
    pairs = [_pair(clip, before, after[clip.name]) for clip in clips]
    if not pairs:
        return None
    pairs += [np.full_like(pairs[0], 255)] * (-len(pairs) % 2)
    return np.vstack([np.hstack(pairs[i : i + 2]) for i in range(0, len(pairs), 2)])


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
