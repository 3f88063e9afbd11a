"""Work that goes on in a thread of its own while others search and change."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

RETRY_SECONDS = 10.0
"""How long a job that failed is left alone, so that it does not take up the processor all the time."""

_log = logging.getLogger(__name__)


class Aside:
    """One job at a time. What fails is kept in ``error`` and may be tried again a little later."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.error: Exception | None = None
        """Of the last run; ``None`` once one succeeded."""
        self.after_fork_in_child()

    def after_fork_in_child(self) -> None:
        """The thread is not in the child."""
        self._running = threading.Lock()
        self._not_before = 0.0

    def start(self, job: Callable[[], object]) -> bool:
        """Run the job now. False if one runs already, if the last failed a moment ago, or if no thread can be had."""
        if time.monotonic() < self._not_before or not self._running.acquire(blocking=False):
            return False
        try:
            threading.Thread(target=self._run, args=(job,), name=self._name).start()
        except RuntimeError as error:  # no more threads
            self._failed(error)
            self._running.release()
            return False
        return True

    def wait(self) -> None:
        """Until nothing runs."""
        with self._running:
            pass

    def _run(self, job: Callable[[], object]) -> None:
        try:
            job()
            self.error = None
        except Exception as error:  # whatever it is, it is kept for whoever asks
            self._failed(error)
        finally:
            self._running.release()

    def _failed(self, error: Exception) -> None:
        self.error = error
        self._not_before = time.monotonic() + RETRY_SECONDS
        _log.warning("%s failed (%s); it is tried again.", self._name, type(error).__name__)
