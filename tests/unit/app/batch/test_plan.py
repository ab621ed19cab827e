"""Names, folders and refusals before the first frame (row I05)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.batch.options import Job
from app.batch.plan import PICTURE_FOLDERS, passed_over, plan, prepare, safe
from runtime.media.images import read_image
from runtime.system.errors import Refusal
from tests.drawn_media import draw_clip


def image(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path)
    return path


def job(out: Path, *sources: Path) -> Job:
    return Job(tuple(map(str, sources)), out)


def test_inputs_of_one_name_get_names_of_their_own(tmp_path: Path) -> None:
    paths = [image(tmp_path / p) for p in ("a/x.png", "b/x.jpg", "c/X.png", "d/y.png")]
    items = plan(job(tmp_path / "out", *paths, paths[0]), {})
    assert [i.name for i in items] == ["x", "x-2", "X-3", "y"]
    assert [i.file_name for i in items] == ["x.png", "x.jpg", "X.png", "y.png"]
    again = plan(job(tmp_path / "out", paths[1], paths[0]), {str(paths[1]): "x-2"})
    assert [i.name for i in again] == ["x-2", "x"]


def test_a_folder_stands_for_its_pictures_and_clips_in_order(tmp_path: Path) -> None:
    for name in ("10.png", "9.png", ".hidden.png"):
        image(tmp_path / "in" / name)
    draw_clip(tmp_path / "in" / "1.mp4", 2)
    (tmp_path / "in" / "notes.txt").touch()
    assert [(i.name, i.kind) for i in plan(job(tmp_path / "o", tmp_path / "in"), {})] == [
        ("1", "clip"), ("9", "image"), ("10", "image")]  # fmt: skip
    (tmp_path / "empty").mkdir()
    with pytest.raises(Refusal, match="no pictures or clips"):
        plan(job(tmp_path / "o", tmp_path / "empty"), {})


@pytest.mark.parametrize("name", ["labels", "overlay", "Silhouettes", "cutout"])
def test_a_clip_never_shares_a_folder_with_the_pictures(tmp_path: Path, name: str) -> None:
    clip = draw_clip(tmp_path / f"{name}.mp4", 2)
    (item,) = plan(job(tmp_path / "out", clip), {})
    assert item.name.casefold() not in PICTURE_FOLDERS


@given(st.text(max_size=300))
def test_no_name_leaves_the_folder(stem: str) -> None:
    name = safe(stem)
    assert name
    assert Path(name).name == name
    assert name not in (".", "..")
    assert len(name.encode("utf-8", "replace")) <= 255
    assert name.isprintable()


def test_bad_inputs_are_kept_with_their_reason(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    items = plan(
        Job((str(tmp_path / "absent.mp4"), str(tmp_path / "empty.mp4"), "https://a.b/c"), tmp_path), {}
    )
    assert [i.kind for i in items] == ["bad"] * 3
    assert "no such file" in items[0].reason
    assert "empty" in items[1].reason
    assert "links" in items[2].reason


def test_results_are_never_written_over_an_input(tmp_path: Path) -> None:
    for path in (tmp_path / "labels" / "a.png", tmp_path / "overlay" / "b.jpg"):
        todo = job(tmp_path, image(path))
        with pytest.raises(Refusal, match="written over"):
            prepare(todo, plan(todo, {}))
        assert read_image(path).shape == (8, 8, 3)
    clip = tmp_path / "c" / "overlay.mp4"
    clip.parent.mkdir()
    todo = job(tmp_path, draw_clip(tmp_path / "c.mp4", 2), draw_clip(clip, 2))
    with pytest.raises(Refusal, match="written over"):
        prepare(todo, plan(todo, {}))
    (tmp_path / "link").symlink_to(tmp_path / "labels")
    todo = job(tmp_path, tmp_path / "link" / "a.png")
    with pytest.raises(Refusal, match="written over"):
        prepare(todo, plan(todo, {}))


def test_a_place_that_will_not_do_is_refused(tmp_path: Path) -> None:
    path = image(tmp_path / "x.png")
    (tmp_path / "file").touch()
    with pytest.raises(Refusal, match="not a folder"):
        prepare(job(tmp_path / "file", path), [])
    with pytest.raises(Refusal):
        prepare(job(tmp_path / "file" / "below", path), [])
    with pytest.raises(Refusal):
        prepare(job(Path("/proc/nowhere"), path), [])


def test_what_is_passed_over_in_a_folder_is_counted(tmp_path: Path) -> None:
    folder = image(tmp_path / "in" / "x.png").parent
    assert passed_over([str(folder), str(folder / "x.png"), str(tmp_path / "absent")]) == []
    for name in ("a.txt", "b", ".hidden"):
        (folder / name).touch()
    (folder / "inner.png").mkdir()
    said = ["in: 1 subfolder and 2 files skipped, neither a picture nor a clip"]
    assert passed_over([str(folder)]) == said


def test_an_empty_picture_is_not_called_a_video(tmp_path: Path) -> None:
    (tmp_path / "x.png").touch()
    with pytest.raises(Refusal, match="the file is empty") as refused:
        read_image(tmp_path / "x.png")
    assert "video" not in str(refused.value)
