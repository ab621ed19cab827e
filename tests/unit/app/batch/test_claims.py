"""Claims on result files: packed for frames, and never on a file that somebody else wrote."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.batch.claims import (
    OwnFiles,
    claim_on,
    claim_on_file,
    claim_on_frames,
    claims_from_json,
    holding,
    merged,
    there,
)
from runtime.output.growing_file import GrowingText
from tests.unit.app.fault_injection import failing_call


@given(st.integers(0, 50), st.integers(1, 7), st.integers(0, 30), st.integers(0, 300))
def test_frames_are_claimed_one_by_one(first: int, every: int, count: int, index: int) -> None:
    claims = {"labels": claim_on_frames((claim_on(b"%d" % n) for n in range(count)), first, every)}
    assert claims_from_json({**claims, "../x": ""}, claims) == claims
    name = f"labels/{index:06d}.png"
    place, other = divmod(index - first, every)
    ours = 0 <= place < count and not other
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.parent.mkdir()
        path.write_bytes(b"%d" % place)
        assert holding(claims, Path(folder), name) == (claim_on_file(path) if ours else "")
        path.write_bytes(b"other")
        assert holding(claims, Path(folder), name) == ""


@pytest.mark.parametrize(
    "raw",
    [[], {"labels": 7}, {"labels": "0+0:"}, {"labels": "0+1:abc"}, {"a": "3:beef"}, {"a": "-1:" + "0" * 64}],
)
def test_what_is_no_claim(raw: object) -> None:
    with pytest.raises(ValueError, match="claims"):
        claims_from_json(raw, ("labels", "a"))


def test_links_pipes_and_folders_are_nobodys_results(tmp_path: Path) -> None:
    """A claim on a name alone does not let a run write through a link, either."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "a.json").symlink_to(victim)
    os.mkfifo(tmp_path / "b.json")
    (tmp_path / "c.json").mkdir()
    (tmp_path / "d.json").write_text("a result")
    names = ["a.json", "b.json", "c.json", "d.json"]
    own = OwnFiles(tmp_path, dict.fromkeys(names, ""), {})
    assert list(there(tmp_path, names)) == names
    for resume in (False, True):
        assert [n for n in names if own.in_the_way([n], resume=resume)] == names[:3]
    own.remove_replaced({})
    OwnFiles(tmp_path, {}, dict.fromkeys(names, "")).remove_replaced({})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "b.json", "c.json", "victim"]


def test_claims_of_two_runs_on_one_name_are_on_the_name() -> None:
    assert merged({"a": "1:x", "b": "1:y"}, {"b": "1:z", "c": "1:w"}) == {"a": "1:x", "b": "", "c": "1:w"}


def test_a_picture_with_another_size_is_edited_and_half_of_one_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "labels" / "000000.png"
    path.parent.mkdir()
    Image.new("L", (20, 20), 3).save(path)
    own = OwnFiles(tmp_path, {"labels": claim_on_frames([claim_on(b"as it was written")], 0, 1)}, {})
    assert own.in_the_way(there(tmp_path, ["labels"]), resume=True) == "labels/000000.png"
    path.write_bytes(path.read_bytes()[:-9])
    assert own.in_the_way(there(tmp_path, ["labels"]), resume=True) == ""


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path) -> None:
    file = GrowingText(tmp_path / "parts.csv")
    file.put("text")
    with failing_call(10**9, 0) as injector:
        file.finish()
    assert injector.calls.index("fsync") < injector.calls.index("replace")
    assert (tmp_path / "parts.csv").read_text() == "text"
