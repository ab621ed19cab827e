"""Names of the sources opened last."""

from __future__ import annotations

from app.ui.menu_entries import LONGEST_PLACE, short_names


def test_names_that_are_alike_say_where_they_are() -> None:
    sources = ("/clips/a/walk.mp4", "http://127.0.0.1:8794/walk.mp4", "/clips/a/dance.mp4", "camera:Door")
    assert short_names(sources) == [
        "walk.mp4 – /clips/a", "walk.mp4 – http://127.0.0.1:8794", "dance.mp4", "camera:Door",
    ]  # fmt: skip


def test_a_long_place_does_not_widen_the_window() -> None:
    deep = "/" + "/".join("folder" for _ in range(30))
    first, second = short_names((f"{deep}/1/walk.mp4", f"{deep}/2/walk.mp4"))
    assert first.endswith("/1")
    assert second.endswith("/2")
    assert len(first) == len("walk.mp4 – ") + LONGEST_PLACE
