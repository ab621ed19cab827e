"""Session: one run of the program with its window, from the event loop's begin to its end."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from app.desktop import Desktop  # before Qt: on some systems the other order cannot load the runtime

# isort: split
from PyQt6.QtCore import QEvent
from PyQt6.QtWidgets import QApplication

from app.settings import SettingsFile
from app.ui import translation
from app.ui.interrupts import Interrupts
from runtime.system import crash_log
from runtime.system.notices import Level, Notice

log = logging.getLogger("xfactor.desktop")


def run(source: str | None = None) -> int:
    """Open the window and stay until it is closed.

    Returns:
        Exit code.
    """
    caught = crash_log.install()
    application = QApplication(sys.argv[:1])
    application.setApplicationName("xfactor")
    application.setQuitOnLastWindowClosed(False)  # the stop sequence decides
    settings = SettingsFile()
    translation.install(application, settings.load().language)
    desktop = Desktop(settings)
    caught.listener = lambda words: desktop.pipeline.notices.say(
        Notice(words, Level.ERROR, topic="internal error")
    )
    if report := caught.take_previous_crash():
        words = "xfactor crashed in an earlier run. The report can help to mend it."
        report = report.replace(str(Path.home()), "~")  # it is copied into bug reports
        desktop.pipeline.notices.say(Notice(words, Level.WARNING, report, topic="crash"))
    interrupts = Interrupts(desktop.stop, desktop)
    application.commitDataRequest.connect(desktop.stop)
    desktop.ended.connect(application.quit)
    desktop.start(source)
    code = application.exec()
    desktop.stop()
    interrupts.restore()
    desktop.window.deleteLater()  # widgets must not outlive the application
    application.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    if desktop.stuck:
        log.error("threads did not end: %s", ", ".join(desktop.stuck))
        logging.shutdown()
        os._exit(1)
    return code
