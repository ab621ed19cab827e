"""`python -m synthetic.clip [--out FILE] [--size WxH] [--labels DIR]`: render a clip of the sample's kind."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from synthetic.footage.files import encode
from synthetic.footage.takes import SAMPLE, Production


def frames(production: Production, labels: Path | None) -> Iterator[NDArray[np.uint8]]:
    """Every picture in turn; its labels go to a folder of PNG files where one is given."""
    for number in range(production.frames):
        drawn = production.frame(number)
        if labels is not None and not cv2.imwrite(str(labels / f"{number:06d}.png"), drawn.labels):
            raise OSError(f"{labels}: could not be written to")
        print(f"\r{number + 1}/{production.frames}", end="", file=sys.stderr, flush=True)
        yield drawn.image


def main(arguments: list[str] | None = None) -> int:
    """Render; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m synthetic.clip", description="Render a sample clip.")
    parser.add_argument("--out", type=Path, default=Path("sample.mp4"))
    parser.add_argument("--size", default="1280x720", help="width and height, even")
    parser.add_argument("--labels", type=Path, help="also write the S31 labels of every frame here")
    given = parser.parse_args(arguments)
    width, height = (int(v) for v in given.size.split("x"))
    if given.labels is not None:
        given.labels.mkdir(parents=True, exist_ok=True)
    encode(frames(Production(SAMPLE, (width, height)), given.labels), given.out, (width, height))
    print(f"\n{given.out}: {given.out.stat().st_size / 1e6:.2f} MB", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
