"""One-time codes with which an organisation opens a case: made by the bank, shown once to the person, never stored.

Ten characters of Crockford's base 32 and his check symbol: 50 bits, for one organisation, for seven days.
"""

from __future__ import annotations

import secrets

from reclaim.bank.cases.numbers import with_check
from reclaim.sitekit.readable import ALPHABET, bare_text
from reclaim.sitekit.secrets import mac

_CHARACTERS = 10


def new_code() -> str:
    """A bare code of eleven characters."""
    while True:
        code = with_check("".join(secrets.choice(ALPHABET) for _ in range(_CHARACTERS)))
        if code is not None:
            return code


def parse_code(typed: str) -> str | None:
    """The bare code in what was typed, or ``None`` where it cannot be one, whatever the bank holds."""
    bare = bare_text(typed)
    if len(bare) != _CHARACTERS + 1 or any(character not in ALPHABET for character in bare):
        return None
    return bare if with_check(bare[:-1]) == bare else None


def code_mac(code: str, organisation: int) -> bytes:
    """What the bank stores of a code: it opens nothing for another organisation."""
    return mac("consent-code", f"{organisation}:{code}".encode())
