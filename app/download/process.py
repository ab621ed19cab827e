"""Child: the program's side of a download. Starts the worker, asks, listens, and ends it in every case."""

from __future__ import annotations

import importlib.util
import logging
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from app.download import errors
from app.download.cache import DownloadCache
from app.download.messages import (
    GO,
    SUFFIXES,
    Downloaded,
    DownloadFailed,
    DownloadLimits,
    DownloadProgress,
    DownloadRequest,
    Found,
    Message,
    decode,
    encode_request,
)
from runtime.media.links import Link
from runtime.system.errors import Refusal
from runtime.system.processes import ChildProcess, last_words

COMMAND: Final = (sys.executable, "-m", "app.download.worker")
LEAVE_S: Final = 1.0  # from closing stdin until the process is killed: it has nothing to save
GLANCE_S: Final = 0.1  # how often a silent worker's owner is asked whether it still wants it
GRACE_S: Final = 5.0  # the worker keeps its own limits; beyond this it hangs

log = logging.getLogger("xfactor.downloading")


class Download:
    """One link: queried, then downloaded; `close` it in every case.

    Args:
        link: What is wanted.
        limits: What it may be and take.
        cache: Where it goes.
        command: The worker; tests give one that asks a server of theirs.
    """

    def __init__(
        self, link: Link, limits: DownloadLimits, cache: DownloadCache, command: Sequence[str] = COMMAND
    ) -> None:
        self.link, self._limits, self._cache = link, limits, cache
        self._command = tuple(command)
        self._process: ChildProcess | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the download
        self._messages: deque[Message] = deque()

    def query(self, go_on: Callable[[], None]) -> Found:
        """Ask the site what it is, without downloading it.

        Args:
            go_on: Called often; what it raises ends the download.

        Raises:
            Refusal: in words.
        """
        if importlib.util.find_spec("yt_dlp") is None:
            raise errors.not_installed(self.link.name)
        folder = self._cache.prepare()
        self._start()
        self._tell(encode_request(DownloadRequest(self.link.id, folder, self._limits)))
        until_s = time.monotonic() + self._limits.reach_s + self._limits.query_s + GRACE_S
        message = self._next(go_on, until_s)
        if not isinstance(message, Found):
            raise self._broken("it said something unexpected")
        return message

    def fetch(self, on_progress: Callable[[float | None], None]) -> Path:
        """Download it, and check it like any clip that is opened.

        Args:
            on_progress: Gets 0..1, or None while nobody knows; what it raises cancels.

        Raises:
            Refusal: in words; what has arrived of it stays for the next try.
        """
        self._tell(GO)
        until_s = time.monotonic() + self._limits.fetch_s + GRACE_S
        told = partial(on_progress, None)
        while True:
            message = self._next(told, until_s)
            if isinstance(message, DownloadProgress) and message.total:
                told = partial(on_progress, min(1.0, max(0.0, message.done / message.total)))
            if isinstance(message, Downloaded):
                return self._cache.arrived(self._expected(message))

    def close(self) -> None:
        """End the worker: asked by closing its stdin, killed when it has not gone soon; idempotent."""
        process, self._process = self._process, None
        if process is not None:
            _end(process)
        self._errors.close()

    def __enter__(self) -> Download:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- the process

    def _start(self) -> None:
        try:
            self._process = ChildProcess(self._command, self._errors)
        except OSError as e:
            reason = f"no process can be started ({e.strerror})"
            raise Refusal(self.link.name, reason, "Free some memory and try again") from e

    def _tell(self, line: str) -> None:
        assert self._process is not None, "query first"
        self._process.write(line)

    def _next(self, go_on: Callable[[], None], until_s: float) -> Message:
        """The next message that is no failure."""
        assert self._process is not None
        while not self._messages:
            go_on()
            if time.monotonic() > until_s:
                raise errors.over_time(self.link.name, "the download", self._limits.fetch_s)
            lines = self._process.lines(GLANCE_S)
            if lines is None:
                raise self._broken("it ended without a word")
            self._messages.extend(filter(None, map(decode, lines)))
        message = self._messages.popleft()
        if isinstance(message, DownloadFailed):
            raise Refusal(message.what, message.reason, message.remedy)
        return message

    def _expected(self, message: Downloaded) -> Path:
        """The worker's word for a file is not taken: only the names that it may have are."""
        names = {f"{self.link.id}.{suffix}" for suffix in SUFFIXES}
        path = Path(message.path)
        if path.name not in names:
            raise self._broken("it named another file")
        return self._cache.folder / path.name

    def _broken(self, how: str) -> Refusal:
        log.error("worker of %s: %s\n%s", self.link.id, how, last_words(self._errors))
        reason = f"the process that downloads broke down: {how}"
        return Refusal(self.link.name, reason, "Try again; the log file has the details")


def _end(process: ChildProcess) -> None:
    process.close()
    if process.wait(LEAVE_S) is None:
        log.warning("a download did not end in %.1f s and is killed", LEAVE_S)
    process.kill()  # also a runtime that it left behind
