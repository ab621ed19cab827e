"""Child processes: modules of the project run by this interpreter, asked by stdin, answering by stdout."""

from __future__ import annotations

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

CHUNK_BYTES: Final = 1 << 16
LONGEST_LINE: Final = 1 << 20  #: bytes
LAST_WORDS: Final = 4000  #: bytes of stderr that are worth showing
_PARENT_DEATH_SIGNAL: Final = 1  # PR_SET_PDEATHSIG
_PARENT: Final = "XFACTOR_PARENT"  # process id of who started a child


def environment() -> dict[str, str]:
    """Variables of a child that runs a module of ours, whatever folder the user works in is called."""
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(p for p in (root, os.environ.get("PYTHONPATH")) if p)
    return dict(os.environ, ORT_DISABLE_TELEMETRY="1", PYTHONPATH=path, PYTHONSAFEPATH="1")


def answer_of(
    arguments: Sequence[str], question: Iterable[bytes], timeout_s: float
) -> subprocess.CompletedProcess[bytes]:
    """Run this interpreter on one input, given in pieces, to its end, on one thread.

    Raises:
        subprocess.TimeoutExpired: it took too long, and was killed.
        OSError: no process can be started, or the input cannot be handed over.
    """
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryFile() as pieces:  # a pipe would take them as one, copied while all else waits
        pieces.writelines(question)
        pieces.seek(0)
        return subprocess.run(
            [sys.executable, *arguments],
            stdin=pieces,
            capture_output=True,
            timeout=timeout_s,
            env=environment() | one_thread,
            check=False,
        )


class LineBuffer:
    """Lines of a stream that comes in pieces; half a line waits for its other half."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._rest = b""
        self._skipping = False
        self._longest = longest

    def feed(self, data: bytes) -> list[str]:
        """Lines that are complete now; one that is longer than `longest` bytes is left out."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if lines and self._skipping:
            self._skipping = False
            del lines[0]
        if len(self._rest) > self._longest:
            self._rest, self._skipping = b"", True
        return [line.decode("utf-8", "replace") for line in lines]


def last_words(errors: IO[bytes]) -> str:
    """End of the stderr that a process left in a file; empty where it cannot be read."""
    try:
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - LAST_WORDS))
        return errors.read().decode("utf-8", "replace").strip()
    except (OSError, ValueError):
        return ""


def ended(code: int) -> str:
    """Words for the end of a process that gave no result, by its exit code."""
    if code == -signal.SIGKILL:
        return "was killed, most often for want of memory (SIGKILL)"
    if code < 0:
        return f"crashed ({signal.Signals(-code).name})"
    return f"ended without a result (code {code})"


def end_with_parent() -> None:
    """Let the system kill this process when the one that started it dies, however that dies (Linux)."""
    parent = int(os.environ.pop(_PARENT, os.getppid()))
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:  # it died just before
        os._exit(1)


class ChildProcess:
    """A child that is listened to while it works. Its session is its own: Ctrl-C reaches the program alone,
    and processes that the child starts end with it.
    """

    def __init__(
        self, command: Sequence[str], errors: IO[bytes], *, longest_line: int = LONGEST_LINE
    ) -> None:
        """Start it; `errors` takes its stderr.

        Raises:
            OSError: no process can be started.
        """
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment() | {_PARENT: str(os.getpid())},
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._buffer = LineBuffer(longest_line)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._stdout, selectors.EVENT_READ)

    @property
    def pid(self) -> int:
        """Also of its process group."""
        return self._process.pid

    def fileno(self) -> int:
        """Of its output, to wait for several at once."""
        return self._stdout.fileno()

    @property
    def resident_bytes(self) -> int:
        """Memory that it holds now; 0 where the system does not say."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def lines(self, timeout_s: float) -> list[str] | None:
        """Whole lines of its output, none when none come in time; None at its end."""
        if not self._selector.select(timeout_s):
            return []
        data = os.read(self._stdout.fileno(), CHUNK_BYTES)
        return self._buffer.feed(data) if data else None

    def write(self, line: str) -> None:
        """Send a line; a child that has ended is no error."""
        self.send(f"{line}\n".encode())

    def send(self, data: bytes) -> None:
        """Send bytes, and wait until they are taken; a child that has ended is no error."""
        with suppress(OSError, ValueError):
            self._stdin.write(data)
            self._stdin.flush()

    def close_input(self) -> None:
        """Ask it to end."""
        with suppress(OSError):
            self._stdin.close()

    def wait(self, timeout_s: float) -> int | None:
        """Exit code, None when it has not ended in time."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> int:
        """Exit code after SIGKILL to its whole group; that of its own when it has ended before."""
        with suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)
        return self._process.wait()

    def close(self) -> None:
        """Give the pipes back."""
        self._selector.close()
        for pipe in (self._stdin, self._stdout):
            with suppress(OSError):
                pipe.close()
