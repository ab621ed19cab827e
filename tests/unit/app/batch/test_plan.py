"""Names, folders and refusals before the first frame (row I05)."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.batch.options import FrameSpan, ParseJob
from app.batch.plan import PICTURE_FOLDERS, passed_over, plan, prepare, refuse_pictures_alone, safe
from runtime.frames import Frame
from runtime.media.images import read_image
from runtime.system.disk import CannotWriteError
from runtime.system.errors import Refusal, printable
from tests.drawn_media import draw_clip


def image(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path)
    return path


def job(out: Path, *sources: Path) -> ParseJob:
    return ParseJob(tuple(map(str, sources)), out)


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


def test_a_folder_of_folders_names_those_to_give(tmp_path: Path) -> None:
    above = tmp_path / "above"
    for name in ("images", "masks", ".hidden"):
        image(above / "set" / name / "1.png")
    (above / "set" / "empty").mkdir()
    with pytest.raises(Refusal, match=r"but in its folders images, masks\. Give one of them.* --recursive$"):
        plan(job(tmp_path / "o", above / "set"), {})
    with pytest.raises(Refusal, match=r"in it\. Give another folder.* --recursive$"):
        plan(job(tmp_path / "o", above), {})
    with pytest.raises(Refusal, match=r"in it\. Give another folder$"):
        plan(replace(job(tmp_path / "o", above / "set" / "empty"), recursive=True), {})


def test_pictures_alone_have_nothing_of_clips(tmp_path: Path) -> None:
    picture, clip = image(tmp_path / "1.png"), draw_clip(tmp_path / "a.mp4", 2)
    for save, sources, refused in (
        (("movement",), (picture,), True),
        (("csv", "movement"), (picture,), False),  # told of each picture; also what a model makes by default
        (("csv", "movement"), (picture, clip), False),
        (("csv",), (picture,), False),
    ):
        todo = replace(job(tmp_path / "o", *sources), save=save)
        with pytest.raises(Refusal, match=r"--save movement: .*ffmpeg") if refused else nullcontext():
            refuse_pictures_alone(todo, plan(todo, {}))


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
        ParseJob((str(tmp_path / "absent.mp4"), str(tmp_path / "empty.mp4"), "https://a.b/c"), tmp_path), {}
    )
    assert [i.kind for i in items] == ["bad"] * 3
    assert "no such file" in items[0].reason
    assert "empty" in items[1].reason
    assert "only files are parsed" in items[2].reason


def test_a_bad_argument_fails_alone(tmp_path: Path) -> None:
    """A link to itself, a name no disk takes, a folder nobody may enter: row A20, and the plan goes on."""
    good, loop, gone = image(tmp_path / "good.png"), tmp_path / "loop.png", tmp_path / "gone.mp4"
    loop.symlink_to(loop)
    gone.symlink_to(tmp_path / "nowhere")
    endless = tmp_path / ("n" * 300 + ".png")
    todo = job(tmp_path / "out", loop, endless, gone, good, tmp_path)
    items = plan(todo, {})
    prepare(todo, items)
    assert [(i.kind, i.shown) for i in items] == [
        ("bad", "loop.png"), ("bad", printable(endless.name)), ("bad", "gone.mp4"), ("image", "good.png"),
    ]  # fmt: skip
    assert all(i.reason for i in items[:3])


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that others reach: pytest closes its own to them whenever another run begins."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody without rights")
def test_a_folder_without_rights_fails_alone(open_folder: Path) -> None:
    closed, inner = (
        image(open_folder / "closed" / "a.png"),
        image(open_folder / "in" / "inner" / "b.png").parent,
    )
    image(open_folder / "in" / "c.png")
    (open_folder / "out").mkdir(mode=0o777)
    script = f"""if True:
        import os, sys
        from pathlib import Path
        from app.batch.options import ParseJob
        from app.batch.plan import passed_over, plan
        os.setuid(65534)
        sources = {str(closed)!r}, {str(closed.parent)!r}, {str(open_folder / "in")!r}
        todo = ParseJob(sources, Path({str(open_folder / "out")!r}), recursive=True)
        print([(i.kind, i.shown) for i in plan(todo, {{}})], passed_over(todo))"""
    open_folder.chmod(0o755)
    closed.parent.chmod(0o600)
    inner.chmod(0)
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert run.stderr == ""
    wanted = [("bad", "a.png"), ("bad", "closed"), ("image", "c.png"), ("bad", "inner")]
    assert run.stdout.startswith(str(wanted))


def test_the_probe_of_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row C07."""

    def fill(path: Path, data: bytes) -> int:
        path.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(CannotWriteError, match=f"output {tmp_path}: the disk is full"):
        prepare(job(tmp_path), [])
    assert list(tmp_path.iterdir()) == []


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
    out = tmp_path / "out"
    assert passed_over(job(out, folder, folder / "x.png", tmp_path / "absent")) == []
    for name in ("a.txt", "b", ".hidden"):
        (folder / name).touch()
    (folder / "inner.png").mkdir()
    skipped = (
        "in: 1 subfolder and 2 files skipped, neither a picture nor a clip; --recursive enters subfolders"
    )
    assert passed_over(job(out, folder)) == [skipped]


def test_recursive_enters_folders_but_not_the_output(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "in" / "out"
    for path in (
        folder / "b.png",
        folder / "a" / "deep" / "b.png",
        folder / ".hidden" / "c.png",
        out / "d.png",
    ):
        image(path)
    (folder / "a" / "notes.txt").touch()
    (folder / "round").symlink_to(folder)
    whole = replace(job(out, folder), recursive=True)
    assert [(i.name, i.shown) for i in plan(whole, {})] == [("b", "b.png"), ("b-2", "b.png")]
    assert passed_over(whole) == ["in: 1 file skipped, neither a picture nor a clip"]
    assert [i.path for i in plan(job(out, folder), {})] == [str(folder / "b.png")]
    assert [i.file_name for i in plan(whole, {})] == ["a/deep/b.png", "b.png"]  # told apart in coco.json


@pytest.mark.parametrize(
    ("text", "every", "wanted"),
    [("", 1, range(10)), ("2:4", 1, range(2, 5)), ("3:99", 3, range(3, 10, 3)), ("", 4, range(0, 10, 4))],
)
def test_the_frames_of_a_span(text: str, every: int, wanted: range) -> None:
    span = FrameSpan.parse(text, every)
    picture = np.zeros((2, 2, 3), np.uint8)
    indices = [f.index for f in span.of(Frame(picture, n, n / 25, 0.0) for n in range(10))]
    assert indices == list(wanted) == list(span.indices(len(wanted)))
    assert span.count(10) == len(wanted)


@pytest.mark.parametrize(
    ("text", "every"), [("9:3", 1), ("a:b", 1), ("3", 1), ("-1:4", 1), ("1:2:3", 1), (":", 1), ("", 0)]
)
def test_spans_that_are_none(text: str, every: int) -> None:
    with pytest.raises(ValueError, match=r"--frames takes|--every takes|ends before it begins"):
        FrameSpan.parse(text, every)


def test_an_empty_picture_is_not_called_a_video(tmp_path: Path) -> None:
    (tmp_path / "x.png").touch()
    with pytest.raises(Refusal, match="the file is empty") as refused:
        read_image(tmp_path / "x.png")
    assert "video" not in str(refused.value)
