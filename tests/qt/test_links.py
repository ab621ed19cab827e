"""A dropped link in the real window: question, progress, cancel, and the clip that plays."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtCore import QMimeData, Qt, QUrl
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QInputDialog, QMessageBox, QPushButton

from app.download.cache import DownloadCache
from runtime.media.links import check_link
from tests.qt.dropping import drop
from tests.unit.app.download.standin import Handler, StandIn, Video

pytestmark = pytest.mark.gui

GOOD = "goodvideo01"
LINK = f"https://youtu.be/{GOOD}"


@pytest.fixture
def site(desktop, clip: Path):
    server = StandIn()
    server.videos[GOOD] = Video(clip.read_bytes() + bytes(200_000), title="A <b>walk</b> & more")
    desktop.links.command = server.command("youtube")
    yield server
    server.stop()


def text(words: str) -> QMimeData:
    data = QMimeData()
    data.setText(words)
    return data


def slowly(handler: Handler, data: bytes) -> None:
    handler.head(len(data))
    handler.drip(data, 0.05)


def question(desktop) -> QMessageBox | None:
    boxes = [b for b in desktop.window.findChildren(QMessageBox) if b.isVisible()]
    return boxes[0] if boxes else None


def answer(box: QMessageBox, words: str) -> None:
    next(b for b in box.buttons() if b.text().replace("&", "") == words).click()


def tasks(desktop) -> list[str]:
    return [job.name for job in desktop.jobs.shown() if not job.name.startswith("Loading ")]


def test_a_dropped_link_is_asked_about_downloaded_and_played(desktop, site: StandIn, qtbot) -> None:
    url = QMimeData()
    url.setUrls([QUrl(f"https://www.youtube.com/watch?v={GOOD}&t=3s")])
    assert drop(desktop, url)
    assert tasks(desktop) == [f"Looking at YouTube {GOOD}"]
    drop(desktop, text(LINK))
    assert len(tasks(desktop)) == 1, "the same link twice is one job"
    qtbot.waitUntil(lambda: question(desktop) is not None)
    box = question(desktop)
    assert box.textFormat() is Qt.TextFormat.PlainText
    for words in (
        "A <b>walk</b> & more",
        "12 s, 640 x 360, about 0.2 MB",
        "60 min, 1000 MB",
        "your responsibility",
    ):
        assert words in box.text()
    assert not any("videoplayback" in path for path in site.asked)
    answer(box, "Download")
    qtbot.waitUntil(lambda: desktop.window.canvas.parsed is not None)
    assert desktop.workspace.source.path == DownloadCache().folder / f"{GOOD}.mp4"
    assert desktop.window.windowTitle() == "A <b>walk</b> & more — xfactor"
    qtbot.waitUntil(lambda: desktop.settings.recent == (LINK,))
    asked = len(site.asked)
    desktop.close_source()
    desktop.open(LINK)  # as from the recent ones: here already, without a question
    qtbot.waitUntil(lambda: desktop.window.canvas.parsed is not None)
    assert len(site.asked) == asked
    assert question(desktop) is None


def test_f08_a_no_or_a_cancel_leaves_what_was_open_and_no_process(playing, site: StandIn, qtbot) -> None:
    drop(playing, text(LINK))
    qtbot.waitUntil(lambda: question(playing) is not None)
    process = playing.links._asked[GOOD]._process
    answer(question(playing), "Cancel")
    assert process._process.poll() is not None
    assert (tasks(playing), playing.links._asked) == ([], {})

    site.videos[GOOD].serve = slowly
    drop(playing, text(LINK))
    qtbot.waitUntil(lambda: question(playing) is not None)
    answer(question(playing), "Download")
    partial = DownloadCache().folder / f"{GOOD}.mp4.part"
    qtbot.waitUntil(partial.exists)
    playing.tick()
    assert playing.window.activity.isVisible()
    (job,) = [job for job in playing.jobs.shown() if not job.name.startswith("Loading ")]
    assert job.name == "Downloading A <b>walk</b> & more"
    (cancel,) = [b for b in playing.window.activity.findChildren(QPushButton) if b.isVisible()]
    cancel.click()
    qtbot.waitUntil(lambda: playing.jobs.shown() == [])  # F08: a second, on a machine with nothing else to do
    assert playing.workspace.source.name == "moving.mp4"
    assert partial.exists()

    playing.window.actions_["delete-downloads"].trigger()
    answer(question(playing), "Delete")
    assert DownloadCache().contents() == (0, 0)


def test_closing_the_program_while_a_link_is_asked_about(desktop, site: StandIn, qtbot) -> None:
    desktop.open(LINK)
    qtbot.waitUntil(lambda: question(desktop) is not None)
    process = desktop.links._asked[GOOD]._process
    desktop.stop()
    assert process._process.poll() is not None
    assert desktop.stuck == []


REFUSED = {
    "https://youtube.com.evil.example/watch?v=dQw4w9WgXcQ": "only links to YouTube are taken",
    "http://www.youtube.com/watch?v=dQw4w9WgXcQ": "only https links",
    "rtsp:///cam": "names no host",
    "javascript:alert(1)": "only https links",
    "https://www.youtube.com/playlist?list=PL0": "list of videos",
}


def test_f01_f02_what_is_not_taken_is_refused_in_words(desktop, qtbot) -> None:
    banner = desktop.window.banner
    for words, said in REFUSED.items():
        assert drop(desktop, text(words))
        qtbot.waitUntil(lambda said=said: said in banner._text.text())
        assert tasks(desktop) == []
        banner.dismiss()
    for words in ("", "hello", "two words: https://youtu.be/x", "https://a b"):
        assert not drop(desktop, text(words))


def test_a_link_can_be_typed_and_a_copied_one_is_filled_in(desktop, site: StandIn, qtbot) -> None:
    QGuiApplication.clipboard().setText(f"{LINK}?si=abc")
    desktop.window.actions_["open-link"].trigger()
    (dialog,) = [d for d in desktop.window.findChildren(QInputDialog) if d.isVisible()]
    assert check_link(dialog.textValue()) == check_link(LINK)
    dialog.accept()
    assert tasks(desktop) == [f"Looking at YouTube {GOOD}"]
    QGuiApplication.clipboard().clear()
