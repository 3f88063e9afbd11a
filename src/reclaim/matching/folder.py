"""A folder of indexes that somebody else writes: opened for reading, and followed from then on.

pdq.index      a ``StoredIndex`` of PDQ values, with its log
md5.index      the same of MD5 values (``ExactIndex``)
video.index    the same of frames of videos (``FrameIndex``)
source.index, descriptors.index  optional: the same of source photographs (PDQ) and of descriptors (``DescriptorIndex``)
review-only.ids  optional: which of them are only to be looked at by a person (``ReviewOnly``)
of-a-source.ids  optional: which descriptors are of source photographs
state.json     optional: how far the writer has followed its source
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from reclaim.index import ExactIndex, FrameIndex, IndexFileError, StoredIndex
from reclaim.matching.candidates import DescriptorIndex
from reclaim.matching.decisions import Indexes
from reclaim.matching.review_only import NO_REVIEW_ONLY, OF_A_SOURCE_FILE, REVIEW_ONLY_FILE, ReviewOnly
from reclaim.matching.state import (
    DESCRIPTORS_INDEX,
    MD5_INDEX,
    PDQ_INDEX,
    SOURCE_INDEX,
    VIDEO_INDEX,
    FolderState,
    load_state,
)

REFRESH_SECONDS = 0.1
_STATE_SECONDS = 1.0


class IndexFolder:
    """The indexes of a folder, kept up to date by a thread between ``start`` and ``close``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pdq: StoredIndex | None = None
        self._md5: StoredIndex | None = None
        self._video: StoredIndex | None = None
        self._source: StoredIndex | None = None
        self._descriptors: StoredIndex | None = None
        self._marks = dict.fromkeys((REVIEW_ONLY_FILE, OF_A_SOURCE_FILE), NO_REVIEW_ONLY)
        self._stamps: dict[str, tuple[int, int, int]] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._refreshed_at: float | None = None
        self._state_read_at = 0.0
        self.fault = "The indexes have not been read yet."
        """Why the last attempt failed; empty after one that went well."""
        self.state: FolderState | None = None
        """What the writer last said of the folder."""
        self.indexes = Indexes()
        """What can be searched now."""

    def start(self) -> None:
        """Open what is there, and follow it in a thread. What is missing or damaged is tried again and again."""
        self.refresh()
        self._thread = threading.Thread(target=self._follow, name="index-refresh", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following, and give the files back; for when nobody searches any more."""
        self._stop.set()
        if self._thread:
            self._thread.join()
        for index in (self._pdq, self._md5, self._video, self._source, self._descriptors):
            if index is not None:
                index.close()
        self.indexes = Indexes()

    def seconds_behind(self) -> float | None:
        """Since the last time all was read well, in seconds; ``None`` if it never was."""
        return None if self._refreshed_at is None else time.monotonic() - self._refreshed_at

    def feed_seconds_behind(self) -> float | None:
        """Since the writer last followed its feed to the end, in seconds; ``None`` if nobody said."""
        if self.state is None or self.state.followed_at is None:
            return None
        return max(0.0, time.time() - self.state.followed_at)

    def counts(self) -> dict[str, int]:
        """Signals held, by type; a type without an index is left out. Of videos their frames are counted, and of
        pictures with descriptors these."""
        held = {
            "pdq": self._pdq,
            "md5": self._md5,
            "video_frames": self._video,
            "source": self._source,
            "descriptors": self._descriptors,
        }
        return {name: len(index) for name, index in held.items() if index is not None}

    def refresh(self) -> None:
        """Take in what changed, once. What fails is told by ``fault``, and the last good indexes stay."""
        # What is to be known of signals comes first, as it was written first: so none acts before that is known of it.
        parts = (
            partial(self._refresh_marks, REVIEW_ONLY_FILE),
            partial(self._refresh_marks, OF_A_SOURCE_FILE),
            self._refresh_pdq,
            self._refresh_md5,
            self._refresh_video,
            self._refresh_source,
            self._refresh_descriptors,
            self._refresh_state,
        )
        faults = [self._attempt(part) for part in parts]
        self.indexes = Indexes(
            pdq=self._pdq,
            md5=None if self._md5 is None else ExactIndex(self._md5),
            video=None if self._video is None else FrameIndex(self._video),
            source=self._source,
            descriptors=None if self._descriptors is None else DescriptorIndex(self._descriptors),
            review_only=self._marks[REVIEW_ONLY_FILE],
            of_a_source=self._marks[OF_A_SOURCE_FILE],
        )
        if self._pdq is None and self._md5 is None and self._video is None:
            faults.append(f"The folder has no {PDQ_INDEX}, no {MD5_INDEX} and no {VIDEO_INDEX}.")
        self.fault = next(filter(None, faults), "")
        if not self.fault:
            self._refreshed_at = time.monotonic()

    @staticmethod
    def _attempt(part: Callable[[], None]) -> str:
        """Do it, and say what is wrong: what fails in one file must not keep the news of another away."""
        try:
            part()
        except (IndexFileError, ValueError) as error:
            return str(error)
        except OSError as error:
            return f"The folder of indexes cannot be read ({error.strerror})."
        return ""

    def _refresh_marks(self, name: str) -> None:
        try:
            about = (self._folder / name).stat()
        except FileNotFoundError:
            if name not in self._stamps:
                return  # not every folder has one
            raise
        stamp = about.st_ino, about.st_size, about.st_mtime_ns
        if stamp != self._stamps.get(name):
            self._marks[name] = ReviewOnly.load(self._folder, name)
            self._stamps[name] = stamp

    def _refresh_pdq(self) -> None:
        self._pdq = self._current(self._pdq, PDQ_INDEX)

    def _refresh_md5(self) -> None:
        self._md5 = self._current(self._md5, MD5_INDEX)

    def _refresh_video(self) -> None:
        self._video = self._current(self._video, VIDEO_INDEX)

    def _refresh_source(self) -> None:
        self._source = self._current(self._source, SOURCE_INDEX)

    def _refresh_descriptors(self) -> None:
        self._descriptors = self._current(self._descriptors, DESCRIPTORS_INDEX)

    def _refresh_state(self) -> None:
        if time.monotonic() - self._state_read_at >= _STATE_SECONDS:
            self.state = load_state(self._folder)
            self._state_read_at = time.monotonic()

    def _current(self, index: StoredIndex | None, name: str) -> StoredIndex | None:
        if index is not None:
            # A new snapshot is loaded aside, so that what is new to the other indexes does not wait for it.
            index.refresh(wait=False)
            if index.is_behind:
                raise IndexFileError(f"The log of {name} cannot be followed; the index is being read anew.")
            return index
        with contextlib.suppress(FileNotFoundError):
            return StoredIndex(self._folder / name)
        return None

    def _follow(self) -> None:
        while not self._stop.wait(REFRESH_SECONDS):
            self.refresh()
