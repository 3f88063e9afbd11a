"""Reading a stream of server-sent events: line by line, within limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reclaim.client.errors import BankMisbehaved

LONGEST_LINE = 4096
MOST_LINES = 100
"""Of one event."""
LONGEST_RETRY = 60.0


@dataclass(frozen=True)
class Event:
    """Something that a bank said on its stream. What it carries besides is not looked at."""

    name: str
    retry: float | None = None
    """Seconds after which to come back when the stream ends, where the bank named them."""


def read_events(pieces: Iterable[bytes]) -> Iterator[Event]:
    """The events in a stream that comes in pieces. Raises ``BankMisbehaved`` for one that has lines without end."""
    name, retry, said, lines = "", None, False, 0
    for line in _lines(pieces):
        lines += 1
        if lines > MOST_LINES:
            raise BankMisbehaved("The bank's stream of events has an event without end. Tell the bank's operator.")
        if not line:
            if said or retry is not None:
                yield Event(name or "message" if said else "", retry)
            name, retry, said, lines = "", None, False, 0
            continue
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            name, said = value.decode("ascii", "replace"), True
        elif field == b"data":
            said = True
        elif field == b"retry" and value.isdigit():
            retry = min(int(value[:9]) / 1000, LONGEST_RETRY)
        elif not field:
            lines = 0  # a comment, such as a heartbeat


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        yield from whole
        if len(rest) > LONGEST_LINE:
            raise BankMisbehaved("The bank's stream of events has a line without end. Tell the bank's operator.")
