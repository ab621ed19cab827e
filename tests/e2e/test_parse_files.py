"""What `xfactor parse` writes, on drawn media, in this process."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from app.commands.parse import checked_saves, parse_all
from runtime.media.clips import Clip
from runtime.output.label_png import read_labels
from runtime.system.errors import Refusal
from tests import drawn_people
from tests.drawn_media import draw_clip, picture
from tests.e2e.command import files, manifest

ALL = checked_saves("labels,silhouettes,overlay,coco,csv,alpha,matte,movement")
OF_PICTURES = tuple(s for s in ALL if s != "movement")
SMALL = {"size": "64", "device": "cpu"}

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def parse(sources: list[Path], out: Path, **options: object) -> int:
    return parse_all([str(s) for s in sources], out, {**SMALL, **options}, progress="none")


def draw_picture(path: Path, size: tuple[int, int] = (96, 64)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(3, size)).save(path)
    return path


def test_a_clip_with_everything(tmp_path: Path) -> None:
    times = np.cumsum(np.random.default_rng(0).integers(10, 90, 12)).tolist()
    clip = draw_clip(tmp_path / "take one.mp4", 12, times_ms=times, turn=(90, False), sound=False)
    assert parse([clip], tmp_path / "out", save=ALL) == 0
    folder = tmp_path / "out" / "take one"
    names = [f"{i:06d}.png" for i in range(12)]  # frames in = frames out, also at a variable rate (A13)
    for kind in ("labels", "silhouettes"):
        assert sorted(p.name for p in (folder / kind).iterdir()) == names
    with Clip(clip) as source:
        pts = [f.pts_s for f in source.frames()]
        size = source.size
    assert size == (64, 96)
    for name in names:
        ids = read_labels((folder / "labels" / name).read_bytes())
        assert ids.shape == (96, 64)  # as displayed: rotation applied
        assert ids.max() <= 31
        with Image.open(folder / "silhouettes" / name) as silhouette:
            assert (silhouette.mode, silhouette.size) == ("L", size)
    with Clip(folder / "overlay.mp4") as overlay:
        shown = [f.pts_s for f in overlay.frames()]
        assert overlay.size == size
    assert np.diff(shown) == pytest.approx(np.diff(pts), abs=1e-4)
    with av.open(str(folder / "cutout.mov")) as cutout:
        assert cutout.streams.video[0].codec_context.pix_fmt == "yuva444p12le"
        assert sum(1 for _ in cutout.decode(video=0)) == 12
    with Clip(folder / "matte.mp4") as matte:  # grey, and what the silhouette of the same frame says
        for name, frame in zip(names, matte.frames(), strict=True):
            with Image.open(folder / "silhouettes" / name) as silhouette:
                assert np.abs(frame.image.astype(int) - np.array(silhouette)[..., None]).mean() < 4
    data = COCO(str(folder / "coco.json"))
    assert [i["frame"] for i in data.loadImgs(data.getImgIds())] == list(range(12))
    assert [i["pts"] for i in data.loadImgs(data.getImgIds())] == pytest.approx(pts, abs=1e-6)
    for annotation in data.loadAnns(data.getAnnIds()):
        assert data.annToMask(annotation).sum() == annotation["area"]
    with (folder / "parts.csv").open() as table:
        assert len(list(csv.DictReader(table))) == 12 * 31
    with (folder / "movement.csv").open() as table:
        assert [float(row["pts"]) for row in csv.DictReader(table)] == pytest.approx(pts, abs=1e-6)
    said = json.loads((tmp_path / "out" / "labels.json").read_text())
    assert said["part_set"] == "S31"
    record = manifest(tmp_path / "out")["take one.mp4"]
    assert (record["status"], record["frames"], record["reason"]) == ("ok", 12, "")
    assert all(len(h) == 64 for h in record["model"]["sha256"].values())
    assert not list(folder.rglob("*.part.*"))


def test_pictures_share_their_folders(tmp_path: Path) -> None:
    inputs = [draw_picture(tmp_path / "in" / f"{n}.png", (80 + n, 60)) for n in (1, 2, 10)]
    inputs.append(draw_picture(tmp_path / "more" / "2.jpg", (50, 40)))
    inputs.append(draw_picture(tmp_path / "more" / "2.png", (30, 40)))
    out = tmp_path / "out"
    assert parse([tmp_path / "in", *inputs[3:]], out, save=OF_PICTURES) == 0
    for kind, suffix in (
        ("labels", "png"),
        ("silhouettes", "png"),
        ("overlay", "jpg"),
        ("cutout", "png"),
        ("matte", "png"),
    ):
        made = {p.name for p in (out / kind).iterdir()}
        assert made == {f"{n}.{suffix}" for n in ("1", "2", "10", "2-2", "2-3")}
    with Image.open(out / "labels" / "10.png") as image:
        assert (image.mode, image.size) == ("P", (90, 60))
    data = COCO(str(out / "coco.json"))
    named = [(i["file_name"], i["output"]) for i in data.loadImgs(data.getImgIds())]
    assert named == [("1.png", "1"), ("2.png", "2"), ("10.png", "10"), ("2.jpg", "2-2"), ("2.png", "2-3")]
    assert [i["width"] for i in data.loadImgs(data.getImgIds())] == [81, 82, 90, 50, 30]
    with (out / "parts.csv").open() as table:
        assert [(r["file"], r["output"]) for r in csv.DictReader(table)][::31] == named
    before = files(out)
    assert parse([tmp_path / "in", *inputs[3:]], out, save=OF_PICTURES, resume=True) == 0
    assert files(out) == before


def test_a_folder_with_bad_inputs_is_done_as_far_as_it_goes(tmp_path: Path) -> None:
    """Row I01."""
    good = [draw_picture(tmp_path / f"{n}.png") for n in range(9)]
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n rest of it is missing")
    absent = tmp_path / "absent.mp4"
    cut = draw_clip(tmp_path / "cut.mkv", 40)
    cut.write_bytes(cut.read_bytes()[:-3000])
    out = tmp_path / "out"
    assert parse([*good[:4], bad, absent, cut, *good[4:]], out) == 1
    records = manifest(out)
    assert [records[p.name]["status"] for p in good] == ["ok"] * 9
    assert records["bad.png"]["status"] == records["absent.mp4"]["status"] == "failed"
    assert "damaged" in records["bad.png"]["reason"]
    assert "no such file" in records["absent.mp4"]["reason"]
    assert records["cut.mkv"]["status"] == "partial"
    frames = records["cut.mkv"]["frames"]
    assert f"file ends early: {frames} of ~40 frames" in records["cut.mkv"]["reason"]
    assert len(list((out / "cut" / "labels").iterdir())) == frames
    assert len(list((out / "labels").iterdir())) == 9


def test_resume_makes_what_is_missing_and_touches_nothing_else(tmp_path: Path) -> None:
    clips = [draw_clip(tmp_path / "a.mp4", 10), draw_clip(tmp_path / "b.mp4", 10)]
    out = tmp_path / "out"
    assert parse(clips, out) == 0
    whole = files(out)
    (out / "a" / "labels" / "000004.png").unlink()
    (out / "b" / "overlay.mp4").unlink()
    (out / "b" / "silhouettes" / "000009.png").write_bytes(b"torn")
    stamps = {p: p.stat().st_mtime_ns for p in out.rglob("*.png")}
    assert parse(clips, out, resume=True) == 0
    made = files(out)
    assert made | {"b/overlay.mp4": whole["b/overlay.mp4"]} == whole  # x264 chooses otherwise now and then
    whole = made
    torn = out / "b" / "silhouettes" / "000009.png"
    again = {p: p.stat().st_mtime_ns for p in out.rglob("*.png") if p in stamps and p != torn}
    assert again == {p: t for p, t in stamps.items() if p in again}
    assert parse(clips, out, resume=True, save=("labels", "csv")) == 0
    assert (out / "a" / "parts.csv").is_file()
    assert {k: v for k, v in files(out).items() if not k.endswith(".csv")} == whole


def test_people_keep_their_ids_when_a_run_is_resumed(tmp_path: Path) -> None:
    model, out = str(drawn_people.bundle(tmp_path / "drawn")), tmp_path / "out"
    inputs = [tmp_path / f"{n}.png" for n in "abc"]
    for path, scene in zip(inputs, (1, 0, 1), strict=True):
        Image.fromarray(drawn_people.picture(scene)).save(path)
    asked = {"model": model, "size": "", "save": ("overlay", "coco")}
    assert parse(inputs, out, **asked) == 0
    before = json.loads((out / "coco.json").read_text())
    ids = [(a["id"], a["image_id"]) for a in before["annotations"]]
    assert [n for n, _ in ids] == list(range(1, len(ids) + 1))
    assert {image for _, image in ids} == {1, 2, 3}
    (out / "overlay" / "b.jpg").unlink()
    assert parse(inputs, out, **asked, resume=True) == 0
    assert (out / "overlay" / "b.jpg").exists()
    assert json.loads((out / "coco.json").read_text()) == before
    (out / "coco.json").unlink()
    assert parse(inputs, out, **asked, resume=True) == 0
    assert json.loads((out / "coco.json").read_text()) == before


def test_resume_with_nothing_to_do_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inputs = [str(draw_clip(tmp_path / "a.mp4", 4)), str(draw_picture(tmp_path / "b.png"))]
    out = tmp_path / "out"
    assert parse_all(inputs, out, SMALL, progress="rich") == 0
    assert "a.mp4: ok: 4 frames" in capsys.readouterr().err
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.is_file()}
    again = {**SMALL, "resume": True}
    assert parse_all(inputs, out, again, progress="rich") == 0
    told = capsys.readouterr().err
    assert "a.mp4: already whole" in told
    assert "b.png: already whole" in told
    assert "ok" not in told
    assert parse_all(inputs, out, again, progress="json") == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(s["status"], s["already_whole"], s["seconds"]) for s in said] == [("ok", True, 0.0)] * 2
    assert {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.is_file()} == before


def test_resume_refuses_another_model_or_size(tmp_path: Path) -> None:
    clip = draw_clip(tmp_path / "a.mp4", 3)
    assert parse([clip], tmp_path / "out") == 0
    with pytest.raises(Refusal, match="size 64, now it would be 96"):
        parse([clip], tmp_path / "out", size="96", resume=True)


def test_pictures_are_looked_at_six_times_and_clips_once(tmp_path: Path) -> None:
    inputs = [draw_picture(tmp_path / f"{n}.png", (96 + n, 64)) for n in (1, 2)]
    clip = draw_clip(tmp_path / "a.mp4", 2)
    out, once = tmp_path / "out", tmp_path / "once"
    assert parse([*inputs, clip], out) == 0
    records = manifest(out)
    assert {name: r["model"]["views"] for name, r in records.items()} == {"1.png": 6, "2.png": 6, "a.mp4": 1}
    before = files(out)
    (out / "labels" / "2.png").unlink()
    assert parse([*inputs, clip], out, resume=True) == 0
    assert parse(inputs, out, resume=True, views="6") == 0  # what auto is for pictures
    assert files(out) == before
    for views, told in (
        ("1", "1.png was parsed there with views 6, now it would be 1"),
        ("2", "views 6.* be 2"),
    ):
        with pytest.raises(Refusal, match=told):
            parse(inputs, out, resume=True, views=views)
    with pytest.raises(Refusal, match="views 1, now it would be 6"):
        parse([clip], out, resume=True, views="6")
    assert files(out).items() >= before.items()
    assert parse(inputs, once, views="1") == 0
    for n in (1, 2):
        one, six = ((folder / "silhouettes" / f"{n}.png").read_bytes() for folder in (once, out))
        assert one != six


def test_results_from_before_there_were_views_are_one_view(tmp_path: Path) -> None:
    picture_file, clip = draw_picture(tmp_path / "1.png"), draw_clip(tmp_path / "a.mp4", 2)
    out = tmp_path / "out"
    assert parse([picture_file, clip], out, views="1") == 0
    path = out / "manifest.json"
    said = json.loads(path.read_text())
    for record in said["inputs"]:
        del record["model"]["views"]
    path.write_text(json.dumps(said))
    assert parse([clip], out, resume=True) == 0
    assert parse([picture_file], out, resume=True, views="1") == 0
    with pytest.raises(Refusal, match="views 1, now it would be 6"):
        parse([picture_file], out, resume=True)


def test_an_input_that_changed_is_parsed_again(tmp_path: Path) -> None:
    clip = draw_clip(tmp_path / "a.mp4", 8)
    out = tmp_path / "out"
    assert parse([clip], out) == 0
    for frames, resume in ((5, True), (7, False)):
        draw_clip(clip, frames, (96, 80))
        assert parse([clip], out, resume=resume) == 0
        made = sorted((out / "a" / "labels").iterdir())
        assert len(made) == frames
        assert {read_labels(p.read_bytes()).shape for p in made} == {(80, 96)}


def test_masks_take_the_place_of_the_factor(tmp_path: Path) -> None:
    clip = draw_clip(tmp_path / "a.mp4", 4)
    masks = tmp_path / "masks" / "a"
    masks.mkdir(parents=True)
    half = np.zeros((64, 96), np.uint8)
    half[:, 48:] = 255
    for n in range(4):
        Image.fromarray(half).save(masks / f"{n:06d}.png")
    assert parse([clip], tmp_path / "out", silhouettes=masks.parent, size="96") == 0
    silhouette = np.array(Image.open(tmp_path / "out" / "a" / "silhouettes" / "000002.png").convert("L"))
    assert silhouette[:, :36].mean() < 40
    assert silhouette[:, 60:].mean() > 215


def test_masks_that_were_drawn_anew_are_parsed_again(tmp_path: Path) -> None:
    """With --resume, and only what they belong to; those of an earlier version are taken as they are."""
    clips = [draw_clip(tmp_path / f"{name}.mp4", 2) for name in "ab"]
    image, out, masks = draw_picture(tmp_path / "1.png"), tmp_path / "out", tmp_path / "masks"
    half = np.zeros((64, 96), np.uint8)
    half[:, 48:] = 255
    own = [masks / "a" / "000001.png", masks / "1.png"]
    for path in (*own, masks / "a" / "000000.png", masks / "b" / "000000.png", masks / "b" / "000001.png"):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(half).save(path)
    options = {"silhouettes": masks, "size": "96", "save": ("silhouettes",)}
    assert parse([*clips, image], out, **options) == 0
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*.png")}
    assert parse([*clips, image], out, **options, resume=True) == 0
    assert {p: p.stat().st_mtime_ns for p in before} == before
    for path in own:
        Image.fromarray(half[:, ::-1]).save(path)
    assert parse([*clips, image], out, **options, resume=True) == 0
    for name in ("a/silhouettes/000001.png", "silhouettes/1.png"):
        made = np.array(Image.open(out / name).convert("L"))
        assert made[:, :36].mean() > 215
        assert made[:, 60:].mean() < 40
    again = {p.parent.parent.name for p, then in before.items() if p.stat().st_mtime_ns != then}
    assert again == {"a", "out"}, "b is as it was"
    path, before = out / "manifest.json", {p: p.stat().st_mtime_ns for p in before}
    raw = json.loads(path.read_text())
    assert all(len(record.pop("masks")) == 16 for record in raw["inputs"])
    path.write_text(json.dumps(raw))
    assert parse([*clips, image], out, **options, resume=True) == 0
    assert {p: p.stat().st_mtime_ns for p in before} == before


def test_missing_masks_are_not_called_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = draw_clip(tmp_path / "a.mp4", 40)
    masks = tmp_path / "masks"
    masks.mkdir()
    for n in range(3):
        Image.fromarray(np.full((64, 96), 255, np.uint8)).save(masks / f"{n:06d}.png")
    told = "37 of 40 frames without a mask (held for 1 s, then blank)"
    for resume in (False, True):
        options = {**SMALL, "silhouettes": masks, "save": ("silhouettes",), "resume": resume}
        assert parse_all([str(clip)], tmp_path / "out", options) == 1
        record = manifest(tmp_path / "out")["a.mp4"]
        assert (record["status"], record["reason"], record["notices"]) == ("partial", told, [told])
        assert f"a.mp4: partial: {told}" in capsys.readouterr().err


def test_a_picture_beside_a_clip_has_no_movement_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = [draw_picture(tmp_path / "1.png"), draw_clip(tmp_path / "a.mp4", 4)]
    sources, options = [str(p) for p in inputs], {**SMALL, "save": ("csv", "movement"), "views": "1"}
    assert parse_all(sources, tmp_path / "out", options, progress="json") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(Path(e["input"]).name, e["frames"]) for e in events if e["event"] == "begin"] == [
        ("1.png", 1), ("a.mp4", 4),
    ]  # fmt: skip
    assert manifest(tmp_path / "out")["1.png"]["notices"] == ["no movement of a picture: that is of clips"]
    assert not any("picture" in n for n in manifest(tmp_path / "out")["a.mp4"]["notices"])
    with pytest.raises(Refusal, match="--save movement"):
        parse(inputs[:1], tmp_path / "pictures", save=("movement",))
    assert not (tmp_path / "pictures").exists()


def test_names_that_no_text_can_hold(tmp_path: Path) -> None:
    """Row A20: Latin-1 bytes, a colon; tables and COCO are text."""
    clips = [
        draw_clip(tmp_path / "a.mp4", 2),
        tmp_path / os.fsdecode(b"caf\xe9.mp4"),
        tmp_path / "scene:1.mp4",
    ]
    for path in clips[1:]:
        path.write_bytes(clips[0].read_bytes())
    image = draw_picture(tmp_path / "b.png").rename(tmp_path / os.fsdecode(b"b\xe9.png"))
    for resume in (False, True):
        assert parse([*clips, image], tmp_path / "out", save=("coco", "csv"), resume=resume) == 0
    for name, shown in (("caf_", "caf_.mp4"), ("scene_1", "scene:1.mp4"), (".", "b_.png")):
        assert f"\n{shown},0," in (tmp_path / "out" / name / "parts.csv").read_text()
        images = json.loads((tmp_path / "out" / name / "coco.json").read_text())["images"]
        assert {i["file_name"] for i in images} == {shown}
