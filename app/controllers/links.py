"""Links: a dropped or opened link, from the question to the clip that plays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from PyQt6.QtGui import QGuiApplication

from app.download.cache import KEPT_DAYS, DownloadCache
from app.download.messages import DownloadLimits, Found
from app.download.process import COMMAND, Download
from app.ui.dialogs import ask_consent, ask_text
from app.ui.window import Window
from runtime.media.links import YOUTUBE, check_link
from runtime.media.stream_links import is_stream
from runtime.system.errors import Refusal
from runtime.system.jobs import BackgroundJob, BackgroundJobs

SHOWN_MS: Final = 5000


class LinkOpening:
    """Looks at a link, asks, downloads beside everything else, and opens what arrived.

    Attributes:
        command: the worker; tests give one that asks a server of theirs.
        limits: on what may be downloaded.
    """

    def __init__(
        self,
        window: Window,
        jobs: BackgroundJobs,
        open_source: Callable[[str], None],
        on_refused: Callable[[Refusal], None],
    ) -> None:
        self.command: Sequence[str] = COMMAND
        self.limits = DownloadLimits()
        self._window, self._jobs = window, jobs
        self._open_source, self._on_refused = open_source, on_refused
        self._cache = DownloadCache()
        self._asked: dict[str, Download] = {}  # by id: looked at, and waiting for the user's word
        self._busy: dict[str, BackgroundJob] = {}
        window.actions_["open-link"].triggered.connect(self._ask_link)
        window.actions_["delete-downloads"].triggered.connect(self._ask_to_delete)

    def open(self, text: str) -> None:
        """Open a link: at once when it was downloaded before, else after a question."""
        try:
            link = check_link(text)
        except Refusal as e:
            self._on_refused(e)
            return
        job = self._busy.get(link.id)
        if link.id in self._asked or (job is not None and job in self._jobs.shown()):
            return  # it is on its way

        def query(job: BackgroundJob) -> Path | tuple[Download, Found]:
            kept = self._cache.kept(link)
            if kept is not None:
                return kept
            download = Download(link, self.limits, self._cache, self.command)
            try:
                return download, download.query(job.progress)
            except BaseException:
                download.close()
                raise

        def done(result: Path | tuple[Download, Found]) -> None:
            if isinstance(result, Path):
                self._open_source(str(result))
            else:
                self._ask(*result)

        self._busy[link.id] = self._jobs.start(f"Looking at {link.name}", query, done, beside=True)

    def remembered(self, source: str) -> str:
        """Address for the recent sources: the link of a downloaded clip, which outlives the file."""
        link = self._cache.link_of(Path(source))
        return f"https://youtu.be/{link.id}" if link is not None else source

    def title(self, source: str) -> str:
        """The title of a downloaded clip, for the window; empty for anything else."""
        link = self._cache.link_of(Path(source))
        return self._cache.title(link) if link is not None else ""

    def stop(self) -> None:
        """End what waits for an answer; downloads that run are jobs and end as such."""
        while self._asked:
            self._asked.popitem()[1].close()

    def _ask_link(self) -> None:
        """Ask for a link; one that was just copied is filled in."""
        board = QGuiApplication.clipboard()
        copied = board.text().strip() if board is not None else ""
        try:
            check_link(copied)
        except Refusal:
            copied = copied if is_stream(copied) else ""
        words = f"One {YOUTUBE.name} video, or a stream: rtsp:// or http://, as of a network camera:"
        ask_text(self._window, "Open a link", words, copied, self._open_source)

    def _ask_to_delete(self) -> None:
        """Downloads and what is left of cancelled ones go when the user says so (F08)."""
        files, size_bytes = self._cache.contents()
        if not files:
            self._window.status.showMessage("There are no downloaded clips.", SHOWN_MS)
            return
        words = f"Delete {size_bytes / 1e6:.1f} MB of downloaded clips in {self._cache.folder}?"

        def answered(agreed: bool) -> None:  # noqa: FBT001 - a signal's payload
            if agreed:
                self._cache.forget()

        ask_consent(self._window, "Delete downloaded clips?", words, "Delete", answered)

    def _ask(self, download: Download, found: Found) -> None:
        """The one question: what it is, how large, where it goes."""
        if download.link.id in self._asked:
            download.close()
            return
        self._asked[download.link.id] = download
        words = (
            f"{found.title}\n{found} (limits: {self.limits})\n\n"
            f"It is kept for {KEPT_DAYS} days in {self._cache.folder}; Tools > Delete downloaded clips "
            "removes it before.\n\n"
            f"Whether you may copy it is your responsibility: {YOUTUBE.name}'s terms and its maker's rights "
            "apply."
        )

        def answered(agreed: bool) -> None:  # noqa: FBT001 - a signal's payload
            if self._asked.pop(download.link.id, None) is None:
                return
            if agreed:
                self._fetch(download, found)
            else:
                download.close()

        ask_consent(self._window, f"Download from {YOUTUBE.name}?", words, "Download", answered)

    def _fetch(self, download: Download, found: Found) -> None:
        def fetch(job: BackgroundJob) -> Path:
            with download:
                return download.fetch(job.progress)

        def done(path: Path) -> None:
            self._cache.name(download.link, found.title)
            self._open_source(str(path))  # from here on it is a clip like any dropped one (F12)

        job = self._jobs.start(f"Downloading {found.title}", fetch, done, beside=True)
        self._busy[download.link.id] = job
