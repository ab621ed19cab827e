"""Batches: the same results as frame by frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from runtime.engine.augmentation import MIRRORED, ONE, SIX, Views
from runtime.engine.engine import Engine, load_engine
from runtime.engine.sessions import NoResultError
from runtime.engine.source import Request, Silhouette
from runtime.engine.temporal import Smoother
from tests.unit.runtime.engine.fixed import Fixed
from tests.unit.runtime.model_files import crafted


def outcome_bytes(outcomes) -> list[tuple[bytes, ...]]:
    parsings = [o.given().parsing for o in outcomes]
    return [tuple(getattr(p, n).tobytes() for n in ("labels", "person", "confidence")) for p in parsings]


@pytest.mark.parametrize("views", [ONE, MIRRORED, SIX])
@pytest.mark.parametrize("source", [None, Fixed(0.7)])
@pytest.mark.parametrize("smooth", [False, True])
def test_results_do_not_depend_on_the_batch_size(
    engine: Engine, views: Views, source: object, smooth: bool
) -> None:
    """Over a change of picture size, and with what each frame remembers of the one before."""
    shown = engine.with_factor(source).with_views(views)  # type: ignore[arg-type]
    clip = [crafted.frame(200, 120, index=i, seed=i // 3, pts_s=i / 25) for i in range(5)]
    clip += [crafted.frame(90, 120, index=i, seed=i, pts_s=i / 25) for i in range(5, 7)]
    found = []
    for size in (1, 2, 3, 7):
        smoother = Smoother() if smooth else None
        found.append(outcome_bytes(replace(shown, batch=size).parse_many(clip, smoother)))
    assert found[1:] == found[:1] * 3
    smoother = Smoother() if smooth else None
    assert found[0] == outcome_bytes([o for f in clip for o in shown.parse_many([f], smoother)])


def test_the_shipped_model_says_the_same_in_batches() -> None:
    shipped = load_engine("factored-s31", device="cpu")
    clip = [crafted.frame(320, 180, index=i, seed=i) for i in range(4)]
    alone = [shipped.parsing(f) for f in clip]
    for batch in (1, 3):
        together = [o.given().parsing for o in replace(shipped, batch=batch).parse_many(clip)]
        for a, b in zip(alone, together, strict=True):
            assert (a.labels == b.labels).all()
            assert np.abs(a.confidence.astype(int) - b.confidence).max() <= batch - 1, "rounding, in batches"


def test_one_bad_frame_of_a_batch_costs_that_frame_alone(engine: Engine) -> None:
    class Gap(Fixed):
        def person(self, request: Request) -> Silhouette:
            return Silhouette(None, notice="no mask") if request.frame.index == 1 else super().person(request)

    shown = replace(engine, source=Gap(0.6))
    clip = [crafted.frame(index=i) for i in range(3)]
    outcomes = replace(shown, batch=3).parse_many(clip)
    assert [o.result is None for o in outcomes] == [False, True, False]
    assert "no mask" in str(outcomes[1].error)
    assert outcome_bytes(outcomes[::2]) == outcome_bytes(shown.parse_many(clip[::2]))


def test_a_batch_that_does_not_fit_is_run_frame_by_frame(engine: Engine) -> None:
    real = engine.stages.trunk  # type: ignore[attr-defined]

    class Small:
        sha256, provider = real.sha256, real.provider
        notice = ""

        def run(self, feeds, outputs):
            if len(feeds["image"]) > 1:
                raise NoResultError("out of memory")
            return real.run(feeds, outputs)

    tight = replace(engine, stages=replace(engine.stages, trunk=Small()))  # type: ignore[type-var]
    clip = [crafted.frame(index=i, seed=i) for i in range(3)]
    assert outcome_bytes(replace(tight, batch=3).parse_many(clip)) == outcome_bytes(engine.parse_many(clip))
