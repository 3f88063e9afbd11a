"""From a leaked list to the platforms that it came from."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from reclaim.bank.canaries.queries import all_canaries
from reclaim.bank.canaries.services import A_PLATFORM
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.index import CODE_BYTES, HammingIndex
from reclaim.sitekit import audit

CHANGED_BITS = 20
"""A value at most this far from a canary is that canary, changed by whoever leaked it. Two values that have nothing to
do with each other are never so near: the chance is below 2 ** -160."""
_CHUNK = 4 * 1024 * 1024
_LONGEST_RUN = 8 * CODE_BYTES
_DIGITS_AT_THE_END = re.compile(rb"[0-9a-fA-F]*\Z")
_VALUE = re.compile(rb"(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])")


@dataclass(frozen=True)
class Suspect:
    """A platform whose canaries are in the list."""

    platform: str
    found: int
    """So many of its canaries."""
    handed_out: int
    least_share: float
    """At least so much of the platform's copy is in the list, and at most ``most_share`` (0 to 1), 19 times in 20, if
    what is in it was not chosen."""
    most_share: float


def _suspect(platform: str, found: int, handed_out: int) -> Suspect:
    # Wilson's interval.
    part, z = found / handed_out, 1.96
    middle = part + z * z / (2 * handed_out)
    reach = z * math.sqrt(part * (1 - part) / handed_out + z * z / (4 * handed_out * handed_out))
    least, most = ((middle + sign * reach) / (1 + z * z / handed_out) for sign in (-1, 1))
    return Suspect(platform, found, handed_out, max(0.0, least), min(1.0, most))


@dataclass(frozen=True)
class Trace:
    """What a list tells."""

    values: int
    """How many PDQ values it holds."""
    suspects: list[Suspect]
    """The platforms that it came from, most canaries first."""
    share: float
    """How much of the bank's own list it could be at most, 0 to 1."""
    would_show: float
    """The probability that a random part of a platform's list of this size holds one of its canaries at least."""


def values_in(file: BinaryIO, read: Callable[[int], object] = lambda count: None) -> Iterator[bytes]:
    """Every PDQ value in a text of any kind, 64 hexadecimal digits, in bounded memory; ``read`` is told of each chunk's
    bytes."""
    kept = b""
    while chunk := file.read(_CHUNK):
        read(len(chunk))
        text = kept + chunk
        # Digits at the end may go on in the next chunk; a longer run of them than a value is none anyway.
        cut = len(text) - len(_DIGITS_AT_THE_END.search(text[-_LONGEST_RUN:])[0])  # type: ignore[index]
        yield from (match[0] for match in _VALUE.finditer(text, 0, cut))
        kept = text[max(cut - 1, 0) :]
    yield from (match[0] for match in _VALUE.finditer(kept))


def trace(values: Iterator[bytes]) -> Trace:
    """Look for every platform's canaries among these values."""
    names, codes = all_canaries()
    index = HammingIndex(codes, np.arange(len(codes)))
    found: dict[str, set[int]] = defaultdict(set)
    count = 0
    for batch in _batches(values):
        count += len(batch)
        if len(codes):
            for key in index.query_many(batch, CHANGED_BITS).ids.tolist():
                found[names[key]].add(key)
    handed_out = {name: names.count(name) for name in found}
    suspects = [_suspect(name, len(keys), handed_out[name]) for name, keys in found.items()]
    audit.record("operator", "leak.trace", f"platforms:{len(suspects)}")
    active = LedgerRecord.objects.filter(
        type=LedgerRecord.Type.PDQ, status=LedgerRecord.Status.ACTIVE, only_for=None
    ).count()
    share = min(1.0, count / active) if active else 1.0
    would_show = 1 - (1 - share) ** A_PLATFORM
    return Trace(count, sorted(suspects, key=lambda each: -each.found), share, would_show)


def _batches(values: Iterator[bytes], size: int = 20_000) -> Iterator[np.ndarray[tuple[int, int], np.dtype[np.uint8]]]:
    batch: list[bytes] = []
    for value in values:
        batch.append(bytes.fromhex(value.decode()))
        if len(batch) == size:
            yield np.frombuffer(b"".join(batch), np.uint8).reshape(-1, CODE_BYTES)
            batch.clear()
    if batch:
        yield np.frombuffer(b"".join(batch), np.uint8).reshape(-1, CODE_BYTES)
