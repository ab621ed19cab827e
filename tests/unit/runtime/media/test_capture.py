"""Reading sources: pace, pause, exact seek, loop, faults, and giving the device back."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from personalize.worker.pictures import PictureSequence
from runtime.frames import Frame
from runtime.media.cameras import Camera
from runtime.media.capture import Capture, Playback
from runtime.media.feeds import CameraFeed, PicturesFeed, is_numbered, open_feed
from runtime.media.sources import classify
from runtime.system.errors import Refusal
from runtime.system.latest import Latest
from runtime.system.notices import Level, Notices
from tests.unit.runtime.media.test_cameras import Device


class Box(Latest[Frame]):
    """A mailbox that also remembers everything put into it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def put(self, value: Frame) -> None:
        self.seen.append(value.index)
        super().put(value)


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def notices() -> Notices:
    return Notices(lambda: None)


@pytest.fixture
def start(box, notices):
    """Start captures; every one is stopped at the end."""
    started: list[Capture] = []

    def begin(opener, **options) -> Capture:
        capture = Capture(opener, box, notices, **options)
        started.append(capture)
        capture.start()
        return capture

    yield begin
    for capture in started:
        capture.ask_stop()
        capture.join(5)
        assert not capture.is_alive()


def test_a_clip_is_played_in_order_at_its_pace(scripted, start, box, until) -> None:
    began = time.monotonic()
    capture = start(scripted(count=21, rate=50))
    until(lambda: not capture.playback.playing, "the end")
    took = time.monotonic() - began
    assert box.seen == list(range(21))
    assert took >= 0.38  # 20 intervals of 20 ms, not as fast as it decodes


def test_speed_changes_the_pace_at_once(scripted, start, box, until) -> None:
    capture = start(scripted(count=400, rate=2), playback=Playback(speed=0.1))
    until(lambda: box.seen, "the first frame")
    capture.play(Playback(speed=1000.0))  # the wait for the second frame, five seconds, is over too
    until(lambda: len(box.seen) > 100, "a hundred frames", 3)


def test_pause_step_seek_and_home_are_exact(scripted, start, box, until) -> None:
    capture = start(scripted(count=100), playback=Playback(playing=False))
    until(lambda: box.seen == [0], "the first frame")
    for ask, expected in ((10, 10), (99, 99), (3, 3), (500, 99), (-4, 0)):
        capture.seek(ask)
        until(lambda e=expected: box.seen[-1] == e, f"frame {expected}")
        assert capture.position == expected
    for step, expected in ((1, 1), (10, 11), (-1, 10), (-30, 0)):
        capture.step(step)
        until(lambda e=expected: box.seen[-1] == e, f"frame {expected}")
    assert not capture.playback.playing


def test_keys_held_down_add_up(scripted, start, box, until) -> None:
    capture = start(scripted(count=100), playback=Playback(playing=False))
    until(lambda: box.seen == [0], "the first frame")
    for _ in range(20):
        capture.step(1)
    until(lambda: box.seen[-1] == 20, "frame 20")


def test_the_clip_stops_at_its_end_and_starts_over_when_played_again(scripted, start, box, until) -> None:
    capture = start(scripted(count=5, rate=500))
    until(lambda: not capture.playback.playing, "the end")
    assert box.seen == [0, 1, 2, 3, 4]
    capture.play(Playback(playing=True))
    until(lambda: box.seen == [0, 1, 2, 3, 4] * 2, "the second round")


def test_loop_stays_between_the_handles(scripted, start, box, until) -> None:
    start(scripted(count=50, rate=1000), playback=Playback(loop=True, span=(10, 13)))
    until(lambda: len(box.seen) > 40, "some rounds")
    assert set(box.seen[20:]) == {10, 11, 12, 13}


def test_a_wrong_length_in_the_header_is_corrected_at_the_end(scripted, start, until) -> None:
    capture = start(scripted(count=7, rate=500, claims=30))
    until(lambda: not capture.playback.playing, "the end")
    assert capture.info.frames == 7


def test_after_a_stall_the_clip_goes_on_and_does_not_race(scripted, start, box, until) -> None:
    """G02: whatever held the thread up, frames keep their distance afterwards."""
    feed = scripted(count=100, rate=20)
    slow_once = iter([0.6])
    original = type(feed).frames

    class Stalling(type(feed)):
        def frames(self, start: int = 0):
            for frame in original(self, start):
                if frame.index == 3:
                    time.sleep(next(slow_once, 0))
                yield frame

    start(Stalling(count=100, rate=20))
    until(lambda: 3 in box.seen, "the stalled frame")
    began = time.monotonic()
    until(lambda: 8 in box.seen, "five more")
    assert time.monotonic() - began >= 0.2  # five intervals of 50 ms, not a burst


def test_a_paused_camera_is_read_on_and_nothing_old_comes_after(scripted, start, box, until) -> None:
    feed = scripted(count=10_000, live=True, rate=200)
    capture = start(feed)
    until(lambda: len(box.seen) > 3, "frames")
    capture.play(Playback(playing=False))
    until(lambda: feed.given > box.seen[-1] + 30, "pictures that nobody sees")
    last = box.seen[-1]
    capture.play(Playback(playing=True))
    until(lambda: box.seen[-1] > last + 5, "newer frames")
    assert not any(last < i <= last + 5 for i in box.seen)  # what came while paused was thrown away


def test_a_camera_is_off_within_a_second_of_stopping(scripted, start, until) -> None:
    """J03: the device is open exactly while somebody reads it."""

    def off_s() -> float:
        feed = scripted(count=10_000, live=True, rate=100)
        capture = start(feed)
        until(lambda: capture.holds, "the camera")
        began_s = time.monotonic()
        capture.ask_stop()
        until(lambda: feed.closed == 1, "the camera to be off")
        took_s = time.monotonic() - began_s
        assert not capture.holds
        return took_s

    assert any(off_s() < 1.0 for _ in range(3))  # a busy machine spoils a try, a fault each of them


def test_the_next_source_waits_for_the_device(scripted, start, until) -> None:
    feed = scripted(count=10_000, live=True, rate=50)
    first = start(feed)
    until(lambda: first.holds, "the camera")
    order: list[str] = []
    closing = feed.close
    feed.close = lambda: (order.append("closed"), closing())

    def opener():
        order.append("opened")
        return scripted(count=3)

    first.ask_stop()
    second = start(opener, after=first)
    until(lambda: second.info is not None, "the second source")
    assert order == ["closed", "opened"]


def test_a_live_source_that_ends_is_told_and_goes_on_by_itself(scripted, start, notices, until, box) -> None:
    """B04: numbers and times go on, too."""
    feed = scripted(count=3, live=True, rate=500)
    capture = start(feed)
    until(lambda: capture.lost, "the loss")
    assert "stopped sending pictures; connecting again" in notices.drain()[-1].text
    until(lambda: len(box.seen) >= 6, "six frames")
    assert box.seen[:6] == [0, 1, 2, 3, 4, 5]
    assert box.take(0).pts_s > 0.5
    assert notices.drain()[0].text == ""  # withdrawn
    assert not capture.failed


def test_b09_a_camera_that_was_silent_for_long_is_opened_again(start, box, notices, until) -> None:
    """As after the machine slept: the driver answers no more, and a new opening does."""
    asleep, awake = Device(3, "silent"), Device()
    devices = iter((asleep, awake))
    capture = start(lambda: CameraFeed(Camera(0, opener=lambda *_: next(devices), silence_s=0.3), "camera 0"))
    until(lambda: capture.lost, "the loss")
    assert "connecting again" in notices.drain()[-1].text
    asleep.let_go.set()
    until(lambda: not capture.lost, "the picture")
    assert not capture.failed
    assert box.seen == sorted(set(box.seen)), "numbers go on"


def test_a_live_source_that_never_gave_a_picture_is_not_tried_again(start, notices, until) -> None:
    def opener():
        raise Refusal("rtsp://host/cam", "it cannot be reached", "Check the host")

    capture = start(opener)
    until(lambda: capture.failed, "the end")
    assert not capture.lost
    assert "cannot be reached" in notices.drain()[-1].text


def test_a_refusal_is_shown_and_the_thread_ends(start, notices, until) -> None:
    def opener():
        raise Refusal("clip.mp4", "it is no clip", "Open another file")

    capture = start(opener)
    until(lambda: capture.failed, "the refusal")
    (notice,) = notices.drain()
    assert notice.level is Level.ERROR
    assert notice.text == "clip.mp4: it is no clip. Open another file"


def test_what_a_decoder_raises_ends_the_source_only(scripted, start, notices, box, until) -> None:
    feed = scripted(count=30, rate=500, fault_at=5)
    capture = start(feed)
    until(lambda: capture.failed, "the fault")
    assert box.seen == [0, 1, 2, 3, 4]
    assert feed.closed == 1
    notice = notices.drain()[-1]
    assert "UnicodeDecodeError" in notice.details
    assert "scripted" in notice.text


def test_an_empty_clip_is_refused(scripted, start, notices, until) -> None:
    capture = start(scripted(count=0))
    until(lambda: capture.failed, "the refusal")
    assert "no picture" in notices.drain()[-1].text


def test_notices_of_the_reader_are_passed_on_once(scripted, start, notices, until) -> None:
    capture = start(scripted(count=9, rate=500, notices=("ends early",)))
    until(lambda: not capture.playback.playing, "the end")
    assert [n.text for n in notices.drain() if n.text] == ["ends early"]


def test_a_paused_picture_is_given_again_as_new(scripted, start, box, until) -> None:
    capture = start(scripted(count=5), playback=Playback(playing=False))
    until(lambda: box.seen == [0], "the first frame")
    first = box.take(0)
    capture.show_again()
    until(lambda: box.seen == [0, 0], "it again")
    again = box.take(0)
    assert again.image is first.image
    assert again.captured_s > first.captured_s  # its age on screen counts from now


def test_a_bad_picture_of_a_folder_is_left_out_and_named(tmp_path, start, box, notices, until) -> None:
    from PIL import Image

    for number in (2, 10, 1):
        Image.new("RGB", (20 + number, 20)).save(tmp_path / f"p{number}.png")
    (tmp_path / "p3.png").write_bytes(b"not a picture")
    capture = start(lambda: open_feed(classify(str(tmp_path))), playback=Playback(speed=500))
    until(lambda: not capture.playback.playing, "the end")
    assert box.seen == [0, 1, 3]
    assert any("p3.png" in n.text for n in notices.drain())


def test_a_bad_single_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"nothing")
    with pytest.raises(Refusal, match=r"x\.png"):
        next(PicturesFeed(tmp_path / "x.png").frames())


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"no pictures\. Open a folder with PNG"):
        PicturesFeed(tmp_path)
    for n in range(5):
        (tmp_path / f"take {n}").mkdir()
        (tmp_path / f"take {n}" / ("1.png" if n else "notes.txt")).touch()
    with pytest.raises(Refusal, match=r"Open one of its folders: take 1, take 2, take 3$"):
        PicturesFeed(tmp_path)
    with pytest.raises(Refusal, match=r"Give one of its folders: take 1, take 2, take 3$"):
        PictureSequence.of(tmp_path)


@pytest.mark.parametrize(
    ("names", "numbered"),
    [
        (["a_001.png", "a_002.png", "a_003.png"], True),
        (["1.png", "2.png"], False),
        (["IMG_1.jpg", "IMG_5.jpg", "IMG_9.jpg"], False),
        (["cat.png", "dog.png", "owl.png"], False),
    ],
)
def test_a_numbered_sequence_is_told_from_an_album(names: list[str], numbered: bool) -> None:
    assert is_numbered([Path(n) for n in names]) == numbered
