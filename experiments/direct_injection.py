"""Experiment 2: the true silhouettes, injected into the factor's place or forced upon the Baseline.

With it the ablations of the settings and of the true silhouettes in training, which are about the same thing.
"""

from __future__ import annotations

import argparse

from experiments import networks
from experiments.bootstrap import verdict
from experiments.claims import PartClaim, bars, by_class, scores, tried, unfinished, verdicts
from experiments.networks import NETWORKS, SHIPPED_NAME
from experiments.pages import Page, filled
from experiments.part_scores import FinishedNetworks, Use

MEASURES = ("class accuracy", "mean IoU", "person IoU")
INJECTED, OWN = (("factored", "injected"),), (("factored", "own"),)
FORCED = (("baseline", "forced"),)
EVEN, ALONE, PLAIN = "factored-uniform", "factored-alone", "factored-no-injection"
CLAIMS = (
    PartClaim("injected is above the Baseline's hard constraint", "in every class", INJECTED, FORCED),
    PartClaim("the same with the paper's settings", "in every class", ((EVEN, "injected"),), FORCED),
    PartClaim("injection gives Factored more than the constraint gives the Baseline", "Factored alone gains",
              (*INJECTED, ("baseline", "own")), (*OWN, *FORCED)),
    PartClaim("the same with the paper's settings", "Factored alone gains",
              ((EVEN, "injected"), ("baseline", "own")), ((EVEN, "own"), *FORCED)),
    PartClaim("injected is above forced on the same network", "implied", INJECTED, (("factored", "forced"),)),
    PartClaim("on photos, too", "implied", (("factored", "ccp injected"),), (("factored", "ccp forced"),),
              "garments"),
)  # fmt: skip
ABLATIONS = (
    PartClaim("the settings teach the head to use a silhouette (against setting 3 alone)",
              "the settings' purpose",
              ((EVEN, "injected"), (ALONE, "own")), ((EVEN, "own"), (ALONE, "injected"))),
    PartClaim("with true silhouettes the settings are above setting 3 alone", "the settings' purpose",
              ((EVEN, "injected"),), ((ALONE, "injected"),)),
    PartClaim("without silhouettes they cost nothing (within 5 %)", "not said", ((EVEN, "own"),),
              ((ALONE, "own"),), alike=0.05),
    PartClaim("true silhouettes in training teach it more (our shares with and without)", "not in the paper",
              (*INJECTED, (PLAIN, "own")), (*OWN, (PLAIN, "injected"))),
    PartClaim("with true silhouettes our recipe is above the paper's settings", "not in the paper", INJECTED,
              ((EVEN, "injected"),)),
)  # fmt: skip


def run(a: argparse.Namespace) -> None:
    """Train and score what is missing, and write the page."""
    networks.run(a)
    found = FinishedNetworks(networks.folder(a), a.seeds)
    page = Page(a.out, "2-direct-injection")
    classes, counts = by_class(*INJECTED, *FORCED, found)
    shown: dict[str, Use] = {"Baseline, hard constraint": FORCED[0], "Factored, injected": INJECTED[0]}
    page.write(
        **networks.common_values(a),
        means=scores(all_ways(), MEASURES, found),
        photos=scores(all_ways("ccp "), ("person IoU", "head", "trousers", "foot"), found),
        claims=verdicts(CLAIMS, found),
        tried=tried(CLAIMS, found, a),
        ablations=verdicts(ABLATIONS, found),
        counts=counts,
        classes=classes,
        bars=bars(page, "iou", shown, "IoU with true silhouettes", found),
        aside=aside(a),
        missing=unfinished(found, a.seeds),
    )


def all_ways(prefix: str = "") -> dict[str, Use]:
    """Every network by title, without and with the true silhouettes."""
    ways = {"": "own", ", hard constraint": "forced", ", injected": "injected"}
    factored = {k for k in NETWORKS if k.startswith("factored")}
    return {
        f"{n.title}{words}": (name, prefix + way)
        for name, n in NETWORKS.items()
        for words, way in ways.items()
        if way == "own" or (way == "injected") == (name in factored)
    }


def aside(a: argparse.Namespace, prefix: str = "") -> str:
    """The shipped checkpoint: the effect of the same silhouettes on a network with a long training."""
    found = FinishedNetworks(networks.folder(a), [0])
    own, forced, injected = ((SHIPPED_NAME, prefix + way) for way in ("own", "forced", "injected"))
    gain, constraint, more = (
        found.interval("mean IoU", [x], [y]) for x, y in ((injected, own), (forced, own), (injected, forced))
    )
    if gain is None or constraint is None or more is None:
        return ""
    named = {"own factor": own, "hard constraint": forced, "injected": injected}
    return filled(
        "aside", size=a.shipped_size, scores=scores(named, MEASURES, found), injected=gain.words(2),
        forced=constraint.words(2), verdict=f"{more.words(2)}: {verdict(more.low, more.high)}",
    )  # fmt: skip
