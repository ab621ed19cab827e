"""Worker: downloads one video. `python -m app.download.worker`, started and ended by `child`.

The only module that loads yt-dlp. It reads no settings of yt-dlp, no plugins, no cookies and no passwords,
keeps no cache, runs no postprocessor, and connects to the site alone. What it writes has names of ours.
"""

from __future__ import annotations

import os
import re
import resource
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn

from app.download import errors, formats, network_guard
from app.download.messages import (
    CANCELLED,
    DONE,
    FAILED,
    GO,
    Downloaded,
    DownloadFailed,
    DownloadProgress,
    DownloadRequest,
    Found,
    Message,
    decode_request,
    encode,
)
from runtime.media.links import YOUTUBE, Link, Site
from runtime.system.errors import Refusal, printable
from runtime.system.locks import exclusive

OLDEST: Final = (2025, 11, 12)  # the first that asks a JavaScript runtime for what the site wants
#: Read by yt-dlp when it is loaded, and by deno, which would ask its maker for a newer one.
ENVIRONMENT: Final = {"YTDLP_NO_PLUGINS": "1", "DENO_NO_UPDATE_CHECK": "1"}
NICE: Final = 10
_SAID_EVERY_S: Final = 0.2  # between two lines of progress
_BLOCK: Final = 65_536  # bytes read at a time: small enough for progress and the cap on a slow line

_out = threading.Lock()


class Warnings:
    """yt-dlp's logger: remembers warnings, says nothing."""

    def __init__(self) -> None:
        self.text = ""

    def debug(self, message: str) -> None: ...
    def info(self, message: str) -> None: ...

    def warning(self, message: str) -> None:
        self.text = f"{self.text}\n{message}"[-4000:]

    def error(self, message: str) -> None: ...


class Worker:
    """One request, from the question about a video to the file.

    Tests give it a site of their own; the program has no other than YouTube.
    """

    def __init__(self, request: DownloadRequest, site: Site = YOUTUBE) -> None:
        self._request, self._site = request, site
        self._link = Link(request.id, site.page.format(request.id))
        self._what = f"{site.name} {request.id}"
        self._agreed = threading.Event()
        self._warnings = Warnings()
        self._said_s = float("-inf")

    def agree(self) -> None:
        """The user wants it."""
        self._agreed.set()

    def run(self) -> Path:
        """Look, ask, download.

        Raises:
            Refusal: in words.
        """
        limits = self._request.limits
        yt_dlp = self._library()
        network_guard.confine(self._site)
        with self._at_most("reaching the site", limits.reach_s):
            self._reach()
        with yt_dlp.YoutubeDL(self.options()) as ydl:
            try:
                with self._at_most("looking at the video", limits.query_s):
                    info = self._query(ydl)
                say(self._found(info))
                with self._at_most("the answer to the question", limits.answer_s):
                    self._agreed.wait()
                with self._at_most("the download", limits.fetch_s):
                    return self._fetch(ydl, info)
            except Refusal:
                raise
            except Exception as e:
                traceback.print_exc()  # for the log, should the words not be enough
                here = errors.Circumstances(
                    yt_dlp.version.__version__, self._has_runtime(ydl), self._warnings.text
                )
                raise errors.explain(self._what, str(e) or type(e).__name__, here) from e

    def options(self) -> dict[str, Any]:
        """Everything yt-dlp is told; all the rest stays at defaults that read nothing of the user."""
        limits = self._request.limits
        return {
            "allowed_extractors": [f"^{re.escape(e)}$" for e in self._site.extractors],
            "format": formats.FORMAT,
            "noplaylist": True,
            "outtmpl": {"default": self._template("mp4")},
            "socket_timeout": limits.socket_s,
            "retries": 2,
            "extractor_retries": 1,
            "max_filesize": round(limits.megabytes * 1e6),
            "buffersize": _BLOCK,
            "noresizebuffer": True,
            "proxy": "",
            "cachedir": False,
            "updatetime": False,
            "fixup": "never",
            "js_runtimes": {name: {} for name in network_guard.RUNTIMES},
            "enable_file_urls": False,
            "logger": self._warnings,
            "progress_hooks": [self._on_progress],
            "quiet": True,
            "noprogress": True,
            "color": "never",
        }

    # -- before

    def _library(self) -> Any:  # noqa: ANN401 - its types are not known
        os.environ.update(ENVIRONMENT)
        try:
            import yt_dlp  # noqa: PLC0415 - an extra few have
            from yt_dlp import globals as its  # noqa: PLC0415
        except ImportError as e:
            raise errors.not_installed(self._what) from e
        version = str(yt_dlp.version.__version__)
        if tuple(int(n) for n in re.findall(r"\d+", version)[:3]) < OLDEST:
            raise errors.too_old(self._what, version)
        its.plugin_dirs.value = []
        return yt_dlp

    def _reach(self) -> None:
        try:
            network_guard.reach(self._site, self._request.limits.reach_s / 2)
        except network_guard.ForbiddenError as e:
            raise errors.explain(self._what, str(e)) from e
        except OSError as e:
            remedy = errors.NETWORK
            if any(os.environ.get(n) for n in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")):
                remedy = "A proxy is set here, and xfactor uses none: " + errors.NETWORK.lower()
            raise Refusal(
                self._what, f"{self._site.name} cannot be reached ({e.strerror or e})", remedy
            ) from e

    def _query(self, ydl: Any) -> dict[str, Any]:  # noqa: ANN401
        """Metadata of the video, checked against the limits; downloads no byte of it."""
        raw = ydl.extract_info(self._link.page, download=False, process=False)
        formats.check_kind(self._what, raw, self._request.limits)
        info: dict[str, Any] = ydl.process_ie_result(raw, download=False)
        formats.check_size(self._what, info, self._request.limits)
        return info

    def _found(self, info: dict[str, Any]) -> Found:
        suffix = str(info["ext"])
        partial, mark = self._partial(suffix)
        resumes = partial.is_file() and mark.is_file() and mark.read_text("utf-8") == formats.identity(info)
        return Found(
            title=printable(str(info.get("title") or ""))[:120] or self._what,
            seconds=float(info.get("duration") or 0),
            size_bytes=formats.size_bytes(info),
            width=int(info.get("width") or 0),
            height=int(info.get("height") or 0),
            sound=info.get("acodec") != "none",
            suffix=suffix,
            have_bytes=partial.stat().st_size if resumes else 0,
        )

    # -- the download

    def _fetch(self, ydl: Any, info: dict[str, Any]) -> Path:  # noqa: ANN401
        suffix = str(info["ext"])
        ydl.params["outtmpl"]["default"] = self._template(suffix)
        with self._claimed(suffix, formats.identity(info)) as mark:
            ydl.process_info(info)
            path = self._path(suffix)
            if not path.is_file() or path.is_symlink():
                raise Refusal(self._what, "nothing arrived", errors.LATER)
            mark.unlink(missing_ok=True)
        return path

    @contextmanager
    def _claimed(self, suffix: str, identity: str) -> Iterator[Path]:
        """Hold the partial file: no other process writes to it, and it goes on with the same stream only."""
        partial, mark = self._partial(suffix)
        with ExitStack() as held:
            try:
                held.enter_context(exclusive(mark))
            except BlockingIOError as e:
                remedy = "Wait for the other window or command"
                raise Refusal(self._what, "it is being downloaded already", remedy) from e
            if mark.read_text("utf-8") != identity:
                partial.unlink(missing_ok=True)
                mark.write_text(identity, "utf-8")
            yield mark

    def _partial(self, suffix: str) -> tuple[Path, Path]:
        """The file that grows, and the one that says what of."""
        path = self._path(suffix)
        return path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.part.of")

    def _path(self, suffix: str) -> Path:
        return self._request.folder / f"{self._request.id}.{suffix}"

    def _template(self, suffix: str) -> str:
        """The file's name; no field of the site's in it, and a folder with a % stays one (F07)."""
        return str(self._path(suffix)).replace("%", "%%")

    def _on_progress(self, status: dict[str, Any]) -> None:
        """The cap on what really arrives: a server may state any length, or none (F06)."""
        done = int(status.get("downloaded_bytes") or 0)
        limits = self._request.limits
        if done > limits.megabytes * 1e6:
            raise formats.over(
                self._what, "more arrives than was announced", f"{limits.megabytes:g} MB", "megabytes"
            )
        if time.monotonic() - self._said_s >= _SAID_EVERY_S or status.get("status") == "finished":
            self._said_s = time.monotonic()
            total = status.get("total_bytes") or status.get("total_bytes_estimate")
            say(DownloadProgress(done, int(total) if total else None))

    # -- ends

    def _has_runtime(self, ydl: Any) -> bool:  # noqa: ANN401
        try:
            infos = [r.info for r in ydl._js_runtimes.values() if r is not None]  # noqa: SLF001
            return any(info is not None and info.supported for info in infos)
        except AttributeError:  # not a part of its API
            return True

    @contextmanager
    def _at_most(self, phase: str, seconds: float) -> Iterator[None]:
        """End the process when this takes longer: no call into a library can be trusted to return."""
        timer = threading.Timer(seconds, lambda: leave(errors.over_time(self._what, phase, seconds)))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def say(message: Message) -> None:
    """One line to the program."""
    with _out:
        sys.__stdout__.write(f"{encode(message)}\n")  # type: ignore[union-attr]
        sys.__stdout__.flush()  # type: ignore[union-attr]


def leave(refusal: Refusal) -> NoReturn:
    """Say why, and end at once, whatever else is running."""
    say(DownloadFailed(refusal.what, refusal.reason, refusal.remedy))
    os._exit(FAILED)


def listen(worker: Worker) -> None:
    """Read stdin in a thread of its own: `go` agrees, its end cancels; a partial file stays as it is."""

    def read() -> None:
        for line in sys.stdin:
            if line.strip() == GO:
                worker.agree()
        os._exit(CANCELLED)

    threading.Thread(target=read, name="stdin", daemon=True).start()


def main(site: Site = YOUTUBE, worker_of: type[Worker] = Worker) -> None:
    """Serve one request and end the process."""
    os.umask(0o077)
    os.nice(NICE)
    request = decode_request(sys.stdin.readline())
    if not re.fullmatch(r"[A-Za-z0-9_-]{11}", request.id):
        leave(Refusal("link", "it names no video", "Copy the link of one video again"))
    most = round(request.limits.memory_mb * 1e6)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))  # not AS: deno reserves far more than it uses
    worker = worker_of(request, site)
    listen(worker)
    try:
        path = worker.run()
    except Refusal as e:
        leave(e)
    say(Downloaded(str(path)))
    os._exit(DONE)


if __name__ == "__main__":
    main()
