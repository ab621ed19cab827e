"""Parts of clips, folders in folders, sound of cut-outs, and a manifest that says what really was."""

from __future__ import annotations

import json
from pathlib import Path

import av
import pytest

from app.batch.options import FrameSpan
from app.commands.parse import parse_all
from runtime.output.label_png import read_labels
from runtime.output.products import PRODUCTS
from runtime.system.errors import Refusal
from tests.drawn_media import draw_clip
from tests.e2e.command import files, manifest
from tests.unit.runtime.model_files import crafted

SMALL = {"size": "64", "device": "cpu", "save": ("labels", "overlay", "coco", "csv")}


def parse(source: Path, out: Path, **options: object) -> int:
    return parse_all([str(source)], out, {**SMALL, **options}, progress="none")


def labels(out: Path) -> dict[str, bytes]:
    return {p.stem: p.read_bytes() for p in sorted((out / "a" / "labels").iterdir())}


def test_some_frames_are_those_of_the_whole_clip(tmp_path: Path) -> None:
    clip, out = draw_clip(tmp_path / "a.mp4", 50, sound=True), tmp_path / "some"
    assert parse(clip, tmp_path / "all", smooth=False) == 0
    assert parse(clip, out, smooth=False, span=FrameSpan(25, 44, 4)) == 0
    whole, some = labels(tmp_path / "all"), labels(out)
    assert list(some) == ["000025", "000029", "000033", "000037", "000041"]
    assert some == {name: whole[name] for name in some}
    images = json.loads((out / "a" / "coco.json").read_text())["images"]
    assert [(i["frame"], i["pts"]) for i in images][:2] == [(25, 1.0), (29, 1.16)]
    with av.open(str(out / "a" / "overlay.mp4")) as overlay:
        assert [round(f.time, 3) for f in overlay.decode(video=0)] == [0, 0.16, 0.32, 0.48, 0.64]
        assert len(overlay.streams.audio) == 1
    record = manifest(out)["a.mp4"]
    assert (record["status"], record["frames"], record["model"]["frames"]) == ("ok", 5, "25:44 every 4")


def test_some_frames_are_resumed_and_not_mixed_with_others(tmp_path: Path) -> None:
    clip, out = draw_clip(tmp_path / "a.mp4", 12), tmp_path / "out"
    span = FrameSpan(2, None, 3)
    assert parse(clip, out, span=span) == 0
    before = files(out)
    (out / "a" / "labels" / "000008.png").unlink()
    assert parse(clip, out, span=span, resume=True) == 0
    assert files(out) == before
    with pytest.raises(Refusal, match="frames 2: every 3, now it would be all"):
        parse(clip, out, resume=True)
    assert parse(clip, tmp_path / "none", span=FrameSpan(12, 20)) == 1
    assert "it has no frame 12" in manifest(tmp_path / "none")["a.mp4"]["reason"]


@pytest.mark.parametrize(("suffix", "codec"), [("mov", "aac"), ("webm", "opus")])
def test_a_cut_out_has_the_sound_of_its_clip(tmp_path: Path, suffix: str, codec: str) -> None:
    clip = draw_clip(tmp_path / "a.mp4", 25, sound=True)
    assert parse(clip, tmp_path / "out", save=("alpha",), alpha=suffix) == 0
    with av.open(str(tmp_path / "out" / "a" / f"cutout.{suffix}")) as cutout:
        [track] = cutout.streams.audio
        assert track.codec_context.name == codec
        seconds = sum(f.samples / f.sample_rate for f in cutout.decode(track))
    assert seconds == pytest.approx(1.0, abs=0.1)
    assert manifest(tmp_path / "out")["a.mp4"]["notices"] == []


def test_the_manifest_says_which_size_ran(tmp_path: Path) -> None:
    clip = draw_clip(tmp_path / "a.mp4", 2, size=(256, 144))
    assert parse(clip, tmp_path / "out", size="128") == 0
    model = manifest(tmp_path / "out")["a.mp4"]["model"]
    assert (model["size"], model["box"]) == ("128x96", "128")
    assert parse(clip, tmp_path / "out", size="128", resume=True) == 0


def test_a_manifest_of_an_earlier_version_is_resumed(tmp_path: Path) -> None:
    clip, out = draw_clip(tmp_path / "a.mp4", 2), tmp_path / "out"
    assert parse(clip, out) == 0
    path = out / "manifest.json"
    raw = json.loads(path.read_text())
    model = raw["inputs"][0]["model"]
    del model["frames"]
    model["size"] = model.pop("box")
    path.write_text(json.dumps(raw))
    assert parse(clip, out, resume=True) == 0


def test_nothing_is_deleted_for_a_run_that_cannot_begin(tmp_path: Path) -> None:
    """The masks are missing, or the clip has become unreadable: what an earlier run made stays."""
    clip, out = draw_clip(tmp_path / "a.mp4", 3), tmp_path / "out"
    assert parse(clip, out) == 0
    before = files(out)
    (tmp_path / "empty").mkdir()
    assert parse(clip, out, silhouettes=tmp_path / "empty") == 1
    assert files(out) == before
    clip.write_bytes(b"no clip any more")
    assert parse(clip, out) == 1
    assert parse(clip, out, resume=True) == 1
    assert files(out) == before


def test_a_model_of_joints_alone_writes_what_it_has(tmp_path: Path) -> None:
    model = tmp_path / "joints" / "network.onnx"
    model.parent.mkdir()
    model.write_bytes(crafted.joints())
    clip, out = draw_clip(tmp_path / "a.mp4", 3), tmp_path / "out"
    with pytest.raises(Refusal, match=r"--save labels,csv: .* gives people only. Choose of overlay,coco"):
        parse(clip, out, model=str(model.parent), size="96", save=("labels", "coco", "csv"))
    assert parse(clip, out, model=str(model.parent), size="96", save=()) == 0
    assert sorted(p.name for p in (out / "a").iterdir()) == ["coco.json", "movement.csv", "overlay.mp4"]
    assert not (out / "labels.json").exists()
    raw = json.loads((out / "a" / "coco.json").read_text())
    assert raw["categories"][0]["keypoints"][0] == "right_ankle"
    assert [len(a["keypoints"]) for a in raw["annotations"]] == [42] * len(raw["images"])


def test_a16_odd_sizes_are_parsed_with_everything(tmp_path: Path) -> None:
    sizes = [(1, 1), (2, 2), (321, 241), (1, 8192), (8192, 1)]
    clips = [draw_clip(tmp_path / f"{w}x{h}.mov", 2, (w, h), codec="png", pixels="rgb24") for w, h in sizes]
    everything = {**SMALL, "save": tuple(PRODUCTS)}
    assert parse_all([str(c) for c in clips], tmp_path / "out", everything, progress="none") == 0
    for clip, size in zip(clips, sizes, strict=True):
        assert manifest(tmp_path / "out")[clip.name]["size"] == list(size)
        folder = tmp_path / "out" / clip.stem
        assert [read_labels(p.read_bytes()).shape for p in (folder / "labels").iterdir()] == [size[::-1]] * 2
        for video in ("overlay.mp4", "cutout.mov"):
            with av.open(str(folder / video)) as file:
                assert sum(1 for _ in file.decode(video=0)) == 2
