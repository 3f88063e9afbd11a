"""Reads on the signals this platform holds."""

from __future__ import annotations

import threading
import uuid
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from reclaim.client import ExtraType, Kind
from reclaim.index import CODE_BYTES, FrameIndex, HammingIndex, ManyHits
from reclaim.index.codes import Codes
from reclaim.platform.subscription.models import KnownSignal, RemovedSignal, Subscription
from reclaim.protocol.native_v2 import OF_A_SOURCE
from reclaim.protocol.stopncii_v1 import SignalType
from reclaim.signals import parse_frames


def subscription() -> Subscription | None:
    """How far the feed has been followed; ``None`` before the first sync."""
    return Subscription.objects.filter(pk=1).first()


def holds_descriptors() -> bool:
    """Whether any descriptors are held."""
    return KnownSignal.objects.filter(type=ExtraType.DESCRIPTORS).exists()


def signal_count() -> int:
    """How many signals are held."""
    return KnownSignal.objects.count()


class _Shared(ABC):
    """An index of this process: every lookup first catches up with the database, so none answers from the past.

    Threads take turns at catching up, and then search side by side.
    """

    kind: ClassVar[Kind]
    column: ClassVar[str]

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forget()

    @abstractmethod
    def _empty(self) -> None:
        """Hold nothing."""

    @abstractmethod
    def _add(self, rows: list[tuple[int, Any]]) -> None:
        """Take in what is new: keys, and what ``column`` has."""

    @abstractmethod
    def _remove(self, key: int) -> None:
        """Let go of a key, if it is there."""

    def _forget(self) -> None:
        self._empty()
        self._store: uuid.UUID | None = None
        self._version = -1
        self._newest = 0

    def _catch_up(self) -> None:
        # The version is read before the rows: what is committed in between is read again the next time, which is
        # harmless. Keys only go up, in the order of the commits, as their writers hold the subscription's lock.
        state = Subscription.objects.filter(pk=1).values_list("store", "version").first()
        if state is None or state[0] != self._store:
            self._forget()
        if state is None or state[1] == self._version:
            return
        known = KnownSignal.objects.filter(type=self.kind, pk__gt=self._newest).order_by("pk")
        added = list(known.values_list("pk", self.column))
        removed = list(RemovedSignal.objects.filter(version__gt=self._version).values_list("signal", flat=True))
        # All is read before anything is changed: a database error half-way would leave an index that no later
        # reading mends.
        self._add(added)
        for key in removed:
            self._remove(key)
        self._newest = max(self._newest, added[-1][0] if added else 0)
        self._store, self._version = state


class SharedIndex(_Shared):
    """The pictures' signals."""

    kind: ClassVar[Kind] = SignalType.IMAGE_PDQ
    column = "value"

    def query_many(self, codes: Codes, radius: int) -> ManyHits:
        """See ``HammingIndex.query_many``; ids are primary keys of ``KnownSignal``."""
        with self._lock:
            self._catch_up()
            index = self._index
        return index.query_many(codes, radius)

    def _empty(self) -> None:
        self._index = HammingIndex()

    def _add(self, rows: list[tuple[int, Any]]) -> None:
        if rows and len(self._index) == 0:
            codes = np.frombuffer(bytes.fromhex("".join(value for _, value in rows)), np.uint8)
            self._index = HammingIndex(codes.reshape(-1, CODE_BYTES), [key for key, _ in rows])
            return
        for key, value in rows:
            self._index.add(key, bytes.fromhex(value))

    def _remove(self, key: int) -> None:
        if key in self._index:
            self._index.remove(key)


class SharedSources(SharedIndex):
    """Those of source photographs."""

    kind = ExtraType.SOURCE


class SharedVideos(_Shared):
    """The videos' frames."""

    kind = SignalType.VIDEO_VPDQ
    column = "frames"

    def current(self) -> FrameIndex:
        """The videos as they are now, under the primary keys of ``KnownSignal``."""
        with self._lock:
            self._catch_up()
            return self._index

    def _empty(self) -> None:
        self._index = FrameIndex()

    def _add(self, rows: list[tuple[int, Any]]) -> None:
        for key, frames in rows:
            codes, seconds = codes_of_frames(frames)
            self._index.add(key, codes, None, seconds)

    def _remove(self, key: int) -> None:
        if key in self._index:
            self._index.remove(key)


def codes_of_frames(texts: list[str] | None) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """The PDQ values of the frames that a row holds, shape (n, 32), and the seconds at which they lie, shape (n,)."""
    frames = parse_frames(texts or [])
    values = "".join(frame.pdq for frame in frames)
    codes = np.frombuffer(bytes.fromhex(values), np.uint8).reshape(-1, CODE_BYTES)
    return codes, np.array([frame.seconds for frame in frames], np.float64)


def codes_of_descriptors(values: bytes | memoryview | None) -> npt.NDArray[np.uint8]:
    """The descriptors that a row holds, shape (n, 32)."""
    return np.frombuffer(values or b"", np.uint8).reshape(-1, CODE_BYTES)


def descriptors_of_sources() -> QuerySet[KnownSignal]:
    """Those descriptors that are of source photographs."""
    rows = KnownSignal.objects.filter(type=ExtraType.DESCRIPTORS)
    return rows.annotate(said=Cast("labels", TextField())).filter(said__contains=f'"{OF_A_SOURCE}"')


shared_index = SharedIndex()
shared_sources = SharedSources()
shared_videos = SharedVideos()
