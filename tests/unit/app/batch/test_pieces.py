"""Manifest, placing, the writer behind, and how a run is watched and stopped."""

from __future__ import annotations

import errno
import json
import os
import signal
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.batch.clip_task import check_ram
from app.batch.manifest import Manifest, Record
from app.batch.placement import place, sweep
from app.batch.plan import Item
from app.batch.progress import BatchProgress
from app.batch.run import LOCK, _difference, claimed
from app.batch.writer_thread import WriterThread
from runtime.output.products import PRODUCTS, whole
from runtime.system.disk import CannotWriteError
from runtime.system.errors import Refusal
from runtime.system.ram import free_bytes
from runtime.system.reporter import ProgressReporter, Style
from runtime.system.stop_signal import Stop
from tests.unit.app.fault_injection import failing_call

ITEM = Item("/videos/a[b].mp4", "clip", "a")
RECORD = Record("/videos/a[b].mp4", "clip", "a", "partial", "stopped", frames=3, size=(8, 6), notices=("x",))


def test_a_manifest_reads_what_it_wrote(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    manifest.put(RECORD)
    assert Manifest(tmp_path).records == {RECORD.input: RECORD}
    assert Manifest(tmp_path).names == {RECORD.input: "a"}
    raw = json.loads((tmp_path / "manifest.json").read_text())
    assert raw["inputs"][0]["status"] == "partial"


def test_a_newer_manifest_is_understood_and_rubbish_is_refused_untouched(tmp_path: Path) -> None:
    Manifest(tmp_path).put(RECORD)
    path = tmp_path / "manifest.json"
    raw = json.loads(path.read_text())
    raw["inputs"][0]["invented_later"] = 1
    path.write_text(json.dumps(raw))
    assert Manifest(tmp_path).records == {RECORD.input: RECORD}
    for rubbish in ("", "[]", '{"inputs": [1]}', '{"inputs": [{}]}', "\0" * 50):
        path.write_text(rubbish)
        with pytest.raises(Refusal, match=r"manifest\.json"):
            Manifest(tmp_path)
        assert path.read_text() == rubbish


@pytest.mark.parametrize(
    "output",
    [
        "../victim",
        "/tmp/victim",
        "a/b",
        "..",
        ".",
        "a\0b",
        "\ud800",
        "manifest.json",
        "labels",
        7,
        ["a"],
        None,
    ],
)
def test_a_manifest_that_leads_out_of_the_folder_is_refused(tmp_path: Path, output: object) -> None:
    entry = {"input": "/videos/a.mp4", "kind": "clip", "output": output, "status": "ok"}
    (tmp_path / "manifest.json").write_text(json.dumps({"inputs": [entry]}))
    with pytest.raises(Refusal, match="it is not a manifest of this program"):
        Manifest(tmp_path)


@pytest.mark.parametrize(
    "changes", [{"model": [1]}, {"frames": "9"}, {"frames": 1e400}, {"status": "fine"}, {"size": 3}]
)
def test_a_manifest_of_other_types_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    entry = {"input": "/videos/a.mp4", "kind": "clip", "output": "a", "status": "ok", **changes}
    (tmp_path / "manifest.json").write_text(json.dumps({"inputs": [entry]}))
    with pytest.raises(Refusal, match="it is not a manifest of this program"):
        Manifest(tmp_path)


def test_a_manifest_without_end_is_refused(tmp_path: Path) -> None:
    """Empty, nested without end, a pipe nobody writes to, millions of values, a link to nothing."""
    path = tmp_path / "manifest.json"
    path.touch()
    with pytest.raises(Refusal, match="json: it is empty"):
        Manifest(tmp_path)
    for text in ("[" * 10**5, '{"inputs": [' + "[]," * 3_000_000):
        path.write_text(text)
        with pytest.raises(Refusal, match="it is not a manifest of this program"):
            Manifest(tmp_path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(Refusal, match="not a regular file"):
        Manifest(tmp_path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(Refusal, match="not a regular file"):
        Manifest(tmp_path)


def test_a_file_is_placed_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    place(path, b"old")
    with failing_call(1, errno.ENOSPC), pytest.raises(CannotWriteError, match="disk is full"):
        place(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_only_a_png_with_its_end_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    assert not whole(path)
    path.write_bytes(b"")
    assert not whole(path)
    path.write_bytes(b"\x89PNG....IEND\xaeB`\x82")
    assert whole(path)
    (tmp_path / ".xfactor-a.png.tmp").touch()
    sweep(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_the_writer_behind_keeps_the_order() -> None:
    done: list[int] = []
    writer = WriterThread(lambda n: (time.sleep(0.001), done.append(n))[1])
    for n in range(30):
        writer.put(n)
    writer.close()
    assert done == list(range(30))


def test_a_huge_clip_is_refused_where_memory_is_short() -> None:
    check_ram("a.mp4", (4096, 4096), PRODUCTS, 1e6)
    check_ram("a.mp4", (8192, 8192), ("labels", "overlay"), 3e9)
    with pytest.raises(
        Refusal, match=r"8192 x 8192 px its results take about 7\.2 GB of memory, and 3\.0 GB are"
    ):
        check_ram("a.mp4", (8192, 8192), PRODUCTS, 3e9)


def test_free_memory_is_what_the_system_says(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:  9 kB\nMemAvailable:     2048 kB\n")
    assert free_bytes(tmp_path / "meminfo") == 2 << 20
    assert free_bytes(tmp_path / "none") == float("inf")
    assert free_bytes() > 1e6


def test_an_error_behind_reaches_whoever_writes() -> None:
    def work(n: int) -> None:
        if n == 2:
            raise CannotWriteError("a", "the disk is full", "Make room")

    def write_all() -> None:
        for n in range(1000):
            writer.put(n)
            time.sleep(0.001)

    writer: WriterThread[int] = WriterThread(work)
    with pytest.raises(CannotWriteError):
        write_all()
    writer.close()
    writer = WriterThread(work)
    writer.put(2)
    with pytest.raises(CannotWriteError):
        writer.close()


@pytest.mark.parametrize("style", ["rich", "json", "none"])
def test_why_an_input_failed_is_said_in_every_style(style: Style, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(ProgressReporter(style)) as reporter:
        progress = BatchProgress(reporter, 2)
        progress.begin(ITEM, 9)
        progress.begin(ITEM, 9)  # tried again
        progress.advance(ITEM, 3)
        progress.note("one subfolder skipped")
        progress.end(ITEM, RECORD)
        progress.end(ITEM, replace(RECORD, status="ok"), again=True)
        progress.end(ITEM, replace(RECORD, status="ok", notices=("the sound was left out",)))
    out, err = capsys.readouterr()
    assert "a[b].mp4: x" in err
    assert ("a[b].mp4: the sound was left out" in err) is (style == "rich")
    assert out.count('"notices": ["the sound was left out"]') == (style == "json")
    assert "a[b].mp4: partial: stopped" in err
    assert ("already whole" in err) is ("skipped" in err) is (style == "rich")
    events = [json.loads(line)["event"] for line in out.splitlines()]
    assert events == (
        ["begin", "progress", "notice", "end", "end", "begin", "end"] if style == "json" else []
    )


def test_a_difference_of_two_runs_is_in_words() -> None:
    run = {"name": "a", "factor": "own factor", "box": "64", "smoothing": True, "frames": "2:4 every 1"}
    for change, was, now in (
        ({"name": "b"}, "model a", "b"),
        ({"factor": "people"}, "the network's own factor", "people"),
        ({"smoothing": False}, "smoothing on", "off"),
        ({"frames": "all"}, "frames 2:4", "all"),
        ({"box": "96"}, "size 64", "96"),
    ):
        assert _difference(run, run | change) == (was, now)
    assert _difference(run | {"factor": "ann"}, run) == ("factor ann", "the network's own factor")


def test_stopping_is_asked_by_signal_and_given_back(capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with Stop().on_signals() as stop:
        assert not stop
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop
    assert signal.getsignal(signal.SIGINT) is before
    assert "once more: at once" in capfd.readouterr().err  # also where a frozen worker ends no frame


def test_in_another_thread_there_are_no_signals_to_listen_to() -> None:
    def listen() -> None:
        with Stop().on_signals() as stop:
            seen.append(bool(stop))

    seen: list[bool] = []
    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert seen == [False]


def test_a_folder_is_claimed_once(tmp_path: Path) -> None:
    with claimed(tmp_path), pytest.raises(Refusal, match="another run"), claimed(tmp_path):
        pass
    with claimed(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_claim_leaves_no_empty_folder_and_every_file_of_the_user(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text("mine")
    for folder in (tmp_path, tmp_path / "new"):
        with claimed(folder):
            assert (folder / LOCK).exists()
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {LOCK: "mine"}
    with pytest.raises(CannotWriteError, match="output /proc/nowhere: "), claimed(Path("/proc/nowhere")):
        pass
