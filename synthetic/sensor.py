"""Camera and codec before a file: occluders, blur, tone, noise, compression."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from synthetic.appearance import Rng
from synthetic.backgrounds import Backgrounds
from synthetic.bodies import FloatArray

Mask = NDArray[np.uint8]


def occlude(rng: Rng, image: FloatArray, backgrounds: Backgrounds) -> Mask:
    """Put one to three things before the people, in place; the mask (H, W) is 1 where they are."""
    size = len(image)
    mask = np.zeros((size, size), np.uint8)
    for _ in range(rng.integers(1, 4)):
        kind = rng.random()
        centre = rng.uniform(0.05, 0.95, 2) * size
        if kind < 0.3:  # a table, a counter, a parapet: everything below a line
            y = int(rng.uniform(0.65, 0.98) * size)
            slope = int(rng.normal(0, 0.04) * size)
            shape = [[0, y], [size, y + slope], [size, size], [0, size]]
        elif kind < 0.5:  # a pole or a door post
            x, half = int(centre[0]), int(rng.uniform(0.01, 0.06) * size)
            lean = int(rng.normal(0, 0.05) * size)
            shape = [[x - half, 0], [x + half, 0], [x + half + lean, size], [x - half + lean, size]]
        else:
            angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 9))))
            radius = size * rng.uniform(0.03, 0.16) * rng.uniform(0.6, 1.3, len(angles))
            shape = (
                (centre + np.stack([np.cos(angles), np.sin(angles)], 1) * radius[:, None])
                .astype(int)
                .tolist()
            )
        cv2.fillPoly(mask, [np.asarray(shape, np.int32)], 1)
    texture = backgrounds.sample(rng, size)
    if rng.random() < 0.4:
        texture = np.clip(texture * 0.15 + rng.uniform(0, 0.85, 3), 0, 1).astype(np.float32)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.6)[..., None]
    image += soft * (texture - image)
    return mask


def expose(rng: Rng, image: FloatArray) -> NDArray[np.uint8]:
    """The picture (H, W, 3) 0..1 as a camera and a codec would have stored it."""
    image = _soften(rng, image)
    image = _tone(rng, image)
    if rng.random() < 0.6:
        sigma = abs(rng.normal(0, 0.022))
        grain = rng.standard_normal(image.shape, np.float32)
        if rng.random() < 0.4:  # chroma noise comes in blobs after a camera's own denoising
            grain = np.asarray(cv2.GaussianBlur(grain, (0, 0), 0.7), np.float32) * 1.8
        image = image + sigma * grain
    if rng.random() < 0.04:
        image = np.asarray(cv2.transform(image, np.tile([[0.3, 0.59, 0.11]], (3, 1))), np.float32)
    out = np.asarray(np.clip(image * 255 + 0.5, 0, 255), np.uint8)
    if rng.random() < 0.7:
        quality = int(rng.uniform(30, 96))
        _, code = cv2.imencode(".jpg", out[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        decoded = cv2.imdecode(code, cv2.IMREAD_COLOR)
        if decoded is not None:
            out = np.ascontiguousarray(decoded[..., ::-1], np.uint8)
    return out


def _soften(rng: Rng, image: FloatArray) -> FloatArray:
    size = len(image)
    chance = rng.random()
    if chance < 0.10:  # a small picture enlarged
        small = int(size * rng.uniform(0.45, 0.8))
        shrunk = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
        image = np.asarray(cv2.resize(shrunk, (size, size)), np.float32)
    elif chance < 0.25:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.1) * size / 256), np.float32)
    elif chance < 0.32:  # motion of the camera
        length = max(3, int(rng.uniform(3, 9) * size / 256))
        kernel = np.zeros((length, length), np.float32)
        angle = rng.uniform(0, np.pi)
        end = 0.5 * (length - 1) * np.asarray([np.cos(angle), np.sin(angle)])
        middle = 0.5 * (length - 1)
        a, b = np.rint(middle - end).astype(int).tolist(), np.rint(middle + end).astype(int).tolist()
        cv2.line(kernel, a, b, 1.0)
        image = np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.float32)
    elif chance < 0.5:  # sharpening, as phones do
        image = image + rng.uniform(0.2, 0.9) * (image - cv2.GaussianBlur(image, (0, 0), 1.0))
    return np.asarray(image, np.float32)


def _tone(rng: Rng, image: FloatArray) -> FloatArray:
    image = np.clip(image, 0, 1.5)
    image = image ** np.float32(np.exp(rng.normal(0, 0.18)))
    # Saturation, contrast, brightness and white balance are one affine map of the colours.
    saturation = float(np.clip(rng.normal(0.95, 0.25), 0, 1.6))
    contrast, brightness = float(np.clip(rng.normal(1, 0.15), 0.5, 1.5)), float(rng.normal(0, 0.05))
    mix = contrast * (saturation * np.eye(3) + (1 - saturation) / 3)
    balance = rng.normal(1, 0.04, 3)
    offset = (0.5 - 0.5 * contrast + brightness) * balance
    return np.asarray(cv2.transform(image, np.column_stack([mix * balance[:, None], offset])), np.float32)
