"""Which links are taken: rows F01 and F02 of the fault model. Nothing here opens a connection."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.media.links import LONGEST, check_link, looks_like_link
from runtime.media.sources import classify
from runtime.system.errors import Refusal

ID = "dQw4w9WgXcQ"
PAGE = f"https://www.youtube.com/watch?v={ID}"


@pytest.mark.parametrize(
    "text",
    [
        PAGE,
        f"HTTPS://YouTube.com/watch?v={ID}",
        f"https://m.youtube.com/watch?v={ID}&list=PL0123456789&index=4&t=30s",
        f"https://music.youtube.com/watch?v={ID}&si=abc",
        f"https://youtu.be/{ID}?t=12",
        f"https://youtube.com:443/shorts/{ID}",
        f"https://youtube-nocookie.com/embed/{ID}",
        f"https://www.youtube-nocookie.com/embed/{ID}?rel=0",
        f"https://www.youtube.com/live/{ID}#comment",
    ],
)
def test_every_way_to_name_one_video_becomes_one_address_of_ours(text: str) -> None:
    link = check_link(text)
    assert (link.id, link.page) == (ID, PAGE)
    source = classify(text)
    assert (source.kind, source.link) == ("link", PAGE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "file:///etc/passwd",
        "data:video/mp4;base64,AAAA",
        "ftp://youtube.com/watch?v=" + ID,
        f"rtsp://youtube.com/{ID}",
        "smb://youtube.com/x",
        "javascript:alert(1)",
        "-o/tmp/x",
        "--exec=touch x",
        f"http://www.youtube.com/watch?v={ID}",
        f"{PAGE}\n",
        f"{PAGE}\r\nHost: x",
        f"{PAGE}\0",
        f"{PAGE}\x1b[2J",
        f" {PAGE}",
        f"{PAGE} --exec x",
        "https://www.youtube.com/watch?v=" + "A" * 1_000_000,
        f"{PAGE}&x={'a' * LONGEST}",
        "ytsearch:dance",
        f"youtube:{ID}",
    ],
)
def test_f01_nothing_but_https_and_a_video_is_taken(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        check_link(text)
    assert len(str(refused.value)) < 400
    with pytest.raises(Refusal):
        classify(text)


@pytest.mark.parametrize(
    "text",
    [
        f"https://youtube.com.evil.example/watch?v={ID}",
        f"https://evilyoutube.com/watch?v={ID}",
        f"https://youtube.com@127.0.0.1/watch?v={ID}",
        f"https://127.0.0.1@youtube.com/watch?v={ID}",
        f"https://user:pass@www.youtube.com/watch?v={ID}",
        f"https://www.youtubе.com/watch?v={ID}",
        f"https://xn--youtue-tg7b.com/watch?v={ID}",
        f"https://www.youtube.com:8443/watch?v={ID}",
        f"https://www.youtube.com:80/watch?v={ID}",
        f"https://www.youtube.com:/../{ID}",
        f"//www.youtube.com/watch?v={ID}",
        f"https:///www.youtube.com/watch?v={ID}",
        f"https://www.youtube.com\\@evil.example/watch?v={ID}",
        f"https://[::1]/watch?v={ID}",
        "https://[::1",
        f"https://2130706433/watch?v={ID}",
        f"https://0x7f.1/watch?v={ID}",
        f"https://www.youtube.com./watch?v={ID}",
        f"https://sub.www.youtube.com/watch?v={ID}",
        f"https://www.youtube.com/redirect?q=https://evil.example&v={ID}",
        f"https://www.youtube.com/watch?v={ID}&v=AAAAAAAAAAA",
        "https://www.youtube.com/watch?v=../../../x",
        f"https://www.youtube.com/watch/{ID}",
        f"https://youtu.be/{ID}/../x",
        f"https://www.youtube.com/watch?v={ID}%00",
        f"https://www.youtube.com/embed/{ID}x",
        "https://www.youtube.com",
        f"https://www.youtube.com%2eevil.example/watch?v={ID}",
        f"https://www.youtube.com:99999/watch?v={ID}",
    ],
)
def test_f02_a_host_is_compared_exactly_and_once(text: str) -> None:
    with pytest.raises(Refusal):
        check_link(text)


@pytest.mark.parametrize(
    "path",
    ["playlist?list=PL1", "@somebody", "channel/UC123/videos", "results?search_query=x", "c/x", "user/x"],
)
def test_f05_a_list_of_videos_has_words_of_its_own(path: str) -> None:
    with pytest.raises(Refusal, match="list of videos"):
        check_link(f"https://www.youtube.com/{path}")


@given(st.text(max_size=80) | st.from_regex(r"https://[\w.@:/\\?=%\[\]-]{0,60}", fullmatch=True))
def test_whatever_is_given_the_address_that_is_asked_is_ours(text: str) -> None:
    try:
        link = check_link(text)
    except Refusal:
        return
    assert link.page == f"https://www.youtube.com/watch?v={link.id}"
    assert len(link.id) == 11
    assert looks_like_link(text)


def test_checking_a_link_loads_no_network_code() -> None:
    assert "yt_dlp" not in sys.modules
