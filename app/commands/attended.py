"""Attended parsing: `xfactor parse` for a program that waits for it.

The job comes as a line of JSON on stdin, progress leaves as JSON lines on stdout. Once stdin is closed, by
the program or by its end, the run stops after the frame at hand, and `resume` finishes it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from dataclasses import fields
from typing import Final

from app.batch.options import ParseJob
from app.commands.entry import exit_code
from app.commands.parse import parse_all

NICE: Final = 10  # the window comes first


def main() -> None:
    """Parse the job that stdin names."""
    os.nice(NICE)
    job = ParseJob.from_json(json.loads(sys.stdin.buffer.readline()))
    threading.Thread(target=_stop_with_stdin, name="stdin", daemon=True).start()
    options = {f.name: getattr(job, f.name) for f in fields(job) if f.name not in {"sources", "out"}}
    raise SystemExit(parse_all(job.sources, job.out, options, progress="json"))


def _stop_with_stdin() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(exit_code(main, "xfactor parse", log="xfactor-export"))
