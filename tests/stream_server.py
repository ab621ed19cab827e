"""A server of streams on this machine, as bad as a test wants it. Not a test itself."""

from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2

from tests.drawn_media import picture


class StreamServer:
    """Serves by HTTP: `/cam` endless MJPEG, everything in `files`, and what `trouble` says.

    Attributes:
        files: bodies by path.
        asked: paths asked for, in order.
        silent: from now on, nothing more is sent on any connection.
        password: base64 of `user:password` that `/locked` wants.
    """

    def __init__(self, port: int = 0) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.silent = False
        self.password = ""
        self._ended = threading.Event()
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                served._serve(self)

            def log_message(self, *_: Any) -> None:
                """Keep the test's output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def link(self, path: str, user: str = "") -> str:
        return f"http://{user}127.0.0.1:{self.port}{path}"

    def stop(self) -> None:
        """As if it were killed: every connection ends, and its port is free."""
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _serve(self, answer: BaseHTTPRequestHandler) -> None:
        path = answer.path.split("?")[0]
        self.asked.append(path)
        if path == "/locked" and answer.headers.get("Authorization") != f"Basic {self.password}":
            answer.send_response(401)
            answer.send_header("WWW-Authenticate", 'Basic realm="cam"')
            answer.end_headers()
        elif path in {"/cam", "/locked"}:
            self._send_pictures(answer)
        elif path == "/silent":
            self._ended.wait(20)
        elif path in self.files:
            answer.send_response(200)
            answer.send_header("Content-Length", str(len(self.files[path])))
            answer.end_headers()
            answer.wfile.write(self.files[path])
        else:
            answer.send_error(404)

    def _send_pictures(self, answer: BaseHTTPRequestHandler) -> None:
        answer.send_response(200)
        answer.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        answer.end_headers()
        index = 0
        while not self._ended.is_set():
            time.sleep(0.02)
            if self.silent:
                continue
            _, jpeg = cv2.imencode(".jpg", picture(index % 100)[:, :, ::-1])
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            try:
                answer.wfile.write(head.encode() + jpeg.tobytes() + b"\r\n")
            except OSError:
                return
            index += 1


class RtspPort:
    """A port that takes connections as an RTSP server does, and answers with `reply` or not at all."""

    def __init__(self, reply: bytes = b"") -> None:
        self._reply = reply
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.requests: list[bytes] = []
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(connection)
            if self._reply:
                connection.settimeout(2)
                self.requests.append(connection.recv(4000))
                connection.sendall(self._reply)

    def stop(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in self._open:
            connection.close()
        self._thread.join(5)
