"""A worker that says the lines it was given, and misbehaves on request. Not a test itself.

Usage: python scripted_worker.py [SCRIPT] FOLDER. SCRIPT (else FOLDER/script.json) is a list of attempts, each
of them a list of steps: ["say", event] | ["text", s] | ["sleep", s] | ["exit", code] | ["kill"] |
["stdin"]: wait for input | ["copy", from, to] | ["close"]: stdout | ["error", s]
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path


def say(event: dict[str, object]) -> None:
    write(json.dumps(event) + "\n")


def main(folder: Path, script: Path) -> None:
    attempts = json.loads(script.read_text())
    counter = folder / "attempts.txt"
    number = int(counter.read_text()) if counter.exists() else 0
    counter.write_text(str(number + 1))
    for step in attempts[min(number, len(attempts) - 1)]:
        kind, *rest = step
        if kind == "stdin":
            listen(folder)
        else:
            ACTS[kind](folder, *rest)


def listen(folder: Path) -> None:
    """Wait for a line; its end means that the result is not wanted any more."""
    line = os.read(0, 100)
    (folder / "heard.txt").write_bytes(line)
    if not line:
        say({"event": "Cancelled"})
        sys.exit(3)


def write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


ACTS = {
    "say": lambda _folder, event: say(event),
    "text": lambda _folder, text: write(text),
    "error": lambda _folder, text: sys.stderr.write(text),
    "copy": lambda folder, there, here: shutil.copyfile(there, folder / here),
    "close": lambda _folder: os.close(1),
    "sleep": lambda _folder, seconds: time.sleep(seconds),
    "exit": lambda _folder, code: sys.exit(code),
    "kill": lambda _folder: os.kill(os.getpid(), signal.SIGKILL),
}


if __name__ == "__main__":
    given, where = sys.argv[1:-1], Path(sys.argv[-1])
    main(where, Path(given[0]) if given else where / "script.json")
