"""One affine for picture and labels together, then changes of light and sensor alone (methods §1.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from models.labels import IGNORE, S31, PartSet
from training.targets import mirror_codes

DARK = 0.12  # of the pictures whose light is changed are taken in poor light
MOVED = 0.12  # of the pictures are blurred by movement
Image = NDArray[np.uint8]
#: code of a cell: that at its centre, or most of its pixels' (methods §1.4)
Labels = Literal["centre", "majority"]


@dataclass(frozen=True)
class Ranges:
    """Ranges of the random affine. Angles in degrees, shifts as a share of the crop.

    `even`: the scale itself is drawn evenly, not its logarithm, and the angle from −`angle` to `angle`.
    """

    scale: tuple[float, float]  #: size of the picture's long side relative to the crop
    angle: float  #: standard deviation
    wild_angle: float = 0.0  #: share of pictures turned by any angle
    shift: float = 0.15
    flip: float = 0.5
    even: bool = False


def affine(
    rng: np.random.Generator,
    size: tuple[int, int],
    crop: int,
    ranges: Ranges,
    centre: NDArray[np.float32] | None = None,
) -> NDArray[np.float64]:
    """Draw a map from picture to crop, sometimes a mirroring one.

    `size` is (width, height) of the picture and `crop` the side of the square crop, px; `centre` (2,) is the
    point of the picture to put near the middle, its own middle by default.

    Returns:
        The 2x3 matrix, picture px → crop px, pixel centres at integers.
    """
    width, height = size
    scale = rng.uniform(*ranges.scale) if ranges.even else np.exp(rng.uniform(*np.log(ranges.scale)))
    k = scale * crop / max(width, height)
    if ranges.even:
        angle = rng.uniform(-ranges.angle, ranges.angle)
    else:
        angle = rng.uniform(-180, 180) if rng.random() < ranges.wild_angle else rng.normal(0, ranges.angle)
    cx, cy = centre if centre is not None else ((width - 1) / 2, (height - 1) / 2)
    m = np.asarray(cv2.getRotationMatrix2D((float(cx), float(cy)), angle, k), dtype=np.float64)
    m[:, 2] += (crop - 1) / 2 - np.array((cx, cy)) + rng.uniform(-ranges.shift, ranges.shift, 2) * crop
    if rng.random() < ranges.flip:
        m[0] *= -1
        m[0, 2] += crop - 1
    return m


def mirrors(m: NDArray[np.float64]) -> bool:
    """True for a map that swaps left and right."""
    return bool(m[0, 0] * m[1, 1] < m[0, 1] * m[1, 0])


def warp(image: Image, m: NDArray[np.float64], crop: int) -> Image:
    """Apply the map to a picture (bilinear) → (crop, crop, c), its mean colour or transparent around it."""
    mean = tuple(float(v) for v in image[::8, ::8].reshape(-1, image.shape[2]).mean(0))
    if image.shape[2] == 4:
        mean = (0.0, 0.0, 0.0, 0.0)
    shrink = np.hypot(m[0, 0], m[0, 1])
    source: MatLike = image
    ms = m
    if shrink < 0.6:  # bilinear sampling alone would alias
        f = float(max(shrink, 0.05)) * 1.3
        source = cv2.resize(image, None, fx=f, fy=f, interpolation=cv2.INTER_AREA)
        fx, fy = source.shape[1] / image.shape[1], source.shape[0] / image.shape[0]
        up = np.array([[1 / fx, 0, 0.5 / fx - 0.5], [0, 1 / fy, 0.5 / fy - 0.5], [0, 0, 1]])
        ms = m @ up
    picture = cv2.warpAffine(source, ms, (crop, crop), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT,
                             borderValue=mean)  # fmt: skip
    return np.asarray(picture, dtype=np.uint8)


def warp_codes(
    codes: Image,
    m: NDArray[np.float64],
    crop: int,
    stride: int,
    fill: int,
    labels: Labels = "centre",
    part_set: PartSet = S31,
) -> Image:
    """Apply the map to codes (nearest, at the cells' centres or all in them) → (crop/stride, crop/stride).

    The centre of cell u lies at crop pixel stride·u + (stride−1)/2. What lies outside the picture gets the
    code `fill`: 0 where the surroundings are known to be empty, else 255. A mirroring map swaps left and
    right of the part set.
    """
    s = stride if labels == "centre" else 1
    grid = m / s
    grid[:, 2] -= (s - 1) / (2 * s)
    target = cv2.warpAffine(codes, grid, (crop // s, crop // s), flags=cv2.INTER_NEAREST,
                            borderMode=cv2.BORDER_CONSTANT, borderValue=fill)  # fmt: skip
    there = np.asarray(target, dtype=np.uint8)
    if s < stride:
        there = majority(there, stride)
    return mirror_codes(part_set)[there] if mirrors(m) else there


def majority(codes: Image, stride: int) -> Image:
    """The code that most pixels of a cell have, the lowest of several; (h, w) → (h/stride, w/stride)."""
    h, w = codes.shape[0] // stride, codes.shape[1] // stride
    rows, columns = np.indices((h * stride, w * stride)) // stride
    votes = np.bincount(((rows * w + columns) * 256 + codes).ravel(), minlength=h * w * 256)
    return np.asarray(votes.reshape(h, w, 256).argmax(2), dtype=np.uint8)


def photometric(rng: np.random.Generator, image: Image) -> Image:
    """Light, colour, blur, noise and compression changes of an RGB picture; same shape."""
    x: MatLike = image
    if rng.random() < 0.8:  # gain, offset and gamma per channel in one look-up table
        level = np.arange(256, dtype=np.float32) / 255
        dark = rng.random() < DARK
        gain = (rng.uniform(0.25, 0.6) if dark else rng.uniform(0.65, 1.4)) * rng.uniform(0.88, 1.12, 3)
        offset = rng.uniform(-0.1, 0.1)
        gamma = np.exp(rng.uniform(-0.35, 0.35))
        table = np.clip((level[:, None] ** gamma - 0.5) * gain + 0.5 + offset, 0, 1) * 255
        x = cv2.LUT(x, table.astype(np.uint8)[None])
    if rng.random() < 0.12:
        grey = cv2.cvtColor(x, cv2.COLOR_RGB2GRAY)
        x = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
    elif rng.random() < 0.3:
        hsv = cv2.cvtColor(x, cv2.COLOR_RGB2HSV)
        hsv[..., 0] = (hsv[..., 0].astype(np.int16) + int(rng.integers(-12, 13))) % 180
        hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(0.4, 1.5), 0, 255)
        x = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    if rng.random() < 0.2:
        x = cv2.GaussianBlur(x, (0, 0), float(rng.uniform(0.4, 1.6)))
    if rng.random() < MOVED:
        x = cv2.filter2D(x, -1, _motion(rng, x.shape[0]))
    if rng.random() < 0.25:
        noise = rng.standard_normal(x.shape, dtype=np.float32) * rng.uniform(2, 14)
        x = np.clip(x + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        _, data = cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))])
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert decoded is not None  # we encoded it ourselves
        x = decoded
    return np.ascontiguousarray(x, dtype=np.uint8)


def _motion(rng: np.random.Generator, side: int) -> NDArray[np.float32]:
    """Kernel of a straight movement during the exposure, up to a 20th of the picture's side."""
    length = int(rng.integers(3, max(4, side // 20)))
    angle = rng.uniform(0, np.pi)
    reach = length / 2 * np.array((np.cos(angle), np.sin(angle)))
    kernel = np.zeros((2 * (length // 2) + 3,) * 2, np.float32)
    middle = np.array((kernel.shape[0] // 2,) * 2)
    a, b = (tuple(int(v) for v in np.round(middle + k * reach)) for k in (-1, 1))
    cv2.line(kernel, a, b, 1.0, 1, cv2.LINE_AA)
    return np.asarray(kernel / kernel.sum(), np.float32)


def occlude(rng: np.random.Generator, picture: Image, target: Image, background: Image) -> None:
    """Paste a random patch of a person-free picture over both, in place: it is background there."""
    crop, cells = picture.shape[0], target.shape[0]
    s = crop // cells
    w, h = (int(v) * s for v in rng.integers(max(1, cells // 12), cells // 3, 2))
    x, y = (int(v) * s for v in (rng.integers(0, cells - w // s + 1), rng.integers(0, cells - h // s + 1)))
    if background.shape[0] <= h or background.shape[1] <= w:
        return
    v, u = (int(rng.integers(0, background.shape[i] - (h, w)[i] + 1)) for i in (0, 1))
    picture[y : y + h, x : x + w] = background[v : v + h, u : u + w]
    patch = target[y // s : (y + h) // s, x // s : (x + w) // s]
    patch[patch != IGNORE] = 0
