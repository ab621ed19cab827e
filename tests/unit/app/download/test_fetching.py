"""Links among the sources of a command: `parse LINK`, `personalize LINK`."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from app.batch.options import ParseJob
from app.batch.plan import plan
from app.download.cache import DownloadCache
from app.download.messages import DownloadLimits
from app.download.sources import local_clip, local_clips
from runtime.system.errors import Refusal
from tests.unit.app.download.conftest import GOOD
from tests.unit.app.download.standin import StandIn, Video

LINK = f"https://youtu.be/{GOOD}"


def test_a_link_is_told_downloaded_and_found_again(good: Video, site: StandIn, capfd) -> None:
    command = site.command("youtube")
    path = Path(local_clip(LINK, command=command))
    assert path.read_bytes() == good.data
    assert path == DownloadCache().folder / f"{GOOD}.mp4"
    told = capfd.readouterr().err
    assert "A walk: 12 s, 640 x 360, about 0.3 MB (limits: 60 min, 1000 MB)" in told
    asked = len(site.asked)
    assert local_clip(LINK, style="json", command=command) == str(path)
    assert len(site.asked) == asked
    assert "already here" in json.loads(capfd.readouterr().out)["text"]


def test_a_file_that_is_called_like_a_link_is_a_file(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("scene:1.mp4").touch()
    assert local_clip("scene:1.mp4") == "scene:1.mp4"
    with pytest.raises(Refusal, match="only https links"):
        local_clip("scene:2.mp4")


def test_f05_over_a_limit_nothing_is_downloaded_and_the_option_is_named(
    good: Video, site: StandIn, capfd
) -> None:
    with pytest.raises(Refusal, match=r"12 s long, over the limit of 0.1 min.*--link-minutes N"):
        local_clip(LINK, DownloadLimits(minutes=0.1), command=site.command("youtube"))
    assert not any("videoplayback" in path for path in site.asked)
    assert "downloaded" not in capfd.readouterr().err


def test_parse_takes_a_link_and_a_refused_one_is_a_failed_input(
    good, site: StandIn, monkeypatch, tmp_path
) -> None:
    from app.commands import parse

    monkeypatch.setattr(parse, "local_clips", partial(local_clips, command=site.command("youtube")))
    options = {"save": ("labels",), "size": "96", "device": "cpu"}
    long = "https://youtu.be/long-video1?si=who-sent-it"
    site.videos["long-video1"] = Video(good.data, seconds=7200)
    assert parse.parse_all([LINK, long], tmp_path / "out", options, progress="none") == 1
    assert len(list((tmp_path / "out" / GOOD / "labels").glob("*.png"))) == 12
    records = json.loads((tmp_path / "out" / "manifest.json").read_text())["inputs"]
    assert [record["status"] for record in records] == ["ok", "failed"]
    assert "2 h 0 min long, over the limit of 60 min" in records[1]["reason"]
    assert "--link-minutes" in records[1]["reason"]
    assert "who-sent-it" not in (tmp_path / "out" / "manifest.json").read_text()


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan")])
def test_a_limit_that_is_none_is_refused(limit: float) -> None:
    with pytest.raises(Refusal, match="above 0"):
        DownloadLimits(minutes=limit)


def test_what_is_no_link_is_left_alone_and_a_bad_link_spoils_nothing_else(
    clip_bytes: bytes, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(clip_bytes)
    bad = "https://example.org/clip.mp4"
    paths, refused = local_clips([str(clip), bad])
    assert paths == [str(clip), bad]
    assert refused[0][0] == bad
    items = plan(ParseJob(tuple(paths), tmp_path / "out", refused=refused), {})
    assert [item.kind for item in items] == ["clip", "bad"]
    assert "only links to YouTube are taken, not to example.org" in items[1].reason
    assert items[1].path == bad
    again = ParseJob.from_json(
        json.loads(json.dumps(ParseJob(tuple(paths), tmp_path, refused=refused).to_json()))
    )
    assert again.refused == refused


def test_an_endless_stream_is_refused_without_its_password() -> None:
    with pytest.raises(Refusal, match="a stream has no end") as refused:
        local_clip("rtsp://ann:s3cret@cam/live")
    assert "s3cret" not in str(refused.value)
    _, bad = local_clips(["http://ann:s3cret@cam/live"])
    assert "s3cret" not in str(bad)
