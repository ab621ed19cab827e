"""Names, settings that lie about, and what arrived (rows F07, F09, F12)."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from app.download import worker
from app.download.cache import DownloadCache
from app.download.messages import DownloadLimits, DownloadRequest
from runtime.media.clips import Clip
from runtime.media.links import YOUTUBE, Link
from runtime.system.errors import Refusal
from tests.unit.app.download.conftest import GOOD, Starter, fetch
from tests.unit.app.download.standin import Video

LINK = Link(GOOD, YOUTUBE.page.format(GOOD))


# -- F07: names


@pytest.mark.parametrize(
    "title", ["../../x", "CON", "a" * 500, "🕺 \u202egpj.exe", "%(id)s %(title)s", "<b>x</b>\n\x1b[2J"]
)
def test_f07_no_title_names_a_file(title: str, tmp_path: Path) -> None:
    """The name is made before the title is known, and holds no field; only the question shows the title."""
    made = worker.Worker(DownloadRequest(GOOD, tmp_path / "%(title)s", DownloadLimits()))
    info = {"ext": "mp4", "title": title, "id": title, "duration": 3}
    assert made._template("mp4") == f"{tmp_path}/%%(title)s/{GOOD}.mp4"
    found = made._found(info)
    assert found.title.isprintable()
    assert len(found.title) <= 120


@pytest.mark.parametrize("suffix", ["exe", "php", "../mp4", "mkv"])
def test_f07_an_ending_that_is_not_on_the_list_is_refused(suffix: str, tmp_path: Path) -> None:
    class Site:
        def extract_info(self, *_: object, **__: object) -> dict[str, object]:
            return {"ext": suffix, "title": "x"}

        def process_ie_result(self, raw: dict[str, object], **_: object) -> dict[str, object]:
            return raw

    with pytest.raises(Refusal, match="neither MP4 nor WebM"):
        worker.Worker(DownloadRequest(GOOD, tmp_path, DownloadLimits()))._query(Site())


def test_f07_a_hostile_title_all_the_way(
    good: Video, start: Starter, cache: DownloadCache, tmp_path: Path
) -> None:
    good.title = "../../../escaped %(id)s\x1b[2J<b>"
    download = start(mode="youtube")
    found = download.query(lambda: None)
    path = download.fetch(lambda _: None)
    cache.name(LINK, found.title)
    assert path == cache.folder / f"{GOOD}.mp4"
    assert sorted(p.name for p in tmp_path.rglob("*")) == [cache.folder.name, path.name, f"{GOOD}.title.txt"]
    assert "\x1b" not in cache.title(LINK)
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700
    with Clip(path) as clip:
        assert clip.frames_expected == 12


# -- F09: what lies on the disk


def test_f09_no_settings_plugins_cookies_or_passwords_of_yt_dlp_are_read(
    good, start: Starter, site, tmp_path, monkeypatch
) -> None:
    home, plugins = tmp_path / "home", ".config/yt-dlp/plugins/mine"
    trap = f"open({str(tmp_path / 'trapped')!r}, 'w')"
    traps = {
        ".config/yt-dlp/config": f"--exec touch {tmp_path}/trapped\n-o {tmp_path}/trapped",
        ".config/yt-dlp.conf": f"--exec touch {tmp_path}/trapped",
        "yt-dlp.conf": f"--write-link -o {tmp_path}/trapped",
        ".netrc": "machine youtube login me password secret",
        f"{plugins}/yt_dlp_plugins/extractor/trap.py": trap,
        "yt_dlp_plugins/extractor/trap.py": trap,
        "app/download/worker.py": trap,
        "app/__init__.py": "",
    }  # fmt: skip
    for name, text in traps.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("PYTHONPATH", str(home / plugins))
    monkeypatch.chdir(home)
    download = start(mode="youtube")
    download.query(lambda: None)
    download.fetch(lambda _: None)
    assert not (tmp_path / "trapped").exists()
    assert site.cookies == []


def test_f09_what_yt_dlp_is_told_asks_for_nothing_of_the_user(tmp_path: Path) -> None:
    options = worker.Worker(DownloadRequest(GOOD, tmp_path, DownloadLimits())).options()
    reads = {"cookiefile", "cookiesfrombrowser", "usenetrc", "netrc_cmd", "username", "config_location"}
    runs = {
        "postprocessors",
        "exec_cmd",
        "external_downloader",
        "writelink",
        "writethumbnail",
        "writesubtitles",
    }
    assert (reads | runs) & options.keys() == set()
    assert options["allowed_extractors"] == ["^youtube$"]
    assert options["socket_timeout"] == 15.0
    assert (options["proxy"], options["cachedir"], options["noplaylist"]) == ("", False, True)


# -- F12: what arrived


def test_f12_a_hostile_clip_meets_the_checks_of_any_opened_file(
    good: Video, start: Starter, cache: DownloadCache
) -> None:
    good.data, whole = b"#EXTM3U\n#EXT-X-VERSION:3\nhttp://127.0.0.1/x.ts\n" * 40, good.data
    with pytest.raises(Refusal, match="play list"):
        fetch(start)
    path = cache.folder / f"{GOOD}.mp4"
    assert not path.exists()
    (cache.folder.parent / "secret.mp4").write_bytes(whole)
    secret = f"ffconcat version 1.0\nfile {cache.folder.parent}/secret.mp4\n"
    for data, words in (
        (secret.encode() * 40, "play list"),
        (whole[:600] + bytes(64), "cut off|not a video"),
        (os.urandom(5000), "not a video"),
    ):
        path.write_bytes(data)
        with pytest.raises(Refusal, match=words):
            cache.arrived(path)
        assert cache.kept(LINK) is None


def test_a_downloaded_clip_is_opened_again_without_the_network(
    good: Video, start: Starter, cache: DownloadCache, site
) -> None:
    cache.prepare()
    (cache.folder / f"{GOOD}.mp4.part").write_bytes(b"of another stream")
    (cache.folder / f"{GOOD}.mp4.part.of").write_text("137 99 1920x1080")
    path = fetch(start)
    assert path.read_bytes() == good.data
    asked = len(site.asked)
    assert cache.kept(LINK) == path
    assert cache.link_of(path) == LINK
    assert cache.link_of(path.parent.parent / path.name) is None
    path.write_bytes(b"damaged since")
    assert cache.kept(LINK) is None
    assert len(site.asked) == asked
    old = cache.folder / "forgotten01.mp4.part"
    old.write_bytes(b"x")
    os.utime(old, (0, 0))
    cache.prepare()
    assert not old.exists()
