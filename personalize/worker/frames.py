"""Phase 1, frames: the window's pictures at the working size and in the network's letterbox."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from personalize.job import PersonalizationJob
from personalize.seeds import WINDOW, between, studied, window, working_size
from personalize.worker.augmentation import FOUR
from personalize.worker.context import Context
from personalize.worker.pictures import PictureSequence, identity, opened, sha256_of
from personalize.worker.results import Facts
from runtime.frames import Frame
from runtime.media.clips import Clip
from runtime.system.errors import Refusal, printable

LONGEST = 900  #: frames; a longer range would not fit into memory and time
FEWEST = 2


def needs(context: Context) -> list[object]:
    """Inputs of the result."""
    job = context.job
    return [identity(job.clip), job.first, job.last, job.around, repr(context.network.size), repr(FOUR)]


def run(context: Context) -> Facts:
    """Read the window; nothing before it is decoded but what the decoder needs, nothing after it.

    Raises:
        Refusal: the clip cannot be used, or the window holds too few frames.
    """
    job = context.job
    with opened(job.clip) as pictures:
        wanted = wanted_frames(job, pictures.frames_expected)
        if len(wanted) > LONGEST:
            raise Refusal(
                f"range of {len(wanted)} frames",
                f"at most {LONGEST} can be learned from at a time",
                "Choose a shorter range",
            )
        read = _read(context, pictures, wanted)
        if not read and wanted.start:  # the file claims more frames than it has
            wanted = wanted_frames(job, pictures.frames_expected)
            read = _read(context, pictures, wanted)
        notices = list(pictures.notices)
        size = pictures.size
    if read < FEWEST:
        reason = f"only {read} frame{'s' * (read != 1)} of the range can be read"
        if job.first > wanted.start:  # it begins after the clip's end
            reason = f"it has no frame {job.first}"
        raise Refusal(printable(job.clip.name), reason, "Choose a longer range, or another clip")
    if read < len(wanted):
        notices.append(f"{read} of {len(wanted)} frames of the range could be read.")
    for text in notices:
        context.reporter.notice(text)
    return {
        "first": wanted.start,
        "frames": read,
        "studied": [k for k in studied(len(wanted)) if k < read],
        "size": size,
        "clip_sha256": sha256_of(job.clip),
    }


def wanted_frames(job: PersonalizationJob, expected: int) -> range:
    """The window of frames of a job's clip."""
    if job.last is None:
        return window(expected, around=job.around, span=WINDOW)
    return between(expected, job.first, job.last)


def _read(context: Context, pictures: Clip | PictureSequence, wanted: range) -> int:
    """Fill both arrays; how many frames there were."""
    width, height = pictures.size
    letterbox = context.network.letterbox((width, height))
    larger = context.network.letterbox((width, height), FOUR.sizes[0])
    small_size = working_size(width, height)
    small = context.results.new("small", (len(wanted), small_size[1], small_size[0], 3), np.uint8)
    canvas = context.results.new(
        "canvas", (len(wanted), letterbox.network[1], letterbox.network[0], 3), np.uint8
    )
    several = studied(len(wanted))
    large = context.results.new("large", (len(several), larger.network[1], larger.network[0], 3), np.uint8)
    read = 0
    for frame in pictures.frames(wanted.start):
        if read >= len(wanted):
            break
        if read in several:
            large[several.index(read)] = larger.apply(frame.image)[0]
        _put(frame, small[read], canvas[read], context)
        read += 1
        context.reporter.progress(read, len(wanted))
    context.results.keep("small", small)
    context.results.keep("canvas", canvas)
    context.results.keep("large", large)
    return read


def _put(frame: Frame, small: NDArray[np.uint8], canvas: NDArray[np.uint8], context: Context) -> None:
    height, width = small.shape[:2]
    small[:] = cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_AREA)
    canvas[:] = context.network.letterbox(frame.size).apply(frame.image)[0]
