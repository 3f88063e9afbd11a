"""Numbers and codes that people write down and type: Crockford's base 32 (https://www.crockford.com/base32.html)."""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Letters and digits that are not mistaken for one another."""


def bare_text(typed: str) -> str:
    """What was typed without spaces and dashes, in the alphabet's own characters where it can be read so.

    Upper case; O is 0, I and L are 1. Any other character stays for the caller to refuse.
    """
    return "".join(typed.upper().split()).replace("-", "").replace("O", "0").replace("I", "1").replace("L", "1")
