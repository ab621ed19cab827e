"""Coverage per file, which may only rise: `make coverage` measures it and compares `coverage_ratchet.json`.

`python -m tests.coverage_ratchet MEASURED --write` takes what is measured into the table: better, or new.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

TABLE = Path(__file__).with_suffix(".json")
NEW_FILE_PERCENT = 80  # of a file that the table does not know yet
SLACK_PERCENT = 2  # branches that depend on timing


def measured(report: Path) -> dict[str, int]:
    """Percent of lines and branches by file, of `coverage json`."""
    files = json.loads(report.read_text(encoding="utf-8"))["files"]
    return {
        name: int(entry["summary"]["percent_covered"])
        for name, entry in sorted(files.items())
        if entry["summary"]["num_statements"]
    }


def fallen(now: dict[str, int], table: dict[str, int]) -> list[str]:
    """Files below what they had, or new ones below `NEW_FILE_PERCENT`, in words."""
    return [
        f"{name}: {percent} %, at least {least} % asked"
        for name, percent in now.items()
        if percent < (least := table.get(name, NEW_FILE_PERCENT + SLACK_PERCENT) - SLACK_PERCENT)
    ]


def main(report: Path, *, write: bool) -> int:
    now = measured(report)
    table = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.exists() else {}
    if write:
        raised = {name: max(percent, table.get(name, 0)) for name, percent in now.items()}
        TABLE.write_text(json.dumps(raised, indent=0) + "\n", encoding="utf-8")
        return 0
    faults = fallen(now, table)
    sys.stdout.write("\n".join(faults or [f"{len(now)} files, none covered less than before"]) + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), write="--write" in sys.argv))
