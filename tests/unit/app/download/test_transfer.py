"""The download itself, from a server that does everything wrong, and its sudden ends (rows F06, F08)."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from app.download import process
from app.download.cache import DownloadCache
from app.download.messages import DownloadLimits
from runtime.system.errors import Refusal
from tests.unit.app.download.conftest import GOOD, Starter, fetch
from tests.unit.app.download.standin import Handler, StandIn, Video

SHORT = DownloadLimits(socket_s=0.5, query_s=30.0, fetch_s=30.0)


class StopHere(Exception):
    """What a cancelled job raises."""


# -- F06: servers


def drip_from(start: int, pause_s: float):
    """Sends the head of the file at once, and the rest slowly."""

    def serve(handler: Handler, data: bytes) -> None:
        handler.head(len(data))
        handler.wfile.write(data[:start])
        handler.wfile.flush()
        handler.drip(data[start:], pause_s)

    return serve


def test_f06_a_stalled_server_is_given_up_after_the_socket_s_time(
    good: Video, start: Starter, cache: DownloadCache
) -> None:
    began_s = time.monotonic()
    good.serve = drip_from(100_000, 60.0)
    with pytest.raises(Refusal, match="did not answer in time"):
        fetch(start, SHORT)
    assert time.monotonic() - began_s < 30
    assert not (cache.folder / f"{GOOD}.mp4").exists()


def test_f06_a_slow_loris_runs_into_the_wall_limit(good: Video, start: Starter) -> None:
    good.serve = drip_from(100_000, 0.2)  # never silent for long enough to be a stall
    with pytest.raises(Refusal, match="the download took longer than 1 s"):
        fetch(start, DownloadLimits(fetch_s=1.0))


def test_f06_an_endless_body_is_cut_at_the_cap_whatever_was_announced(
    good: Video, start: Starter, cache
) -> None:
    def endless(handler: Handler, data: bytes) -> None:
        handler.head(None)
        for _ in range(600):
            try:
                handler.wfile.write(data[:4096] + bytes(60_000))
            except OSError:
                return

    good.serve = endless
    with pytest.raises(Refusal, match="more arrives than was announced, over the limit of 1 MB"):
        fetch(start, DownloadLimits(megabytes=1.0))
    assert (cache.folder / f"{GOOD}.mp4.part").stat().st_size < 6_000_000
    assert not (cache.folder / f"{GOOD}.mp4").exists()


def test_f06_an_endless_page_does_not_fill_the_memory(good: Video, start: Starter, site: StandIn) -> None:
    site.endless = True
    with pytest.raises(Refusal, match="a page without an end"):
        start(mode="youtube", limits=DownloadLimits(memory_mb=250.0)).query(lambda: None)


def test_f06_a_stated_length_over_the_cap_is_refused_before(
    good: Video, start: Starter, site: StandIn
) -> None:
    good.announced = 2_000_000
    download = start(mode="youtube", limits=DownloadLimits(megabytes=1.0))
    with pytest.raises(Refusal, match="2 MB, over the limit of 1 MB"):
        download.query(lambda: None)
    assert not any("videoplayback" in path for path in site.asked)


def cut(handler: Handler, data: bytes) -> None:
    handler.head(len(data))
    handler.wfile.write(data[: len(data) // 2])
    handler.close_connection = True


def test_f06_a_wrong_length_is_no_finished_clip(good: Video, start: Starter, cache: DownloadCache) -> None:
    good.serve = cut
    with pytest.raises(Refusal, match="the connection ended too early"):
        fetch(start, SHORT)
    assert (cache.folder / f"{GOOD}.mp4.part").stat().st_size > 100_000


def test_f06_nothing_at_all_is_told_as_that(good: Video, start: Starter) -> None:
    good.data = b""
    with pytest.raises(Refusal, match=r"nothing|no video"):
        fetch(start, SHORT)


def page(handler: Handler, _: bytes) -> None:
    handler.answer(b"<!DOCTYPE html><html><body>Please wait</body></html>" * 20, "video/mp4")


def test_f06_f12_a_page_instead_of_the_clip_is_refused_and_does_not_stay(
    good: Video, start: Starter, cache
) -> None:
    good.serve = page
    with pytest.raises(Refusal, match="it is a web page"):
        fetch(start)
    assert not (cache.folder / f"{GOOD}.mp4").exists()


def test_f06_a_server_without_tls_behind_a_secure_address(good: Video, start: Starter, site: StandIn) -> None:
    with pytest.raises(Refusal, match="no secure connection"):
        start(command=site.command("generic", scheme="https"), limits=SHORT).query(lambda: None)


def test_f06_an_error_of_the_server_is_told(good: Video, start: Starter) -> None:
    good.serve = lambda handler, _: handler.send_error(503)
    with pytest.raises(Refusal, match="a fault of its own"):
        fetch(start, SHORT)


# -- F08: ends in the middle


def test_f08_a_cancel_ends_the_process_at_once_and_the_next_try_goes_on(
    good, start: Starter, site, cache, monkeypatch
) -> None:
    monkeypatch.setattr(process, "LEAVE_S", 20.0)  # a busy machine's processes leave slowly
    whole = good.data
    good.serve = drip_from(len(whole) // 2, 30.0)
    download = start(mode="youtube")
    download.query(lambda: None)
    partial = cache.folder / f"{GOOD}.mp4.part"
    arrived = threading.Event()

    def on_progress(_: float | None) -> None:
        if partial.exists() and partial.stat().st_size > 0:
            arrived.set()
            raise StopHere

    with pytest.raises(StopHere):
        download.fetch(on_progress)
    began_s = time.monotonic()
    worker = download._process
    download.close()
    assert time.monotonic() - began_s < 10  # of the thirty until the server would have said more
    assert arrived.is_set()
    assert worker.wait(0) == 3
    assert partial.exists()
    good.serve = None
    again = start(mode="youtube")
    assert again.query(lambda: None).have_bytes == partial.stat().st_size
    assert again.fetch(lambda _: None).read_bytes() == whole
    assert site.ranges[-1] > 0, "it began from the start"
    assert not partial.exists()
    assert [p.name for p in cache.folder.iterdir()] == [f"{GOOD}.mp4"]
    assert cache.forget() == 1
    assert list(cache.folder.iterdir()) == []


def test_f08_two_downloads_of_one_video_do_not_write_over_each_other(
    good: Video, start: Starter, cache
) -> None:
    download = start()
    download.query(lambda: None)
    with (cache.folder / f"{GOOD}.mp4.part.of").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Refusal, match="it is being downloaded already"):
            download.fetch(lambda _: None)


def test_f08_a_killed_process_is_told_and_nothing_is_left_running(
    good: Video, start: Starter, cache: DownloadCache
) -> None:
    good.serve = drip_from(100_000, 30.0)
    download = start()
    download.query(lambda: None)
    threading.Timer(0.3, lambda: os.kill(download._process.pid, signal.SIGKILL)).start()
    with pytest.raises(Refusal, match="broke down: it ended without a word"):
        download.fetch(lambda _: None)
    assert not (cache.folder / f"{GOOD}.mp4").exists()


def test_f08_the_process_opens_no_port_and_ends_when_the_program_does(good: Video, start: Starter) -> None:
    download = start()
    download.query(lambda: None)
    worker = download._process
    inodes = {os.readlink(f) for f in Path(f"/proc/{worker.pid}/fd").iterdir()}  # noqa: PTH115
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    assert not any(row[3] == "0A" and f"socket:[{row[9]}]" in inodes for row in rows), "it listens"
    worker.close_input()  # what the kernel does when the program is killed
    assert worker.wait(20) == 3


def test_f08_a_process_that_hangs_is_killed(start: Starter, tmp_path: Path) -> None:
    (tmp_path / "deaf.py").write_text(
        "import signal, time\nsignal.signal(15, signal.SIG_IGN)\ntime.sleep(60)\n"
    )
    download = start(command=(sys.executable, str(tmp_path / "deaf.py")))

    def give_up() -> None:
        raise StopHere

    with pytest.raises(StopHere):
        download.query(give_up)
    began_s = time.monotonic()
    worker = download._process
    download.close()
    assert time.monotonic() - began_s < 20  # of its sixty
    assert worker.wait(0) == -signal.SIGKILL


def test_f08_a_full_disk_is_told_and_what_arrived_stays(
    good: Video, start: Starter, cache, site, tmp_path
) -> None:
    """RLIMIT_FSIZE stands in for the disk: the write fails in the middle of the file."""
    script = tmp_path / "small.py"
    inner = site.command()
    script.write_text(
        "import os, resource, sys\nresource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        f"os.execv({inner[0]!r}, {list(inner)!r})\n"
    )
    download = start(command=(inner[0], str(script)))
    download.query(lambda: None)
    with pytest.raises(Refusal, match=r"it cannot be written \(.*File too large.*\)|the disk is full"):
        download.fetch(lambda _: None)
    assert not (cache.folder / f"{GOOD}.mp4").exists()


def test_f08_a_folder_that_cannot_be_made_is_told(start: Starter, cache: DownloadCache) -> None:
    cache.folder.write_bytes(b"a file in its place")
    with pytest.raises(Refusal, match="cannot be made"):
        start().query(lambda: None)


def test_what_another_process_prints_is_no_message(start: Starter, tmp_path: Path) -> None:
    lies = [
        "warning: something", '{"event": "found"}', '{"event": "done", "path": 3}', "[1]",
        '{"event": "__class__"}',
        '{"event": "done", "path": "/etc/passwd"}',
    ]  # fmt: skip
    (tmp_path / "liar.py").write_text(
        f"import sys\nsys.stdin.readline()\nprint({chr(10).join(lies)!r}, flush=True)\n"
    )
    with pytest.raises(Refusal, match="broke down: it said something unexpected"):
        start(command=(sys.executable, str(tmp_path / "liar.py"))).query(lambda: None)
    (tmp_path / "flood.py").write_text("import sys\nsys.stdout.write('x' * 10_000_000)\n")
    with pytest.raises(Refusal, match="it ended without a word"):
        start(command=(sys.executable, str(tmp_path / "flood.py"))).query(lambda: None)
