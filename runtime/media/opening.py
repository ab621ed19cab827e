"""The only place of the program that opens a clip.

FFmpeg reads far more than video: play lists that name other files, scripts, network addresses. Here a path
must be a regular file, and only the demuxers named below may look at it, so that no file can make the program
read another one. A stream is asked for by its link alone: no name in it, nor in a play list that it answers
with, reaches a file of this machine.
"""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from runtime.media.file_types import Kind, codec_code, looks_like, movie_without_index
from runtime.media.stream_links import StreamLink
from runtime.system.errors import FinalRefusal, Refusal, printable

#: Demuxers of self-contained files. Play lists (hls, concat, dash) and devices (lavfi, v4l2) are absent.
FORMATS: Final = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,flv,ogg,mpeg,asf,gif"
STREAM_FORMATS: Final = f"{FORMATS},hls,mpjpeg,mjpeg,rtsp"
STREAM_PROTOCOLS: Final = "http,https,httpproxy,tcp,tls,crypto"  #: no file, data, concat; no port is opened
SEGMENT_FORMATS: Final = "mpegts,mov,mp4,aac"  #: of HLS; a play list in a play list never ends
OPEN_S: Final = 10.0  #: until a stream has told its format
READ_S: Final = 5.0  #: without a byte

_ENCRYPTED: Final = ("encv", "drmi")  #: codes of picture codecs in MP4 that stand for any codec under a key


@dataclass(frozen=True)
class Limits:
    """The largest picture that is decoded, checked before any memory is taken for it."""

    max_side_px: int = 8192
    max_pixels: int = 8192 * 8192

    def check(self, what: str, width: int, height: int) -> None:
        """Refuse a picture over the limits.

        Raises:
            Refusal: naming both sizes.
        """
        if width <= 0 or height <= 0:  # what FFmpeg makes of a size of 65535 x 65535, too
            reason = "it states no picture size, or an impossible one over every limit"
            raise Refusal(what, reason, "Copy or record it again")
        if max(width, height) > self.max_side_px or width * height > self.max_pixels:
            raise Refusal(
                what,
                f"the picture is {width} x {height}, over the limit of {self.max_side_px} px a side",
                "Scale it down first",
            )


DEFAULT_LIMITS: Final = Limits()


def regular_file(path: str | Path) -> Path:
    """The absolute path, once it is known to be a readable regular file that is not empty.

    Opening a pipe or a device would block for ever, so the question is asked before anything is opened.

    Raises:
        Refusal: in words, for everything else.
    """
    given = Path(path)
    name = printable(given.name or str(given))
    try:
        info = given.stat()
    except FileNotFoundError:
        if given.is_symlink():
            raise Refusal(name, "is a link to a file that is gone", "Open the file itself") from None
        raise Refusal(name, "there is no such file", "Check the name and the folder") from None
    except PermissionError:
        raise Refusal(name, "you may not read it", "Ask its owner for the right to read") from None
    except (OSError, ValueError) as e:
        raise Refusal(name, f"it cannot be read ({e})", "Check the name and the disk") from e
    if stat.S_ISDIR(info.st_mode):
        raise Refusal(
            name, "is a folder, not a video file", "Open a file in it, or open it as a folder of pictures"
        )
    if not stat.S_ISREG(info.st_mode):
        raise Refusal(name, "is not a regular file (a pipe or a device)", "Save the video to a file first")
    if info.st_size == 0:
        raise Refusal(name, "the file is empty", "Copy or download it again")
    return given.absolute()


def open_media(path: str | Path, limits: Limits = DEFAULT_LIMITS) -> InputContainer:
    """Open a clip whose default video stream can be decoded; the caller closes it.

    Args:
        path: A regular file.
        limits: The largest picture to accept.

    Raises:
        Refusal: in words, when it is no clip or one this program does not take.
    """
    file = regular_file(path)
    name = printable(file.name)
    options = {
        "format_whitelist": FORMATS,
        "protocol_whitelist": "file",
        "max_pixels": str(limits.max_pixels),  # also holds for the frames decoded while probing
    }
    try:
        # "file:" keeps a name like "concat:a|b" or "subfile:…" a name.
        container = av.open(f"file:{file}", mode="r", options=options, metadata_errors="replace")
    except PermissionError as e:
        raise Refusal(name, "you may not read it", "Ask its owner for the right to read") from e
    except Exception as e:  # 2 % of damaged files raise something that is not an FFmpeg error
        raise _not_a_video(file, e) from e
    try:
        stream = video_stream(container, name)
        limits.check(name, stream.codec_context.width, stream.codec_context.height)
    except BaseException:
        container.close()
        raise
    return container


def open_stream(
    link: StreamLink, limits: Limits = DEFAULT_LIMITS, timeouts_s: tuple[float, float] = (OPEN_S, READ_S)
) -> InputContainer:
    """Connect to a stream; the caller closes it.

    Args:
        link: of the stream.
        limits: The largest picture to accept.
        timeouts_s: Until it is open, and for each read.

    Raises:
        FinalRefusal: it asks for a user or a password.
        Refusal: it cannot be had now. No text contains more of the link than its public form.
    """
    options = {
        "format_whitelist": STREAM_FORMATS,
        "protocol_whitelist": STREAM_PROTOCOLS,
        "seg_format_options": f"format_whitelist={SEGMENT_FORMATS}",
        "rtsp_transport": "tcp",
        "max_pixels": str(limits.max_pixels),
        "analyzeduration": "2000000",  # μs
    }
    began_s = time.monotonic()
    try:
        return av.open(link.address, mode="r", options=options, timeout=timeouts_s, metadata_errors="replace")
    except Exception as e:  # noqa: BLE001 - see open_media; not chained: FFmpeg's words contain the link
        late = time.monotonic() - began_s >= timeouts_s[0]  # FFmpeg has another word for it in every format
        raise stream_refusal(link.public, TimeoutError() if late else e, timeouts_s[0]) from None


def stream_refusal(name: str, error: Exception, waited_s: float) -> Refusal:
    """The reason for which a stream cannot be opened or read on, without FFmpeg's own words."""
    if isinstance(error, (av.HTTPUnauthorizedError, av.HTTPForbiddenError)):
        remedy = "Put them into the link: rtsp://USER:PASSWORD@HOST/PATH"
        return FinalRefusal(name, "it asks for another user or password", remedy)
    if isinstance(error, av.HTTPNotFoundError):
        return Refusal(name, "the server knows no such stream (404)", "Check the path in the link")
    if isinstance(error, (av.ExitError, TimeoutError)):
        return Refusal(name, f"it gave nothing for {waited_s:g} s", "Check that it sends")
    if isinstance(error, (av.HTTPClientError, av.HTTPServerError)):
        return Refusal(name, f"the server answers with an error ({type(error).__name__})", "Try it later")
    if not isinstance(error, OSError):
        reason = f"what it sends is no video this program reads ({type(error).__name__})"
        return Refusal(name, reason, "Check the link")
    reason = f"it cannot be reached ({error.strerror or type(error).__name__})"
    return Refusal(name, reason, "Check the host, the network and the link")


def open_screen(x: int, y: int, width: int, height: int, rate: float) -> InputContainer:
    """Begin to read a part of the X11 screen, in its pixels; the caller closes it.

    Raises:
        Refusal: in words, when there is none, or no such part of it.
    """
    options = {"video_size": f"{width}x{height}", "framerate": f"{rate:g}", "draw_mouse": "0"}
    display = os.environ.get("DISPLAY", "")
    try:
        return av.open(f"{display}+{x},{y}", format="x11grab", options=options)
    except Exception as e:
        reason = f"it cannot be read ({type(e).__name__})"
        raise Refusal("screen", reason, "Choose a screen in the menu Source") from e


def video_stream(container: InputContainer, name: str) -> VideoStream:
    """The stream to show: the default one, never the cover picture of a song.

    Raises:
        Refusal: when there is none, or its codec is unknown.
    """
    cover = Disposition.attached_pic | Disposition.timed_thumbnails
    moving = [s for s in container.streams.video if not s.disposition & cover]
    if not moving:
        raise Refusal(name, "there is no video track in it", "Open a file with moving pictures")
    decodable = [s for s in moving if _has_decoder(s)]
    if not decodable:
        raise _undecodable(name, codec_code(Path(container.name.removeprefix("file:"))))
    default = [s for s in decodable if s.disposition & Disposition.default]
    return (default or decodable)[0]


def _undecodable(name: str, code: str) -> Refusal:
    if code in _ENCRYPTED:
        return Refusal(name, f"it is encrypted ({code})", "Open a copy without protection")
    codec = f"its video codec {code}".rstrip()
    return Refusal(name, f"{codec} is not known to this program", "Convert it to H.264, for instance")


def _has_decoder(stream: VideoStream) -> bool:
    return getattr(stream, "codec_context", None) is not None  # PyAV's types do not know that it can be None


_EXPLAINED: Final[dict[Kind, tuple[str, str]]] = {
    "sound": ("there is no video track in it, it is a sound file", "Open a file with moving pictures"),
    "lfs": ("not a video: it is a git-lfs pointer", "Fetch the real file with: git lfs pull"),
    "playlist": ("not a video: it is a play list, and those are not followed", "Open the clip it names"),
    "page": ("not a video: it is a web page", "Download the clip itself"),
    "text": ("not a video: it is text", "Open a video file"),
    "picture": ("not a video: it is a picture", "Open a clip"),
}


def _not_a_video(file: Path, error: Exception) -> Refusal:
    name = printable(file.name)
    kind = looks_like(file)
    if kind == "movie" and movie_without_index(file):
        reason = "the recording was cut off before its index was written (no moov)"
        return Refusal(name, reason, "Try a repair tool such as untrunc, with a good clip of the same camera")
    reason, remedy = _EXPLAINED.get(
        kind, (f"not a video this program reads ({type(error).__name__})", "Convert it to MP4, MKV or MOV")
    )
    return Refusal(name, reason, remedy)
