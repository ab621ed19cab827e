"""`python -m training.datasets`: count a published data set, check it, or score a network on it.

python -m training.datasets up-s31 /data/up-s31 --check
python -m training.datasets up-s31 /data/up-s31 --score runs/first/last.safetensors
python -m training.datasets lip /data/lip --joints pil-small
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from itertools import islice
from pathlib import Path

from runtime.system.errors import Refusal
from training.datasets.check import Counts, counted, readable
from training.datasets.files import BrokenError
from training.datasets.problems import Problems
from training.datasets.registry import DATA_SETS, DatasetReader
from training.photos import DataError


def _arguments() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog="python -m training.datasets", description="Read a published data set.")
    p.add_argument("name", choices=tuple(DATA_SETS))
    p.add_argument("root", type=Path, help="its folder, in the layout of docs/datasets.md")
    p.add_argument("--split", help="one split only")
    p.add_argument("--check", action="store_true", help="read every file, not only the lists and annotations")
    p.add_argument("--strict", action="store_true", help="stop at the first thing that would be left out")
    p.add_argument("--score", type=Path, metavar="CHECKPOINT", help="the paper's measures as JSON")
    p.add_argument("--joints", metavar="MODEL", help="joints, and parts, of a model's name or folder as JSON")
    p.add_argument("--size", type=int, default=512, help="side of the network's input when scoring, px")
    p.add_argument(
        "--show-silhouettes", action="store_true",
        help="score with the true silhouettes shown to the network, or held to them where it has no factor",
    )  # fmt: skip
    p.add_argument(
        "--impute", metavar="MODEL", help="coco: joints for small people without, by a model of single people"
    )
    p.add_argument("--limit", type=int, help="only the first pictures of each split")
    return p


def main(argv: list[str] | None = None) -> int:
    """0 when the data set is whole, 1 when anything was left out or refused."""
    a = _arguments().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
    problems = Problems(strict=a.strict)
    try:
        loader = DATA_SETS[a.name]
        names = _splits(loader, a, problems)
        if a.impute is not None:
            from training.datasets.imputation import impute  # noqa: PLC0415 - counting needs no engine

            if a.name != "coco":
                raise DataError("--impute: only coco has people without keypoints. Leave it out.")
            print(*(impute(a.root, n, a.impute, problems, a.limit) for n in names), sep="\n")
        elif a.joints is not None:
            from training.datasets.joint_score import score_joints_of  # noqa: PLC0415 - as above

            found = readable(islice(loader.samples(a.root, names[0], problems), a.limit), problems)
            print(
                json.dumps({"split": names[0], **score_joints_of(a.name, a.joints, found, a.size)}, indent=1)
            )
        elif a.score is None:
            _count(loader, names, a, problems)
        else:
            _score(loader, names[0], a, problems)
    except BrokenError as e:  # of the lists or annotations: without them nothing can be read
        sys.stderr.write(f"{e}. Unpack or download it again.\n")
        return 1
    except (ValueError, OSError, Refusal) as e:
        sys.stderr.write(f"{e}\n")
        return 1
    if problems.count:
        sys.stderr.write(f"{problems.count} left out\n")
    return int(problems.count > 0)


def _splits(loader: DatasetReader, a: argparse.Namespace, problems: Problems) -> tuple[str, ...]:
    if not a.root.is_dir():
        reason = (
            "a Python pickle, which runs code when opened; it is never read"
            if a.root.suffix == ".pkl"
            else ""
        )
        raise DataError(f"{a.root}: {reason or 'no such folder'}. Give the folder of the data set.")
    if a.size <= 0 or a.size % 32:
        raise DataError(f"--size {a.size}: it must be a multiple of 32 px. Leave it out for the paper's 512.")
    if a.limit is not None and a.limit < 1:
        raise DataError(f"--limit {a.limit}: it must be 1 or more. Leave it out for all pictures.")
    names = loader.splits(a.root, problems)
    wanted = a.split or (loader.scored_on if a.score is not None or a.joints is not None else "")
    if not wanted:
        return names
    if wanted not in names:
        raise DataError(
            f"{a.root}: it has no split {wanted}. It has {', '.join(names)}; choose with --split."
        )
    return (wanted,)


def _count(loader: DatasetReader, names: tuple[str, ...], a: argparse.Namespace, problems: Problems) -> None:
    print(f"{loader.title}; {loader.licence}")
    print(f"{'split':<14}{'pictures':>10}{'people':>10}{'parts':>10}{'silhouettes':>13}")
    for name in names:
        counts = Counts()
        samples = islice(loader.samples(a.root, name, problems), a.limit)
        for _ in counted(readable(samples, problems) if a.check else samples, counts):
            pass
        print(f"{name:<14}{counts.pictures:>10}{counts.people:>10}{counts.parts:>10}{counts.silhouettes:>13}")


def _score(loader: DatasetReader, name: str, a: argparse.Namespace, problems: Problems) -> None:
    from training.datasets import score  # noqa: PLC0415 - torch takes seconds, and counting does not need it

    samples = readable(islice(loader.samples(a.root, name, problems), a.limit), problems)
    run = score.open_run(a.score, a.size)
    scores = score.score(a.name, run, samples, a.size, show_truth=a.show_silhouettes)
    print(json.dumps({"split": name, "size": a.size, **scores}, indent=1))


if __name__ == "__main__":
    sys.exit(main())
