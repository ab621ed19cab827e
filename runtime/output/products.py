"""The products of `xfactor parse`: one row per word of `--save`, from which everything about it follows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from models.results import Parsing, Result
from runtime.media.clips import Clip
from runtime.output import coco, label_png, parts_csv
from runtime.output.alpha import cutout, matte
from runtime.output.coco import CocoFile, Origin
from runtime.output.composition import composed
from runtime.output.growing_file import Paint, ResultStream, ResultVideo
from runtime.output.movement_csv import MovementTable
from runtime.output.overlay import overlay_jpeg, painted
from runtime.output.parts_csv import PartsTable
from runtime.output.style import DisplayStyle

Image = NDArray[np.uint8]
Content = Literal["parts", "people"]  #: of a `Result`
#: The last bytes of a whole file, by suffix.
ENDS: Final = {".png": b"IEND\xaeB`\x82", ".jpg": b"\xff\xd9"}


@dataclass(frozen=True)
class PictureFile:
    """A file per picture: `<folder>/<name><suffix>`."""

    folder: str
    suffix: str
    encode: Callable[[Image, Result], bytes]
    of_frames: bool = False  #: a clip gets one for each frame, too


@dataclass(frozen=True)
class ClipFile:
    """A file per clip that grows frame by frame."""

    name: str  #: `{alpha}` in it stands for the suffix of videos with transparency
    open: Callable[[Path, Clip, Origin], ResultStream]  #: path, clip, its first frame in the file
    bytes_per_px: int = 0  #: memory that it takes, measured at 8192 x 8192 px


@dataclass(frozen=True)
class SharedFile:
    """A text file for all pictures of a run, from one entry (plain JSON values) of each."""

    name: str
    entry: Callable[[Result, Origin, tuple[int, int]], Any]
    joined: Callable[[Iterable[Any]], str]
    split: Callable[[str], dict[str, Any]]  #: entries of an earlier run, by name of the results


@dataclass(frozen=True)
class Product:
    """One word of `--save`: the files it stands for, and what a result must have for it (one of several)."""

    needs: frozenset[Content]
    picture: PictureFile | None = None
    clip: ClipFile | None = None
    shared: SharedFile | None = None
    default: bool = False

    @property
    def of_clips_only(self) -> bool:
        """True when pictures have nothing of it."""
        return self.picture is None and self.shared is None


def parts_of(result: Result) -> Parsing:
    """The parsing of a result of which `needs` promised one."""
    if result.parsing is None:
        raise ValueError("this result has no body parts")
    return result.parsing


def _labels(_image: Image, result: Result) -> bytes:
    return label_png.label_png(parts_of(result))


def _silhouettes(_image: Image, result: Result) -> bytes:
    return label_png.silhouette_png(parts_of(result))


def _cutout(image: Image, result: Result) -> Image:
    return cutout(image, parts_of(result))


def _cutout_png(image: Image, result: Result) -> bytes:
    return label_png.cutout_png(_cutout(image, result))


def _matte(_image: Image, result: Result) -> Image:
    return matte(parts_of(result))


def _video(path: Path, clip: Clip, origin: Origin, paint: Paint, *, alpha: bool = False) -> ResultStream:
    return ResultVideo(path, clip, origin.pts_s, paint, alpha=alpha)


_PARTS: Final[frozenset[Content]] = frozenset({"parts"})
_EITHER: Final[frozenset[Content]] = frozenset({"parts", "people"})
PRODUCTS: Final = {
    "labels": Product(_PARTS, PictureFile("labels", ".png", _labels, of_frames=True), default=True),
    "silhouettes": Product(
        _PARTS, PictureFile("silhouettes", ".png", _silhouettes, of_frames=True), default=True
    ),
    "overlay": Product(
        _EITHER,
        PictureFile("overlay", ".jpg", overlay_jpeg),
        ClipFile("overlay.mp4", partial(_video, paint=painted), bytes_per_px=26),
        default=True,
    ),
    "coco": Product(
        _EITHER,
        clip=ClipFile("coco.json", lambda path, _clip, origin: CocoFile(path, origin)),
        shared=SharedFile("coco.json", coco.entry, coco.joined, coco.split),
    ),
    "csv": Product(
        _PARTS,
        clip=ClipFile("parts.csv", lambda path, _clip, origin: PartsTable(path, origin)),
        shared=SharedFile("parts.csv", parts_csv.entry, parts_csv.joined, parts_csv.split),
    ),
    "alpha": Product(
        _PARTS,
        PictureFile("cutout", ".png", _cutout_png),
        ClipFile("cutout.{alpha}", partial(_video, paint=_cutout, alpha=True), bytes_per_px=38),
    ),
    "matte": Product(
        _PARTS,
        PictureFile("matte", ".png", _silhouettes),
        ClipFile("matte.mp4", partial(_video, paint=_matte), bytes_per_px=26),
    ),
    "movement": Product(
        _EITHER,
        clip=ClipFile("movement.csv", lambda path, _clip, origin: MovementTable(path, origin)),
    ),
}


def products_in(style: DisplayStyle | None) -> Mapping[str, Product]:
    """The products, with overlays in a style of their own."""
    if style is None:
        return PRODUCTS
    paint: Paint = partial(composed, style=style)
    usual = PRODUCTS["overlay"]
    picture = PictureFile("overlay", ".jpg", partial(overlay_jpeg, paint=paint))
    clip = ClipFile("overlay.mp4", partial(_video, paint=paint), bytes_per_px=26)
    return PRODUCTS | {"overlay": replace(usual, picture=picture, clip=clip)}


DEFAULTS: Final = tuple(name for name, product in PRODUCTS.items() if product.default)
#: Folders of pictures, and files, that no clip's folder may be called like.
PICTURE_FOLDERS: Final = tuple(p.picture.folder for p in PRODUCTS.values() if p.picture)
SHARED_NAMES: Final = tuple(p.shared.name for p in PRODUCTS.values() if p.shared)


def whole(path: Path) -> bool:
    """True when a result is there and not empty, a picture with its end."""
    end = ENDS.get(path.suffix, b"")
    try:
        with path.open("rb") as f:
            f.seek(-len(end), 2)
            return f.read() == end and f.tell() > 0
    except OSError:
        return False
