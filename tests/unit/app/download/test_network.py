"""Where a download connects to, and what happens without a network (rows F03, F04, F11, J01)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.download import network_guard
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
import os, socket, subprocess, sys
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
attempt("message", lambda: socket.socket(type=socket.SOCK_DGRAM).sendmsg([b"x"], [], 0, ("127.0.0.1", port)))
attempt("reverse", lambda: socket.gethostbyaddr("127.0.0.1"))
attempt("name of", lambda: socket.getnameinfo(("127.0.0.1", port), 0))
attempt("shell", lambda: os.system("echo reached a shell"))
attempt("program", lambda: subprocess.run(["echo", "reached a program"]))
attempt("spawn", lambda: os.posix_spawn("/bin/echo", ["echo", "reached by spawn"], {}))
attempt("fork", lambda: os._exit(0) if os.fork() == 0 else None)
attempt("exec", lambda: os.execv("/bin/echo", ["echo", "reached by exec"]))
attempt("rights", lambda: subprocess.run(["deno", "run", "--allow-net", "-"]))
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


#: A JavaScript runtime may start, and a socket that is connected may send.
ALLOWED = """
import socket, subprocess, sys
from app.download import network_guard as guard
from runtime.media.links import YOUTUBE
ours, other = socket.socketpair()
guard.confine(YOUTUBE)
ours.sendmsg([b"x"])
print(other.recv(1), subprocess.run([sys.argv[1], "--version"], stdout=subprocess.PIPE).stdout)
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


def test_f03_the_guard_lets_the_runtime_for_scripts_start(tmp_path: Path, repository: Path) -> None:
    runtime = tmp_path / "deno"
    runtime.write_text("#!/bin/sh\necho deno 2\n")
    runtime.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", ALLOWED, str(runtime)],
        cwd=repository, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert done.stdout == "b'x' b'deno 2\\n'\n", done.stdout + done.stderr


@given(st.integers(0, 2**32 - 1))
@example(0x7F000001)  # 127.0.0.1
@example(0x0A000001)
@example(0xC0A80101)
@example(0xA9FEA9FE)
@example(0xE0000001)  # a multicast
@example(0x08080808)
def test_f03_an_address_that_carries_another_is_as_public_as_that_one(number: int) -> None:
    carried = IPv4Address(number)
    public = carried.is_global and not carried.is_multicast
    high, low = number >> 16, number & 0xFFFF
    assert network_guard._public(str(carried)) == public
    for form in (f"::ffff:{carried}", f"64:ff9b::{carried}", f"2002:{high:x}:{low:x}::1"):
        assert network_guard._public(form) == public, form
    starts = ("::", "64:ff9b:1::", "fec0::", "ff0e::", "4000::", "fd00::", "100::")
    relayed = (f"2001:0:{high:x}:{low:x}::1", f"2001::{high ^ 0xFFFF:x}:{low ^ 0xFFFF:x}")
    refused = (*(f"{start}{carried}" for start in starts), *relayed)
    assert [form for form in refused if network_guard._public(form)] == []
    assert network_guard._public("2a00:1450:4001:82a::200e")


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
