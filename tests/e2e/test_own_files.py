"""Ownership in the output folder: files of the user stay, those of a run are replaced by whole ones."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.batch.item import loaded
from app.batch.options import FrameSpan, ParseJob
from app.batch.run import BatchRun
from app.commands.parse import checked_saves, parse_all
from runtime.media.clips import Clip
from runtime.system.errors import Refusal
from runtime.system.reporter import ProgressReporter
from runtime.system.stop_signal import Stop
from tests.drawn_media import draw_clip, picture
from tests.e2e.command import files, manifest

ALL = checked_saves("labels,silhouettes,overlay,coco,csv,alpha")
SMALL = {"size": "64", "device": "cpu"}


def parse(sources: list[Path], out: Path, **options: object) -> int:
    return parse_all([str(s) for s in sources], out, {**SMALL, **options}, progress="none")


def draw_picture(path: Path) -> Path:
    Image.fromarray(picture(3, (96, 64))).save(path)
    return path


def hand_made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((64, 96), 7, np.uint8)).save(path)
    return path


def test_files_of_the_user_are_in_the_way_and_stay(tmp_path: Path) -> None:
    """Hand-made labels beside the clips, results without a manifest: row I05."""
    clips = [draw_clip(tmp_path / f"{n}.mp4", 3) for n in "abcde"]
    hand_made(tmp_path / "a" / "labels" / "000100.png")
    for path in ("b/overlay.part.mp4", "c/coco.json", "d/notes.txt"):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text("mine")
    (tmp_path / "e").write_text("a file, where a folder has to be")
    before = files(tmp_path)
    for resume in (False, True):
        assert parse(clips, tmp_path, save=("labels", "overlay", "coco"), resume=resume) == 1
        records = manifest(tmp_path)
        assert [r["status"] for r in records.values()] == ["failed", "failed", "failed", "ok", "failed"]
        assert "a/labels/000100.png is in the way" in records["a.mp4"]["reason"]
        assert "b/overlay.part.mp4 is in the way" in records["b.mp4"]["reason"]
        assert "e is in the way" in records["e.mp4"]["reason"]
        assert files(tmp_path).items() >= before.items()
        assert not {p.name for p in (tmp_path / "a").iterdir()} - {"labels"}


def test_files_of_the_user_stay_where_pictures_share_folders(tmp_path: Path) -> None:
    inputs = [draw_picture(tmp_path / f"{n}.png") for n in "ab"]
    out = tmp_path / "out"
    hand_made(out / "labels" / "a.png")
    before = files(out)
    assert parse(inputs, out, save=("labels",)) == 1
    records = manifest(out)
    assert "labels/a.png is in the way" in records["a.png"]["reason"]
    assert records["b.png"]["status"] == "ok"
    (out / "coco.json").write_text("mine")
    assert parse(inputs, out, save=("coco",), resume=True) == 1
    assert "coco.json is in the way" in manifest(out)["b.png"]["reason"]
    assert files(out).items() >= {**before, "coco.json": b"mine"}.items()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "labels.json").write_text("mine")
    with pytest.raises(Refusal, match=r"labels\.json is in the way.*choose another --out"):
        parse(inputs, tmp_path / "other")
    assert files(tmp_path / "other") == {"labels.json": b"mine"}


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda data: b"",
    "halved": lambda data: data[: len(data) // 2],
    "zeroed": lambda data: bytes(len(data)),
    "flipped": lambda data: (
        data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]
    ),
}


def test_resume_makes_damaged_results_again(tmp_path: Path) -> None:
    """Row I02."""
    inputs, out = [draw_clip(tmp_path / "a.mp4", 4), draw_picture(tmp_path / "b.png")], tmp_path / "out"
    assert parse(inputs, out, save=ALL) == 0
    whole = files(out)
    damaged = [
        *(
            "overlay.mp4",
            "cutout.mov",
            "coco.json",
            "parts.csv",
            "labels/000002.png",
            "silhouettes/000000.png",
        ),
        *("../coco.json", "../parts.csv", "../labels/b.png", "../overlay/b.jpg", "../cutout/b.png"),
    ]
    for damage in DAMAGES.values():
        for name in damaged:
            path = out / "a" / name
            path.write_bytes(damage(path.read_bytes()))
        assert parse(inputs, out, save=ALL, resume=True) == 0
        made = files(out)
        assert manifest(out)["a.mp4"]["notices"] == ["6 damaged result files were made again"]
        with Clip(out / "a" / "overlay.mp4") as overlay:  # x264 may choose other bytes
            assert sum(1 for _ in overlay.frames()) == 4
        assert made | {"a/overlay.mp4": whole["a/overlay.mp4"]} == whole
    assert parse(inputs, out, save=ALL, resume=True) == 0
    assert files(out) == made


def test_a_label_that_somebody_edited_is_no_damage(tmp_path: Path) -> None:
    clip, out = draw_clip(tmp_path / "a.mp4", 3), tmp_path / "out"
    assert parse([clip], out, save=("labels", "csv")) == 0
    hand_made(out / "a" / "labels" / "000001.png")
    table = out / "a" / "parts.csv"
    table.write_text(table.read_text() + "a remark\n")
    before = files(out)
    for resume in (False, True):
        assert parse([clip], out, save=("labels", "csv"), resume=resume) == 1
        assert "a/labels/000001.png is in the way" in manifest(out)["a.mp4"]["reason"]
    assert parse([clip], out, save=("csv",)) == 1
    assert "a/parts.csv is in the way" in manifest(out)["a.mp4"]["reason"]
    assert files(out) == before


def test_results_of_another_run_do_not_stay_beside_new_ones(tmp_path: Path) -> None:
    clip, out = draw_clip(tmp_path / "a.mp4", 9), tmp_path / "out"
    assert parse([clip], out, save=("labels", "silhouettes", "overlay")) == 0
    before = files(out)
    assert parse([clip], out, save=("csv",)) == 0  # of the same recipe: they go together
    assert before.items() <= files(out).items()
    (out / "a" / "notes.txt").write_text("mine")
    whole = files(out)
    assert parse([clip], out, save=("labels",), span=FrameSpan(2, 4)) == 1
    lost = (
        "silhouettes, overlay, csv of an earlier run with frames all would be deleted. Choose another --out"
    )
    assert lost in manifest(out)["a.mp4"]["reason"]
    assert files(out) == whole
    for name in ("a/overlay.mp4", "a/parts.csv", *(f"a/silhouettes/{n:06d}.png" for n in range(9))):
        (out / name).unlink()  # as told, by hand
    assert parse([clip], out, save=("labels",), span=FrameSpan(2, 4)) == 0
    assert sorted(files(out)) == [
        "a/labels/000002.png", "a/labels/000003.png", "a/labels/000004.png", "a/notes.txt", "labels.json"
    ]  # fmt: skip
    assert parse([clip], out, save=("labels",), span=FrameSpan(2, 4), resume=True) == 0


def test_a_try_that_wrote_nothing_leaves_the_earlier_results_finished(tmp_path: Path) -> None:
    inputs, out = [draw_clip(tmp_path / "a.mp4", 9), draw_picture(tmp_path / "b.png")], tmp_path / "out"
    what = {"save": ("labels", "overlay"), "span": FrameSpan(0, 6)}
    assert parse(inputs, out, **what) == 0
    whole, made_ns = files(out), (out / "a" / "overlay.mp4").stat().st_mtime_ns
    kept = inputs[1].read_bytes()
    inputs[1].write_bytes(b"")
    assert parse(inputs, out, save=("labels", "overlay"), span=FrameSpan(900, 901), views="1") == 1
    assert "it has no frame 900" in manifest(out)["a.mp4"]["reason"]
    inputs[1].write_bytes(kept)
    assert parse(inputs[:1], out, save=("labels",), span=FrameSpan(0, 2)) == 1  # it would lose the overlay
    assert parse(inputs, out, **what, resume=True) == 0
    assert files(out) == whole
    assert (out / "a" / "overlay.mp4").stat().st_mtime_ns == made_ns


def test_an_input_not_reached_keeps_what_goes_with_the_results_to_come(tmp_path: Path) -> None:
    inputs, out = [draw_clip(tmp_path / "a.mp4", 3), draw_clip(tmp_path / "b.mp4", 3)], tmp_path / "out"
    assert parse(inputs, out, save=("labels",)) == 0
    with Stop().on_signals() as stop, closing(ProgressReporter("none")) as reporter:
        job, _, model = loaded(ParseJob(tuple(map(str, inputs)), out, save=("csv",), **SMALL), 1)
        signal.raise_signal(signal.SIGTERM)
        run = BatchRun(job, stop, model, reporter)
        run.start()
        assert run.all(lambda _items, _report: iter(())) == 1
    assert "not reached" in manifest(out)["b.mp4"]["reason"]
    assert parse(inputs, out, save=("csv",), resume=True) == 0
    assert {"b/labels/000002.png", "b/parts.csv"} <= files(out).keys()


def test_a_picture_of_another_run_keeps_its_place_in_the_shared_files(tmp_path: Path) -> None:
    one, two = draw_picture(tmp_path / "1.png"), draw_picture(tmp_path / "2.png")
    out = tmp_path / "out"
    assert parse([one], out, save=("coco",)) == 0
    assert parse([two], out, save=("coco", "csv")) == 0
    images = json.loads((out / "coco.json").read_text())["images"]
    assert [i["file_name"] for i in images] == ["1.png", "2.png"]
    assert parse([one, two], out, save=("coco", "csv"), resume=True) == 0
    rows = (out / "parts.csv").read_text().splitlines()
    assert len(rows) == 1 + 2 * 31


def test_results_of_an_earlier_version_are_resumed(tmp_path: Path) -> None:
    """Its manifest claims no files; their names are taken for its own."""
    inputs, out = [draw_clip(tmp_path / "a.mp4", 3), draw_picture(tmp_path / "b.png")], tmp_path / "out"
    assert parse(inputs, out, save=ALL) == 0
    whole, path = files(out), out / "manifest.json"
    raw = json.loads(path.read_text())
    del raw["files"]
    for record in raw["inputs"]:
        del record["files"], record["replaced"]
    path.write_text(json.dumps(raw))
    old = path.read_bytes()
    assert parse(inputs, out, save=ALL, resume=True) == 0
    assert files(out) == whole
    (out / "a" / "labels" / "000001.png").unlink()
    (out / "cutout" / "b.png").write_bytes(b"")
    assert parse(inputs, out, save=ALL, resume=True) == 0
    assert files(out) == whole
    path.write_bytes(old)
    assert parse(inputs, out, save=("labels",), span=FrameSpan(1, 1), views="1") == 1
    assert "overlay, alpha of an earlier run with views" in manifest(out)["b.png"]["reason"]
    assert files(out) == whole


def test_claims_of_a_manifest_are_bounded_and_stay_in_the_folder(tmp_path: Path) -> None:
    clip, victim, out = draw_clip(tmp_path / "a.mp4", 2), tmp_path / "victim.txt", tmp_path / "out"
    victim.write_text("mine")
    assert parse([clip], out, save=("overlay",)) == 0
    path = out / "manifest.json"
    raw = json.loads(path.read_text())
    raw["inputs"][0]["replaced"] = {"../../victim.txt": "", str(victim): ""}
    raw["inputs"][0]["frames"] = 10**9
    path.write_text(json.dumps(raw))
    assert parse([clip], out, save=("overlay",), resume=True) == 0  # at once: nothing counts to 10**9
    assert parse([clip], out, save=("overlay",)) == 0
    assert victim.read_text() == "mine"
    raw["inputs"][0]["files"] = {"labels": "0+0:"}
    path.write_text(json.dumps(raw))
    with pytest.raises(Refusal, match="it is not a manifest of this program"):
        parse([clip], out, resume=True)
