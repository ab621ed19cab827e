"""Split of what people are made of: some to train on, the rest held out for testing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")
HELD_OUT = 4  # every fourth garment, hair and pose is for testing only


def of_split(items: Sequence[Item], *, test: bool, every: int = HELD_OUT) -> list[Item]:
    """Items of one split: every `every`-th, from the first on, is held out; of fewer than that, none.

    Args:
        items: in an order that stays, such as by name.
        test: give those held out.
        every: the share held out, one of so many.
    """
    few = len(items) < every
    return [item for i, item in enumerate(items) if (i % every == 0 and not few) == test]
