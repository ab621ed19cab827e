"""The trial of an unknown model, in a process of its own that may crash, hang or run out of memory.

`python -m runtime.model_files.probe` reads one line of JSON (the sizes of the stages, the processor time they
may take, and how a foreign network is to be read) and their bytes from standard input, and writes one line of
JSON: `{"ok": true}` or `{"reason": …}`.
"""

from __future__ import annotations

import json
import sys

MEMORY_BYTES = 2 << 30  # address space in all
#: of weights that earn a trial one more second for each picture: ResNet-152 at stride 8 has 233 MB, and takes
#: 11 s for the largest picture on one core; a small file that takes so long is refused
BYTES_PER_SECOND = 10_000_000


def further_s(size_bytes: int) -> float:
    """Seconds that a model of so many bytes may take beyond those of a small one."""
    return size_bytes / BYTES_PER_SECOND


def limit_process(processor_s: int) -> None:
    """Bound memory and time before anything of the model is understood; not available on Windows."""
    try:
        import resource  # noqa: PLC0415 - absent on Windows
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (processor_s, processor_s + 1))  # SIGXCPU, then SIGKILL
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> int:
    """Try what comes on standard input."""
    header = json.loads(sys.stdin.buffer.readline())
    sizes: dict[str, int] = header["sizes"]
    limit_process(header["processor_s"])
    stages = {stage: sys.stdin.buffer.read(size) for stage, size in sizes.items()}
    from runtime.model_files.trial import reason_against  # noqa: PLC0415 - the limits come before numpy and the runtime

    if header["reading"] is None:
        reason = reason_against(stages)
    else:
        from runtime.silhouettes.foreign_network import reason_against_foreign  # noqa: PLC0415 - as above

        reason = reason_against_foreign(next(iter(stages.values())), header["reading"])
    sys.stdout.write(json.dumps({"reason": reason} if reason else {"ok": True}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
