"""`xfactor synth`: write a data set of synthetic people."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(
        prog="xfactor synth", description="Write a data set of synthetic people."
    )
    parser.add_argument("--count", type=_count, required=True)
    parser.add_argument("--out", type=Path, help="folder for images, labels, keypoints and a contact sheet")
    parser.add_argument("--packed", type=Path, help="stem of two packed .npy files")
    parser.add_argument("--size", type=_count, default=256)
    parser.add_argument("--assets", type=Path, help="MakeHuman clothes, hair and skins")
    parser.add_argument("--poses", type=Path, help="BVH poses and DeepMimic motions")
    parser.add_argument("--lifted", type=Path, help="table of poses (python -m synthetic.posetable)")
    parser.add_argument(
        "--backgrounds", type=Path, nargs="*", default=[], help="folders of pictures without people"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", choices=("train", "test"), default="train")
    a = parser.parse_args(arguments)
    if a.out is None and a.packed is None:
        parser.error("give --out DIR, --packed STEM or both")
    from synthetic.dataset import Recipe, write_dataset, write_packed  # noqa: PLC0415 - help works without numba

    recipe = Recipe(a.size, a.seed, a.split, a.assets, a.poses, tuple(a.backgrounds), lifted=a.lifted)
    try:
        if a.out is not None:
            write_dataset(a.out, a.count, recipe, workers=a.workers, progress=_show)
        if a.packed is not None:
            write_packed(a.packed, a.count, recipe, workers=a.workers, progress=_show)
    except (OSError, ValueError) as error:
        print(f"synthetic people: {error}", file=sys.stderr)
        return 1
    return 0


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"give a number from 1 on, not {text[:40]!r}")
    return int(text)


def _show(done: int, count: int) -> None:
    if done % 50 == 0 or done == count:
        print(f"\r{done}/{count}", end="\n" if done == count else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
