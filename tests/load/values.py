"""Values that look like real signals."""

from __future__ import annotations

import secrets


def a_value() -> str:
    """A random value that could be a picture's: about half of its 256 bits are set, else clients leave it out."""
    while True:
        bits = secrets.randbits(256)
        if abs(bits.bit_count() - 128) <= 12:
            return f"{bits:064x}"
