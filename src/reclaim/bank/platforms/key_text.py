"""What a key looks like: recognisable to scanners for published secrets, and a mistyped one is seen without asking.

``reclaim_<word>_<43 characters of 256 random bits><6 characters of their CRC-32>``. The word is the key's one scope, or
``platform``. A scanner finds one with ``reclaim_[a-z]+_[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}`` and checks the CRC-32.
"""

from __future__ import annotations

import re
import secrets
import zlib

PATTERN = re.compile(r"reclaim_[a-z]+_[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUM_LENGTH = 6
_SECRET_BYTES = 32


def new_key(word: str) -> str:
    """A fresh key."""
    body = f"reclaim_{word}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    return body + _sum_of(body)


def is_key(text: str) -> bool:
    """Whether this is a key as some bank of ours made it; says nothing of whether it opens anything."""
    return PATTERN.fullmatch(text) is not None and _sum_of(text[:-_SUM_LENGTH]) == text[-_SUM_LENGTH:]


def _sum_of(body: str) -> str:
    """The CRC-32 of the text before it, in base 62, most significant digit first."""
    rest, digits = zlib.crc32(body.encode()), ""
    for _ in range(_SUM_LENGTH):
        rest, digit = divmod(rest, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits
