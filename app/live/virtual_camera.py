"""Virtual camera: what is seen, for other programs; a thread that renders, a process that has the device."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from runtime.frames import FrameResult
from runtime.media.recorder import Picture, Render, fit
from runtime.system.errors import Refusal
from runtime.system.latest import Latest
from runtime.system.notices import Notice, Notices
from runtime.system.processes import ChildProcess, ended

COMMAND: Final = (sys.executable, "-m", "app.live.camera_worker")
TOPIC: Final = "virtual camera"
OPEN_S: Final = 10.0  # for the process to start and open the device
GLANCE_S: Final = 0.2
LEAVE_S: Final = 1.0


class VirtualCamera(threading.Thread):
    """One use of the camera, from the first result to `finish`; the newest result wins.

    Attributes:
        device: its name in the system, once it is open.
        sent: pictures handed over.
    """

    def __init__(
        self, render: Render, notices: Notices, rate: float = 30.0, *, command: Sequence[str] = COMMAND
    ) -> None:
        """Prepare it.

        Args:
            render: the picture of a result; called in this thread. It fails closed.
            notices: gets words for the user.
            rate: usual frames per second.
            command: the process.
        """
        super().__init__(name="virtual camera", daemon=True)
        self.device = ""
        self.sent = 0
        self._render, self._notices, self._rate, self._command = render, notices, rate, command
        self._results: Latest[FrameResult] = Latest()
        self._blank = threading.Event()

    def offer(self, parsed: FrameResult) -> None:
        """Show a result; never waits."""
        self._results.put(parsed)

    def blank(self) -> None:
        """Show black until there is another result: the source was closed."""
        self._blank.set()
        self._results.wake()

    def finish(self) -> None:
        """Ask it to give the device back; does not wait."""
        self._results.close()

    def run(self) -> None:
        """Open the device for the size of the first picture, and show what comes."""
        while (first := self._results.take()) is None:
            if self._results.closed:
                return
        try:
            self._show(first)
        except Refusal as e:
            self._notices.refuse(e, TOPIC)

    def _show(self, first: FrameResult) -> None:
        width, height = (max(2, n - n % 2) for n in first.frame.size)  # drivers halve the colours
        with tempfile.TemporaryFile() as errors:
            try:
                process = ChildProcess(self._command, errors)
            except OSError as e:
                reason = f"no process can be started ({e.strerror or e})"
                raise Refusal(TOPIC, reason, "Free some memory and try again") from e
            try:
                process.write(json.dumps({"width": width, "height": height, "fps": self._rate}))
                self._open(process)
                parsed: FrameResult | None = first
                while not self._results.closed:
                    self._send(process, parsed, (width, height))
                    parsed = self._results.take(GLANCE_S)
                    if process.lines(0) is None:
                        raise Refusal(TOPIC, f"its process {ended(process.kill())}", "Switch it on again")
            finally:
                process.close_input()
                process.wait(LEAVE_S)
                process.kill()
                process.close()

    def _open(self, process: ChildProcess) -> None:
        lines: list[str] | None = []
        waited_s = 0.0
        while not lines and lines is not None and waited_s < OPEN_S and not self._results.closed:
            lines, waited_s = process.lines(GLANCE_S), waited_s + GLANCE_S
        if self._results.closed:
            return
        said: dict[str, Any] = json.loads(lines[0]) if lines else {}
        if "device" not in said:
            reason = said.get("refused", "its process did not open a device")
            raise Refusal(TOPIC, reason, said.get("remedy", "The log file has the details"))
        self.device = said["device"]
        self._notices.say(Notice(f"Other programs see the picture as {self.device}.", topic=TOPIC))

    def _send(self, process: ChildProcess, parsed: FrameResult | None, size: tuple[int, int]) -> None:
        """Hand a picture over; the one before stays on the device where there is no new one."""
        picture: Picture | None = None
        if parsed is not None:
            self._blank.clear()
            picture = fit(self._render(parsed), size)
        elif self._blank.is_set():
            self._blank.clear()
            picture = np.zeros((size[1], size[0], 3), np.uint8)
        if picture is not None:
            process.send(np.ascontiguousarray(picture).tobytes())
            self.sent += 1
