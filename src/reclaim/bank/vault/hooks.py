"""What the vault does when a practitioner shows or chooses a password."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from reclaim.bank.organisations.models import Practitioner
from reclaim.bank.vault import people, services, sessions
from reclaim.bank.vault.keys import DamagedError
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.accounts.signals import member_removed, member_reset, password_chosen, password_shown


def listen() -> None:
    """Connect to the accounts' signals."""
    password_shown.connect(_unlock, dispatch_uid="vault")
    password_chosen.connect(_lock, dispatch_uid="vault")
    member_reset.connect(_forget, dispatch_uid="vault")
    member_removed.connect(_forget, dispatch_uid="vault")


def _reader_of(member: Member) -> str | None:
    practitioner = Practitioner.objects.filter(member=member).first()
    return people.name_of(practitioner) if practitioner else None


def _unlock(request: HttpRequest, member: Member, password: str, **_: Any) -> None:
    name = None if member.one_time_until else _reader_of(member)
    if name is None:
        return
    try:
        sessions.hold(request, services.unlock(name, password) or services.make_pair(name, password))
    except DamagedError:
        # They sign in all the same; what is sealed asks for the password and says what to do.
        return


def _lock(request: HttpRequest, member: Member, password: str, first: bool, **_: Any) -> None:
    name = _reader_of(member)
    if name is None:
        return
    if first:
        # After a one-time password nobody knows the one before, under which an earlier pair is locked.
        sessions.hold(request, services.make_pair(name, password))
    else:
        services.lock_anew(sessions.unlocked_as(request, name), password)


def _forget(member: Member, **_: Any) -> None:
    name = _reader_of(member)
    if name is not None:
        services.forget_reader(name)
        services.forget_pair(name)
