"""Videos by their frames (vPDQ): one PDQ value a frame, in the same index and the same files.

What counts as a match is what the ``threatexchange`` package's vPDQ index counts: frames of poor quality and repeated
values are left out; then the percentage of the query's frames that are near some frame of the video, and the percentage
of the video's frames that are near some frame of the query.

A frame's id is ``(video << 20) + n``, n counting from 0 the frames that were kept, and a video goes from its last frame
to its first. So at every moment, also for a process that follows the log, the frames there are 0 to some number without
a gap, and how many they are can be told from the index alone.

Where the frames lie in time is kept in the same index, so that it comes and goes with them: one entry for eight frames,
in tenths of a second, before the frames and taken out after them. Each is laid over a hash of its own id. So all are as
unlike one another, and any picture, as pictures are, and cost a search nothing; what one comes upon is passed over.
"""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reclaim.index.codes import Codes, Ids, as_codes
from reclaim.index.hamming import HammingIndex, Mode, Progress
from reclaim.index.stored import StoredIndex

FRAME_BITS = 20
MAX_FRAMES = 1 << (FRAME_BITS - 1)
"""Frames kept of one video: at one a second, six days."""
MAX_VIDEO = (1 << (63 - FRAME_BITS)) - 1
LEAST_QUALITY = 50
"""A frame with a quality below this is left out, as ``threatexchange`` does."""
LEAST_QUERY_PERCENT = 80.0
"""What ``threatexchange`` asks for; of the video's own frames it asks for 0 %."""

_AT_ONCE = 128
_CLOCK = MAX_FRAMES
# The half of a video's numbers that its times have.
_TIMES = 8
_TENTHS = np.dtype("<u4")

Qualities = npt.NDArray[np.integer]
Seconds = npt.NDArray[np.floating]


class VideoHit(NamedTuple):
    """A video that was found."""

    id: int
    query_percent: float
    """How many of the query's frames, of those that count, are near some frame of the video."""
    video_percent: float
    """How many of the video's frames are near some frame of the query."""
    query_frames: int
    """The first, as a number of frames."""
    video_frames: int
    """The second."""


class KnownFrames(NamedTuple):
    """What is kept of a video."""

    codes: Codes
    """Shape (n, 32)."""
    seconds: npt.NDArray[np.float64]
    """Where in the video each lies, shape (n,), to a tenth; a second apart where nobody said."""


def kept_frames(frames: Codes, qualities: Qualities | None = None, least_quality: int = LEAST_QUALITY) -> Codes:
    """The frames that count, in their order: good enough, and each value once.

    ``frames`` has shape (n, 32), uint8; ``qualities`` shape (n,), whole numbers 0 to 100, or ``None`` if all are good
    enough. Raises ``ValueError`` for other shapes, ``TypeError`` for another dtype of ``frames``.
    """
    codes = as_codes(frames, "Frames")
    return codes[_counting(codes, qualities, least_quality)]


def _counting(codes: Codes, qualities: Qualities | None, least_quality: int) -> npt.NDArray[np.intp]:
    """Which of them count, ascending."""
    good = np.arange(len(codes))
    if qualities is not None:
        if qualities.shape != (len(codes),):
            raise ValueError(f"There must be one quality for each of the {len(codes)} frames, not {qualities.shape}.")
        good = np.flatnonzero(qualities >= least_quality)
    _, first = np.unique(codes[good], axis=0, return_index=True)
    return np.asarray(good[np.sort(first)])


class FrameIndex:
    """Videos under ids from 0 to ``MAX_VIDEO``; ``len`` counts frames, and one for each eight whose times were told.

    Seen with 16,000 videos of 60 PDQ-like frames, ``fast``: 161 bytes an entry; 0.5 ms to look up a video of 60,
    0.13 ms to add one.
    It keeps nothing but the index it is given: ``create_stored`` saves ``FrameIndex.build(…).index``, and
    ``FrameIndex(StoredIndex(path))`` reads it. Threads may share one; one at a time may change it.
    """

    def __init__(self, index: HammingIndex | StoredIndex | None = None, *, least_quality: int = LEAST_QUALITY) -> None:
        """Videos in this index, which holds nothing else; in a new one in memory if none is given."""
        self.index = HammingIndex() if index is None else index
        self.least_quality = least_quality

    @classmethod
    def build(
        cls,
        videos: Iterable[tuple[int, Codes, Qualities | None] | tuple[int, Codes, Qualities | None, Seconds]],
        *,
        mode: Mode = "fast",
        least_quality: int = LEAST_QUALITY,
        progress: Progress | None = None,
    ) -> FrameIndex:
        """Build in memory from ids, frames, qualities and seconds, each as ``add`` takes them; raises as it does."""
        made = cls(least_quality=least_quality)
        made.index = HammingIndex.build(made._chunks(videos), mode=mode, progress=progress)
        return made

    def __len__(self) -> int:
        return len(self.index)

    def __contains__(self, video: object) -> bool:
        if not isinstance(video, int | np.integer):
            return False
        id_ = int(video)
        return 0 <= id_ <= MAX_VIDEO and (id_ << FRAME_BITS) in self.index

    def add(
        self, video: int, frames: Codes, qualities: Qualities | None = None, seconds: Seconds | None = None
    ) -> None:
        """Put in a video by its frames, as ``kept_frames`` takes them, and where in it they lie, shape (n,).

        Raises ``ValueError`` if the video is there already, if none of its frames counts, or if more than
        ``MAX_FRAMES`` do; ``TypeError``.
        """
        if video in self:
            raise ValueError(f"The video {video} is there already; remove it first.")
        codes, ids = self._frames(video, frames, qualities, seconds)
        pairs = list(zip(ids.tolist(), codes, strict=True))
        if isinstance(self.index, StoredIndex):
            self.index.change(added=pairs)
        else:
            for id_, code in pairs:
                self.index.add(id_, code)

    def remove(self, video: int) -> None:
        """Take out a video. Raises ``KeyError`` if it is not there."""
        if video not in self:
            raise KeyError(video)
        video = operator.index(video)
        count, first = self.count(video), video << FRAME_BITS
        last_to_first = [first + frame for frame in reversed(range(count))]
        times = [first + _CLOCK + at for at in range(_entries(count))]
        # A video has the times of all of its frames, or of none.
        last_to_first += times if times[0] in self.index else []
        if isinstance(self.index, StoredIndex):
            self.index.change(removed=last_to_first)
        else:
            for id_ in last_to_first:
                self.index.remove(id_)

    def count(self, video: int) -> int:
        """How many frames of the video are kept; 0 if it is not there."""
        if video not in self:
            return 0
        there, gone = 0, 1
        first = operator.index(video) << FRAME_BITS
        while gone < MAX_FRAMES and first + gone in self.index:
            there, gone = gone, 2 * gone
        while gone - there > 1:
            middle = (there + gone) // 2
            if first + middle in self.index:
                there = middle
            else:
                gone = middle
        return gone

    def frames_of(self, video: int) -> KnownFrames:
        """What is kept of the video. Raises ``KeyError`` if it is not there, or is just taken out by another thread."""
        count, first = self.count(video), operator.index(video) << FRAME_BITS
        if not count:
            raise KeyError(video)
        codes = b"".join(self.index.code_of(first + frame) for frame in range(count))
        seconds = np.arange(count, dtype=np.float64)
        if first + _CLOCK in self.index:
            times = [
                _laid_over(first + _CLOCK + at, self.index.code_of(first + _CLOCK + at))
                for at in range(_entries(count))
            ]
            seconds = np.frombuffer(b"".join(times), _TENTHS)[:count] / 10
        return KnownFrames(np.frombuffer(codes, np.uint8).reshape(count, -1), seconds)

    def query(
        self,
        frames: Codes,
        radius: int,
        qualities: Qualities | None = None,
        *,
        least_query_percent: float = LEAST_QUERY_PERCENT,
        least_video_percent: float = 0.0,
    ) -> list[VideoHit]:
        """Every video with a frame within ``radius`` bits of one of these that reaches both percentages.

        Most of the query first, then most of the video, then by id; none if no frame of the query counts. Raises
        ``ValueError`` and ``TypeError`` as ``kept_frames`` does, and for a radius beyond 64.
        """
        asked = kept_frames(frames, qualities, self.least_quality)
        near: Ids = np.empty(0, np.int64)
        named: list[Ids] = [near]
        # Some at a time: many videos may share a frame, and each of these may be near to all of those.
        for start in range(0, len(asked), _AT_ONCE):
            found = self.index.query_many(asked[start : start + _AT_ONCE], radius)
            by_query = np.repeat(np.arange(len(found.starts) - 1), np.diff(found.starts))
            is_frame = found.ids & _CLOCK == 0
            ids, by_query = found.ids[is_frame], by_query[is_frame]
            named.append(np.unique(np.stack([ids >> FRAME_BITS, by_query]), axis=1)[0])
            near = np.union1d(near, ids)
        videos, query_frames = np.unique(np.concatenate(named), return_counts=True)
        _, video_frames = np.unique(near >> FRAME_BITS, return_counts=True)
        hits = []
        for video, of_query, of_video in zip(
            videos.tolist(), query_frames.tolist(), video_frames.tolist(), strict=True
        ):
            held = self.count(video)
            if held < of_video:
                continue  # another thread is just taking it out
            hit = VideoHit(video, of_query * 100 / len(asked), of_video * 100 / held, of_query, of_video)
            if hit.query_percent >= least_query_percent and hit.video_percent >= least_video_percent:
                hits.append(hit)
        return sorted(hits, key=lambda hit: (-hit.query_percent, -hit.video_percent, hit.id))

    def refresh(self) -> int:
        """See ``StoredIndex.refresh``; 0 for an index in memory, which has no other writer."""
        return self.index.refresh() if isinstance(self.index, StoredIndex) else 0

    def _frames(
        self, video: int, frames: Codes, qualities: Qualities | None, seconds: Seconds | None = None
    ) -> tuple[Codes, Ids]:
        video = operator.index(video)
        if not 0 <= video <= MAX_VIDEO:
            raise ValueError(f"A video's id is 0 to {MAX_VIDEO}, not {video}.")
        codes = as_codes(frames, "Frames")
        counting = _counting(codes, qualities, self.least_quality)
        if not 0 < len(counting) <= MAX_FRAMES:
            raise ValueError(
                f"Of a video 1 to {MAX_FRAMES} frames are kept; of this one {len(counting)} are good enough."
            )
        first = video << FRAME_BITS
        ids = first + np.arange(len(counting), dtype=np.int64)
        if seconds is None:
            return codes[counting], ids
        if seconds.shape != (len(codes),):
            raise ValueError(f"There must be one time for each of the {len(codes)} frames, not {seconds.shape}.")
        clock = first + _CLOCK + np.arange(_entries(len(counting)), dtype=np.int64)
        tenths = np.zeros(len(clock) * _TIMES, _TENTHS)
        tenths[: len(counting)] = np.clip(np.rint(seconds[counting] * 10), 0, 2**32 - 1)
        times = [
            _laid_over(id_, each.tobytes())
            for id_, each in zip(clock.tolist(), tenths.reshape(-1, _TIMES), strict=True)
        ]
        times_codes = np.frombuffer(b"".join(times), np.uint8).reshape(len(clock), -1)
        return np.concatenate([times_codes, codes[counting]]), np.concatenate([clock, ids])

    def _chunks(
        self, videos: Iterable[tuple[int, Codes, Qualities | None] | tuple[int, Codes, Qualities | None, Seconds]]
    ) -> Iterator[tuple[Codes, Ids]]:
        for video in videos:
            yield self._frames(*video)


def _entries(count: int) -> int:
    """How many entries the times of so many frames have."""
    return -(-count // _TIMES)


def _laid_over(id_: int, code: bytes) -> bytes:
    """Times as they are kept under an id, and back."""
    over = hashlib.sha256(id_.to_bytes(8)).digest()
    return (int.from_bytes(code) ^ int.from_bytes(over)).to_bytes(len(over))
