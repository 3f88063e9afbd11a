"""What an organisation keeps of its work for a person, told to that person in their language."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import get_language_info, gettext_noop
from django.utils.translation import gettext as _

from reclaim.bank.casework.models import CaseFile, Happened, Note, Police, Said, Stage
from reclaim.bank.casework.queries import notes_for_person
from reclaim.bank.cooperation.models import CheckIn
from reclaim.bank.cooperation.queries import agreed_check_ins
from reclaim.bank.takedown.models import Link, RunningClock
from reclaim.bank.vault.keys import CaseKey, DamagedError
from reclaim.sitekit.places import country_name

MOST_HOSTS = 200
MOST_CLOCKS = 50

_HAPPENED = {
    Happened.EX_PARTNER: gettext_noop("A partner or former partner has them"),
    Happened.SEXTORTION: gettext_noop("Somebody online demands money or more pictures"),
    Happened.BROKEN_IN: gettext_noop("Somebody got into an account or a device"),
    Happened.HIDDEN: gettext_noop("Taken in secret or under pressure"),
    Happened.PUBLISHED: gettext_noop("A website or a group publishes them"),
    Happened.OTHER: gettext_noop("Something else"),
}
_STAGE = {
    Stage.THREATENED: (gettext_noop("Someone says they will share it"),),
    Stage.SHARED: (gettext_noop("It is already shared"),),
    Stage.BOTH: (gettext_noop("It is already shared"), gettext_noop("Someone says they will share it")),
    Stage.UNKNOWN: (),
}
_SAID = {Said.YES: gettext_noop("Yes"), Said.NO: gettext_noop("No"), Said.UNKNOWN: gettext_noop("Not said")}
_POLICE = {
    Police.TOLD: gettext_noop("Yes"),
    Police.WANTED: gettext_noop("Not yet"),
    Police.UNWANTED: gettext_noop("No"),
    Police.UNKNOWN: gettext_noop("Not said"),
}
_LINKS = {
    Link.State.NEW: gettext_noop("Nobody has asked yet"),
    Link.State.UP: gettext_noop("Nobody has asked yet"),
    Link.State.ASKED: gettext_noop("They asked to take it down"),
    Link.State.DOWN: gettext_noop("Gone"),
    Link.State.RELISTED: gettext_noop("There again"),
    Link.State.GIVEN_UP: gettext_noop("They no longer ask"),
}


@dataclass(frozen=True)
class Words:
    """Sealed words that were opened for the person."""

    text: str
    day: datetime.date | None = None
    by_person: bool = False


@dataclass
class Kept:
    """All that a case file has, as the person reads it. ``None`` in a field of words: they are still locked."""

    organisation: int
    name: str
    opened_on: datetime.date
    may_see: bool
    """Whether the person still lets the organisation see their case."""
    what: list[str]
    places: list[str]
    since: datetime.date | None
    made_with_ai: str
    police: str
    place: str
    has_safety: bool
    own_notes: list[Note]
    """Notes of practitioners for themselves: their days are told, their words are not."""
    hosts: dict[str, dict[str, int]]
    """Of each host: how many pages there stand where. Never an address."""
    clocks: list[RunningClock]
    check_ins: list[CheckIn]
    reach: str | None = None
    words: str | None = None
    notes: list[Words] | None = None
    for_person: list[Note] = field(default_factory=list)


def kept(case_file: CaseFile, key: CaseKey | None = None) -> Kept:
    """What is told of a case file; with its key also the words that are meant for the person.

    Raises ``DamagedError``.
    """
    notes = notes_for_person(case_file)
    for_person = [note for note in notes if note.kind == Note.Kind.PERSON and not hasattr(note, "replaced_by")]
    languages = [] if not case_file.language else [_own_name(case_file.language)]
    told = Kept(
        case_file.organisation_id,
        case_file.organisation.name,
        case_file.opened_at.date(),
        case_file.case_id is not None,
        [_(word) for word in _STAGE[Stage(case_file.stage)]]
        + [_(_HAPPENED[Happened(word)]) for word in case_file.happened],
        case_file.places,
        case_file.since,
        _(_SAID[Said(case_file.made_with_ai)]),
        _(_POLICE[Police(case_file.police)]),
        ", ".join([country_name(case_file.country)] * bool(case_file.country) + languages),
        bool(case_file.safety or case_file.at_risk),
        [note for note in notes if note.kind != Note.Kind.PERSON],
        _hosts(case_file),
        _clocks(case_file),
        agreed_check_ins(case_file.pk),
        for_person=for_person,
    )
    if key is not None:
        told.reach = _opened(key, "reach", case_file.reach_sealed)
        told.words = _opened(key, "words", case_file.words_sealed)
        told.notes = list(_notes(key, for_person))
    return told


def _opened(key: CaseKey, label: str, sealed: bytes | memoryview | None) -> str:
    return key.open(label, bytes(sealed)) if sealed is not None else ""


def _notes(key: CaseKey, notes: list[Note]) -> Iterable[Words]:
    for note in notes:
        try:
            text = key.open(f"note:{note.pk}", bytes(note.sealed))
        except DamagedError:
            # One that is damaged keeps the others from nobody.
            continue
        yield Words(text, note.written_at.date(), note.by_person)


def _hosts(case_file: CaseFile) -> dict[str, dict[str, int]]:
    counted = Link.objects.filter(case_file=case_file).values("host", "state").annotate(links=Count("pk"))
    hosts: dict[str, dict[str, int]] = {}
    for row in counted.order_by("host", "state")[:MOST_HOSTS]:
        states = hosts.setdefault(row["host"], {})
        said = _(_LINKS[Link.State(row["state"])])
        states[said] = states.get(said, 0) + row["links"]
    return hosts


def _clocks(case_file: CaseFile) -> list[RunningClock]:
    running = RunningClock.objects.filter(
        request__link__case_file=case_file, request__link__state__in=Link.OPEN, ends_at__gt=timezone.now()
    )
    return list(running.select_related("request__link").order_by("ends_at")[:MOST_CLOCKS])


def _own_name(code: str) -> str:
    try:
        return str(get_language_info(code)["name_local"])
    except KeyError:
        return code
