"""The trial of an unknown model, in a process of its own that may crash, hang or run out of memory.

`python -m runtime.model_files.probe` reads one line of JSON (the sizes of the stages) and their bytes from
standard input, and writes one line of JSON: `{"ok": true}` or `{"reason": …}`.
"""

from __future__ import annotations

import json
import sys

MEMORY_BYTES = 3 << 29  # address space beside the model's own; a good trial of 2 MB takes a third of a GB
CPU_SECONDS = 30


def limit_memory(model_bytes: int) -> None:
    """Bound this process before anything of the model is understood; not available on Windows."""
    try:
        import resource  # noqa: PLC0415 - absent on Windows
    except ImportError:
        return
    allowed = MEMORY_BYTES + 4 * model_bytes
    resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> int:
    """Try what comes on standard input."""
    sizes: dict[str, int] = json.loads(sys.stdin.buffer.readline())
    limit_memory(sum(sizes.values()))
    stages = {stage: sys.stdin.buffer.read(size) for stage, size in sizes.items()}
    from runtime.model_files.trial import reason_against  # noqa: PLC0415 - the limits come before numpy and the runtime

    reason = reason_against(stages)
    sys.stdout.write(json.dumps({"reason": reason} if reason else {"ok": True}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
