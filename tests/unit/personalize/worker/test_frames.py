"""Which frames of a clip are read, and what is kept of them."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from personalize.messages import PhaseProgress, WorkerNotice
from personalize.worker import frames, reporter
from personalize.worker.context import Context
from personalize.worker.pictures import PictureSequence, identity, opened, sha256_of
from runtime.system.errors import Refusal
from tests.personalising import context_of, job_for, told


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, range(350, 651)),
        ({"around": 200, "first": 7}, range(50, 351)),
        ({"first": 7, "last": 9, "around": 200}, range(7, 10)),
        ({"last": 0}, range(1)),
    ],
)
def test_a_range_that_was_given_comes_before_a_window(changes: dict[str, int], wanted: range) -> None:
    assert frames.wanted_frames(job_for(Path("clip.mp4"), **changes), 1000) == wanted


def pictures(folder: Path, sizes: list[tuple[int, int]]) -> Path:
    """A folder of grey pictures, each as bright as its number."""
    folder.mkdir()
    for i, (width, height) in enumerate(sizes):
        Image.new("RGB", (width, height), (i, i, i)).save(folder / f"{i}.png")
    return folder


def test_a_folder_of_pictures_is_read_from_any_of_them_in_the_order_of_numbers(tmp_path: Path) -> None:
    with opened(pictures(tmp_path / "walk", 12 * [(6, 4)])) as sequence:
        assert (sequence.frames_expected, sequence.size) == (12, (6, 4))
        for start, seen in ((None, range(12)), (9, [9, 10, 11]), (12, [])):
            frames = list(sequence.frames(start))
            assert [int(f.image[0, 0, 0]) for f in frames] == [f.index for f in frames] == [*seen]
    mixed = pictures(tmp_path / "mixed", [(6, 4), (4, 6)])
    with opened(mixed) as sequence, pytest.raises(Refusal, match="it differs in size from the first"):
        list(sequence.frames())


def test_a_clip_is_known_by_the_bytes_of_all_its_files_unless_they_are_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pictures(tmp_path / "walk", [(6, 4), (6, 4)])
    one, two = folder / "0.png", folder / "1.png"
    one.write_bytes(one.read_bytes() + bytes(3 << 20))  # more than is read at once
    whole = one.read_bytes() + two.read_bytes()
    assert sha256_of(one) == hashlib.sha256(one.read_bytes()).hexdigest()
    assert sha256_of(folder) == hashlib.sha256(whole).hexdigest()
    monkeypatch.setattr("personalize.worker.pictures.HASHED_BYTES", len(whole))
    assert sha256_of(folder) != ""
    monkeypatch.setattr("personalize.worker.pictures.HASHED_BYTES", len(whole) - 1)
    assert sha256_of(folder) == ""


def test_a_clip_that_was_written_again_is_another(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "walk", [(6, 4), (6, 4)])
    before = identity(folder)
    assert before[0] == str(folder)
    assert len(before) == 3
    assert identity(folder / "1.png")[1] == before[2]
    os.utime(folder / "1.png", ns=(5, 6))
    assert identity(folder)[:2] == before[:2]
    assert identity(folder)[2] == [before[2][0], 6]  # type: ignore[index]
    with pytest.raises(Refusal, match=r"gone\.mkv: it cannot be read \(No such file or directory\)\. Check "):
        identity(tmp_path / "gone.mkv")


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Call with a number of pictures and the changes of a job."""
    every: list[Context] = []
    monkeypatch.setattr(reporter, "PAUSE_S", 0.0)

    def context(count: int, size: tuple[int, int] = (64, 40), **changes) -> Context:
        folder = pictures(tmp_path / "walk", count * [size])
        every.append(context_of(job_for(folder, **changes), tmp_path / "job", size))
        return every[-1]

    (tmp_path / "job").mkdir()
    yield context
    for made in every:
        made.reporter.close()


def refusal(context: Context) -> str:
    with pytest.raises(Refusal) as refused:
        frames.run(context)
    return str(refused.value)


def test_frames_are_kept_small_as_the_network_sees_them_and_some_of_them_larger(clip) -> None:
    """Of more than a hundred frames every other one is looked at several times."""
    context = clip(110, (320, 190), first=3, last=105)
    facts = frames.run(context)
    studied = list(range(0, 103, 2))
    assert facts == {
        "first": 3,
        "frames": 103,
        "studied": studied,
        "size": (320, 190),
        "clip_sha256": sha256_of(context.job.clip),
    }
    small, canvas, large = (context.results.array(name) for name in ("small", "canvas", "large"))
    larger = context.network.letterbox((320, 190), 1.2)
    assert small.shape == (103, 152, 256, 3)
    assert canvas.shape == (103, 64, 64, 3)
    assert large.shape == (52, *larger.network[::-1], 3)
    for k in (0, 1, 50, 102):
        picture = np.full((190, 320, 3), k + 3, np.uint8)
        assert (small[k] == k + 3).all()
        np.testing.assert_array_equal(canvas[k], context.letterbox.apply(picture)[0])
        if k in studied:
            np.testing.assert_array_equal(large[k // 2], larger.apply(picture)[0])
    events = told(context)
    assert events == [PhaseProgress("", k, 103) for k in range(1, 104)]


def test_what_reading_depends_on(clip) -> None:
    context = clip(2, first=1, last=5, around=3)
    (known, *others) = frames.needs(context)
    assert known == identity(context.job.clip)
    assert others == [1, 5, 3, repr(context.network.size), repr(frames.FOUR)]


@pytest.mark.parametrize(
    ("count", "changes", "words"),
    [
        (1, {}, "walk: only 1 frame of the range can be read. Choose a longer range, or another clip"),
        (9, {"first": 20, "last": 30},
         "walk: it has no frame 20. Choose a longer range, or another clip"),
        (12, {}, "range of 12 frames: at most 11 can be learned from at a time. Choose a shorter range"),
    ],
)  # fmt: skip
def test_too_few_or_too_many_frames_are_refused(clip, monkeypatch, count, changes, words) -> None:
    monkeypatch.setattr(frames, "LONGEST", 11)
    assert refusal(clip(count, **changes)) == words


@pytest.mark.parametrize("count", [2, 11])
def test_fewest_and_most_frames_are_learned_from(clip, monkeypatch, count) -> None:
    monkeypatch.setattr(frames, "LONGEST", 11)
    assert frames.run(clip(count))["frames"] == count


class Claiming(PictureSequence):
    """Claims thirty frames until it has been read to its end."""

    ended = False

    @property
    def frames_expected(self) -> int:
        return len(self.files) if self.ended else 30

    def frames(self, start=None):
        yield from super().frames(start)
        self.ended = True


@pytest.mark.parametrize(
    ("changes", "first", "count", "notices"),
    [
        ({}, 0, 8, ["It is odd.", "8 of 30 frames of the range could be read."]),
        ({"first": 5, "last": 12}, 5, 3, ["It is odd.", "3 of 8 frames of the range could be read."]),
        ({"around": 20}, 3, 5, ["It is odd."]),
    ],
)
def test_a_clip_with_fewer_frames_than_it_claims_is_read_to_its_end(
    clip, monkeypatch, changes, first, count, notices
) -> None:
    @contextmanager
    def claiming(folder: Path):
        yield Claiming.of(folder)

    context = clip(8, **changes)
    monkeypatch.setattr(frames, "opened", claiming)
    monkeypatch.setattr(frames, "WINDOW", 5 if changes.get("around") else 301)
    monkeypatch.setattr(
        Claiming, "of", lambda folder: Claiming(PictureSequence.of(folder).files, (64, 40), ["It is odd."])
    )
    facts = frames.run(context)
    assert (facts["first"], facts["frames"], facts["studied"]) == (first, count, [*range(count)])
    assert (context.results.array("small")[:count, 0, 0, 0] == np.arange(first, first + count)).all()
    assert [e.text for e in told(context) if isinstance(e, WorkerNotice)] == notices


def test_a_folder_without_pictures_is_refused_with_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    with pytest.raises(
        Refusal, match=r"^all: there are no pictures in it\. Give a clip, or a folder of frames$"
    ):
        PictureSequence.of(tmp_path / "all")
    pictures(tmp_path / "all" / "walk", [(6, 4)])
    with pytest.raises(Refusal, match=r"^all: .*\. Give one of its folders: .*walk"):
        PictureSequence.of(tmp_path / "all")
