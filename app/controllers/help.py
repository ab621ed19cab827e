"""Help actions: folders, system information, keys and the about page."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import indent
from typing import Final

from PyQt6.QtCore import PYQT_VERSION_STR, QUrl
from PyQt6.QtGui import QDesktopServices, QGuiApplication

from app.ui.text_dialogs import as_code, show_page
from app.ui.translation import tr
from app.ui.window import Window
from runtime.system import installation, paths
from runtime.system.jobs import BackgroundJob, BackgroundJobs
from runtime.system.notices import Level, Notice

CODE: Final = " " * 6  # indents a block of code in an entry of a list, in Markdown


class HelpActions:
    """Connects the Tools and Help menus."""

    def __init__(
        self, window: Window, jobs: BackgroundJobs, recordings: Callable[[], Path], runtime_version: str
    ) -> None:
        self._window = window
        self._jobs = jobs
        self._recordings = recordings
        self._runtime_version = runtime_version
        actions = window.actions_
        actions["recordings"].triggered.connect(self._show_recordings)
        actions["settings-file"].triggered.connect(lambda: show_folder(window, paths.user_config_dir()))
        actions["logs"].triggered.connect(lambda: show_folder(window, paths.user_log_dir()))
        actions["copy-system"].triggered.connect(self._copy_system)
        actions["messages"].triggered.connect(self._show_messages)
        actions["about"].triggered.connect(lambda: show_page(window, "About xfactor", self.about()))

    def about(self) -> str:
        """Name, version, licence and folders, in Markdown."""
        rows = {
            "Licence": "GPL-3.0-or-later",
            "Python": sys.version.split()[0],
            "PyQt": PYQT_VERSION_STR,
            "ONNX Runtime": self._runtime_version,
            "Settings": as_code(str(paths.user_config_dir())),
            "Log": as_code(str(paths.user_log_dir())),
        }
        return (
            f"# xfactor {installation.version()}\n\n{tr('Live human parsing with a swappable X factor.')}\n\n"
            + tr("No telemetry, no listening port; the camera goes on only when you choose it.")
            + "\n\n"
            + "\n".join(f"- {tr(name)}: {value}" for name, value in rows.items())
        )

    def _show_recordings(self) -> None:
        try:
            show_folder(self._window, self._recordings())
        except OSError as e:
            notice = Notice(f"{e.filename}: {e.strerror}. Choose another folder.", Level.ERROR, topic="help")
            choose = self._window.actions_["recordings-folder"].trigger
            self._window.banner.show_offer(notice, "Choose another folder", choose)

    def _copy_system(self) -> None:
        """Versions, providers, cameras: what a bug report needs; looked up beside the window."""

        def work(job: BackgroundJob) -> str:
            del job
            from app.commands.doctor import examine  # noqa: PLC0415 its imports would delay every start

            named = (f for f in examine() if f.name)  # leftovers have none: their paths name people
            lines = "\n".join(f"{f.section}: {f.name}: {f.value} {f.remedy}".rstrip() for f in named)
            return lines.replace(str(Path.home()), "~")

        def done(text: str) -> None:
            clipboard = QGuiApplication.clipboard()
            if clipboard is not None:
                clipboard.setText(text)
            self._say("The system information is on the clipboard.")

        self._jobs.start("Looking at the system", work, done)

    def _show_messages(self) -> None:
        """Notices of this run, the newest first."""
        past = reversed(self._window.banner.past)
        rows = [f"- {at} {as_code(n.text)}\n\n{indent(n.details, CODE)}\n" for at, n in past]
        show_page(self._window, "Messages of this run", "\n".join(rows))

    def _say(self, words: str, level: Level = Level.INFO) -> None:
        self._window.banner.show_notice(Notice(words, level, topic="help"))


def show_folder(window: Window, folder: Path) -> None:
    """Open a folder in the desktop's file manager; where there is none, say where it is."""
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
        window.banner.show_notice(Notice(f"The folder is {folder}", topic="folder"))
