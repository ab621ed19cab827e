"""The trial of an unknown model, in a process of its own that may crash, hang or run out of memory.

`python -m runtime.model_files.probe` reads one line of JSON (the sizes of the stages) and their bytes from
standard input, and writes one line of JSON: `{"ok": true}` or `{"reason": …}`.
"""

from __future__ import annotations

import json
import sys

MEMORY_BYTES = 2 << 30  # address space in all
CPU_SECONDS = 30


def limit_memory() -> None:
    """Bound this process before anything of the model is understood; not available on Windows."""
    try:
        import resource  # noqa: PLC0415 - absent on Windows
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> int:
    """Try what comes on standard input."""
    sizes: dict[str, int] = json.loads(sys.stdin.buffer.readline())
    limit_memory()
    stages = {stage: sys.stdin.buffer.read(size) for stage, size in sizes.items()}
    from runtime.model_files.trial import reason_against  # noqa: PLC0415 - the limits come before numpy and the runtime

    reason = reason_against(stages)
    sys.stdout.write(json.dumps({"reason": reason} if reason else {"ok": True}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
