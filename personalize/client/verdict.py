"""Verdict: the figures of the gate in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from models.spec import FactorCard
from personalize.messages import Finished

#: Key of the report → what it measures, in words.
MEASURES: Final = {
    "held_out_J": "Silhouette, frames not learned from",
    "boundary_F": "Edge of the silhouette",
    "evidence_J": "By six views and body parts",
    "regression": "Other people (rendered)",
}
GAIN: Final = "held_out_J"
INSIDE: Final = {"losses", "accepted", "cpu_seconds"}  # for a bug report, not for a reader


@dataclass(frozen=True)
class MeasureRow:
    """One measure, before and after."""

    words: str
    before: float  #: 0..1
    after: float

    @property
    def change(self) -> float:
        """Positive is better."""
        return self.after - self.before


@dataclass(frozen=True)
class Verdict:
    """Judgement of the gate, in words."""

    accepted: bool
    headline: str
    reason: str
    rows: tuple[MeasureRow, ...]
    details: str
    person: str = ""  #: who was learned alone, in words


def verdict(done: Finished, name: str) -> Verdict:
    """A result in words; a report that lacks something lacks a row, nothing else."""
    rows = tuple(
        MeasureRow(words, *pair)
        for key, words in MEASURES.items()
        if (pair := _pair(done.report.get(key))) is not None
    )
    gain = _pair(done.report.get(GAIN))
    if done.accepted and gain is not None:
        headline = f"{name}: better on this person, {_percent(gain[0])} → {_percent(gain[1])}"
    elif done.accepted:
        headline = f"{name}: better on this person"
    else:
        headline = "Not accepted: the factor in use stays"
    reason = str(done.report.get("reason", ""))[:400]
    chosen = done.report.get("person")
    person = f"Person: {str(chosen.get('words', ''))[:200]}" if isinstance(chosen, Mapping) else ""
    return Verdict(done.accepted, headline, reason, rows, _details(done.report), person)


def gain_words(card: FactorCard | None) -> str:
    """A factor card's gain for a menu: `silhouette 71 → 86 %`; empty when it does not say."""
    if card is None:
        return ""
    old, new = card.before.get(GAIN), card.after.get(GAIN)
    if not _number(old) or not _number(new):
        return ""
    alone = "one person, " * bool(card.person)
    return f"{alone}silhouette {100 * old:.0f} → {_percent(new)}"


def _details(report: Mapping[str, Any]) -> str:
    """Every number there is, a line each."""
    lines = []
    for key, value in report.items():
        if key in INSIDE:
            continue
        if isinstance(value, Mapping):
            text = ", ".join(f"{k} {_plain(v)}" for k, v in value.items())
        else:
            text = _plain(value)
        lines.append(f"{str(key).replace('_', ' ')}: {text}")
    return "\n".join(lines)


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return "–".join(_plain(v) for v in value)
    return str(value)[:400]


def _pair(value: object) -> tuple[float, float] | None:
    if not isinstance(value, Mapping):
        return None
    before, after = value.get("before"), value.get("after")
    return (float(before), float(after)) if _number(before) and _number(after) else None


def _number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"
