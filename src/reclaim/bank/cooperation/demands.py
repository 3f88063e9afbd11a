"""Legal demands: logged by one person, answered only when another agrees, counted in public."""

from __future__ import annotations

import datetime
import re
import uuid
from collections import Counter
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone

from reclaim.bank.cooperation.models import LegalDemand
from reclaim.bank.takedown.sealing import Use, seal, unseal
from reclaim.sitekit import audit
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.places import is_country

SCOPES = {
    "picture": "A picture or video",
    "signals": "Signals",
    "case": "A case of a person",
    "case-file": "A case file of an organisation",
    "platform": "What a platform did",
    "staff": "Who works here",
    "other": "Something else",
}
"""Kinds of things that are asked for."""
LEAST_SHOWN = 5
"""A smaller number is not told in public: it might be somebody."""
LONGEST_TEXT = 8000


class DemandError(Exception):
    """This cannot be done so; the message says what to do."""


@dataclass(frozen=True)
class NewDemand:
    """A demand as it came."""

    received_on: datetime.date
    sender: str
    country: str
    basis: str
    asked: str
    scope: str
    deadline: datetime.date | None
    notice: LegalDemand.Notice
    forbidden_until: datetime.date | None = None
    form: uuid.UUID | None = None
    """Names the form that it is logged with, so that a form that is sent twice logs once; ``None`` without a form."""


def _text(text: str, longest: int, what: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if not text or len(text) > longest or "\x00" in text:
        raise DemandError(f"Write {what}, in at most {longest} characters.")
    return text


def log_demand(member: Member, new: NewDemand) -> LegalDemand:
    """Log a demand; the one that is there when its form was sent already. Raises ``DemandError``, also when that form
    logged something else."""
    if not is_country(new.country):
        raise DemandError("A country is two letters of ISO 3166, such as GB.")
    if new.scope not in SCOPES or new.notice == LegalDemand.Notice.GIVEN:
        raise DemandError("Choose what is asked for, and whether the person may be told.")
    if new.received_on > latest_day():
        raise DemandError("It cannot have come in the future.")
    asked = _text(new.asked, LONGEST_TEXT, "what it asks for")
    demand = LegalDemand(
        form=new.form,
        received_on=new.received_on,
        sender=_text(new.sender, 200, "who asks"),
        country=new.country,
        basis=_text(new.basis, 300, "which law and article it names, or «none named»"),
        sealed_asked=seal(Use.DEMAND, asked),
        scope=new.scope,
        deadline=new.deadline,
        notice=new.notice,
        forbidden_until=new.forbidden_until if new.notice == LegalDemand.Notice.FORBIDDEN else None,
        logged_by=member,
    )
    try:
        with transaction.atomic():
            demand.save(force_insert=True)
            audit.record(member.actor, "demand.log", f"demand:{demand.pk}")
    except IntegrityError:
        logged = LegalDemand.objects.filter(form=new.form).first() if new.form else None
        if logged is None:
            raise
        # What became of it since is no difference: the answer, and whether the person may be told.
        told = ("received_on", "sender", "country", "basis", "scope", "deadline", "logged_by_id")
        same = all(getattr(logged, name) == getattr(demand, name) for name in told)
        if not same or unseal(Use.DEMAND, logged.sealed_asked) != asked:
            raise DemandError(
                "This form logged a demand already. If this is another one, press «Log it» again."
            ) from None
        return logged
    return demand


def _locked(demand: LegalDemand, state: LegalDemand.State) -> LegalDemand:
    row = LegalDemand.objects.select_for_update(of=("self",)).get(pk=demand.pk)
    if row.state != state:
        raise DemandError("Somebody was quicker: this demand stands elsewhere now. Read it again.")
    return row


def propose(member: Member, demand: LegalDemand, answer: str, reasons: str, digest: str = "") -> None:
    """Propose an answer. ``digest``, of «part» alone: SHA-256 of exactly what would be given, 64 hexadecimal digits.

    Raises ``DemandError``.
    """
    if answer not in LegalDemand.Answer.values:
        raise DemandError("Choose what to answer.")
    digest = digest.strip().lower()
    if answer == LegalDemand.Answer.PART and not re.fullmatch(r"[0-9a-f]{64}", digest, re.ASCII):
        raise DemandError(
            "Give the SHA-256 of exactly what would be given: 64 hexadecimal digits, as «sha256sum» prints."
        )
    reasons = _text(reasons, LONGEST_TEXT, "why, and who advised")
    with transaction.atomic():
        row = _locked(demand, LegalDemand.State.LOGGED)
        row.state, row.answer, row.sealed_reasons = LegalDemand.State.PROPOSED, answer, seal(Use.DEMAND, reasons)
        row.given_digest = digest if answer == LegalDemand.Answer.PART else ""
        row.proposed_by, row.proposed_at = member, timezone.now()
        row.save()
        audit.record(member.actor, "demand.propose", f"demand:{row.pk}")


def release(member: Member, demand: LegalDemand) -> None:
    """Consent to the proposed answer; whoever proposed it cannot. Raises ``DemandError``."""
    with transaction.atomic():
        row = _locked(demand, LegalDemand.State.PROPOSED)
        if row.proposed_by_id == member.pk:
            raise DemandError("You proposed this answer. Somebody else has to consent to it.")
        row.state, row.released_by, row.released_at = LegalDemand.State.ANSWERED, member, timezone.now()
        row.save()
        audit.record(member.actor, "demand.release", f"demand:{row.pk}")


def send_back(member: Member, demand: LegalDemand) -> None:
    """Do not consent: it waits for another proposal. Raises ``DemandError``."""
    with transaction.atomic():
        row = _locked(demand, LegalDemand.State.PROPOSED)
        row.state, row.answer, row.sealed_reasons, row.given_digest = LegalDemand.State.LOGGED, "", "", ""
        row.proposed_by = row.proposed_at = None
        row.save()
        audit.record(member.actor, "demand.send-back", f"demand:{row.pk}")


def give_notice(member: Member, demand: LegalDemand, day: datetime.date) -> None:
    """Note that the person was told. Raises ``DemandError`` while that is forbidden."""
    with transaction.atomic():
        row = LegalDemand.objects.select_for_update(of=("self",)).get(pk=demand.pk)
        if not (may_tell(row) and may_tell(row, day)) or row.notice == LegalDemand.Notice.NOBODY:
            raise DemandError("The person may not be told yet, or there is nobody to tell.")
        if row.notice == LegalDemand.Notice.GIVEN or not row.received_on <= day <= latest_day():
            raise DemandError("Name the day on which the person was told: between the demand and today, once.")
        row.notice, row.notice_given_on = LegalDemand.Notice.GIVEN, day
        row.save()
        audit.record(member.actor, "demand.notice", f"demand:{row.pk}")


def propose_ban_end(member: Member, demand: LegalDemand, day: datetime.date) -> None:
    """Propose that telling the person is forbidden until this day and no longer. Raises ``DemandError``."""
    with transaction.atomic():
        row = LegalDemand.objects.select_for_update(of=("self",)).get(pk=demand.pk)
        if row.notice != LegalDemand.Notice.FORBIDDEN:
            raise DemandError("Telling the person is not forbidden.")
        if ban_end_waits(row):
            raise DemandError("A day is proposed already. Somebody else consents to it, or sends it back.")
        if day < row.received_on:
            raise DemandError("The ban cannot have ended before the demand came.")
        row.ban_until, row.ban_proposed_by, row.ban_released_by = day, member, None
        row.save()
        audit.record(member.actor, "demand.ban", f"demand:{row.pk}")


def ban_end_waits(demand: LegalDemand) -> bool:
    """Whether somebody proposes a last day of the ban, and nobody else has consented yet."""
    return demand.ban_until is not None and demand.ban_released_by_id is None


def _locked_ban(demand: LegalDemand, day: datetime.date | None) -> LegalDemand:
    row = LegalDemand.objects.select_for_update(of=("self",)).get(pk=demand.pk)
    if not ban_end_waits(row) or row.ban_until != day or row.notice != LegalDemand.Notice.FORBIDDEN:
        raise DemandError("Somebody was quicker: another last day is proposed now, or none. Read it again.")
    return row


def release_ban_end(member: Member, demand: LegalDemand, day: datetime.date | None) -> None:
    """Consent to this last day, which was proposed; whoever proposed it cannot. Raises ``DemandError``."""
    with transaction.atomic():
        row = _locked_ban(demand, day)
        if row.ban_proposed_by_id == member.pk:
            raise DemandError("You proposed this day. Somebody else has to consent to it.")
        row.forbidden_until, row.ban_released_by = row.ban_until, member
        row.save()
        audit.record(member.actor, "demand.ban-release", f"demand:{row.pk}")


def send_ban_end_back(member: Member, demand: LegalDemand, day: datetime.date | None) -> None:
    """Do not consent: the ban stays as it was. Raises ``DemandError``."""
    with transaction.atomic():
        row = _locked_ban(demand, day)
        row.ban_until = row.ban_proposed_by = None
        row.save()
        audit.record(member.actor, "demand.ban-back", f"demand:{row.pk}")


# A day is named by where somebody is, and a ban's by where a court sits; the bank knows neither.


def latest_day() -> datetime.date:
    """The day that it is already where days begin first."""
    return (timezone.now() + datetime.timedelta(hours=14)).date()


def _earliest_day() -> datetime.date:
    return (timezone.now() - datetime.timedelta(hours=12)).date()


def may_tell(demand: LegalDemand, day: datetime.date | None = None) -> bool:
    """Whether the person may be told on a day; without one now, when a ban holds until its last day is over everywhere.

    A ban without an end holds until two people name one (``propose_ban_end``,
    ``release_ban_end``).
    """
    if demand.notice != LegalDemand.Notice.FORBIDDEN:
        return True
    return demand.forbidden_until is not None and (day or _earliest_day()) > demand.forbidden_until


@dataclass(frozen=True)
class ReadDemand:
    """A demand with what is sealed of it."""

    demand: LegalDemand
    asked: str
    reasons: str
    scope: str
    may_tell: bool


def list_demands(member: Member) -> list[LegalDemand]:
    """Every demand, the latest first; the read is audited."""
    audit.record(member.actor, "demands.read", "demands")
    return list(LegalDemand.objects.select_related("proposed_by")[:500])


def access_demand(member: Member, key: int) -> ReadDemand:
    """One demand; the read is audited. Raises ``Http404``."""
    found = (
        LegalDemand.objects.select_related(
            "logged_by", "proposed_by", "released_by", "ban_proposed_by", "ban_released_by"
        )
        .filter(pk=key)
        .first()
        if key < 2**63
        else None
    )
    if found is None:
        raise Http404
    audit.record(member.actor, "demand.read", f"demand:{found.pk}")
    return ReadDemand(
        found,
        unseal(Use.DEMAND, found.sealed_asked),
        unseal(Use.DEMAND, found.sealed_reasons) if found.sealed_reasons else "",
        SCOPES.get(found.scope, found.scope),
        may_tell(found),
    )


@dataclass(frozen=True)
class YearOfDemands:
    """What is told in public of one year: counts as texts."""

    year: int
    total: str
    nothing: str
    refused: str
    part: str
    waiting: str


def _shown(count: int) -> str:
    return str(count) if count == 0 or count >= LEAST_SHOWN else f"fewer than {LEAST_SHOWN}"


def public_years() -> list[YearOfDemands]:
    """Counts of each year that is over, the latest first. Small ones are not told, nor a total from which one could be
    reckoned; this year's are not, since who looks every day would see on which a demand came."""
    years: dict[int, Counter[str]] = {}
    over = LegalDemand.objects.filter(received_on__year__lt=timezone.now().year).order_by()
    for received_on, answer, state in over.values_list("received_on", "answer", "state"):
        word = answer if state == LegalDemand.State.ANSWERED else "waiting"
        years.setdefault(received_on.year, Counter())[word] += 1
    return [_year(year, counts) for year, counts in sorted(years.items(), reverse=True)]


def _year(year: int, counts: Counter[str]) -> YearOfDemands:
    shown = {word: _shown(counts[word]) for word in (*LegalDemand.Answer.values, "waiting")}
    total = counts.total()
    hidden = any(0 < counts[word] < LEAST_SHOWN for word in shown)
    if not hidden:
        told = str(total)
    else:
        told = f"fewer than {LEAST_SHOWN}" if total < LEAST_SHOWN else f"at least {LEAST_SHOWN}"
    return YearOfDemands(year, told, shown["nothing"], shown["refused"], shown["part"], shown["waiting"])
