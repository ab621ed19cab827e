"""Entry: a command run to its exit code. What ends it is a line on the error output; the trace is logged.

`python -m app.commands.entry MODULE ARGUMENTS…` runs a module of the project so.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from runtime.system import crash_log, standard_output
from runtime.system.errors import Refusal, printable

FAILED, WRONG_USAGE = 1, 2  #: exit codes, beside 0 and 128 + n of signal n


def exit_code(command: Callable[[], object], name: str, *, log: str = "xfactor") -> int:
    """Run a command, and say on the error output how it ended if not well.

    Args:
        command: returns, or raises `SystemExit` with a code of its own.
        name: for messages about faults of the program.
        log: as `crash_log.install` takes it.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # also for every process started from here
    _fill_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # any console takes any name
    faults = crash_log.install(name=log)
    with _unwound_by_signals():
        code = _run(command, name, faults)
    if (unwritten := _unwritten()) is not None:
        standard_output.give_up(unwritten)
    if (lost := standard_output.loss()) is None:
        return code
    _say(f"output: it cannot be written ({lost.strerror}). Free some space, or send it elsewhere")
    return max(code, FAILED)


def _run(command: Callable[[], object], name: str, faults: crash_log.Faults) -> int:
    try:
        command()
    except SystemExit as e:
        left = isinstance(e.__context__, BrokenPipeError)  # rich and click end so when a reader leaves
        return 0 if left else e.code if isinstance(e.code, int) else int(e.code is not None)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except Refusal as e:
        _say(str(e))
        return WRONG_USAGE
    except Exception as e:  # noqa: BLE001 the last net
        if isinstance(e, OSError) and e.filename is None and _unwritten(b"\n") is not None:
            standard_output.give_up(e)
            return 0
        faults.report(_worded(e), name)
        return FAILED
    return 0


def _worded(error: Exception) -> Exception:
    """A fault of the system as object and reason, where it names an object."""
    if not isinstance(error, OSError) or error.filename is None:
        return error
    name, reason = printable(os.fsdecode(error.filename)), error.strerror or str(error)
    words = Refusal(name, reason, "Check its name, its permissions and the room on its disk")
    words.__cause__ = error
    return words


def _unwritten(probe: bytes = b"") -> OSError | None:
    """Reason why the standard output takes neither what waits for it nor a probe; None when it does."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
            if probe and not sys.stdout.isatty():
                os.write(1, probe)
    except OSError as e:
        return e
    return None


def _say(words: str) -> None:
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write("".join(c if c.isprintable() or c == "\n" else "?" for c in f"xfactor: {words}\n"))


def _fill_closed_streams() -> None:
    """Let no file that is opened later stand in the place of a closed standard stream."""
    while True:
        null = os.open(os.devnull, os.O_RDWR)
        if null > 2:
            os.close(null)
            return


@contextmanager
def _unwound_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind the stack, so that temporary files go; the second ends at once."""
    numbers = [getattr(signal, n) for n in ("SIGTERM", "SIGHUP") if hasattr(signal, n)]
    if threading.current_thread() is not threading.main_thread():  # only there a handler can be set
        numbers = []
    ending = threading.Event()

    def end(number: int, _frame: FrameType | None) -> None:
        _say(f"ended by {signal.Signals(number).name}")
        if ending.is_set():
            os._exit(128 + number)
        ending.set()
        raise SystemExit(128 + number)

    before = {n: signal.signal(n, end) for n in numbers if signal.getsignal(n) != signal.SIG_IGN}  # nohup
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    module = sys.argv.pop(1)
    run = lambda: runpy.run_module(module, run_name="__main__", alter_sys=True)  # noqa: E731
    sys.exit(exit_code(run, f"python -m {module}", log=f"xfactor-{module}"))
