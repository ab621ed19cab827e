"""The installation that is running: its version, and the commands that install into its environment."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Final

DISTRIBUTION: Final = "xfactor-parsing"
_EXTRA: Final = re.compile(r"""extra\s*==\s*["']([\w-]+)["']""")


def source_root() -> Path:
    """The folder that holds app, models, runtime and assets: a checkout, or the package of a wheel."""
    return Path(__file__).resolve().parents[2]


def version() -> str:
    """The version of the program."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:  # a checkout that was never installed
        project = source_root() / "pyproject.toml"
        return str(tomllib.loads(project.read_text("utf-8"))["project"]["version"])


def install_extra(extra: str) -> str:
    """The command that adds the packages of one of our extras to this environment.

    A checkout is installed from its folder; of a wheel the extra's own requirements are named, because an
    index may give our name to somebody else's package.
    """
    root = source_root()
    if (root / "pyproject.toml").is_file():
        return pip("install", "-e", f"{root}[{extra}]")
    return pip("install", *requirements(extra))


def requirements(extra: str) -> list[str]:
    """Requirements of an extra of the installed distribution, extras that it names itself resolved."""
    found: list[str] = []
    for line in metadata.requires(DISTRIBUTION) or ():
        requirement, _, marker = (part.strip() for part in line.partition(";"))
        if extra not in _EXTRA.findall(marker):
            continue
        name, bracket, rest = requirement.partition("[")
        if name == DISTRIBUTION and bracket:
            found += [r for own in rest.partition("]")[0].split(",") for r in requirements(own.strip())]
        else:
            found.append(requirement)
    return found


def pip(*arguments: str) -> str:
    """A pip command for this environment, as a line for a shell."""
    return shlex.join((sys.executable, "-m", "pip", *arguments))
