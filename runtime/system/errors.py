"""Refusal: the one way the program says no."""

from __future__ import annotations


class Refusal(Exception):
    """Something the user gave cannot be used; the program goes on.

    The text names the object, the reason and the remedy, and is shown as it is, without a traceback.
    """

    def __init__(self, what: str, reason: str, remedy: str) -> None:
        super().__init__(f"{what}: {reason}. {remedy}")
        self.what = what
        self.reason = reason
        self.remedy = remedy
