"""Questions to the bank, of a service that was told to ask: whether an upload shows a picture by its parts."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from reclaim.client import BankError, NativeClient, NativeKeys
from reclaim.matching.by_parts import MayShow, told
from reclaim.matching.relation import Relation

LONGEST = 4.0
"""Seconds that an upload waits for one answer."""
PAUSE = 10.0
"""Seconds without a question after one that was not answered, so that a bank that is away costs uploads no time."""
_AT_ONCE = 4

_log = logging.getLogger("reclaim.matching")


@dataclass(frozen=True)
class BankForChecks:
    """The bank that is asked, and the key it is asked with."""

    url: str
    key: str = field(repr=False)


class NotAskedError(Exception):
    """The bank could not be asked, or did not answer in time."""


class Checks:
    """One worker's questions. For threads."""

    def __init__(self, bank: BankForChecks | None) -> None:
        self._client = None if bank is None else NativeClient(bank.url, NativeKeys(bank.key, descriptors=bank.key))
        self._pool = ThreadPoolExecutor(_AT_ONCE, "checks")
        self._not_before = 0.0

    @property
    def asks(self) -> bool:
        """Whether there is a bank to ask."""
        return self._client is not None

    def check(self, value: str, candidate: MayShow, deadline: float) -> Relation | None:
        """How the upload shows the picture; ``None`` if it does not. ``deadline`` is by ``time.monotonic``.

        Raises ``NotAskedError``.
        """
        now = time.monotonic()
        patience = min(LONGEST, deadline - now)
        if self._client is None or now < self._not_before or patience <= 0:
            raise NotAskedError
        asked = self._pool.submit(self._client.check_placement, value, candidate.frame, candidate.pairs)
        try:
            answer = asked.result(patience)
            # Also of what a bank says that cannot be, nobody learns whether the upload shows the picture.
            return told(answer.relation, candidate.part) if answer.match else None
        except (BankError, ValueError, TimeoutError) as error:
            asked.cancel()
            self._not_before = time.monotonic() + PAUSE
            _log.warning("the bank could not be asked about a candidate reason=%s", type(error).__name__)
            raise NotAskedError from None

    def close(self) -> None:
        """Ask no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            self._client.close()
