"""YouTube Pose: fields by name whatever their order, from 1 to 0, crop and scale."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.unit.training.datasets import made
from training.datasets.problems import Problems
from training.datasets.samples import Crop
from training.datasets.sets import YOUTUBE7
from training.photos import DataError

FRAMES = 3


def video(name: str = "dance", *, subset: bool = False, **more: object) -> dict[str, object]:
    locs = np.zeros((2, 7, FRAMES))
    locs[0] = 1 + np.arange(7)[:, None]  # joint j at (1 + j, 11 + frame), from 1
    locs[1] = 11 + np.arange(FRAMES)
    return {
        "isYouTubeSubset": float(subset),  # first on purpose: an index would take the wrong field
        "scale": 0.5, "crop": np.array([11.0, 21.0, 110.0, 220.0]), "origRes": np.array([480.0, 640.0]),
        "locs": locs, "frameids": np.array([5.0, 70.0, 900.0]), "videoname": name, "url": "x",
        "label_names": made.cells(list(YOUTUBE7.names)),
    } | more  # fmt: skip


def youtube(root: Path, videos: list[dict[str, object]]) -> Path:
    made.mat(root / "YouTube_Pose_dataset.mat", data=made.struct_row(videos))
    for v in videos:
        name = str(v["videoname"])
        for i in (5, 70, 900):
            if ".." not in name:
                made.picture(root / "GT_frames" / name / f"frame_{i:06d}.jpg")
    return root


def test_joints_frames_and_crop(tmp_path: Path) -> None:
    samples = made.read(
        "youtube-pose", youtube(tmp_path, [video(), video("talk")]), "all", Problems(strict=True)
    )
    assert [s.name for s in samples[:3]] == ["dance/frame_000005", "dance/frame_000070", "dance/frame_000900"]
    assert [s.group for s in samples] == ["dance"] * 3 + ["talk"] * 3
    (p,) = samples[1].people
    assert p.joints is YOUTUBE7
    assert p.xy.tolist() == [[j, 11] for j in range(7)], "counted from 0"
    assert p.visible.tolist() == [2] * 7
    crop = samples[0].crop
    assert crop is not None
    assert crop.box == (10, 20, 110, 220)
    # the video's pixel (10, 20) is the first of the crop; halved, two pixels share one
    assert np.allclose(crop.to_view((10.5, 20.5)), (0, 0))


def test_the_subset(tmp_path: Path) -> None:
    root = youtube(tmp_path, [video(), video("talk", subset=True)])
    assert {s.group for s in made.read("youtube-pose", root, "subset")} == {"talk"}


def test_stored_names_of_frames_win(tmp_path: Path) -> None:
    paths = made.cells([f"C:\\data\\GT\\dance\\frame_00000{i}.jpg" for i in (1, 2, 3)])
    root = youtube(tmp_path, [video(imgPath=paths)])
    for i in (1, 2, 3):
        made.picture(root / "GT_frames" / "dance" / f"frame_00000{i}.jpg")
    assert [s.picture.name for s in made.read("youtube-pose", root, "all")] == [
        f"frame_00000{i}.jpg" for i in (1, 2, 3)
    ]
    other = made.cells(["../../x.jpg"] * 3)
    assert (
        made.read("youtube-pose", youtube(tmp_path, [video(imgPath=other)]), "all")[0].picture.stem
        == "frame_000005"
    )


def test_missing_frames_and_joints(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    locs = np.ones((2, 7, FRAMES))
    locs[0, 2, 0] = np.nan
    root = youtube(tmp_path, [video(locs=locs), video("../../out"), video("short", frameids=np.array([5.0]))])
    (root / "GT_frames" / "dance" / "frame_000070.jpg").unlink()
    problems = Problems()
    samples = made.read("youtube-pose", root, "all", problems)
    assert [s.picture.name for s in samples] == ["frame_000005.jpg", "frame_000900.jpg"]
    assert samples[0].people[0].visible.tolist() == [2, 2, 0, 2, 2, 2, 2]
    assert problems.count == 3
    for words in ("frame_000070.jpg is missing", "points outside", "1 frame ids, but locs is (2, 7, 3)"):
        assert words in made.said(caplog)


@pytest.mark.parametrize(
    "wrong",
    [{"scale": 0.0}, {"scale": -1.0}, {"scale": np.nan}, {"scale": np.zeros((0, 0))},
     {"crop": np.array([11.0, 21, 110])}, {"crop": np.array([11.0, 21, 110, np.nan])},
     {"crop": np.array([11.0, 21, 10, 220])}, {"crop": np.array([11.0, 21, 110, 20])}],
)  # fmt: skip
def test_a_crop_that_cannot_be_is_none(wrong: dict[str, object], tmp_path: Path) -> None:
    samples = made.read("youtube-pose", youtube(tmp_path, [video(**wrong)]), "all", Problems(strict=True))
    assert [s.crop for s in samples] == [None] * FRAMES


def test_a_crop_may_be_one_pixel(tmp_path: Path) -> None:
    one = youtube(tmp_path, [video(crop=np.array([11.0, 21, 11, 21]))])
    assert made.read("youtube-pose", one, "all")[0].crop == Crop((10, 20, 11, 21), (0.5, 0.5))


def test_one_frame_and_no_crop(tmp_path: Path) -> None:
    one = video(locs=np.ones((2, 7)), frameids=5.0, crop=np.zeros((0, 0)))
    (s,) = made.read("youtube-pose", youtube(tmp_path, [one]), "all", Problems(strict=True))
    assert s.crop is None
    assert not s.people[0].xy.any()


def test_another_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="GT_frames"):
        made.read("youtube-pose", tmp_path, "all")
    made.mat(tmp_path / "YouTube_Pose_dataset.mat", data=np.zeros(3))
    with pytest.raises(DataError, match="holds no videos"):
        made.read("youtube-pose", tmp_path, "all")
