"""Damaged clips and pictures, made from whole ones by number; and the process that takes them one by one.

python -m tests.media_mutants 117 FOLDER     makes mutant 117 again
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image

from app.batch.clip_task import Report
from app.batch.item import work
from app.batch.options import ParseJob
from app.batch.plan import Item
from runtime.engine.engine import Engine
from runtime.media.clips import Clip
from runtime.media.images import SUFFIXES, read_image
from runtime.media.sound import SoundTrack
from runtime.media.writing import VideoWriter
from runtime.system.errors import Refusal
from tests.drawn_media import draw_clip, draw_photos, draw_with_opus, picture

FRAMES = 12
SIZE = "96x64"  # of the network
PARSED_EVERY = 12  # mutants: a share goes the whole way to results

CLIPS: dict[str, dict[str, object]] = {
    "a.mp4": {"sound": True},
    "fragments.mp4": {"sound": True, "muxer": {"movflags": "frag_keyframe+empty_moov"}},
    "b.mkv": {"sound": True},
    "c.ts": {"sound": True},
    "d.avi": {"codec": "mpeg4"},
    "e.webm": {"codec": "libvpx-vp9", "options": {"deadline": "realtime"}},
    "f.mov": {"codec": "png", "pixels": "rgb24", "sound": True},
    "g.flv": {"sound": True},
    "h.mpg": {"codec": "mpeg2video"},
    "i.gif": {"codec": "gif", "pixels": "rgb8"},
    "turned.mov": {"sound": True, "turn": (90, True)},
}
PICTURES = ("a.png", "a.jpg", "a.webp", "a.bmp", "a.tif", "a.avif")


def draw_seeds(folder: Path) -> None:
    """Make one whole file of every kind."""
    for name, how in CLIPS.items():
        draw_clip(folder / name, FRAMES, **how)  # type: ignore[arg-type]
    draw_photos(folder / "lapse.avi", [6] * FRAMES)
    draw_with_opus(folder / "opus.webm", FRAMES)
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in PICTURES:
        Image.fromarray(picture(3)).save(folder / name, exif=exif)


def _flip(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 3, 20, 200))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _flip_head(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 4))):
        data[rng.randrange(min(len(data), 600))] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(1, len(data)) :]


def _blank(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    length = min(len(data) - at, rng.choice((4, 60, 2000)))
    data[at : at + length] = bytes(length)


def _double(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    data[at:at] = data[at : at + rng.choice((8, 188, 3000))]


def _drop(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.choice((1, 188, 3000))]


def _large(data: bytearray, rng: random.Random) -> None:
    """Put an extreme number in a field of four or eight bytes."""
    at, length = rng.randrange(len(data)), rng.choice((4, 8))
    data[at : at + length] = rng.choice((b"\xff", b"\x7f", b"\x80", b"\x00")) + rng.randbytes(length - 1)


DAMAGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _flip, _flip, _flip_head, _flip_head, _cut, _blank, _double, _drop, _large, _large,
)  # fmt: skip


def mutant(seeds: Path, number: int, folder: Path) -> Path:
    """Write the damaged file of this number, the same one each time."""
    rng = random.Random(number)
    names = sorted(p.name for p in seeds.iterdir())
    source = seeds / names[number % len(names)]
    data = bytearray(source.read_bytes())
    for _ in range(rng.choice((1, 1, 2))):
        rng.choice(DAMAGES)(data, rng)
        data = data or bytearray(b"\0")
    path = folder / f"{number:05d}-{source.stem}{source.suffix}"
    path.write_bytes(data)
    return path


def parse(path: Path, engine: Engine, out: Path) -> str:
    """Parse a file by the real model at the smallest size; its status."""
    job = ParseJob((str(path),), out, save=("labels", "overlay", "csv"), size=SIZE, views="1")
    item = Item(str(path), "image" if path.suffix in SUFFIXES else "clip", path.name)
    nothing = Report(begin=lambda _: None, advance=lambda _: None, stopped=lambda: False)
    record, _ = work(item, job, engine, nothing)
    assert record.status == "ok" or record.reason or record.notices
    assert "internal error" not in record.reason, record.reason
    return f"parsed: {record.status}"


def take(path: Path) -> str:
    """Open, decode and write a file; what came of it in a word."""
    if path.suffix in SUFFIXES:
        read_image(path)
        return "read"
    with Clip(path) as clip:
        assert clip.frames_expected > 0
        assert clip.duration_s >= 0
        sound = SoundTrack(path, clip.start_s)
        with VideoWriter(
            path.with_suffix(".out.mp4"), clip.size, clip.rate, sound=sound, length_s=clip.duration_s
        ) as writer:
            last_s = -1.0
            for frame in clip.frames():
                assert frame.pts_s > last_s
                last_s = frame.pts_s
                writer.write(frame.image, frame.pts_s)
        assert clip.complete or clip.notices
    if writer.frames:
        with Clip(writer.path) as clip:
            assert len(list(clip.frames())) == writer.frames
    writer.path.unlink()
    return "written"


def take_all(seeds: Path, folder: Path, numbers: range) -> Iterator[dict[str, object]]:
    """The mutants of these numbers: {"begin": n}, then {"end": n, "came": words, "broke": whether}."""
    engine: Engine | None = None
    for number in numbers:
        path = mutant(seeds, number, folder)
        yield {"begin": number, "file": str(path)}
        broke = False
        try:
            if number % PARSED_EVERY:
                came = take(path)
            else:
                engine = engine or ParseJob((), folder, size=SIZE, views="1").load()
                came = parse(path, engine, folder / f"parsed-{number}")
        except Refusal as e:
            came = "refused"
            broke = str(folder) in str(e)  # it is named, not its folder
        except Exception as e:  # noqa: BLE001 - what is looked for
            came, broke = f"{type(e).__name__}: {e}", True
        yield {"end": number, "came": came, "broke": broke}
        if not broke:
            path.unlink()


def main(arguments: list[str]) -> None:
    if len(arguments) == 2:  # one mutant, to look at
        number, folder = int(arguments[0]), Path(arguments[1])
        (folder / "seeds").mkdir(parents=True, exist_ok=True)
        draw_seeds(folder / "seeds")
        sys.stdout.write(f"{mutant(folder / 'seeds', number, folder)}\n")
        return
    seeds, folder, *numbers = arguments
    for line in take_all(Path(seeds), Path(folder), range(*map(int, numbers))):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
