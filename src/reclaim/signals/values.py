"""Signals as values: what they look like, how far apart two are, which ones no real picture gives."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

from reclaim.signals.errors import PoorSignal

POOR_QUALITY = 50
"""A PDQ quality below this is poor: the reference implementation's own threshold."""

MATCH_DISTANCE = 31
"""Two PDQ values at most this many bits apart are taken for the same picture, as the field does."""

SignalType = Literal["pdq", "md5", "vpdq"]

_PDQ = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MD5 = re.compile(r"[0-9a-f]{32}", re.ASCII)
_BALANCED = 128
_BALANCE_MARGIN = 16


class Pdq(NamedTuple):
    """A PDQ value (64 lowercase hexadecimal characters) and its quality (0 to 100)."""

    value: str
    quality: int

    @property
    def poor(self) -> bool:
        """Whether the value is too weak to tell this picture from others."""
        return self.quality < POOR_QUALITY or is_degenerate(self.value)


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal. `quality` is that of a PDQ, None for an MD5."""

    type: SignalType
    value: str
    quality: int | None = None

    @property
    def poor(self) -> bool:
        """Whether this is a PDQ too weak to tell its picture from others."""
        return self.quality is not None and Pdq(self.value, self.quality).poor


@dataclass(frozen=True, slots=True)
class PictureSignals:
    """All signals of one picture file."""

    pdq: str
    quality: int
    md5: str

    @property
    def poor(self) -> bool:
        """Whether the PDQ is too weak to tell this picture from others."""
        return Pdq(self.pdq, self.quality).poor

    def signals(self) -> tuple[Signal, Signal]:
        """The two signals, PDQ first."""
        return Signal("pdq", self.pdq, self.quality), Signal("md5", self.md5)

    def insist(self) -> PictureSignals:
        """These signals, or PoorSignal where the PDQ is poor."""
        if self.poor:
            raise PoorSignal
        return self


def parse_pdq(text: str) -> str:
    """`text` in lower case. Raises ValueError for anything but 64 hexadecimal characters."""
    value = text.lower()
    if not text.isascii() or not _PDQ.fullmatch(value):
        raise ValueError("A PDQ value is 64 hexadecimal characters.")
    return value


def parse_md5(text: str) -> str:
    """`text` in lower case. Raises ValueError for anything but 32 hexadecimal characters."""
    value = text.lower()
    if not text.isascii() or not _MD5.fullmatch(value):
        raise ValueError("An MD5 value is 32 hexadecimal characters.")
    return value


def hamming(a: str, b: str) -> int:
    """In how many of 256 bits two PDQ values differ. Raises ValueError where one is no PDQ value."""
    return (int(parse_pdq(a), 16) ^ int(parse_pdq(b), 16)).bit_count()


def is_degenerate(value: str) -> bool:
    """Whether no real picture gives this PDQ value.

    PDQ sets the bits of the coefficients above the median, so a picture with detail sets 128 of 256. What
    flat pictures, failed canvases and corrupt feeds give (all zeros, all ones, remains of rounding) is far
    from that; such a value would match thousands of unrelated pictures. The margin is for other makers'
    medians.
    """
    return abs(int(parse_pdq(value), 16).bit_count() - _BALANCED) > _BALANCE_MARGIN
