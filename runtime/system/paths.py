"""Paths: of what is shipped with the program, and of what belongs to this user."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import platformdirs

NAME = "xfactor"
#: Stands for a home directory that does not exist: reading finds nothing, writing is refused by the system.
NO_HOME = Path(os.sep, "nonexistent", NAME)


def assets_dir() -> Path:
    """The shipped files; beside the packages, in a checkout and in an installed wheel alike."""
    return Path(__file__).resolve().parents[2] / "assets"


def models_dir() -> Path:
    """The shipped models, one folder each."""
    return assets_dir() / "models"


def sample_clip() -> Path:
    """The clip that shows the program at once."""
    return assets_dir() / "clips" / "sample.mp4"


def user_config_dir() -> Path:
    """Settings."""
    return _user_dir("config", platformdirs.user_config_dir)


def user_data_dir() -> Path:
    """Folder of what the user made and would miss: factors, added models."""
    return _user_dir("data", platformdirs.user_data_dir)


def user_log_dir() -> Path:
    """Log and crash files."""
    return _user_dir("log", platformdirs.user_log_dir)


def user_factors_dir() -> Path:
    """The user's library of personalised factors, `<name>.factor.onnx`."""
    return user_data_dir() / "factors"


def user_models_dir() -> Path:
    """Models the user added, one folder each."""
    return user_data_dir() / "models"


def user_links_dir() -> Path:
    """Clips downloaded from links, for a while."""
    return _user_dir("cache", platformdirs.user_cache_dir) / "links"


def user_teacher_dir() -> Path:
    """The environment of the teacher's process (training/teacher_process.py)."""
    return _user_dir("cache", platformdirs.user_cache_dir) / "teacher"


def _user_dir(kind: str, standard: Callable[[str], str]) -> Path:
    """`standard`, unless XFACTOR_HOME moves everything per-user under one root. Nothing is created here."""
    root = os.environ.get("XFACTOR_HOME")
    if root:
        return Path(root).absolute() / kind
    try:
        path = Path(standard(NAME))
    except (
        RuntimeError
    ):  # no home directory is known, by platformdirs 4.14; older ones leave the "~" as it is
        return NO_HOME / kind
    return path if path.is_absolute() else NO_HOME / kind
