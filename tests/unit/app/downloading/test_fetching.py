"""Links among the sources of a command: `parse LINK`, `personalize LINK`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.batch.job import Job
from app.batch.plan import plan
from app.downloading.fetching import local_clip, local_clips
from app.downloading.messages import Limits
from app.downloading.shelf import Shelf
from app.errors import Refusal
from tests.unit.app.downloading.conftest import GOOD
from tests.unit.app.downloading.standin import StandIn, Video

LINK = f"https://youtu.be/{GOOD}"


def test_a_link_is_told_downloaded_and_found_again(good: Video, site: StandIn, capfd) -> None:
    command = site.command("youtube")
    path = Path(local_clip(LINK, command=command))
    assert path.read_bytes() == good.data
    assert path == Shelf().folder / f"{GOOD}.mp4"
    told = capfd.readouterr().err
    assert "A walk: 12 s, 640 x 360, about 0.3 MB (limits: 60 min, 1000 MB)" in told
    asked = len(site.asked)
    assert local_clip(LINK, style="json", command=command) == str(path)
    assert len(site.asked) == asked
    assert "already here" in json.loads(capfd.readouterr().out)["text"]


def test_f05_over_a_limit_nothing_is_downloaded_and_the_option_is_named(
    good: Video, site: StandIn, capfd
) -> None:
    with pytest.raises(Refusal, match=r"12 s long, over the limit of 0.1 min.*--link-minutes N"):
        local_clip(LINK, Limits(minutes=0.1), command=site.command("youtube"))
    assert not any("videoplayback" in path for path in site.asked)
    assert "downloaded" not in capfd.readouterr().err


def test_what_is_no_link_is_left_alone_and_a_bad_link_spoils_nothing_else(
    clip_bytes: bytes, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(clip_bytes)
    bad = "https://example.org/clip.mp4"
    paths, refused = local_clips([str(clip), bad])
    assert paths == [str(clip), bad]
    assert refused[0][0] == bad
    items = plan(Job(tuple(paths), tmp_path / "out", refused=refused), {})
    assert [item.kind for item in items] == ["clip", "bad"]
    assert "only links to YouTube are taken, not to example.org" in items[1].reason
    assert items[1].path == bad
    again = Job.from_json(json.loads(json.dumps(Job(tuple(paths), tmp_path, refused=refused).to_json())))
    assert again.refused == refused
