"""The one package of an installed xfactor; in a wheel the folders app, models, runtime and assets lie in it.

Its folder goes to the front of `sys.path`, so that `import app` means ours whatever else is installed.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Entry point of the command `xfactor`, from a wheel and from a checkout."""
    here = Path(__file__).resolve().parent
    root = here if (here / "app").is_dir() else here.parent
    sys.path.insert(0, str(root))
    from app.__main__ import main as command  # noqa: PLC0415 - found only from here on

    command()
