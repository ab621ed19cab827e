"""`python -m synthetic.footage --out DIR [--takes N]`: render the takes with their truth."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from synthetic.footage.files import render_take
from synthetic.footage.takes import SIZE, TAKES


def main(arguments: list[str] | None = None) -> int:
    """Render; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m synthetic.footage", description="Render the takes.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--takes", type=int, default=len(TAKES))
    parser.add_argument("--size", type=int, default=SIZE[0], help="width and height, px, even")
    given = parser.parse_args(arguments)
    for take in TAKES[: given.takes]:
        clip = render_take(take, given.out, (given.size, given.size)).clip
        print(clip, file=sys.stderr, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
