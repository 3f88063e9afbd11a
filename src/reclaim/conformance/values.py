"""Signals that nobody reported, for the checks to send and to serve."""

from __future__ import annotations

import secrets

_random = secrets.SystemRandom()


def new_pdq() -> str:
    """A value as a real picture gives it: half of its 256 bits are set. 64 lower-case hexadecimal digits."""
    return f"{sum(1 << bit for bit in _random.sample(range(256), 128)):064x}"


def new_md5() -> str:
    """32 lower-case hexadecimal digits."""
    return secrets.token_hex(16)
