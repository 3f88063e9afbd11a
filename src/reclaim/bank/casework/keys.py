"""A case file's key and who has it: whoever is entitled to read, and nobody longer than that."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from reclaim.bank.casework.models import CaseFile
from reclaim.bank.casework.queries import entitled_to

if TYPE_CHECKING:
    from reclaim.bank.vault.services import CaseKey


def make(case_file: CaseFile) -> CaseKey:
    """A key for a new case file, which everybody who is entitled to it gets."""
    from reclaim.bank.vault import services
    from reclaim.bank.vault.people import reader_of

    return services.new_key(case_file.pk, [reader_of(each) for each in entitled_to(case_file)])


def settle(key: CaseKey, case_file: CaseFile) -> None:
    """Let everybody who is entitled have the key, and take it from practitioners who no longer are."""
    from reclaim.bank.vault import queries, services
    from reclaim.bank.vault.people import reader_of

    entitled = {reader.name: reader for reader in map(reader_of, entitled_to(case_file))}
    have = {name for name in queries.readers_of(case_file.pk) if name.startswith("practitioner:")}
    for name in entitled.keys() - have:
        services.share(key, entitled[name])
    for name in have - entitled.keys():
        services.unshare(case_file.pk, name)


def destroy(case_file: uuid.UUID) -> None:
    """Let nobody ever have the key again: what was sealed with it is noise from then on."""
    from reclaim.bank.vault import services

    services.destroy(case_file)
