"""Slow work in threads, with a fixed number of places: whoever finds none is refused at once, not kept waiting."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

from reclaim.matching.service.problems import Problem

Result = TypeVar("Result")


class Desk:
    """Places for work of one kind. All but the work itself happens in the event loop's thread."""

    def __init__(self, name: str, *, threads: int, places: int, full: str, owners: Callable[[], int]) -> None:
        """``full`` is the sentence for those who find no place; ``owners`` says how many keys there are now."""
        self._pool = ThreadPoolExecutor(threads, name)
        self._threads = threads
        self._places = places
        self._full = full
        self._owners = owners
        self._taken = 0
        self._taken_by: Counter[int] = Counter()
        self._handed_over = 0

    def place(self, owner: int) -> Place:
        """Take a place. Raises a 503 if there is none, and a 429 where a key has half of them and there are others."""
        if self._taken >= self._places:
            raise Problem(503, self._full, retry_after=1)
        if self._owners() > 1 and self._taken_by[owner] >= max(1, self._places // 2):
            raise Problem(429, retry_after=1)
        self._taken += 1
        self._taken_by[owner] += 1
        return Place(self, owner)

    @property
    def working(self) -> int:
        """How many pieces of work are being done."""
        return min(self._handed_over, self._threads)

    @property
    def waiting(self) -> int:
        """How many are being received or wait for a thread."""
        return self._taken - self.working

    def close(self) -> None:
        """Wait for what is being done; what waits is dropped."""
        self._pool.shutdown(cancel_futures=True)

    def submit(self, place: Place, work: Callable[[], Result]) -> Future[Result]:
        """Hand the work to a thread. Its place is taken until the thread is done, even if nobody waits any more."""
        loop = asyncio.get_running_loop()
        self._handed_over += 1
        future = self._pool.submit(work)
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._done, place))
        return future

    def _done(self, place: Place) -> None:
        self._handed_over -= 1
        self.free(place)

    def free(self, place: Place) -> None:
        """Give the place to the next."""
        self._taken -= 1
        self._taken_by[place.owner] -= 1


class Place:
    """A place at a desk, for one piece of work; given back at the end of the ``with`` block or of the work."""

    def __init__(self, desk: Desk, owner: int) -> None:
        self.owner = owner
        self._desk = desk
        self._handed_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._handed_over:
            self._desk.free(self)

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do the work in a thread."""
        self._handed_over = True
        return await asyncio.wrap_future(self._desk.submit(self, work))
