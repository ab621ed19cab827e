"""Pictures: upright, 8 bit, in the order a person counts, and never too large."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from personalize.replay import read_regression
from runtime.media.images import are_alike, have_one_size, list_images, natural, read_image
from runtime.media.opening import Limits
from runtime.system.errors import Refusal
from runtime.system.paths import assets_dir

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    colours = np.random.default_rng(0).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    undo = {1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud,
            5: lambda a: a.transpose(1, 0, 2), 6: np.rot90, 7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
            8: lambda a: np.rot90(a, 3)}[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(undo(colours))).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "a.png"), colours)


def test_kinds_of_pixels(tmp_path: Path) -> None:
    rgb = np.repeat(GREY[..., None], 3, 2)
    Image.fromarray(GREY).save(tmp_path / "grey.png")
    Image.fromarray(GREY.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    Image.fromarray(rgb).quantize(64).save(tmp_path / "palette.png")
    Image.fromarray(rgb).save(tmp_path / "plain.bmp")
    Image.fromarray(rgb).convert("CMYK").save(tmp_path / "print.tif")
    Image.fromarray(GREY.astype(np.float32) / 255).save(tmp_path / "float.tiff")
    for path in list_images(tmp_path):
        image = read_image(path)
        assert image.shape == (6, 8, 3)
        assert image.dtype == np.uint8
        assert np.abs(image.astype(int) - rgb).max() <= 2, path.name


def test_what_is_transparent_stands_on_white(tmp_path: Path) -> None:
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[:2, :, 3] = 255
    Image.fromarray(rgba).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert image[:2].max() == 0
    assert image[2:].min() == 255


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"<html>", b"\x89PNG\r\n\x1a\n" + bytes(40), b"\xff\xd8\xff\xe0" + bytes(99)]
)
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(Refusal, match=r"a\.png"):
        read_image(path)


def test_a_picture_that_breaks_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "half.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 90, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(Refusal, match="damaged"):
        read_image(path)


def test_a17_decompression_bombs_are_refused_before_decoding(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    header = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(1000))
    chunks = [
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, data, b"IEND")
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    with pytest.raises(Refusal, match="over the"):
        read_image(path)
    Image.fromarray(GREY).save(tmp_path / "small.png")
    with pytest.raises(Refusal, match="8 x 6"):
        read_image(tmp_path / "small.png", Limits(max_side_px=7))


@given(st.permutations([f"shot{n}.png" for n in (1, 2, 9, 10, 11, 100)]))
def test_numbers_sort_as_numbers(names: list[str]) -> None:
    ordered = sorted((Path(n) for n in names), key=natural)
    assert [int(p.stem[4:]) for p in ordered] == [1, 2, 9, 10, 11, 100]


def test_only_pictures_are_listed(tmp_path: Path) -> None:
    for name in ("2.png", "10.JPG", "1.webp", "notes.txt", ".hidden.png", "clip.mp4"):
        (tmp_path / name).touch()
    assert [p.name for p in list_images(tmp_path)] == ["1.webp", "2.png", "10.JPG"]


def test_d26_strangers_of_one_size_are_no_clip_and_a_moving_picture_is_one(tmp_path: Path) -> None:
    """Rendered people, each in a place of their own; one who moves; pictures of one colour say nothing."""
    people = read_regression(assets_dir() / "regression").pictures
    strangers, film, grey = ([tmp_path / f"{kind}{n}.png" for n in range(8)] for kind in "sfg")
    for n in range(8):
        Image.fromarray(people[7 * n]).save(strangers[n])
        Image.fromarray(np.roll(people[50], 3 * n, axis=1)).save(film[n])
        Image.new("RGB", (64, 64), (9 * n, 90, 90)).save(grey[n])
    assert are_alike(film)
    assert not are_alike(strangers)
    assert have_one_size(strangers)
    assert are_alike(grey)
    assert are_alike(strangers[:1])
    film[4].write_bytes(b"no picture")
    assert are_alike(film)


@pytest.mark.parametrize(
    ("head", "words"), [(b"GIF89a", "not a picture"), (b"\xff\xd8\xff\xe0", "damaged"), (b"II*\0", "damaged")]
)
def test_noise_with_the_start_of_a_picture_is_called_what_it_is(
    tmp_path: Path, head: bytes, words: str
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(head + bytes(range(256)))
    with pytest.raises(Refusal, match=words) as refused:
        read_image(path)
    assert "MPO" not in str(refused.value)
    assert "KeyError" not in str(refused.value)
