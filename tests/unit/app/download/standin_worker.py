"""The worker, asking a server of the tests instead of the site. Nothing of the program leads here.

`youtube`: the real YouTube extractor; every request it makes goes to the server, the host as first folder.
`generic`: yt-dlp's extractor for plain files, straight at the server.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from app.download.messages import DownloadLimits, DownloadRequest
from app.download.worker import Worker, main
from runtime.media.links import YOUTUBE, Site
from runtime.system.errors import Refusal

ORDERS = json.loads(sys.argv[1])
PORT = ORDERS["port"]
HERE = {"domains": ("127.0.0.1",), "port": PORT, "private": frozenset({"127.0.0.1"})}


class StandInWorker(Worker):
    """Reaches the stand-in, however the site's addresses are called."""

    def options(self) -> dict[str, Any]:
        # No runtime, whatever this machine has: with one, the extractor asks for players nobody serves here.
        return {**super().options(), "js_runtimes": {}, **ORDERS.get("options", {})}

    def _library(self) -> Any:
        for name in ORDERS.get("hidden", []):
            sys.modules[name] = None  # type: ignore[assignment]
        if "version" in ORDERS:
            from yt_dlp import version

            version.__version__ = ORDERS["version"]
        yt_dlp = super()._library()
        if ORDERS["mode"] == "youtube":
            _redirect(yt_dlp)
        return yt_dlp

    def _reach(self) -> None:
        if ORDERS["mode"] != "youtube":  # the door of the other one is the site's own
            super()._reach()


def _redirect(yt_dlp: Any) -> None:
    from yt_dlp.networking import Request

    before = yt_dlp.YoutubeDL.urlopen
    if before.__module__ == __name__:
        return

    def urlopen(self: Any, req: Any) -> Any:
        request = Request(req) if isinstance(req, str) else req.copy()
        if request.url.startswith("https://"):
            request.url = f"http://127.0.0.1:{PORT}/{request.url.removeprefix('https://')}"
        return before(self, request)

    yt_dlp.YoutubeDL.urlopen = urlopen


def site() -> Site:
    if ORDERS["mode"] == "youtube":
        return Site(YOUTUBE.name, YOUTUBE.hosts, YOUTUBE.page, YOUTUBE.extractors, **HERE)
    page = f"{ORDERS.get('scheme', 'http')}://127.0.0.1:{PORT}/direct/{{}}.mp4"
    return Site("stand-in", frozenset({"127.0.0.1"}), page, ("generic",), **HERE)


def answers(ids: list[str]) -> None:
    """What is said of many videos, by one process."""
    for video_id in ids:
        try:
            StandInWorker(
                DownloadRequest(video_id, Path(ORDERS["folder"]), DownloadLimits(answer_s=0.1)), site()
            ).run()
        except Refusal as e:
            sys.stdout.write(json.dumps({"id": video_id, "reason": e.reason, "remedy": e.remedy}) + "\n")


if __name__ == "__main__":
    if "ids" in ORDERS:
        answers(ORDERS["ids"])
    else:
        main(site(), StandInWorker)
