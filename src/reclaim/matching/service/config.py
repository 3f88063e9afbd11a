"""What an operator may set of the service, and the limits that keep one caller from taking it from the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from reclaim.matching.policy import Policy
from reclaim.matching.service.checks import BankForChecks

MAX_BATCH = 4096
"""Signals in one batch."""

BATCH_MATCHES = 10
"""Matches named for one signal of a batch."""

BATCH_MATCHES_IN_ALL = 4096
"""Matches named in the answer to one batch; where more signals than that would allow match, each names fewer."""

SMALL_BODY = 4 * 2**10
"""Bytes of a message with one signal."""

BATCH_BODY = 2**20
"""Bytes of a batch as JSON; ``MAX_BATCH`` signals fit. As bytes it has 32 a signal."""

FRAMES_BODY = 512 * 2**10
"""Bytes of a message with the frames of a video; as many as a video has fit."""

BODY_SECONDS = 10.0
"""A body has to be here by then."""

HEADER_SECONDS = 10
"""A request's head has to be here by then; a connection that asks for nothing is closed by then."""

REQUEST_SECONDS = 20.0
"""Every request is answered by then."""

DECODE_SECONDS = 8.0
"""A picture still being decoded then is given up."""

DECODING_NICENESS = 10
"""Decoders stand back behind lookups."""

NEAR_DISTANCE = 40
"""Up to here a lookup takes microseconds, and is done in the event loop; beyond it is done in a thread."""

REQUESTS_PER_KEY = 256
"""Requests of one key under way in one worker."""

CONNECTIONS = 512
"""Connections open in one worker; more wait in the system's queue."""

DRAIN_SECONDS = 25
"""After SIGTERM what is under way has so long to end."""


@dataclass(frozen=True)
class Config:
    """One service."""

    folder: Path
    """Of the indexes."""
    keys: Path
    shared: Path
    """A folder of this service's own, for the figures its workers share."""
    policy: Policy = field(default_factory=Policy)
    bank: BankForChecks | None = None
    """Asked whether an upload shows a picture by its parts; None for a service that asks nobody."""
    workers: int = 1
    decoders: int = 1
    """Processes that decode pictures, for each worker."""
    waiting: int = 8
    """Pictures that may be received or wait for a decoder, besides those being decoded, for each worker."""
    picture_bytes: int = 32 * 2**20
    stale_after: float = 5.0
    """Seconds without a look at the folder that went well, after which a worker is not ready."""
    feed_stale_after: float = 24 * 3600.0
    """Seconds since the writer followed its feed to the end, after which a worker is not ready."""
