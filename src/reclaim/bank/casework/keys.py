"""A case file's key and who has it: whoever is entitled to read, and nobody longer than that."""

from __future__ import annotations

import uuid

from reclaim.bank.casework.models import CaseFile
from reclaim.bank.casework.queries import entitled_to
from reclaim.bank.vault import people, services
from reclaim.bank.vault.keys import CaseKey


def make(case_file: CaseFile) -> CaseKey:
    """A key for a new case file, which everybody who is entitled to it gets."""
    return services.new_key(case_file.pk, people.readers_of(entitled_to(case_file)))


def settle(key: CaseKey, case_file: CaseFile) -> None:
    """Let everybody who is entitled have the key, and take it from practitioners who no longer are."""
    services.hand_over(key, people.readers_of(entitled_to(case_file)))


def destroy(case_file: uuid.UUID) -> None:
    """Let nobody ever have the key again: what was sealed with it is noise from then on."""
    services.destroy(case_file)


def case_files_there(some: list[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these case files there are: the bank's work destroys keys without one."""
    return set(CaseFile.objects.filter(pk__in=some).values_list("pk", flat=True))
