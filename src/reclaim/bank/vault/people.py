"""Readers: practitioners, the person, and the recovery key on paper."""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Iterable

from reclaim.bank.organisations.models import Practitioner
from reclaim.bank.vault import keys
from reclaim.bank.vault.keys import DamagedError, Reader, Unlocked
from reclaim.bank.vault.models import KeyPair
from reclaim.sitekit.secrets import mac

RECOVERY = "recovery"


class NoKeyPairError(Exception):
    """The practitioner has not signed in yet, so nothing can be sealed for them."""


def name_of(practitioner: Practitioner) -> str:
    """The practitioner's name as a reader."""
    return f"practitioner:{practitioner.pk}"


def name_of_person(case: uuid.UUID) -> str:
    """The person of a case by their name as a reader."""
    return f"person:{case}"


def mac_of_pair(reader: str, public_key: bytes) -> bytes:
    """What the site's secret says of a reader's public key."""
    return mac("vault key pair", public_key + reader.encode())


def _checked(pair: KeyPair) -> Reader:
    reader = Reader(pair.reader, bytes(pair.public_key))
    if not hmac.compare_digest(bytes(pair.mac), mac_of_pair(reader.name, reader.public_key)):
        raise DamagedError("A public key was changed outside the site. Restore the database, or reset the account.")
    return reader


def reader_of(practitioner: Practitioner) -> Reader:
    """The practitioner as a reader. Raises ``NoKeyPairError``; ``DamagedError`` for a planted key."""
    pair = KeyPair.objects.filter(reader=name_of(practitioner)).first()
    if pair is None:
        raise NoKeyPairError(f"«{practitioner.name}» has not signed in yet. Try again when they have.")
    return _checked(pair)


def readers_of(practitioners: Iterable[Practitioner]) -> list[Reader]:
    """Those of the practitioners who have a key pair. Raises ``DamagedError``."""
    return [_checked(pair) for pair in KeyPair.objects.filter(reader__in=map(name_of, practitioners)).order_by("pk")]


def recovery() -> Reader | None:
    """The recovery key, if the operator has made one. Raises ``DamagedError``."""
    pair = KeyPair.objects.filter(reader=RECOVERY).first()
    return _checked(pair) if pair else None


def reader_of_person(case: uuid.UUID) -> Reader | None:
    """The person of a case as a reader, once their public key is known. Raises ``DamagedError`` for a planted one."""
    pair = KeyPair.objects.filter(reader=name_of_person(case)).first()
    return _checked(pair) if pair else None


def from_seed(seed: bytes, case: uuid.UUID) -> Unlocked:
    """A person as a reader: the key pair that ``seed``, known to nobody but the person, always gives for ``case``."""
    return keys.from_seed(name_of_person(case), seed)
