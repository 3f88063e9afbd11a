"""From a video file to its signals: the MD5 of the file, and the PDQ of frames about a second apart (vPDQ).

The format is told by the first bytes, and only that format's reader and the usual decoders are called. Whoever reads
what strangers send does so in another process, which has a limit of memory and of time: `videos_of`, `video_crew`.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import IO, Any, Literal, NoReturn

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
from reclaim.signals.frames import LATEST, MAX_FRAMES, Frame, counts, frames_text, parse_all_frames, parse_frames
from reclaim.signals.luma import SIDE, square, squared
from reclaim.signals.many import answers_of
from reclaim.signals.pdq import TURNS, Luma, pdq_of_luma, pdq_of_turns, turns
from reclaim.signals.sources import md5_of, opened
from reclaim.signals.steady import MOST_PARTS, layout
from reclaim.signals.trim import Trimmed
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

MOST_STILLS = 8
"""Stills of one video, spread over it."""

_WINDOW = 16
# Frames that are looked at together for what is steady in them.
_EACH_WINDOW, _LATER_WINDOWS = 32, 4
# Of a long video's later windows only every fourth is looked into: an hour of frames costs what half of one does.
_TURNS_OF_PARTS = ("original", "flipy")
_MOST_VIEWS = 2 * len(TURNS) + MOST_PARTS * len(_TURNS_OF_PARTS)
_LONGEST_VIEWS = _MOST_VIEWS * LONGEST_ANSWER
# A still is 342 KiB in base64.
_LONGEST_VIEW = _LONGEST_VIEWS + MOST_STILLS * LONGEST_ANSWER
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
    """Pixels of the frame, upright."""
    height: int


Kind = Literal["whole", "trimmed", "part"]
"""Of a view: the whole frames, what is left without bars and captions, or an inset or part of a split screen."""


@dataclass(frozen=True, slots=True)
class FramesView:
    """The frames of a video, as they are looked up together."""

    kind: Kind
    turn: str
    """The one of `TURNS` in which they were hashed."""
    frames: tuple[Frame, ...]
    """With the numbers and seconds of the frames that count. Poor ones may be among them."""
    boxes: tuple[Trimmed, ...] = ()
    """Of each frame, what part of its square was hashed; none of whole frames."""


@dataclass(frozen=True, slots=True)
class View:
    """What is looked up of a video, and what is shown of it."""

    views: tuple[FramesView, ...]
    """The whole frames in all of `TURNS`, as they lie first; then what was found in them."""
    stills: tuple[Still, ...]
    """Up to `MOST_STILLS`, in their order; none of a video without detail."""


NOTHING_TO_SEE = View(tuple(FramesView("whole", turn, ()) for turn in TURNS), ())
"""Of a video that cannot be decoded."""


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
    return [frame for frame, _ in _kept(source)]


def read_views(source: bytes | Path) -> tuple[FramesView, ...]:
    """The frames that count, as they are looked up to find edited copies. Raises as before."""
    return read_view(source).views


def read_view(source: bytes | Path) -> View:
    """The same with stills from all over it, to show to somebody. Raises as before."""
    stills: list[Still] = []
    step = 1
    views = _Views()
    for number, (frame, seen) in enumerate(_kept(source)):
        # How many there will be is not known: when they are too many, every other one goes, and only every other comes.
        if number % step == 0:
            stills.append(seen)
        if len(stills) > MOST_STILLS:
            stills, step = stills[::2], 2 * step
        views.take(frame, seen.luma)
    return View(views.finish(), tuple(stills))


class _Views:
    """The frames of a video on their way into views: some at a time are held, as only several tell what is steady."""

    def __init__(self) -> None:
        self._whole: dict[str, list[Frame]] = {turn: [] for turn in TURNS}
        self._within: dict[tuple[Kind, int, str], list[tuple[Frame, Trimmed]]] = {}
        self._held: list[tuple[Frame, Luma]] = []
        self._windows = 0

    def take(self, frame: Frame, luma: Luma) -> None:
        """One more frame."""
        for turn, (value, quality) in pdq_of_turns(luma).items():
            self._whole[turn].append(frame._replace(pdq=value, quality=quality))
        self._held.append((frame, luma))
        if len(self._held) == _WINDOW:
            self._look()

    def finish(self) -> tuple[FramesView, ...]:
        """All views."""
        if self._held:
            self._look()
        whole = [FramesView("whole", turn, tuple(frames)) for turn, frames in self._whole.items()]
        within = [
            FramesView(kind, turn, tuple(frame for frame, _ in seen), tuple(box for _, box in seen))
            for (kind, _, turn), seen in self._within.items()
        ]
        return (*whole, *within)

    def _look(self) -> None:
        held, self._held = self._held, []
        self._windows += 1
        if self._windows > _EACH_WINDOW and self._windows % _LATER_WINDOWS:
            return
        found = layout([luma for _, luma in held])
        for at, box in enumerate([found.trimmed, *found.parts]):
            if box is None:
                continue
            # How many turns: bars come of turning, an inset is hardly ever turned.
            kind: Kind = "part" if at else "trimmed"
            for frame, luma in held:
                inside = turns(_square_of(luma, box))
                for turn in _TURNS_OF_PARTS if at else TURNS:
                    value, quality = pdq_of_luma(inside[turn])
                    seen = self._within.setdefault((kind, at, turn), [])
                    seen.append((frame._replace(pdq=value, quality=quality), box))


def _square_of(luma: Luma, box: Trimmed) -> Luma:
    """What lies in a box, 512 x 512."""
    inside = np.ascontiguousarray(luma[box.top : box.bottom, box.left : box.right])
    return squared(lambda top, bottom: inside[top:bottom], inside.shape[1], inside.shape[0])


def _kept(source: bytes | Path) -> Iterator[tuple[Frame, Still]]:
    """The frames that count, each as it is seen."""
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


def viewed_videos_of(
    paths: Sequence[Path], *, jobs: int | None = None, seconds: float = SECONDS_PER_VIDEO
) -> Iterator[tuple[FramesView, ...] | SignalError]:
    """`read_views` of each path, as `videos_of`."""
    return answers_of(paths, _views_of_path, _views, jobs=jobs, seconds=seconds, longest_answer=_LONGEST_VIEWS)


def view_crew(count: int, *, niceness: int = 0) -> Crew[View]:
    """So many limited processes that each take a video's bytes and answer as `read_view`."""
    return Crew(_view_fields, _view, count=count, niceness=niceness, longest_answer=_LONGEST_VIEW)


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


def _views_of_path(path: bytes) -> Fields:
    return {"views": _views_fields(read_views(Path(os.fsdecode(path))))}


def _views_fields(views: Sequence[FramesView]) -> list[Fields]:
    return [
        {
            "kind": view.kind,
            "turn": view.turn,
            "frames": frames_text(view.frames),
            # Many frames in a row have the same.
            "boxes": [[len(list(same)), *box] for box, same in groupby(view.boxes)],
        }
        for view in views
    ]


def _view_fields(data: bytes) -> Fields:
    found = read_view(data)
    stills = [
        {"luma": base64.b64encode(still.luma.tobytes()).decode(), "size": [still.width, still.height]}
        for still in found.stills
    ]
    return {"views": _views_fields(found.views), "stills": stills}


def _view(fields: Fields) -> View:
    """The view; ValueError, TypeError or KeyError where it is none."""
    if len(fields["stills"]) > MOST_STILLS:
        raise ValueError
    return View(_views(fields), tuple(map(_still_of, fields["stills"])))


def _views(fields: Fields) -> tuple[FramesView, ...]:
    """The views; ValueError, TypeError or KeyError where they are none."""
    views = tuple(map(_frames_view, fields["views"]))
    if [(view.kind, view.turn) for view in views[: len(TURNS)]] != [("whole", turn) for turn in TURNS]:
        raise ValueError
    if len(views) > _MOST_VIEWS:
        raise ValueError
    return views


def _frames_view(fields: Fields) -> FramesView:
    kind, turn = fields["kind"], fields["turn"]
    if kind not in ("whole", "trimmed", "part") or turn not in TURNS:
        raise ValueError
    # A frame that is good as it lies may be a little below that when turned.
    frames = tuple(parse_all_frames(fields["frames"]) if fields["frames"] else ())
    boxes: list[Trimmed] = []
    for count, left, top, right, bottom in fields["boxes"]:
        if not (0 <= left < right <= SIDE and 0 <= top < bottom <= SIDE and 0 < count <= len(frames)):
            raise ValueError
        boxes += [Trimmed(int(left), int(top), int(right), int(bottom))] * int(count)
    if len(boxes) != (0 if kind == "whole" else len(frames)):
        raise ValueError
    return FramesView(kind, turn, frames, tuple(boxes))


def _still_of(seen: Fields) -> Still:
    luma = np.frombuffer(base64.b64decode(seen["luma"], validate=True), np.uint8).reshape(SIDE, SIDE)
    width, height = map(int, seen["size"])
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise ValueError
    return Still(luma, width, height)


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
        for frame, moment in _decoded(container, stream):
            if shown is None:
                first = moment
                interval = max(Fraction(1), (end - first) / MAX_FRAMES)
            elif moment <= at:
                continue
            elif number * interval < moment - first:
                if number < MAX_FRAMES and number * interval < LATEST:
                    yield number, float(number * interval), _still(shown)
                # Further moments show the same frame, which would not count again.
                number = -((first - moment) // interval)
            shown, at = frame, moment
        if shown is None:
            raise TruncatedVideo
        # The last frame stays to the end; more than one sample of it would say nothing new.
        if number < MAX_FRAMES and (number == 0 or number * interval < min(end - first, Fraction(LATEST))):
            yield number, float(number * interval), _still(shown)


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


def _still(frame: VideoFrame) -> Still:
    luma = _brightness(frame)
    if luma is None:
        luma = _brightness_of_colours(frame)
    turn = _TURNS.get(round(frame.rotation / 90) * 90 % 360)
    width, height = frame.width, frame.height
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
