"""Compilation of the code that runs for every pixel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])
_OPTIONS: dict[str, Any] = {"cache": True, "fastmath": True, "error_model": "numpy", "_nrt": False}


def per_pixel(*, inline: bool = False) -> Callable[[Function], Function]:
    """Compile a function that makes no array, without counting references to those it is given.

    Counting took more than half of the shader's time: every array that is read from a tuple, cut or passed on
    counts, at every pixel. A function compiled so that did make an array would not compile.
    """
    options = {**_OPTIONS, "inline": "always" if inline else "never"}
    return cast("Callable[[Function], Function]", njit(**options))
