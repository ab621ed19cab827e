"""Pictures from files: upright, 8-bit RGB, within the size limits."""

from __future__ import annotations

import re
import warnings
from collections.abc import Container, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from runtime.media.file_types import looks_like
from runtime.media.opening import DEFAULT_LIMITS, Limits, regular_file
from runtime.system.errors import Refusal, printable

#: Pillow opens nothing else; its other readers are old, rare, and have been the way in for hostile files.
FORMATS: Final = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "AVIF")
SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".avif"})
#: Correlation of neighbours: 0 to 0.3 between strangers, 2 % above 0.5; 0.5 to 1 half a second apart.
LEAST_ALIKE: Final = 0.5
_BACKDROP: Final = (255, 255, 255)  # what a transparent picture stands on


def read_image(path: str | Path, limits: Limits = DEFAULT_LIMITS) -> NDArray[np.uint8]:
    """The picture (h, w, 3) RGB as a viewer shows it: EXIF orientation applied, transparency on white.

    Raises:
        Refusal: in words, when it is no picture, is damaged or is too large; before its pixels are read.
    """
    file = regular_file(path)
    name = printable(file.name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata; our size limit is stricter
            with Image.open(file, formats=FORMATS) as image:
                limits.check(name, *image.size)
                return _to_rgb(ImageOps.exif_transpose(image))
    except Refusal:
        raise
    except UnidentifiedImageError as e:
        if looks_like(file) == "picture":
            reason = "the picture is damaged, or of a kind this program does not read"
            raise Refusal(name, reason, "Copy it again, or convert it to PNG or JPEG") from e
        raise Refusal(name, "not a picture this program reads", "Convert it to PNG or JPEG") from e
    except PermissionError as e:
        raise Refusal(name, "you may not read it", "Ask its owner for the right to read") from e
    except Image.DecompressionBombError as e:
        raise Refusal(name, "the picture is far over the size limit", "Scale it down first") from e
    except Exception as e:  # decoders of damaged files raise anything
        raise Refusal(name, f"the picture is damaged ({_short(e)})", "Copy or download it again") from e


def list_images(folder: str | Path) -> list[Path]:
    """The picture files directly in a folder, in the order a person would count them: 2 before 10."""
    return sorted(
        (p for p in Path(folder).iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")),
        key=natural,
    )


def inner_folders(folder: str | Path, suffixes: Container[str] = SUFFIXES) -> str:
    """Names of the first three folders in a folder that hold such files, with commas; empty for none."""
    named: list[str] = []
    for inner in sorted(Path(folder).iterdir(), key=natural):
        with suppress(OSError):
            if len(named) < 3 and inner.is_dir() and not inner.name.startswith("."):
                held = any(p.suffix.lower() in suffixes for p in inner.iterdir())
                named += [printable(inner.name)] * held
    return ", ".join(named)


def have_one_size(paths: Sequence[Path], looked_at: int = 16) -> bool:
    """True when pictures, as far as a sample of their headers tells, are equally large."""
    sizes = set()
    for path in paths[:: -(-len(paths) // looked_at)]:
        with suppress(Exception), Image.open(regular_file(path), formats=FORMATS) as image:
            sizes.add(image.size)  # one that cannot be read is named when it is shown
    return len(sizes) <= 1


def are_alike(paths: Sequence[Path]) -> bool:
    """True when four neighbours in the middle show much the same, as frames of a clip do."""
    middle, thumbnails = max(0, len(paths) // 2 - 2), []
    for path in paths[middle : middle + 4]:
        with suppress(Refusal):  # one that cannot be read is named when it is shown
            small = Image.fromarray(read_image(path)).convert("L").resize((16, 16), Image.Resampling.BOX)
            grey = np.asarray(small, np.float64).ravel()
            thumbnails.append((grey - grey.mean()) / (np.linalg.norm(grey - grey.mean()) or np.nan))
    alike = [c for a, b in pairwise(thumbnails) if np.isfinite(c := a @ b)]  # one colour is like nothing
    return not alike or float(np.median(alike)) >= LEAST_ALIKE


def natural(path: Path) -> list[tuple[int, int, str]]:
    """Sort key that compares runs of digits as numbers."""
    parts = re.split(r"(\d+)", path.name)
    key = [(0, int(p), "") if p.isascii() and p.isdigit() else (1, 0, p.casefold()) for p in parts]
    return [*key, (2, 0, path.name)]


def _to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode in ("I;16", "I;16L", "I;16B", "I;16N", "I"):
        return _grey(np.asarray(image).astype(np.float64) / 257)
    if image.mode == "F":
        values = np.nan_to_num(np.asarray(image, dtype=np.float64))
        return _grey(values * (255 if values.max(initial=0) <= 1 else 1))
    if image.has_transparency_data:
        front = image.convert("RGBA")
        back = Image.new("RGBA", front.size, (*_BACKDROP, 255))
        image = Image.alpha_composite(back, front)
    return np.array(image.convert("RGB"), dtype=np.uint8)


def _grey(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    grey = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def _short(error: Exception) -> str:
    return printable(str(error))[:120] or type(error).__name__
