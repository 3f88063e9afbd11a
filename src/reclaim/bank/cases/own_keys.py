"""The person's own key pair: number and PIN make it, so that words about them can be sealed for them, too."""

from __future__ import annotations

from reclaim.bank.cases import pins
from reclaim.bank.cases.models import Case
from reclaim.bank.vault import people, services
from reclaim.bank.vault.keys import DamagedError, Unlocked


def unlocked(case: Case, number: str, pin: str) -> Unlocked:
    """The private key of the person whose case this is. ``number`` and ``pin`` must be the right ones."""
    return people.from_seed(pins.seed_of(number, pin), case.pk)


def make_known(case: Case, number: str, pin: str) -> None:
    """Keep the public half, if it is not kept yet or was changed outside the site."""
    try:
        known = people.reader_of_person(case.pk)
    except DamagedError:
        known = None
    if known is None:
        services.keep_public(unlocked(case, number, pin))


def forget(cases: list[Case]) -> None:
    """Forget the public halves of cases that are erased, and what was wrapped for them."""
    for case in cases:
        services.forget_reader(people.name_of_person(case.pk))
        services.forget_pair(people.name_of_person(case.pk))
