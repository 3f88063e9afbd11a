"""Case numbers and PINs: made by the bank, shown once, never stored.

A case number is 17 characters of Crockford's base 32 (https://www.crockford.com/base32.html) and his check symbol: 85
bits. Numbers whose check symbol is not a letter or digit are passed over (*, ~, $ and = are hard to read out and to
type), which leaves 84.8 bits.

Both come from a receipt, a random value that the asking page keeps, through a MAC under the bank's secret: whoever
asks again with the same receipt, because the answer was lost on its way, is given the same number and PIN.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import Enum

from django.utils.translation import gettext_noop

from reclaim.sitekit.readable import ALPHABET, bare_text
from reclaim.sitekit.secrets import mac

_CHECK_SYMBOLS = ALPHABET + "*~$=U"
_CHARACTERS = 17
_GROUP = 6
PIN_DIGITS = 8


class Mistake(Enum):
    """What is wrong with what was typed, as a sentence to be translated where it is shown."""

    NUMBER = gettext_noop("A case number has 18 letters and digits. Please check what you typed.")
    CHARACTER = gettext_noop("One character of the case number seems to be mistyped. Please check it.")
    PIN = gettext_noop("A PIN has eight digits. Please check what you typed.")


class MistypedError(ValueError):
    """What was typed cannot be a case number or a PIN, whatever the bank holds."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.value)
        self.mistake = mistake


@dataclass(frozen=True)
class NumberAndPin:
    """A bare case number of 18 characters, and a PIN of eight digits."""

    number: str
    pin: str


def from_receipt(receipt: str) -> NumberAndPin:
    """The case number and PIN of a receipt: always the same for the same one."""
    tries = (mac("case-number-from-receipt", f"{attempt}:{receipt}".encode()) for attempt in itertools.count())
    number = next(made for drawn in tries if (made := with_check(_characters_of(drawn))) is not None)
    # 256 bits onto 10^8 PINs: no PIN is likelier than another by more than one part in 10^69.
    pin = int.from_bytes(mac("case-pin-from-receipt", receipt.encode())) % 10**PIN_DIGITS
    return NumberAndPin(number, f"{pin:0{PIN_DIGITS}}")


def _characters_of(drawn: bytes) -> str:
    bits = int.from_bytes(drawn)
    return "".join(ALPHABET[bits >> 5 * place & 31] for place in range(_CHARACTERS))


def with_check(characters: str) -> str | None:
    """Characters of the alphabet with their check symbol, or ``None`` where that is no letter or digit."""
    check = _check_symbol(characters)
    return characters + check if check in ALPHABET else None


def _check_symbol(characters: str) -> str:
    value = 0
    for character in characters:
        value = value * 32 + ALPHABET.index(character)
    return _CHECK_SYMBOLS[value % 37]


def shown(number: str) -> str:
    """A case number, or a code, as a person reads it: in groups of six."""
    return "-".join(number[start : start + _GROUP] for start in range(0, len(number), _GROUP))


def parse_number(typed: str) -> str:
    """The bare case number in what a person typed: case, spaces and dashes do not matter, O is 0, I and L are 1.

    Raises ``MistypedError``. That says only that a character is wrong; it needs no look into the bank.
    """
    bare = bare_text(typed)
    if len(bare) != _CHARACTERS + 1 or any(character not in ALPHABET for character in bare):
        raise MistypedError(Mistake.NUMBER)
    if with_check(bare[:-1]) != bare:
        raise MistypedError(Mistake.CHARACTER)
    return bare


def number_mac(number: str) -> bytes:
    """What the bank stores of a case number."""
    return mac("case-number", number.encode())


def parse_pin(typed: str) -> str:
    """The PIN in what a person typed; spaces and dashes do not matter. Raises ``MistypedError``."""
    bare = "".join(typed.split()).replace("-", "")
    # isdecimal: digits of other scripts count, as a phone's keyboard may write them; int() below reads them all.
    if len(bare) != PIN_DIGITS or not bare.isdecimal():
        raise MistypedError(Mistake.PIN)
    return f"{int(bare):0{PIN_DIGITS}}"
