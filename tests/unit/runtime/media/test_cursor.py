"""Any walk over a clip gives exactly the frames asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtime.media import cursor as module
from runtime.media.cursor import Cursor


@given(
    count=st.integers(1, 130),
    moves=st.lists(st.one_of(st.none(), st.integers(0, 200)), max_size=30),
)
def test_every_walk_gives_the_frame_that_was_asked_for(scripted, count: int, moves: list[int | None]) -> None:
    cursor = Cursor(scripted(count=count))
    at = 0
    for move in moves:
        if move is None:
            frame = cursor.peek()
            assert (frame.index if frame else None) == (at if at < count else None)
            cursor.advance()
            at = min(at + 1, count)
        else:
            at = min(move, count - 1)
            frame = cursor.move(move)
            assert frame is not None
            assert frame.index == at
            assert int(frame.image[0, 0, 0]) == at % 256


def test_stepping_back_does_not_decode_again(scripted) -> None:
    feed = scripted(count=200)
    cursor = Cursor(feed)
    cursor.move(100)
    seeks = len(feed.starts)
    for index in range(99, 99 - module.LEAD + 1, -1):
        assert cursor.move(index).index == index
    assert len(feed.starts) <= seeks + 1  # one jump back brings the frames before it along


def test_memory_is_bounded(scripted, monkeypatch) -> None:
    monkeypatch.setattr(module, "MEMORY_BYTES", 10 * 32 * 32 * 3)
    cursor = Cursor(scripted(count=100))
    while cursor.peek() is not None:
        cursor.advance()
    assert len(cursor._memory) <= 10


def test_a_stop_ends_a_long_jump(scripted) -> None:
    asked: list[int] = []

    def stopped() -> bool:
        asked.append(1)
        return len(asked) > 5

    cursor = Cursor(scripted(count=10_000), stopped)
    cursor.move(20)
    assert len(asked) < 10
