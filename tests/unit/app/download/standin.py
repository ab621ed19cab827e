"""A server on this machine that stands in for the site: its pages, its player's answers, its files."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

#: A worker that asks the stand-in; the program's own knows nothing of it, and takes no other site.
WORKER = (sys.executable, "-m", "tests.unit.app.download.standin_worker")
#: As much of a page as the extractor needs to go on to the player.
PAGE = (
    b"<html><title>x</title><script>ytcfg.set({"
    b'"INNERTUBE_CONTEXT": {"client": {"clientName": "WEB", "clientVersion": "2.20260101.00.00"}}'
    b"});</script></html>"
)
ROUNDS = 600  # of every loop below: nothing here lasts longer than a minute


@dataclass
class Video:
    """What the site says of one video, and what its file server does when asked for the file."""

    data: bytes = b""
    title: str = "A walk"
    seconds: int = 12
    status: dict[str, Any] = field(default_factory=lambda: {"status": "OK"})
    details: dict[str, Any] = field(default_factory=dict)
    formats: list[dict[str, Any]] | None = None
    serve: Callable[[Handler, bytes], None] | None = None
    announced: int | None = None  #: bytes, when it is not the truth

    def player(self, video_id: str) -> dict[str, Any]:
        """The answer of the site's player interface."""
        size = len(self.data) if self.announced is None else self.announced
        progressive = {
            "itag": 18, "mimeType": 'video/mp4; codecs="avc1.42001E, mp4a.40.2"', "bitrate": 300_000,
            "url": f"https://rr1---sn-x.googlevideo.com/videoplayback?id={video_id}",
            "width": 640, "height": 360,
            "quality": "medium", "qualityLabel": "360p", "audioQuality": "AUDIO_QUALITY_LOW",
            "audioSampleRate": "44100", "audioChannels": 2, "approxDurationMs": str(self.seconds * 1000),
            "contentLength": str(size),
        }  # fmt: skip
        formats = [progressive] if self.formats is None else self.formats
        playable = self.status["status"] == "OK"
        return {
            "playabilityStatus": self.status,
            "videoDetails": {
                "videoId": video_id, "title": self.title, "lengthSeconds": str(self.seconds), **self.details
            },
            "streamingData": {"formats": formats} if playable else {},
        }  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """One request; the first folder of a path is the host that it was meant for."""

    server: StandIn  # type: ignore[assignment]
    timeout = 30

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.server.asked.append(self.path)
        if self.server.endless:
            self.pour()
        elif "/videoplayback" in parts.path or "/direct/" in parts.path:
            video_id = parse_qs(parts.query).get("id", [Path(parts.path).stem])[0]
            video = self.server.videos[video_id]
            (video.serve or Handler.file)(self, video.data)
        elif parts.path.endswith("/watch") or "/embed/" in parts.path:
            self.answer(PAGE, "text/html")
        else:
            self.send_error(404)

    def do_HEAD(self) -> None:
        self.send_error(405)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length))
        self.server.asked.append(self.path)
        self.server.cookies += self.headers.get_all("Cookie") or []
        if "/player" in self.path:
            video_id = body["videoId"]
            reply = self.server.videos[video_id].player(video_id)
        else:
            reply = {"contents": {}}
        self.answer(json.dumps(reply).encode(), "application/json")

    def file(self, data: bytes) -> None:
        """The whole file, or from where the client goes on."""
        start = int((self.headers.get("Range") or "bytes=0-")[6:].split("-")[0])
        self.server.ranges.append(start)
        if start >= len(data) > 0:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        self.wfile.write(data[start:])

    def answer(self, data: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def head(self, length: int | None) -> None:
        """A good beginning; what follows may be anything."""
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def pour(self) -> None:
        """A page that does not end, for as long as somebody reads."""
        self.head(None)
        for _ in range(ROUNDS * 50):
            try:
                self.wfile.write(bytes(65_536))
            except OSError:
                return

    def drip(self, data: bytes, pause_s: float) -> None:
        """Piece by piece, until the other side has gone or the server closes."""
        for start in range(0, min(len(data), ROUNDS * 1024), 1024):
            if self.server.closing.wait(pause_s):
                return
            try:
                self.wfile.write(data[start : start + 1024])
                self.wfile.flush()
            except OSError:
                return

    def log_message(self, *_: Any) -> None:
        """Quiet."""


class StandIn(ThreadingHTTPServer):
    """The server; `videos` says what there is."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.videos: dict[str, Video] = {}
        self.asked: list[str] = []
        self.ranges: list[int] = []
        self.cookies: list[str] = []
        self.endless = False
        self.closing = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def command(self, mode: str = "youtube", **changes: Any) -> tuple[str, ...]:
        """The stand-in worker for this server."""
        return (*WORKER, json.dumps({"port": self.port, "mode": mode, **changes}))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error here."""

    def stop(self) -> None:
        self.closing.set()
        self.shutdown()
        self._thread.join()
        self.server_close()
