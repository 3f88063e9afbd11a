"""Reads on case files. ``access_case_file`` is the only way to get one, and ``visible_to`` the only list."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from reclaim.bank.cases.models import Case, Consent
from reclaim.bank.casework.models import CaseFile, Event, Handover, Invitation, Note, Risk, Status, Task, Working
from reclaim.bank.organisations.alarms import note_read
from reclaim.bank.organisations.models import Organisation, Practitioner
from reclaim.bank.organisations.queries import active_practitioners
from reclaim.bank.vault import people
from reclaim.sitekit import audit
from reclaim.sitekit.secrets import mac

PAGE = 40
"""Case files on one page of the list."""
MOST_TODAY = 20
"""Rows of each kind on the first page."""
BREAK_AFTER = datetime.timedelta(minutes=50)
BREAK = datetime.timedelta(minutes=5)
"""A pause that counts as a break."""


def visible_to(practitioner: Practitioner) -> QuerySet[CaseFile]:
    """The case files in a practitioner's scope: own, of the team, or of the organisation."""
    scope = Q(owner=practitioner)
    if practitioner.scope == Practitioner.Scope.ORGANISATION:
        scope = Q()
    elif practitioner.scope == Practitioner.Scope.TEAM and practitioner.team_id is not None:
        scope |= Q(team=practitioner.team_id)
    return CaseFile.objects.filter(scope, organisation=practitioner.organisation_id)


def access_case_file(practitioner: Practitioner, case_file: uuid.UUID) -> CaseFile:
    """A case file that the practitioner may see, and the trace that they looked. Call it outside a transaction.

    Raises ``Http404``; who reads far more than usual is stopped here (``organisations.alarms``).
    """
    found = (
        visible_to(practitioner)
        .select_related("organisation", "team", "owner__member", "case")
        .filter(pk=case_file)
        .first()
    )
    if found is None:
        raise Http404
    note_read(practitioner, found.pk)
    audit.record(practitioner.actor, "casefile.read", f"casefile:{found.pk}")
    return found


def entitled_to(case_file: CaseFile) -> QuerySet[Practitioner]:
    """Who may read a case file's sealed words: those in whose scope it is, and whom it is being handed over to."""
    scope = Q(pk=case_file.owner_id) | Q(scope=Practitioner.Scope.ORGANISATION)
    if case_file.team_id is not None:
        scope |= Q(scope=Practitioner.Scope.TEAM, team=case_file.team_id)
    offered = Handover.objects.filter(case_file=case_file, state=Handover.State.OFFERED)
    scope |= Q(handovers__in=offered) | Q(team__handovers__in=offered)
    return active_practitioners(case_file.organisation).filter(scope).distinct()


def consent_for(case_file: CaseFile) -> Consent | None:
    """The consent by which the organisation sees the person's own case; ``None`` from the moment in which it ends."""
    if case_file.case_id is None:
        return None
    return Consent.objects.filter(case=case_file.case_id, organisation=case_file.organisation_id, code_mac=None).first()


@dataclass(frozen=True)
class Filter:
    """Which case files a list shows; what is empty does not narrow. ``owner`` is «mine», «nobody» or a key."""

    status: str = "at work"
    """A ``Status``, «at work» for all that are not closed, or «all»."""
    owner: str = ""
    team: str = ""
    country: str = ""
    language: str = ""
    risk: str = ""
    name: str = ""
    """A part of the designation."""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filter:
        """From what a page's address says; what makes no sense there is left out."""
        typed = {name: query.get(name, "")[:40].strip() for name in cls.__dataclass_fields__}
        if typed["status"] not in (*Status.values, "all"):
            typed["status"] = "at work"
        if typed["owner"] not in ("mine", "nobody") and not _is_key(typed["owner"]):
            typed["owner"] = ""
        if not _is_key(typed["team"]):
            typed["team"] = ""
        if typed["risk"] not in Risk.values:
            typed["risk"] = ""
        if "\0" in "".join(typed.values()):
            return cls()
        return cls(**typed)

    def is_narrow(self) -> bool:
        """Whether it leaves anything out of what is at work."""
        return self != Filter()


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) < 2**63


def filtered(practitioner: Practitioner, wanted: Filter) -> QuerySet[CaseFile]:
    """The case files in scope that a filter wants, the latest touched first."""
    found = visible_to(practitioner)
    if wanted.status == "at work":
        # As the index has it, so that a database sees that they are the same.
        found = found.filter(~Q(status=Status.CLOSED))
    elif wanted.status != "all":
        found = found.filter(status=wanted.status)
    if wanted.owner == "mine":
        found = found.filter(owner=practitioner)
    elif wanted.owner == "nobody":
        found = found.filter(owner=None)
    elif wanted.owner:
        found = found.filter(owner=int(wanted.owner))
    if wanted.team:
        found = found.filter(team=int(wanted.team))
    for name in ("country", "language", "risk"):
        if value := getattr(wanted, name):
            found = found.filter(**{name: value})
    if wanted.name:
        found = found.filter(designation__contains=wanted.name.lower())
    return found.order_by("-touched_at", "-pk")


@dataclass(frozen=True)
class Page:
    """One page of the list, and where the next one begins; ``next`` is empty on the last."""

    rows: list[CaseFile]
    next: str


def list_case_files(practitioner: Practitioner, wanted: Filter, after: str = "") -> Page:
    """A page of case files, and the trace that the practitioner looked. ``after`` is the ``next`` of a page before."""
    found = filtered(practitioner, wanted).select_related("owner__member", "team")
    place = _place(after)
    if place is not None:
        touched_at, key = place
        # The first condition is there for the index; the second for what was touched in the same moment.
        found = found.filter(Q(touched_at__lte=touched_at), Q(touched_at__lt=touched_at) | Q(pk__lt=key))
    rows = list(found[: PAGE + 1])
    audit.record(practitioner.actor, "casefiles.list", f"organisation:{practitioner.organisation_id}")
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return Page(rows[:PAGE], f"{last.touched_at.timestamp():.6f}_{last.pk.hex}" if last else "")


def _place(after: str) -> tuple[datetime.datetime, uuid.UUID] | None:
    moment, _, key = after.partition("_")
    try:
        seconds, _, micro = moment.partition(".")
        at = datetime.datetime.fromtimestamp(int(seconds), datetime.UTC) + datetime.timedelta(microseconds=int(micro))
        return at, uuid.UUID(hex=key)
    except (ValueError, OverflowError, OSError):
        # Somebody's own idea of an address: the list begins anew.
        return None


@dataclass(frozen=True)
class Today:
    """What needs one practitioner today; each list is cut at ``MOST_TODAY``."""

    tasks: list[Task]
    handovers: list[Handover]
    urgent: list[CaseFile]
    without_owner: int
    mine: int


def today_of(practitioner: Practitioner, day: datetime.date) -> Today:
    """What needs a practitioner on a day, in a fixed number of queries; and the trace that they looked."""
    mine = CaseFile.objects.filter(~Q(status=Status.CLOSED), owner=practitioner)
    nobodys = visible_to(practitioner).filter(~Q(status=Status.CLOSED), owner=None)
    tasks = Task.objects.filter(practitioner=practitioner, done_at=None, due_on__lte=day)
    found = Today(
        list(tasks.select_related("case_file").order_by("due_on", "made_at")[:MOST_TODAY]),
        list(offered_to(practitioner)[:MOST_TODAY]),
        list(mine.filter(risk=Risk.URGENT).order_by("-touched_at", "-pk")[:MOST_TODAY]),
        nobodys.count(),
        mine.count(),
    )
    audit.record(practitioner.actor, "casefiles.today", f"organisation:{practitioner.organisation_id}")
    return found


def offered_to(practitioner: Practitioner) -> QuerySet[Handover]:
    """What is offered to a practitioner or their team, the oldest first."""
    to = Q(practitioner=practitioner)
    if practitioner.team_id is not None:
        to |= Q(team=practitioner.team_id)
    return (
        Handover.objects.filter(to, state=Handover.State.OFFERED, case_file__organisation=practitioner.organisation_id)
        .exclude(offered_by=practitioner)
        .select_related("case_file", "offered_by__member", "team", "practitioner__member")
        .order_by("offered_at")
    )


def access_offer(practitioner: Practitioner, handover: uuid.UUID) -> Handover:
    """A handover that waits for this practitioner, and the trace that they looked. Raises ``Http404``."""
    found = offered_to(practitioner).filter(pk=handover).first()
    if found is None:
        raise Http404
    note_read(practitioner, found.case_file_id)
    audit.record(practitioner.actor, "casefile.offer-read", f"casefile:{found.case_file_id}")
    return found


def open_offer(case_file: CaseFile) -> Handover | None:
    """The handover of a case file that waits for an answer."""
    found = case_file.handovers.filter(state=Handover.State.OFFERED)
    return found.select_related("practitioner__member", "team").first()


def notes_of(case_file: CaseFile, practitioner: Practitioner, *, supervises: bool) -> list[Note]:
    """The notes of a case file that a practitioner may read, the latest first; a correction takes its first's place."""
    notes = list(case_file.notes.select_related("practitioner__member"))
    seen = [
        note
        for note in notes
        if note.kind != Note.Kind.SUPERVISION
        or supervises
        or practitioner.pk in (case_file.owner_id, note.practitioner_id)
    ]
    first: dict[uuid.UUID, datetime.datetime] = {}
    by_key = {note.pk: note for note in seen}
    for note in sorted(seen, key=lambda note: (note.written_at, note.pk)):
        before = note.replaces_id
        first[note.pk] = first.get(before, note.written_at) if before in by_key else note.written_at
    return sorted(seen, key=lambda note: (first[note.pk], note.written_at), reverse=True)


def access_note(case_file: CaseFile, practitioner: Practitioner, note: uuid.UUID, *, supervises: bool) -> Note:
    """A practitioners' note that may be read and is the latest of its versions. Raises ``Http404``."""
    for found in notes_of(case_file, practitioner, supervises=supervises):
        if found.pk == note and not found.by_person and not Note.objects.filter(replaces=found).exists():
            return found
    raise Http404


def access_task(case_file: CaseFile, task: uuid.UUID) -> Task:
    """A task of a case file. Raises ``Http404``."""
    found = case_file.tasks.filter(pk=task).first()
    if found is None:
        raise Http404
    return found


def timeline_of(case_file: CaseFile, most: int = 200) -> list[Event]:
    """The latest events of a case file, the latest first."""
    return list(case_file.events.select_related("practitioner__member").order_by("-pk")[:most])


def invitation_by(token: str) -> Invitation | None:
    """The invitation whose link ends in this token, while it is good."""
    return good_invitations().filter(token_mac=token_mac(token)).first()


def good_invitations() -> QuerySet[Invitation]:
    """Links that a person can use now, with their case files and organisations."""
    found = Invitation.objects.filter(expires_at__gt=timezone.now(), used_at=None)
    found = found.filter(case_file__organisation__revoked_at=None)
    return found.select_related("case_file__organisation").exclude(case_file__status=Status.CLOSED)


def token_mac(token: str) -> bytes:
    """What is stored of an invitation's token."""
    return mac("invitation", token.encode(errors="surrogatepass"))


@dataclass(frozen=True)
class Load:
    """How one practitioner's work stands."""

    practitioner: Practitioner
    at_work: int
    urgent: int
    oldest: datetime.datetime | None
    """When the case file that waits longest was last touched."""
    overdue: int


@dataclass(frozen=True)
class Supervision:
    """How everybody's work stands, as far as it is in a supervisor's scope."""

    loads: list[Load]
    without_owner: int
    oldest: list[CaseFile]
    overdue: list[Task]


def supervision_of(supervisor: Practitioner, day: datetime.date) -> Supervision:
    """How the work stands on a day, in a fixed number of queries; and the trace that the supervisor looked."""
    at_work = visible_to(supervisor).filter(~Q(status=Status.CLOSED))
    counted: dict[int | None, Any] = {
        row["owner"]: row
        for row in at_work.order_by()
        .values("owner")
        .annotate(files=Count("pk"), urgent=Count("pk", filter=Q(risk=Risk.URGENT)), oldest=Min("touched_at"))
    }
    late = Task.objects.filter(done_at=None, due_on__lt=day, case_file__in=at_work)
    overdue = {
        row["practitioner"]: row["tasks"] for row in late.order_by().values("practitioner").annotate(tasks=Count("pk"))
    }
    nothing: dict[str, Any] = {"files": 0, "urgent": 0, "oldest": None}
    loads = [
        Load(each, row["files"], row["urgent"], row["oldest"], overdue.get(each.pk, 0))
        for each in active_practitioners(supervisor.organisation)
        for row in (counted.get(each.pk, nothing),)
    ]
    found = Supervision(
        loads,
        counted.get(None, nothing)["files"],
        list(at_work.select_related("owner__member", "team").order_by("touched_at", "pk")[:MOST_TODAY]),
        list(late.select_related("case_file", "practitioner__member").order_by("due_on", "made_at")[:MOST_TODAY]),
    )
    audit.record(supervisor.actor, "casefiles.supervise", f"organisation:{supervisor.organisation_id}")
    return found


def is_break_due(practitioner: Practitioner) -> bool:
    """Whether a practitioner has worked on case files for ``BREAK_AFTER`` without a break."""
    working = Working.objects.filter(practitioner=practitioner).first()
    now = timezone.now()
    if working is None or now - working.last_seen_at >= BREAK:
        return False
    return now >= max(working.since + BREAK_AFTER, working.postponed_until or working.since)


def to_erase(now: datetime.datetime) -> QuerySet[CaseFile]:
    """Closed case files whose time is over."""
    return CaseFile.objects.filter(
        status=Status.CLOSED, closed_at__lte=now - datetime.timedelta(days=settings.CASE_FILE_DAYS)
    )


def erased_on(case_file: CaseFile) -> datetime.date | None:
    """On which day a closed case file is erased."""
    if case_file.closed_at is None:
        return None
    return (case_file.closed_at + datetime.timedelta(days=settings.CASE_FILE_DAYS)).date()


def keepers_of(case: Case) -> QuerySet[Organisation]:
    """Who keeps something of their work for the person of a case, whether it may still see the case or not."""
    kept = CaseFile.objects.filter(person=case, organisation=OuterRef("pk"))
    return Organisation.objects.filter(Exists(kept), revoked_at=None).order_by("name")


def access_own_case_files(case: Case, organisation: int) -> list[CaseFile]:
    """What an organisation keeps of its work, for the person whose case it is; at least one. Raises ``Http404``.

    The one of a consent that holds is the first; others are left from consents that ended, the latest first.
    """
    found = CaseFile.objects.filter(person=case, organisation=organisation, organisation__revoked_at=None)
    in_order = found.select_related("organisation").order_by(F("case").asc(nulls_last=True), "-opened_at")
    rows = list(in_order) if organisation < 2**31 else []
    if not rows:
        raise Http404
    return rows


def notes_for_person(case_file: CaseFile) -> list[Note]:
    """Every note of a case file, the latest first. The words of those of kind ``PERSON`` are for the person."""
    return list(case_file.notes.select_related("replaced_by"))


def can_take_words(organisation: Organisation) -> bool:
    """Whether anybody there could open a case file that nobody owns yet."""
    return bool(people.readers_of(active_practitioners(organisation).filter(scope=Practitioner.Scope.ORGANISATION)))
