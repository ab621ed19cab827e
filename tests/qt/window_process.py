"""A window in a process of its own, driven by a timer: what the tests of its end start. Not a test itself.

Usage: python tests/qt/window_process.py MODE CLIP [SEED]
"""

from __future__ import annotations

import faulthandler
import json
import os
import random
import sys
import threading
import time
from functools import partial
from pathlib import Path

START_CPU_S = time.process_time()
START_S = time.monotonic()


ACTIONS = (
    "record", "plate", "motion", "snapshot", "open", "go-to", "keys", "full-screen",
    "personalise", "learn", "brush", "library",
)  # fmt: skip
OURS = {"capture", "inference", "jobs", "recorder", "personalising", "previews", "removing a job"}


def listening() -> list[str]:
    """Sockets of this process that listen, as lines of /proc/net."""
    mine = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            mine.add(entry.readlink().as_posix())
        except OSError:
            continue
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in mine:
                found.append(line)
    return found


def say(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def first_picture(clip: str) -> int:
    """Report the first parsed picture, what is loaded and what listens; then wait for a signal."""
    from app import desktop as module
    from app.controllers import session

    original = module.Desktop.refresh
    told: list[bool] = []

    def refresh(self: module.Desktop) -> None:
        original(self)
        parsed = self.window.canvas.parsed
        if parsed is not None and parsed.parsing is not None and not told:
            told.append(True)
            say(
                cpu_s=time.process_time() - START_CPU_S,
                wall_s=time.monotonic() - START_S,
                torch=[m for m in sys.modules if m.split(".")[0] in {"torch", "torchvision", "onnx"}],
                listening=listening(),
                telemetry=os.environ.get("ORT_DISABLE_TELEMETRY"),
            )

    module.Desktop.refresh = refresh
    return session.run(clip)


def earlier_crash(clip: str) -> int:
    """Through the command's entry point: what the banners say half a second after the start."""
    from PyQt6.QtCore import QTimer

    from app import desktop as module
    from app.__main__ import main

    original = module.Desktop.start

    def start(self: module.Desktop, source: str | None = None) -> None:
        original(self, source)

        def finish() -> None:
            notices = self.window.banner._notices.values()
            say(words=" | ".join(n.text for n in notices), details="".join(n.details for n in notices))
            self.stop()

        QTimer.singleShot(500, finish)

    module.Desktop.start = start
    sys.argv = ["xfactor", clip]
    main()
    return 0


def broken_slot(clip: str) -> int:
    """G03: a slot, a timer and a paint event raise; the window lives on and says so."""
    from PyQt6.QtCore import QTimer

    from app import desktop as module
    from app.controllers import session

    def bad(*_: object) -> None:
        raise ZeroDivisionError("on purpose")

    original = module.Desktop.start

    def start(self: module.Desktop, source: str | None = None) -> None:
        original(self, source)
        self.window.actions_["about"].triggered.disconnect()
        self.window.actions_["about"].triggered.connect(bad)
        QTimer.singleShot(300, self.window.actions_["about"].trigger)
        QTimer.singleShot(400, bad)
        self.broken = QTimer(self)
        self.broken.timeout.connect(bad)
        self.broken.start(20)

        def finish() -> None:
            if self.pipeline.engine is None and time.monotonic() - START_S < 25:
                QTimer.singleShot(100, finish)  # its model still loads
                return
            notice = self.window.banner.notice
            say(notice=notice.text if notice else "", alive=self.pipeline.engine is not None)
            self.stop()

        QTimer.singleShot(2500, finish)

    module.Desktop.start = start
    return session.run(clip)


def learn(desktop: object) -> None:
    """Start a personalisation as soon as there is something to learn from."""
    from PyQt6.QtCore import QTimer

    from app.ui.personalize_form import PersonalizeRequest

    desktop.personalization.start(PersonalizeRequest("closed", marked=False, method="none", go_on=False))
    if desktop.personalization._task is None and not desktop._stopping:
        QTimer.singleShot(50, partial(learn, desktop))


def random_closes(clip: str, seed: int, rounds: int = 40) -> int:
    """G11: open the window and close it at a random moment, again and again; nothing may be left."""
    from PyQt6.QtCore import QTimer
    from PyQt6.QtWidgets import QApplication

    from app.desktop import Desktop
    from app.settings import SettingsFile
    from runtime.system import crash_log

    caught = crash_log.install()
    faulty: list[str] = []
    caught.listener = faulty.append
    application = QApplication(sys.argv[:1])
    application.setQuitOnLastWindowClosed(False)
    chance = random.Random(seed)
    took_s: list[float] = []
    for _ in range(rounds):
        desktop = Desktop(SettingsFile())
        desktop.ended.connect(application.quit)
        desktop.start(clip if chance.random() < 0.8 else None)
        later_ms = 0
        for _action in range(chance.randrange(4)):
            name = chance.choice(ACTIONS)
            later_ms = 2500 if name == "learn" else later_ms  # a worker is to be under way
            act = partial(learn, desktop) if name == "learn" else desktop.window.actions_[name].trigger
            QTimer.singleShot(chance.randrange(250), act)
        moments: list[float] = []

        def close(d: Desktop = desktop, m: list[float] = moments) -> None:
            m.append(time.monotonic())
            d.window.close()

        QTimer.singleShot(int(chance.random() ** 2 * 400 + chance.random() * later_ms), close)
        application.exec()
        took_s.append(time.monotonic() - moments[0])
        if desktop.stuck:
            faulty.append(f"stuck: {desktop.stuck}")
        desktop.window.deleteLater()
        desktop.deleteLater()
    threads = [t.name for t in threading.enumerate() if t.name in OURS]
    say(
        took_s=sorted(took_s),
        faulty=faulty,
        threads=threads,
        fds=sum(1 for _ in Path("/proc/self/fd").iterdir()),
    )
    return 0


if __name__ == "__main__":
    faulthandler.dump_traceback_later(100, exit=True)
    mode, clip_path, *rest = sys.argv[1:]
    if mode == "closes":
        sys.exit(random_closes(clip_path, int(rest[0])))
    sys.exit({"first": first_picture, "broken": broken_slot, "crashed": earlier_crash}[mode](clip_path))
