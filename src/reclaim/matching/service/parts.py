"""What the routes of one worker share, from its start to its end."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from reclaim.matching.folder import IndexFolder
from reclaim.matching.keys import Keys
from reclaim.matching.seen import Seen, seen_crew
from reclaim.matching.service.checks import Checks
from reclaim.matching.service.config import DECODING_NICENESS, Config
from reclaim.matching.service.desk import Desk
from reclaim.matching.service.metrics import Metrics
from reclaim.matching.service.sockets import SLOW_READER_SECONDS, let_go_of_slow_readers
from reclaim.plainlog import log_failure
from reclaim.signals.crew import Crew

_TICK_SECONDS = 1.0
_BATCH_THREADS = 2
_BATCHES = 32

_log = logging.getLogger("reclaim.matching")


class Parts:
    """The indexes, keys, figures, desks and decoders of one worker."""

    def __init__(self, config: Config) -> None:
        """Raises ``KeyFileError``, ``OSError``."""
        self.config = config
        self.keys = Keys(config.keys)
        self.metrics = Metrics(config.shared, config.workers)
        self.folder = IndexFolder(config.folder)
        self.checks = Checks(config.bank)
        self.pictures = Desk(
            "pictures",
            threads=config.decoders,
            places=config.decoders + config.waiting,
            full="As many pictures as can be are being matched. Send this one again in a second.",
            owners=self.keys.__len__,
        )
        self.batches = Desk(
            "batches",
            threads=_BATCH_THREADS,
            places=_BATCHES,
            full="As many batches as can be are being looked up. Send this one again in a second.",
            owners=self.keys.__len__,
        )
        self._crew: Future[Crew[Seen]] | None = None
        self._ticking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the indexes and begin to follow them; decoders start meanwhile."""
        starter = ThreadPoolExecutor(1, "starter")
        self._crew = starter.submit(partial(seen_crew, self.config.decoders, niceness=DECODING_NICENESS))
        starter.shutdown(wait=False)
        await asyncio.to_thread(self.folder.start)
        self._ticking = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        """End everything; called when no request is under way any more."""
        if self._ticking:
            self._ticking.cancel()
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self.pictures.close()
        self.batches.close()
        self.checks.close()
        if self._crew and not self._crew.exception():
            self._crew.result().end()
        self.folder.close()

    def decoders(self) -> Crew[Seen]:
        """The crew, once it has started. For threads."""
        if self._crew is None:
            raise RuntimeError("The service has not been started.")
        return self._crew.result()

    def not_ready(self) -> str:
        """Why this worker should not be asked now; empty if it can be."""
        behind, feed = self.folder.seconds_behind(), self.folder.feed_seconds_behind()
        if behind is None:
            return self.folder.fault
        if behind > self.config.stale_after:
            return f"The indexes were last read {behind:.0f} seconds ago. {self.folder.fault}".strip()
        if self.folder.state is not None and feed is None:
            return "Who keeps the indexes has not followed the feed to its end yet: look at its log."
        if feed is not None and feed > self.config.feed_stale_after:
            return f"Who keeps the indexes last followed the feed to its end {feed:.0f} seconds ago: look at its log."
        if self._crew is None or not self._crew.done():
            return "The decoders are starting."
        if self._crew.exception():
            return "The decoders could not be started: look whether this machine is out of memory or processes."
        return ""

    def set_gauges(self) -> None:
        """Put what is true now into the figures."""
        self.metrics.set("pictures", self.pictures.waiting)
        self.metrics.set("decoding", self.pictures.working)
        self.metrics.set("stale", self.folder.seconds_behind())
        self.metrics.set("feed_stale", self.folder.feed_seconds_behind())

    async def _tick(self) -> None:
        limited = False
        first = multiprocessing.parent_process()  # as it was when this worker was made, even if it has ended since
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            try:
                self.keys.refresh()
                self.set_gauges()
                if not limited and (limited := let_go_of_slow_readers() > 0):  # there was no socket at the start
                    _log.info("a worker answers; a connection that nobody reads ends in %d s", SLOW_READER_SECONDS)
            except Exception as error:  # without this task keys that have ended would stay valid
                log_failure(_log, "a worker's recurring work failed", error)
            if first is not None and os.getppid() != first.pid:
                # The first process was killed: nobody would ever stop this one.
                os.kill(os.getpid(), signal.SIGTERM)
