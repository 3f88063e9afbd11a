"""Facts as texts: what a form sends, a CSV file holds and the history shows; and back."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from reclaim.bank.directory.models import FACTS, Entry
from reclaim.bank.directory.rows import Confidence, For, Hours, Kind, Service

LIMITS = {
    "name": 120,
    "phone": 20,
    "text": 20,
    "word": 40,
    "address": 500,
    "open": 20,
    "languages": 120,
    "sources": 3_000,
}
"""Characters of each fact that is free text."""
# What would turn the reading direction of what follows, or is not seen at all.
_UNSEEN = "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"

Word = TypeVar("Word", bound=StrEnum)


class FactsError(ValueError):
    """Texts that make no row; ``faults`` says of each why."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = faults


def text_of(value: object) -> str:
    """A fact as a text: lists by spaces, ``yes`` or nothing, a date as 2026-11-26."""
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, list | tuple):
        return " ".join(str(each) for each in value)
    return value.isoformat() if isinstance(value, datetime.date) else str(value or "")


def texts_of(row: Service | Entry) -> dict[str, str]:
    """Every fact of a row as ``text_of``."""
    return {fact: text_of(getattr(row, fact)) for fact in FACTS}


def row_of(texts: Mapping[str, str], slug: str = "") -> Service:
    """The row that these texts make. Raises ``FactsError``; ``checks`` then says whether it holds together."""
    faults: list[str] = []
    for fact, most in LIMITS.items():
        if len(texts[fact]) > most:
            faults.append(f"«{fact}» has more than {most} characters.")
        elif not texts[fact].isprintable() or any(each in texts[fact] for each in _UNSEEN):
            faults.append(f"«{fact}» holds characters that are not seen, or that turn the text around. Type it anew.")
    kind = _word(Kind, "kind", texts, faults)
    audience = _word(For, "audience", texts, faults, For.EVERYBODY)
    confidence = _word(Confidence, "confidence", texts, faults)
    hours = _word(Hours, "hours", texts, faults) if texts["hours"] else None
    read_on = _date(texts["read_on"], faults)
    free = texts["free"].lower()
    if free not in ("", "yes", "no"):
        faults.append("«free» is «yes», «no» or nothing.")
    if faults or kind is None or audience is None or confidence is None or read_on is None:
        raise FactsError(faults)
    return Service(
        country=texts["country"].upper(),
        kind=kind,
        audience=audience,
        sources=tuple(dict.fromkeys(texts["sources"].split())),
        read_on=read_on,
        confidence=confidence,
        slug=slug,
        name=texts["name"],
        phone=texts["phone"],
        text=texts["text"],
        word=texts["word"],
        address=texts["address"],
        hours=hours,
        open=texts["open"].replace("-", "–"),
        languages=tuple(dict.fromkeys(texts["languages"].lower().split())),
        free=free == "yes",
    )


def _word(
    words: type[Word], fact: str, texts: Mapping[str, str], faults: list[str], otherwise: Word | None = None
) -> Word | None:
    if not texts[fact] and otherwise is not None:
        return otherwise
    try:
        return words(texts[fact])
    except ValueError:
        faults.append(f"«{fact}» is one of: {', '.join(words)}.")
        return None


def _date(text: str, faults: list[str]) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        faults.append("«read_on» is a day such as 2026-11-26.")
        return None
