"""Refusal: the one way the program says no; and names that are safe to print."""

from __future__ import annotations


class Refusal(Exception):
    """Something the user gave cannot be used; the program goes on.

    The text names the object, the reason and the remedy, and is shown as it is, without a traceback.
    """

    def __init__(self, what: str, reason: str, remedy: str) -> None:
        self.what = what
        self.reason = reason
        self.remedy = remedy[:1].upper() + remedy[1:]
        super().__init__(f"{what}: {reason}. {self.remedy}")


class FinalRefusal(Refusal):
    """A refusal that time does not mend: a live source that gives it is not asked again."""


def plain(text: str) -> str:
    """Text that comes from a file, in one line that steers no terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


def printable(name: str) -> str:
    """A file name that cannot break a line or a terminal, for messages."""
    clean = plain(name)
    return clean if len(clean) <= 120 else f"{clean[:80]}…{clean[-36:]}"
