"""From a video file to its signals: the MD5 of the file, and the PDQ of frames about a second apart (vPDQ).

The format is told by the first bytes, and only that format's reader and the usual decoders are called. Whoever reads
what strangers send does so in another process, which has a limit of memory and of time: `videos_of`, `video_crew`.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import IO, Any, NoReturn

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from reclaim.signals.containers import is_picture
from reclaim.signals.crew import Crew, Fields, usable_processors
from reclaim.signals.errors import (
    EmptyFile,
    EncryptedVideo,
    NotAVideo,
    SignalError,
    TruncatedVideo,
    UnsupportedVideo,
    VideoTooLarge,
)
from reclaim.signals.frames import LATEST, MAX_FRAMES, Frame, counts, frames_text, parse_frames
from reclaim.signals.luma import square, squared
from reclaim.signals.many import answers_of
from reclaim.signals.pdq import Luma, pdq_of_luma, turns
from reclaim.signals.sources import md5_of, opened
from reclaim.signals.values import parse_md5

MAX_PIXELS = 40_000_000
"""Pixels of one frame: 8K has 33 million."""

MAX_SIDE = 16_384
"""Pixels along one side of a frame."""

MAX_PACKETS = 20_000_000
"""Frames in a file, of which each is decoded: twelve hours have 2.6 million at 60 a second."""

SECONDS_PER_VIDEO = 3600.0
"""A video still being read after this is given up, and its process ended."""

LONGEST_ANSWER = 512 * 2**10
"""Bytes of a decoder's answer; MAX_FRAMES frames fit."""

_DECODERS = (
    "h264",
    "hevc",
    "vp8",
    "libvpx",
    "vp9",
    "libvpx-vp9",
    "av1",
    "libdav1d",
    "mpeg4",
    "h263",
    "mjpeg",
    "prores",
)
_THREADS = 4
_BUFFER = 256 * 2**10
HEAD = 4096
"""Bytes of a file that tell its format."""
_SIGNS_OF_QUICKTIME = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_ENCRYPTED_TAG = "encv"
_TURNS = {90: "rotate90", 180: "rotate180", 270: "rotate270"}
_BT709, _BT601, _UNSPECIFIED = 1, 5, 2
_HD_ROWS = 720
_BRIGHTNESS_FIRST = re.compile(r"(?:yuva?(?P<full>j)?4\d\dp|nv(?:12|16|21|24)|gray)(?:(?P<bits>9|10|12)le)?")
_FULL_RANGE = 2
# Most videos leave the lowest sixteenth and the top twelfth of the scale unused.
_STRETCHED = np.clip(np.rint((np.arange(256) - 16) * 255 / 219), 0, 255).astype(np.uint8)

# What FFmpeg has to say goes to standard error, and may quote the file.
av.logging.set_level(av.logging.PANIC)


@dataclass(frozen=True, slots=True)
class VideoSignals:
    """All signals of one video file."""

    md5: str
    frames: tuple[Frame, ...]
    """Those that count, in their order; none of a video without detail."""


@dataclass(frozen=True, slots=True)
class Still:
    """What is on screen at a moment."""

    luma: Luma
    """512 x 512, upright."""
    width: int
    """Pixels of the frame, upright, as a player shows it: its pixels need not be square."""
    height: int


def video_signals(source: bytes | Path) -> VideoSignals:
    """MD5 and frames of one video.

    One frame a second, or 3600 spread over a longer video: of the moments k · interval that lie before the end, the
    frame that is on screen then, its brightness as the decoder has it, turned upright. A video cut short gives the
    frames it has.
    Raises UnreadableFile, EmptyFile, NotAVideo, UnsupportedVideo, EncryptedVideo, TruncatedVideo (no frame could be
    decoded), VideoTooLarge.
    """
    return VideoSignals(md5_of(source), tuple(read_frames(source)))


def read_frames(source: bytes | Path) -> list[Frame]:
    """The frames alone. Raises as `video_signals` does."""
    return [frame for frame, _ in kept_frames(source)]


def kept_frames(source: bytes | Path) -> Iterator[tuple[Frame, Still]]:
    """The frames that count, each as it is seen. Raises as `video_signals` does."""
    last: Frame | None = None
    with _opened(source) as file:
        name = _format(file)
        try:
            end = _end(file, name)
            for number, seconds, still in _sampled(file, name, end):
                value, quality = pdq_of_luma(still.luma)
                frame = Frame(number, quality, value, seconds)
                if counts(frame, last):
                    last = frame
                    yield frame, still
        except SignalError:
            raise
        except MemoryError:
            raise VideoTooLarge from None
        except Exception:  # readers and decoders raise whatever a hostile file leads them into
            raise TruncatedVideo from None


def videos_of(
    paths: Sequence[Path], *, jobs: int | None = None, seconds: float = SECONDS_PER_VIDEO
) -> Iterator[VideoSignals | SignalError]:
    """`video_signals` of each path in up to `jobs` limited processes; answers in order, as `signals_of` gives them."""
    return answers_of(paths, _fields_of_path, _signals_of, jobs=jobs, seconds=seconds, longest_answer=LONGEST_ANSWER)


def video_crew(count: int, *, niceness: int = 0) -> Crew[VideoSignals]:
    """So many limited processes that each take a video's bytes and answer as `video_signals`."""
    return Crew(_fields_of_bytes, _signals_of, count=count, niceness=niceness, longest_answer=LONGEST_ANSWER)


def is_video(head: bytes) -> bool:
    """Whether the first bytes of a file, 4096 or all of them, are those of a video format that is read."""
    return _format_of(head) is not None


def _fields_of_path(path: bytes) -> Fields:
    return _fields(Path(os.fsdecode(path)))


def _fields_of_bytes(data: bytes) -> Fields:
    return _fields(data)


def _fields(source: bytes | Path) -> Fields:
    found = video_signals(source)
    return {"md5": found.md5, "frames": frames_text(found.frames)}


def _signals_of(fields: Fields) -> VideoSignals:
    """The signals; ValueError, TypeError or KeyError where they are none."""
    frames = fields["frames"]
    return VideoSignals(parse_md5(fields["md5"]), tuple(parse_frames(frames) if frames else ()))


@contextmanager
def _opened(source: bytes | Path) -> Iterator[IO[bytes]]:
    if isinstance(source, bytes):
        yield BytesIO(source)
        return
    with opened(source) as file:
        yield file


def _format(file: IO[bytes]) -> str:
    """FFmpeg's name of the reader. Raises EmptyFile, NotAVideo."""
    head = file.read(HEAD)
    if not head:
        raise EmptyFile
    name = _format_of(head)
    if name is None:
        raise NotAVideo
    return name


def _format_of(head: bytes) -> str | None:
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if (head[4:8] == b"ftyp" and not is_picture(head)) or head[4:8] in _SIGNS_OF_QUICKTIME:
        return "mov"
    return None


def _refuse_other_files(*_: object) -> NoReturn:
    raise PermissionError("A video is one file; what it refers to is not opened.")


@contextmanager
def _container(file: IO[bytes], name: str) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The opened file and the video in it. Raises NotAVideo, EncryptedVideo, UnsupportedVideo, VideoTooLarge."""
    file.seek(0)
    options = {"max_pixels": str(MAX_PIXELS), "codec_whitelist": ",".join(_DECODERS)}
    with av.open(
        file, "r", format=name, options=options, buffer_size=_BUFFER, io_open=_refuse_other_files
    ) as container:
        # A cover is a stream too.
        stream = next(
            (each for each in container.streams.video if not each.disposition & Disposition.attached_pic), None
        )
        if stream is None:
            raise NotAVideo
        context: Any = stream.codec_context
        if context is None:
            raise UnsupportedVideo
        if context.codec_tag == _ENCRYPTED_TAG:
            raise EncryptedVideo
        if context.codec.name not in _DECODERS:
            raise UnsupportedVideo
        _judge(context.width, context.height)
        yield container, stream


def _judge(width: int, height: int) -> None:
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise VideoTooLarge


def _end(file: IO[bytes], name: str) -> Fraction:
    """When the last frame ends, in seconds: the headers' own word is missing in recordings and may be anything."""
    with _container(file, name) as (container, stream):
        last = 0
        try:
            for count, packet in enumerate(container.demux(stream)):
                if count > MAX_PACKETS:
                    raise VideoTooLarge
                if packet.has_sidedata("encryption_info"):
                    raise EncryptedVideo
                if packet.pts is not None:
                    last = max(last, packet.pts + (packet.duration or 0))
        except av.FFmpegError:  # cut short: what came before counts
            pass
        return last * (stream.time_base or Fraction(1))


def _sampled(file: IO[bytes], name: str, end: Fraction) -> Iterator[tuple[int, float, Still]]:
    """The sample's number, its moment, and what is on screen then. Raises TruncatedVideo where there is none."""
    shown: VideoFrame | None = None
    first = at = interval = Fraction(0)
    number = 0
    with _container(file, name) as (container, stream):
        aspect = stream.sample_aspect_ratio or Fraction(1)
        for frame, moment in _decoded(container, stream):
            if shown is None:
                first = moment
                interval = max(Fraction(1), (end - first) / MAX_FRAMES)
            elif moment <= at:
                continue
            elif number * interval < moment - first:
                if number < MAX_FRAMES and number * interval < LATEST:
                    yield number, float(number * interval), _still(shown, aspect)
                # Further moments show the same frame, which would not count again.
                number = -((first - moment) // interval)
            shown, at = frame, moment
        if shown is None:
            raise TruncatedVideo
        # The last frame stays to the end; more than one sample of it would say nothing new.
        if number < MAX_FRAMES and (number == 0 or number * interval < min(end - first, Fraction(LATEST))):
            yield number, float(number * interval), _still(shown, aspect)


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[tuple[VideoFrame, Fraction]]:
    """The frames in the order in which they are shown, and when; a packet that cannot be decoded is passed over."""
    stream.thread_type = "AUTO"
    stream.thread_count = min(_THREADS, usable_processors())
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):
            break
        try:
            frames = packet.decode()
        except av.FFmpegError:
            continue
        for frame in frames:
            if not isinstance(frame, VideoFrame) or frame.pts is None or frame.time_base is None or frame.is_corrupt:
                continue
            # The size may change on the way.
            _judge(frame.width, frame.height)
            yield frame, frame.pts * frame.time_base


def _still(frame: VideoFrame, aspect: Fraction) -> Still:
    luma = _brightness(frame)
    if luma is None:
        luma = _brightness_of_colours(frame)
    turn = _TURNS.get(round(frame.rotation / 90) * 90 % 360)
    width, height = frame.width, frame.height
    # As the browser's reader has it: of a pixel that is not square the longer side is stretched.
    if aspect > 1:
        width = min(MAX_SIDE, math.floor(width * aspect + Fraction(1, 2)))
    elif aspect < 1:
        height = min(MAX_SIDE, math.floor(height / aspect + Fraction(1, 2)))
    if turn in ("rotate90", "rotate270"):
        width, height = height, width
    return Still(turns(luma)[turn] if turn else luma, width, height)


def _brightness(frame: VideoFrame) -> Luma | None:
    """The decoder's own brightness, not turned, stretched to 0..255; None where its first plane is something else.

    Not the brightness of colours made from it: most videos do not say by which table to make colours, and every player
    guesses.
    """
    kind = _BRIGHTNESS_FIRST.fullmatch(frame.format.name)
    if kind is None:
        return None
    bits = int(kind["bits"] or 8)
    stored = np.frombuffer(memoryview(frame.planes[0]), np.uint8 if bits == 8 else "<u2").reshape(frame.height, -1)
    luma = squared(lambda top, bottom: _high_bits(stored[top:bottom, : frame.width], bits), frame.width, frame.height)
    return luma if kind["full"] or frame.color_range == _FULL_RANGE else _STRETCHED[luma]


def _high_bits(stored: NDArray[np.uint8] | NDArray[np.uint16], bits: int) -> Luma:
    """The rows as bytes that lie close together."""
    return np.ascontiguousarray(stored if bits == 8 else stored >> (bits - 8), np.uint8)


def _brightness_of_colours(frame: VideoFrame) -> Luma:
    matrix = frame.colorspace
    if matrix == _UNSPECIFIED:
        # As browsers have it.
        matrix = _BT709 if frame.height >= _HD_ROWS else _BT601
    return square(Image.fromarray(frame.to_ndarray(format="rgb24", src_colorspace=matrix)))
