"""Worker process of `xfactor parse`: loads the model, then parses one input after the other.

It is asked by JSON lines on stdin: the job first, then an input at a time, and `stop` for the one at hand.
It answers by JSON lines. It ends when its stdin does.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final

from app.batch.clip_task import Report
from app.batch.item import loaded, work
from app.batch.options import ParseJob
from app.batch.plan import Item
from runtime.system.disk import CannotWriteError
from runtime.system.errors import Refusal
from runtime.system.processes import end_with_parent

STOP: Final = "stop"
SIGN_OF_LIFE_S: Final = 1.0  # between two, while frames are decoded only
_FIRST_TO_GO: Final = "500"  # when memory runs out: this process, not the one that has the manifest


class ParsingWorker:
    """The two ends of a worker's pipes.

    Args:
        out: Takes the answers.
    """

    def __init__(self, out: TextIOWrapper) -> None:
        self._out, self._lock = out, threading.Lock()
        self._asked: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._said_s = 0.0

    def say(self, name: str, value: object = None) -> None:
        """One answer; there is nothing left to do when nobody reads it."""
        try:
            with self._lock:
                self._out.write(json.dumps({name: value}) + "\n")
                self._out.flush()
        except OSError:
            os._exit(1)
        self._said_s = time.monotonic()

    def listen(self) -> None:
        """Read what is asked; at its end leave at once, whatever is at hand."""
        for line in sys.stdin:
            if line.strip() == STOP:
                self._stop.set()
            else:
                self._asked.put(json.loads(line))
        os._exit(0)

    def serve(self) -> None:
        """Parse what is asked for."""
        threading.Thread(target=self.listen, name="stdin", daemon=True).start()
        first = self._asked.get()
        try:
            job, engine, model = loaded(ParseJob.from_json(first["job"]), first["threads"])
        except Refusal as e:
            self.say("refused", (e.what, e.reason, e.remedy))
            return
        self.say("ready", asdict(model))
        report = Report(
            begin=partial(self.say, "begin"),
            advance=partial(self.say, "advance"),
            stopped=self._stop.is_set,
            on_decoded=self._sign_of_life,
            on_last=partial(self.say, "last"),
        )
        while True:
            item = Item(**self._asked.get())
            try:
                record, share = work(item, job, engine, report)
                self.say("end", (asdict(record), share))
            except CannotWriteError as e:
                self.say("cannot write", (e.what, e.reason, e.remedy))

    def _sign_of_life(self) -> None:
        if time.monotonic() - self._said_s > SIGN_OF_LIFE_S:
            self.say("decoded")


class LogMessages(logging.Handler):
    """Log records as messages to the process that has the log file."""

    def __init__(self, worker: ParsingWorker) -> None:
        super().__init__(logging.WARNING)
        self._worker = worker

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a record on, with its trace."""
        self._worker.say("log", self.format(record))


def main() -> None:
    """Serve the process that started this one, until it closes stdin."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, "ascii")
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # what a library prints is no answer
    worker = ParsingWorker(answers)
    logging.getLogger("xfactor").addHandler(LogMessages(worker))
    worker.serve()


if __name__ == "__main__":
    main()
