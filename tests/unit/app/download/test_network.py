"""Where a download connects to, and what happens without a network (rows F03, F04, F11, J01)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.download.cache import DownloadCache
from app.download.messages import DownloadLimits
from app.download.process import COMMAND, Download
from runtime.media.links import check_link
from runtime.system import paths
from runtime.system.errors import Refusal
from tests.unit.app.download.conftest import GOOD, Starter
from tests.unit.app.download.standin import StandIn, Video

#: Loaded by every Python that finds it: writes down what is looked up and connected to, and lets nothing out.
NETLOG = """
import sys
def watch(event, args):
    if event in ("socket.getaddrinfo", "socket.connect", "socket.gethostbyname"):
        with open({log!r}, "a") as f:
            print(event, *[a for a in args if isinstance(a, (str, int, tuple))], file=f)
        raise OSError("nothing leaves this test")
sys.addaudithook(watch)
"""
#: Every way out that the guard must close; prints what got through.
ATTEMPTS = """
import socket, sys
from app.download import network_guard as guard
from runtime.media.links import YOUTUBE, Site
port = int(sys.argv[1])
guard.confine(Site("x", frozenset(), "https://www.youtube.com/{}", (), YOUTUBE.domains, port))

def attempt(name, act):
    try:
        act()
    except guard.ForbiddenError:
        return
    except OSError as e:
        print("tried", name, e)
    else:
        print("reached", name)

PRIVATE = "127.0.0.1 10.0.0.1 192.168.1.1 172.16.0.1 169.254.169.254 0.0.0.0 100.64.0.1 localhost"
for ip in PRIVATE.split():
    attempt(ip, lambda: socket.socket().connect((ip, port)))
for ip in ("::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"):
    attempt(ip, lambda: socket.socket(socket.AF_INET6).connect((ip, port)))
attempt("another port", lambda: socket.socket().connect(("8.8.8.8", port + 1)))
attempt("datagram", lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port)))
attempt("unix", lambda: socket.socket(socket.AF_UNIX).connect("/run/x"))
attempt("listen", lambda: socket.socket().bind(("127.0.0.1", 0)))
NAMES = ("localhost", "127.0.0.1", "metadata.google.internal", "youtube.com.evil.example", "youtube.co", "")
for host in NAMES:
    attempt(host, lambda: socket.getaddrinfo(host, port))
    attempt(host, lambda: socket.create_connection((host, port), timeout=1))
attempt("bytes", lambda: socket.getaddrinfo(b"localhost", port))

real = socket.getaddrinfo  # a name of the site that leads to this machine
socket.getaddrinfo = lambda *_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
attempt("rebound name", lambda: socket.create_connection(("www.youtube.com", port), timeout=1))
print("done")
"""


def without_network() -> tuple[str, ...]:
    """A command prefix: an empty network namespace, or a reason to skip."""
    for prefix in (("unshare", "-n"), ("unshare", "-r", "-n")):
        if (
            shutil.which("unshare")
            and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
        ):
            return prefix
    pytest.skip("this machine lets nobody make an empty network namespace (unshare -n)")


def test_f03_the_guard_leaves_no_way_to_this_machine_or_its_network(site: StandIn, repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ATTEMPTS, str(site.port)],
        cwd=repository, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert done.stdout == "done\n", done.stdout + done.stderr
    assert site.asked == []


def test_f03_j01_the_program_s_worker_asks_for_the_site_and_for_nothing_else(
    tmp_path, cache, monkeypatch
) -> None:
    """The shipped process with a real link, under a log of lookups and connections that lets none happen."""
    log = tmp_path / "net.log"
    (tmp_path / "sitecustomize.py").write_text(NETLOG.format(log=str(log)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with (
        pytest.raises(Refusal, match="YouTube cannot be reached"),
        Download(check_link(f"https://youtu.be/{GOOD}"), DownloadLimits(), cache, COMMAND) as download,
    ):
        download.query(lambda: None)
    assert log.read_text().splitlines() == ["socket.getaddrinfo www.youtube.com 443 0 1 0"]
    assert list(cache.folder.iterdir()) == []


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:{other}/x.mp4", "http://localhost:{port}/direct/{id}.mp4"]
)
def test_f04_a_redirect_elsewhere_is_not_followed(
    target: str, good: Video, start: Starter, site: StandIn
) -> None:
    other = StandIn()

    def away(handler, _: bytes) -> None:
        handler.send_response(302)
        handler.send_header("Location", target.format(other=other.port, port=site.port, id="secretvideo"))
        handler.end_headers()

    good.serve = away
    site.videos["secretvideo"] = Video(good.data)
    download = start(mode="youtube", limits=DownloadLimits(socket_s=1.0))
    download.query(lambda: None)
    with pytest.raises(Refusal, match="led to another address"):
        download.fetch(lambda _: None)
    other.stop()
    assert other.asked == []
    assert not any("secretvideo" in path for path in site.asked)


def test_f11_offline_is_told_within_fifteen_seconds(cache: DownloadCache) -> None:
    command = (*without_network(), *COMMAND)
    began_s = time.monotonic()
    with (
        pytest.raises(Refusal, match=r"YouTube cannot be reached.*Check the network"),
        Download(check_link(f"https://youtu.be/{GOOD}"), DownloadLimits(), cache, command) as download,
    ):
        download.query(lambda: None)
    assert time.monotonic() - began_s < 15


def test_f11_what_is_here_works_without_any_network(
    tmp_path: Path, repository: Path, clip_bytes: bytes
) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(clip_bytes)
    run = [sys.executable, "-m", "app", "parse", str(clip), "--out", str(tmp_path / "out"), "--size", "96"]
    done = subprocess.run(
        [*without_network(), *run, "--save", "labels", "--progress", "none", "--device", "cpu"],
        cwd=repository, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out" / "clip" / "labels").glob("*.png"))) == 12


def test_the_downloads_lie_under_the_user_s_own_folders(user_home: Path) -> None:
    assert DownloadCache().folder == paths.user_links_dir()
    assert user_home in DownloadCache().folder.parents
