"""Phases 8 and 9, candidate: the factor's file, and the gate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from export.rewrite import FastFactor
from models.spec import FactorCard, ModelSpec
from personalize import factor as factors
from personalize.evidence import Agreement
from personalize.gate import GateScore, Judgement, figures, judge, on_card, score
from personalize.messages import Finished
from personalize.worker.augmentation import AveragedViews
from personalize.worker.context import Context, person
from personalize.worker.evidence import References
from personalize.worker.finetune import learned, teach
from personalize.worker.person import area_alone
from personalize.worker.results import Facts
from runtime.engine.providers import Provider
from runtime.engine.sessions import Session
from runtime.system.files import write_atomic

CANDIDATE: Final = "candidate.onnx"
FACTOR: Final = "factor.onnx"
REPORT: Final = "report.json"
HALF: Final = 0.5  #: of the way, where the whole way would cost other people too much
Both = tuple[GateScore, GateScore]  #: before and after


def needs_of_writing(context: Context) -> list[object]:
    """Inputs of the file, beside the weights."""
    return [context.network.spec.to_json()]


def write(context: Context) -> Facts:
    """The learned weights in the graph they came from, compared with the module that learned them."""
    context.reporter.progress(0, 1)
    write_atomic(context.results.folder / CANDIDATE, _file(context, learned(context)))
    context.reporter.progress(1, 1)
    return {}


def needs_of_checking(context: Context) -> list[object]:
    """Inputs of the judgement, beside the candidate."""
    return []


def check(context: Context) -> Facts:
    """Measure, judge, and write the file with its card and the report."""
    data = (context.results.folder / CANDIDATE).read_bytes()
    share = 1.0
    references = References(context, context.facts["learning"]["judged"])
    clip, people, evidence = _measured(context, data, references)
    judgement = judge(clip, people, evidence)
    if judgement.forgot:
        share, half = HALF, _file(context, _part_of_the_way(context, learned(context), HALF))
        measured = _measured(context, half, references)
        if judge(*measured).accepted:
            data, (clip, people, evidence) = half, measured
            judgement = judge(*measured)
            context.reporter.notice("Other people would be found worse: half of what was learned is taken.")
    if judgement.accepted and judgement.close:
        judgement = _once_more(context, judgement, share, references)
    now = datetime.now(UTC).date().isoformat()
    card = FactorCard(
        base_trunk_sha256=context.network.trunk_sha256,
        clip_sha256=context.facts["reading"]["clip_sha256"],
        created=now,
        frames=context.span.stop - context.span.start,
        before=on_card(clip[0], people[0], evidence.before),
        after=on_card(clip[1], people[1], evidence.after),
        accepted=judgement.accepted,
        person=context.facts["seeds"].get("person", {}).get("words", ""),
    )
    final = factors.described(data, _spec(context, card))
    write_atomic(context.folder / FACTOR, final)
    return {
        "sha256": hashlib.sha256(final).hexdigest(),
        "accepted": judgement.accepted,
        "reason": judgement.reason,
        **figures(clip, people, evidence),
    }


def done(context: Context) -> Finished:
    """The report, on disk and as the last event."""
    facts = context.facts["checking"]
    first = context.first_frame
    count = context.span.stop - context.span.start
    report: dict[str, Any] = {
        **{k: v for k, v in facts.items() if k not in {"sha256", "accepted", "wall_s", "cpu_s"}},
        "accepted": facts["accepted"],
        "frames": count,
        "window": [first, first + count - 1],
        **({"person": chosen} if (chosen := context.facts["seeds"].get("person")) else {}),
        "epoch": context.facts["learning"]["epoch"],
        "losses": context.facts["learning"]["losses"],
        "seconds": {phase: f["wall_s"] for phase, f in context.facts.items()},
        "cpu_seconds": {phase: f["cpu_s"] for phase, f in context.facts.items()},
    }
    write_atomic(context.folder / REPORT, json.dumps(report, indent=1).encode())
    return Finished(str(context.folder / FACTOR), facts["sha256"], bool(facts["accepted"]), report)


def _spec(context: Context, card: FactorCard | None) -> ModelSpec:
    return replace(
        context.network.spec,
        stage="factor",
        card=card,
        siblings={"trunk": context.network.trunk_sha256},
    )


def _measured(context: Context, candidate: bytes, references: References) -> tuple[Both, Both, Agreement]:
    """On held-out frames of the clip, on the bundled people that judge, and by the references."""
    new = Session("factor", candidate, Provider.CPU, threads=1)
    factors_in_turn = context.network.factor, new
    judged = context.facts["learning"]["judged"]
    total = 2 * (len(judged) + len(context.results.array("judging_features")))
    step = _Count(context, total)
    clip = [score(_on_clip(context, f, judged, step)) for f in factors_in_turn]
    if context.job.person is not None and judged:  # the others were people before, and shall be none
        clip[0] = replace(clip[0], area=area_alone(context, judged))
    people = [score(_on_people(context, f, step)) for f in factors_in_turn]
    return (clip[0], clip[1]), (people[0], people[1]), references.agreement(new)


class _Count:
    """Progress over several loops."""

    def __init__(self, context: Context, total: int) -> None:
        self._context, self._total, self._done = context, total, 0

    def __call__(self) -> None:
        self._done += 1
        self._context.reporter.progress(self._done, self._total)


Answer = tuple[NDArray[np.float32], NDArray[np.uint8]]


def _on_clip(context: Context, factor: Session, judged: list[int], step: _Count) -> Iterator[Answer]:
    features, canvas, small = (context.array(name) for name in ("features", "canvas", "small"))
    codes, averaged = (
        context.results.array("codes"),
        AveragedViews(context.network, context.facts["reading"]["size"]),
    )
    across, down = context.letterbox.cells
    for k in judged:
        cells = person(factor, features[k])[:down, :across]
        yield averaged.along_edges(cells, canvas[k], np.asarray(small[k])), np.asarray(codes[k])
        step()


def _on_people(context: Context, factor: Session, step: _Count) -> Iterator[Answer]:
    features = context.results.array("judging_features")
    for seen, truth in zip(features, context.results.array("judging_silhouettes"), strict=True):
        yield person(factor, seen), np.asarray(truth)
        step()


def _file(context: Context, factor: FastFactor) -> bytes:
    return factors.store(factor, context.network.factor.data, _spec(context, None))


def _part_of_the_way(context: Context, factor: FastFactor, share: float) -> FastFactor:
    return factors.between(factors.load(context.network.factor.data), factor, share)


def _once_more(context: Context, judgement: Judgement, share: float, references: References) -> Judgement:
    """A small gain must show again with another seed."""
    context.reporter.notice("The gain is small: it is learned once more, to see whether it was chance.")
    made, _ = teach(context, context.job.seed + 1)
    second = _file(context, _part_of_the_way(context, made.factor, share))
    again = judge(*_measured(context, second, references))
    if again.accepted:
        return judgement
    once = "Not believed: seen once, and not again with another seed."
    return Judgement(accepted=False, reason=f"{once} {judgement.reason}")
