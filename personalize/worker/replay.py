"""Phase 6, replay buffer: features of the bundled pictures of other people."""

from __future__ import annotations

import numpy as np

from personalize.replay import BundledPeople, PeopleError, read_regression
from personalize.worker.context import Context, person
from personalize.worker.results import Facts
from runtime.system import paths
from runtime.system.errors import Refusal


def needs(context: Context) -> list[object]:
    """Inputs of the result."""
    return [context.network.trunk_sha256, context.network.factor.sha256, _people().sha256]


def run(context: Context) -> Facts:
    """Features of the people of both halves, the factor's answers, and their true silhouettes."""
    people = _people()
    halves = {"replayed": people.replayed(), "judging": people.judging()}
    total = sum(len(pictures) for pictures, _ in halves.values())
    done = 0
    for name, (pictures, silhouettes) in halves.items():
        rows, columns = (side // context.network.spec.stride for side in pictures.shape[1:3])
        features = context.results.new(f"{name}_features", (len(pictures), 128, rows, columns), np.float16)
        answers = np.empty((len(pictures), rows, columns), np.float32)
        for k, picture in enumerate(pictures):
            features[k] = context.network.features(picture)
            answers[k] = person(context.network.factor, features[k])
            done += 1
            context.reporter.progress(done, total)
        context.results.keep(f"{name}_features", features)
        context.results.keep(f"{name}_person", answers)
        context.results.keep(f"{name}_silhouettes", silhouettes.astype(np.uint8))
    return {}


def _people() -> BundledPeople:
    folder = paths.assets_dir() / "regression"
    try:
        return read_regression(folder)
    except PeopleError as e:
        raise Refusal("the bundled people", str(e), "Install xfactor again") from e
