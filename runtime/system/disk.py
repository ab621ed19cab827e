"""Refusals of a failed write, with the reason in words."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

from runtime.system.errors import Refusal, printable

FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_REASONS: Final = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your quota on this disk is used up",
    errno.EFBIG: "the file reached the largest size this disk allows",
    errno.EROFS: "the disk is read-only",
    errno.EIO: "the disk does not answer",
    errno.EACCES: "you may not write there",
    errno.EPERM: "you may not write there",
    errno.ENOENT: "its folder is gone",
}


class CannotWriteError(Refusal):
    """The place for results failed, not what was to be written: trying the next input would not help."""

    @property
    def full(self) -> bool:
        """True for a full disk on which no part of the file is of use."""
        return self.reason in [_REASONS[e] for e in FULL]


def cannot_write_into(out: Path, error: OSError) -> CannotWriteError:
    """The refusal of a folder for results that takes none."""
    return CannotWriteError(f"output {printable(str(out))}", _reason(error), "Choose another --out")


def cannot_write(path: Path, error: OSError, saved: str = "") -> CannotWriteError:
    """The refusal for a failed write; `saved` says what was not lost."""
    reason = _reason(error)
    if saved:
        reason += f"; {saved}"
    remedy = f"Make room or choose another folder than {path.parent}"
    return CannotWriteError(printable(path.name), reason, remedy)


def _reason(error: OSError) -> str:
    return _REASONS.get(error.errno or 0, f"it cannot be written ({error.strerror or error})")
