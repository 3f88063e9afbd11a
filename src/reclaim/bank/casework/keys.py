"""A case file's key and who has it: whoever is entitled to read, and nobody longer than that."""

from __future__ import annotations

import uuid

from reclaim.bank.casework.models import CaseFile
from reclaim.bank.casework.queries import entitled_to, offered_to, visible_to
from reclaim.bank.organisations.models import Practitioner
from reclaim.bank.vault import people, services
from reclaim.bank.vault.keys import CaseKey, DamagedError, Unlocked


class NobodyReadsError(Exception):
    """Nobody at the organisation could open what would be sealed."""


def make(case_file: CaseFile) -> CaseKey:
    """A key for a new case file, which everybody who is entitled to it gets."""
    return services.new_key(case_file.pk, people.readers_of(entitled_to(case_file)))


def make_for_person(case_file: CaseFile) -> CaseKey:
    """A key for a case file that the person begins; they get it as well. Raises ``NobodyReadsError``."""
    readers = people.readers_of(entitled_to(case_file))
    if not readers:
        raise NobodyReadsError
    person = people.reader_of_person(case_file.case_id) if case_file.case_id else None
    return services.new_key(case_file.pk, [*readers, *([person] if person else [])])


def share_with_person(key: CaseKey, case: uuid.UUID) -> bool:
    """Let the person of a case open it, too; ``False`` if they can already, or have made no key yet."""
    try:
        person = people.reader_of_person(case)
    except DamagedError:
        # Somebody planted a key of theirs: nothing goes to it. The person's next sign-in puts their own in its place.
        return False
    if person is None or services.readable(person.name, [key.case_file]):
        return False
    services.share(key, person)
    return True


def take_from_person(case_file: uuid.UUID, case: uuid.UUID) -> None:
    """Let the person of a case no longer open a case file that is not theirs any more."""
    services.unshare(case_file, people.name_of_person(case))


def settle(key: CaseKey, case_file: CaseFile) -> None:
    """Let everybody who is entitled have the key, and take it from practitioners who no longer are."""
    services.hand_over(key, people.readers_of(entitled_to(case_file)))


def settle_for(practitioner: Practitioner, unlocked: Unlocked, actor: str) -> int:
    """Give a practitioner the keys of all that they may read, as far as ``unlocked`` can open it, and take away the
    others; returns how many they got. Raises ``NoKeyPairError``."""
    reader = people.reader_of(practitioner)
    entitled = set(visible_to(practitioner).values_list("pk", flat=True))
    entitled |= set(offered_to(practitioner).values_list("case_file", flat=True))
    services.unshare_many(case_files_there(services.case_files_of(reader.name)) - entitled, reader.name)
    return services.share_many(unlocked, sorted(entitled), reader, actor)


def destroy(case_file: uuid.UUID) -> None:
    """Let nobody ever have the key again: what was sealed with it is noise from then on."""
    services.destroy(case_file)


def case_files_there(some: list[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these case files there are: the bank's work destroys keys without one."""
    batches = (some[start : start + services.BATCH] for start in range(0, len(some), services.BATCH))
    return {pk for batch in batches for pk in CaseFile.objects.filter(pk__in=batch).values_list("pk", flat=True)}
