"""Gate of a new factor: better on this person, by evidence of its own, and no worse on other people?

On held-out frames both factors are compared with the silhouettes that the same run propagated; on the bundled
people, which were never learned from, with exact ones. The propagated silhouettes may be wrong all through a
clip, and then a factor that repeats their mistake gains by them. So references that know nothing of what was
propagated are asked too (`personalize.evidence`). Unless they side with the new factor, they may deny little
of what it learned from.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from personalize.evidence import Agreement
from training.metrics import boundary_f, has_known_edge, silhouette_iou

Map = NDArray[np.float32]

LEAST_GAIN: Final = 0.005  #: of J on held-out frames; less is noise
CLOSE: Final = 0.01  #: a gain below this must show with a second seed as well
MOST_FORGOTTEN: Final = 0.01  #: of J on the bundled people
FAR_TOO_MUCH: Final = 0.015  #: forgotten beyond that, the silhouettes are suspect (leaves taken for people)
MOST_BLURRED: Final = 0.01  #: of boundary F on held-out frames
MOST_DENIED: Final = 0.034  #: of expected J, by references, of what was learned from; see `benchmarks.gate`
AS_GOOD: Final = 0.005  #: of J; six views of the factor before that come this near are told of
AREA: Final = (0.5, 2.0)  #: person after over person before; outside, the silhouettes have run away


@dataclass(frozen=True)
class GateScore:
    """Means over pictures.

    Attributes:
        j: intersection over union of P(person) ≥ 0.5.
        boundary_f: of its edge; None where no silhouette's edge is known.
        area: share of the picture that is a person.
        pictures: how many there were.
    """

    j: float
    boundary_f: float | None
    area: float
    pictures: int


@dataclass(frozen=True)
class Judgement:
    """Decision of the gate, with its reason."""

    accepted: bool
    reason: str
    close: bool = False  #: a second seed should agree
    forgot: bool = False  #: better on the person, but other people a little worse than is allowed


def score(answers: Iterable[tuple[Map, NDArray[np.uint8]]]) -> GateScore:
    """Compare P(person) on the grid with silhouettes.

    Args:
        answers: P(person) of the picture's cells or of a picture, and its silhouette at any size:
            1 person, 0 background, 255 not known.
    """
    rows, edges = [], []
    for person, truth in answers:
        known = np.nan_to_num(np.asarray(person, np.float32), nan=0.0)
        mask = cv2.resize(known, truth.shape[::-1], interpolation=cv2.INTER_LINEAR) >= 0.5
        rows.append((silhouette_iou(mask, truth), float(mask.mean())))
        if has_known_edge(truth):
            edges.append(boundary_f(mask, truth))
    j, area = np.mean(rows, axis=0) if rows else (0.0, 0.0)
    return GateScore(float(j), float(np.mean(edges)) if edges else None, float(area), len(rows))


def judge(
    clip: tuple[GateScore, GateScore], people: tuple[GateScore, GateScore], evidence: Agreement
) -> Judgement:
    """Accept or not; more that speaks against a factor never turns a refusal into an acceptance.

    Args:
        clip: before and after, on held-out frames.
        people: before and after, on the bundled people.
        evidence: agreement of references with both factors.
    """
    before, after = clip
    if not before.pictures:
        return Judgement(accepted=False, reason="No frame was left to compare on; the range is too short.")
    gain, forgotten, drift = after.j - before.j, people[0].j - people[1].j, area_drift(clip)
    shown = f"silhouette J on held-out frames {before.j:.3f} before, {after.j:.3f} after"
    blurred, edges = False, ""
    if before.boundary_f is not None and after.boundary_f is not None:
        blurred = not after.boundary_f >= before.boundary_f - MOST_BLURRED
        edges = f"edges fit worse ({before.boundary_f:.3f} to {after.boundary_f:.3f})"
    asked = f"agreement {evidence.before:.3f} before, {evidence.after:.3f} after"
    asked += f", with what was learned from {evidence.taught:+.3f}"
    against = f"six views and the body parts seen in them speak against it ({asked})"
    ran = "the silhouettes would change their size too much to be believed"
    passed = (
        (gain >= LEAST_GAIN, f"No gain: {shown}."),
        (evidence.gain >= 0 or evidence.taught >= -MOST_DENIED, f"Not believed: {shown}, but {against}."),
        (not blurred, f"No gain: {shown}, but {edges}."),
        (AREA[0] <= drift <= AREA[1], f"Not believed: {ran} ({drift:.2f} times)."),
    )
    for enough, reason in passed:
        if not enough:
            return Judgement(accepted=False, reason=reason)
    if not forgotten <= MOST_FORGOTTEN:
        lost = f"other people would be found worse ({people[0].j:.3f} to {people[1].j:.3f})"
        a_little = forgotten <= FAR_TOO_MUCH
        return Judgement(accepted=False, reason=f"Not accepted: {lost}; {shown}.", forgot=a_little)
    reason = f"Better: {shown}.{beside_six(evidence)}"
    return Judgement(accepted=True, reason=reason, close=gain < CLOSE)


def beside_six(evidence: Agreement) -> str:
    """Sentence for a factor that six views of the one before make up for; empty for any other."""
    if evidence.one_view >= evidence.six_views + AS_GOOD:
        return ""
    return (
        f" On the frames judged, six views of the factor before come to {evidence.six_views:.3f}, one of the"
        f" new one to {evidence.one_view:.3f}: for files, compare with `--views 6`."
    )


def area_drift(clip: tuple[GateScore, GateScore]) -> float:
    """Area of the person after, as a multiple of that before."""
    return clip[1].area / max(clip[0].area, 1e-4)


def figures(
    clip: tuple[GateScore, GateScore], people: tuple[GateScore, GateScore], evidence: Agreement
) -> dict[str, Any]:
    """The numbers for the report; what was not measured is left out."""
    edges = {"before": clip[0].boundary_f, "after": clip[1].boundary_f}
    return {
        "held_out_J": {"before": clip[0].j, "after": clip[1].j},
        **({} if None in edges.values() else {"boundary_F": edges}),
        "evidence_J": {"before": evidence.before, "after": evidence.after, "taught": evidence.taught},
        "beside_six_views": {"six_before": evidence.six_views, "one_after": evidence.one_view},
        "area_drift": area_drift(clip),
        "regression": {"before": people[0].j, "after": people[1].j, "margin": MOST_FORGOTTEN},
        "held_out_frames": clip[0].pictures,
    }


def on_card(s: GateScore, people: GateScore, evidence: float) -> dict[str, float]:
    """One side's numbers for the factor's card."""
    numbers = {"held_out_J": s.j, "area": s.area, "regression_J": people.j, "evidence_J": evidence}
    return numbers if s.boundary_f is None else {**numbers, "boundary_F": s.boundary_f}
