"""Images per second of the synthetic people generator on one core: ``python -m benchmarks.synthetic``."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from synthetic.generate import Generator


def measure(generator: Generator, count: int) -> tuple[float, float]:
    """Seconds of wall time and of processor time for ``count`` pictures, after a warm-up."""
    for i in range(5):
        generator.sample(i)
    wall, busy = time.perf_counter(), time.process_time()
    for i in range(count):
        generator.sample(i)
    return time.perf_counter() - wall, time.process_time() - busy


def main() -> None:
    """Print one line: size, images per second by the wall and by the processor's clock."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--assets", type=Path)
    parser.add_argument("--poses", type=Path)
    parser.add_argument("--lifted", type=Path)
    parser.add_argument("--backgrounds", type=Path, nargs="*", default=[])
    a = parser.parse_args()
    generator = Generator(a.assets, a.poses, a.backgrounds, a.size, lifted=a.lifted)
    wall, busy = measure(generator, a.count)
    print(  # noqa: T201  # a benchmark's result
        f"{a.size} px: {a.count / wall:.1f} images/s by the wall, {a.count / busy:.1f} by processor time"
    )


if __name__ == "__main__":
    main()
