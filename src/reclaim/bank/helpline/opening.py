"""What is sealed in a case file, opened for the practitioner of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from reclaim.bank.casework.models import CaseFile
from reclaim.bank.vault.keys import CaseKey, DamagedError
from reclaim.bank.vault.services import case_key
from reclaim.bank.vault.sessions import unlocked


def key_of(request: HttpRequest, case_file: CaseFile) -> CaseKey:
    """The case file's key. Raises ``NoKeyError`` and ``LockedError``, which the vault answers with a page."""
    return case_key(unlocked(request), case_file.pk)


@dataclass(frozen=True)
class Opened:
    """One sealed text: its words, or that it cannot be read."""

    text: str = ""
    damaged: bool = False


def opened(key: CaseKey, label: str, sealed: Any) -> Opened:
    """The words of a sealed column; one that is damaged keeps no page from being shown."""
    if sealed is None:
        return Opened()
    try:
        return Opened(key.open(label, bytes(sealed)))
    except DamagedError:
        return Opened(damaged=True)
