"""A worker that says the lines it was given, and misbehaves on request. Not a test itself.

Usage: python scripted_worker.py [SCRIPT] FOLDER. SCRIPT (else FOLDER/script.json) is a list of attempts, each
of them a list of steps: ["say", event] | ["text", s] | ["sleep", s] | ["exit", code] | ["kill"] |
["stdin"]: wait for input | ["copy", from, to]
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
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def main(folder: Path, script: Path) -> None:
    attempts = json.loads(script.read_text())
    counter = folder / "attempts.txt"
    number = int(counter.read_text()) if counter.exists() else 0
    counter.write_text(str(number + 1))
    for step in attempts[min(number, len(attempts) - 1)]:
        kind, *rest = step
        if kind == "say":
            say(rest[0])
        elif kind == "text":
            sys.stdout.write(rest[0])
            sys.stdout.flush()
        elif kind == "copy":
            shutil.copyfile(rest[0], folder / rest[1])
        elif kind == "sleep":
            time.sleep(rest[0])
        elif kind == "stdin":
            line = os.read(0, 100)
            (folder / "heard.txt").write_bytes(line)
            if not line:
                say({"event": "Cancelled"})
                sys.exit(3)
        elif kind == "exit":
            sys.exit(rest[0])
        elif kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    given, where = sys.argv[1:-1], Path(sys.argv[-1])
    main(where, Path(given[0]) if given else where / "script.json")
