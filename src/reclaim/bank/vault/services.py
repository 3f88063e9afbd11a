"""Writes and reads of keys. Wrapped keys are in a database of their own, outside the caller's transaction.

So a key is written before what needs it, and destroyed before what was sealed with it: an interruption leaves a key too
many, which ``sweep`` finds, or text that nobody can read, and never text that should be gone and is not.
"""

from __future__ import annotations

import datetime
import hmac
from collections.abc import Callable, Collection, Iterable, Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from reclaim.bank.vault import keys, people
from reclaim.bank.vault.keys import CaseKey, DamagedError, Reader, Unlocked
from reclaim.bank.vault.models import KeyPair, WrappedKey
from reclaim.bank.vault.router import KEYS
from reclaim.sitekit import audit
from reclaim.sitekit.recurring import LeftForNowError
from reclaim.sitekit.secrets import mac

SETTLED = datetime.timedelta(hours=1)
"""After so long a case file that is not there will not come any more."""
BATCH = 500
FEW = 20
"""So many case files' keys may be swept whatever share of all they are."""


class NoKeyError(Exception):
    """The reader has no key to this case file; nobody has, once it was destroyed."""


class RecoveryKeyThereError(Exception):
    """The bank has a recovery key already."""


def _mac(case_file: UUID, reader: str, wrapped: bytes) -> bytes:
    return mac("vault wrapped key", case_file.bytes + wrapped + reader.encode())


def _row(key: CaseKey, reader: Reader) -> WrappedKey:
    wrapped = keys.wrap(key, reader)
    row_mac = _mac(key.case_file, reader.name, wrapped)
    return WrappedKey(case_file=key.case_file, reader=reader.name, wrapped=wrapped, mac=row_mac)


def _opened(row: WrappedKey, unlocked: Unlocked) -> CaseKey:
    wrapped = bytes(row.wrapped)
    if not hmac.compare_digest(bytes(row.mac), _mac(row.case_file, row.reader, wrapped)):
        raise DamagedError("The key of this case file was changed outside the site.")
    return keys.unwrap(row.case_file, wrapped, unlocked)


def new_key(case_file: UUID, readers: Iterable[Reader]) -> CaseKey:
    """Make the key of a case file and wrap it to ``readers`` and to the recovery key, before the case file is written.

    Raises ``ValueError`` if it has one: what was sealed under that one would be lost.
    """
    key = keys.new_case_key(case_file)
    recovery = people.recovery()
    named = {reader.name: reader for reader in [*readers, *([recovery] if recovery else [])]}
    with transaction.atomic(using=KEYS):
        if WrappedKey.objects.filter(case_file=case_file).exists():
            raise ValueError("This case file has a key already.")
        WrappedKey.objects.bulk_create([_row(key, reader) for reader in named.values()])
    return key


def case_key(unlocked: Unlocked, case_file: UUID) -> CaseKey:
    """The key of a case file, for a reader who has it. Raises ``NoKeyError``, ``DamagedError``."""
    row = WrappedKey.objects.filter(case_file=case_file, reader=unlocked.name).first()
    if row is None:
        raise NoKeyError("You have no key to this case file. Ask a supervisor to share it with you.")
    return _opened(row, unlocked)


def share(key: CaseKey, reader: Reader) -> None:
    """Let one more reader open a case file."""
    row = _row(key, reader)
    WrappedKey.objects.update_or_create(
        case_file=row.case_file, reader=row.reader, defaults={"wrapped": row.wrapped, "mac": row.mac}
    )


def unshare(case_file: UUID, reader: Reader | str) -> None:
    """Take a case file's key away from a reader, or from whoever has this name as one."""
    name = reader if isinstance(reader, str) else reader.name
    WrappedKey.objects.filter(case_file=case_file, reader=name).delete()


def hand_over(key: CaseKey, readers: Iterable[Reader]) -> None:
    """Let exactly these practitioners open a case file from now on; the person and the recovery key keep theirs."""
    named = {reader.name: reader for reader in readers}
    with transaction.atomic(using=KEYS):
        own = WrappedKey.objects.filter(case_file=key.case_file)
        own.filter(reader__startswith="practitioner:").exclude(reader__in=named).delete()
        there = set(own.values_list("reader", flat=True))
        missing = [_row(key, reader) for name, reader in named.items() if name not in there]
        # A supervisor may be sharing the same: theirs is as good.
        WrappedKey.objects.bulk_create(missing, ignore_conflicts=True)


def unshare_many(case_files: Collection[UUID], name: str) -> None:
    """Take the keys of these case files away from a reader."""
    some = list(case_files)
    for start in range(0, len(some), BATCH):
        WrappedKey.objects.filter(reader=name, case_file__in=some[start : start + BATCH]).delete()


def destroy(case_file: UUID) -> None:
    """Destroy every wrapped key of a case file: what was sealed under it can be read by nobody, in no backup of the
    site's database either. Call it before the case file is deleted."""
    WrappedKey.objects.filter(case_file=case_file).delete()


def forget_reader(name: str) -> int:
    """Destroy all that a reader can open; returns how many keys. Other readers keep theirs."""
    return WrappedKey.objects.filter(reader=name).delete()[0]


def forget_pair(name: str) -> None:
    """Destroy a reader's key pair: nothing can be shared with them until they choose a password again."""
    KeyPair.objects.filter(reader=name).delete()


def readable(name: str, case_files: Collection[UUID]) -> set[UUID]:
    """Which of these case files the reader has a key to."""
    own = WrappedKey.objects.filter(reader=name)
    return set(own.filter(case_file__in=case_files).values_list("case_file", flat=True))


def share_many(unlocked: Unlocked, case_files: Sequence[UUID], reader: Reader, actor: str) -> int:
    """Let ``reader`` open those of the case files that ``unlocked`` can open and ``reader`` cannot; returns how many.

    One that is damaged is passed over: it must not keep the others.
    """
    shared = 0
    for start in range(0, len(case_files), BATCH):
        some = case_files[start : start + BATCH]
        wanted = set(some) - readable(reader.name, some)
        rows = []
        for row in WrappedKey.objects.filter(reader=unlocked.name, case_file__in=wanted):
            try:
                rows.append(_row(_opened(row, unlocked), reader))
            except DamagedError:
                continue
        # Somebody else may be sharing the same: theirs is as good.
        WrappedKey.objects.bulk_create(rows, ignore_conflicts=True)
        shared += len(rows)
    audit.record(actor, "keys.share", reader.name)
    return shared


def case_files_of(name: str) -> list[UUID]:
    """Which case files a reader has a key to."""
    return list(WrappedKey.objects.filter(reader=name).values_list("case_file", flat=True))


def keep_public(unlocked: Unlocked) -> None:
    """Keep the public half of a pair whose private half its reader, a person, makes anew each time."""
    _keep(unlocked, b"")


def make_pair(name: str, password: str) -> Unlocked:
    """Give a reader a new key pair under a password; what the one before could open is lost to them."""
    unlocked = keys.new_unlocked(name)
    forget_reader(name)
    _keep(unlocked, keys.lock(unlocked, password, _stretch))
    return unlocked


def lock_anew(unlocked: Unlocked, password: str) -> None:
    """Put a reader's private key under another password."""
    _keep(unlocked, keys.lock(unlocked, password, _stretch))


def _stretch(stretched: bytes) -> bytes:
    return mac("vault password", stretched)


def _keep(unlocked: Unlocked, locked: bytes) -> None:
    reader = unlocked.reader
    facts = {"public_key": reader.public_key, "mac": people.mac_of_pair(reader.name, reader.public_key)}
    KeyPair.objects.update_or_create(reader=reader.name, defaults={**facts, "locked": locked})


def unlock(name: str, password: str) -> Unlocked | None:
    """The reader's private key; ``None`` if there is no pair. Raises ``DamagedError``, also for another password."""
    pair = KeyPair.objects.filter(reader=name).first()
    return keys.unlock(name, bytes(pair.locked), password, _stretch) if pair else None


def make_recovery_key(*, replace: bool = False) -> str:
    """Make the recovery key; returns its private half as it is written on paper, and keeps the public half alone.

    With ``replace`` another one's successor: case files made before open only with that one, until they are shared
    anew. Raises ``RecoveryKeyThereError``.
    """
    unlocked = keys.new_unlocked(people.RECOVERY)
    with transaction.atomic():
        if not replace and KeyPair.objects.filter(reader=people.RECOVERY).exists():
            raise RecoveryKeyThereError(
                "This bank has a recovery key. With --replace a new one takes its place for what is made from now on."
            )
        _keep(unlocked, b"")
        audit.record("operator", "recovery_key.make", "recovery_key")
    return keys.spelled(unlocked.private_key)


def recovery_from(typed: str) -> Unlocked:
    """The recovery key that somebody typed, or one that was replaced and still opens something.

    Raises ``ValueError``, with a sentence; ``DamagedError``.
    """
    unlocked = Unlocked(people.RECOVERY, keys.read_spelled(typed))
    known = people.recovery()
    if known is not None and hmac.compare_digest(known.public_key, unlocked.reader.public_key):
        return unlocked
    for row in WrappedKey.objects.filter(reader=people.RECOVERY).order_by("pk").iterator(BATCH):
        try:
            _opened(row, unlocked)
        except DamagedError:
            continue
        return unlocked
    raise ValueError("This is not this bank's recovery key.")


def sweep(kept: Sequence[Callable[[list[UUID]], set[UUID]]], now: datetime.datetime | None = None) -> int:
    """Destroy keys under which nothing is sealed (any more); returns how many wrapped keys. Each of ``kept`` says which
    of some keys, named by case file, are of use.

    They come of an interruption, or of a site's database that was restored from before their case file was made. Raises
    ``LeftForNowError``, and destroys none, where they are most of all keys: then it is rather another site's database.
    """
    settled = WrappedKey.objects.filter(made_at__lt=(now or timezone.now()) - SETTLED)
    gone: list[UUID] = []
    seen, last = 0, None
    while True:
        rest = settled if last is None else settled.filter(case_file__gt=last)
        some = list(rest.order_by("case_file").values_list("case_file", flat=True).distinct()[:BATCH])
        if not some:
            break
        last = some[-1]
        seen += len(some)
        gone += set(some).difference(*(in_use(some) for in_use in kept))
    if len(gone) > FEW and 2 * len(gone) > seen:
        raise LeftForNowError(
            "most keys are of case files that this database does not have: no key was swept; "
            "check RECLAIM_DATABASE_URL and RECLAIM_KEYS_DATABASE_URL"
        )
    swept = 0
    for at in range(0, len(gone), BATCH):
        swept += WrappedKey.objects.filter(case_file__in=gone[at : at + BATCH]).delete()[0]
    return swept
