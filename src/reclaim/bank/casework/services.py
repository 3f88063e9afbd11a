"""Writes on case files. What is sealed needs the case file's key, which a session opens (``bank.vault``)."""

from __future__ import annotations

import datetime
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from reclaim.bank.cases.consents import open_consent, revoke_consent
from reclaim.bank.cases.designations import designation
from reclaim.bank.cases.models import Case, Consent
from reclaim.bank.casework import erasing, keys, timeline
from reclaim.bank.casework.facts import Facts
from reclaim.bank.casework.models import (
    CaseFile,
    Channel,
    Event,
    Handover,
    Invitation,
    Note,
    Outcome,
    Status,
    Task,
    Working,
)
from reclaim.bank.casework.queries import (
    BREAK,
    consent_for,
    good_invitations,
    is_break_due,
    to_erase,
    token_mac,
)
from reclaim.bank.casework.safety import risk_of
from reclaim.bank.organisations.models import Organisation, Practitioner, Team
from reclaim.bank.vault.keys import CaseKey
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_event
from reclaim.sitekit.readable import ALPHABET

LONGEST_WORDS = 4000
LONGEST_TASK = 300
INVITATION_LIFE = datetime.timedelta(days=7)
POSTPONE = datetime.timedelta(minutes=10)
_TOKEN_CHARACTERS = 16
"""80 bits: read out over a telephone if need be, and never guessed."""
_ERASED_AT_ONCE = 200


class WordsError(ValueError):
    """Words that cannot be kept; the message is a sentence that says what to do."""


class StateError(ValueError):
    """The case file, task or handover has moved on meanwhile; the message is a sentence that says what to do."""


@dataclass(frozen=True)
class Texts:
    """What is kept sealed from the first talk. Empty means that nothing was said."""

    reach: str = ""
    words: str = ""


def checked_words(text: str, longest: int = LONGEST_WORDS) -> str:
    """Words as they are kept: without what surrounds them. Raises ``WordsError``."""
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise WordsError("Write something first.")
    if len(text) > longest:
        raise WordsError(f"Write at most {longest:,} characters.")
    if "\0" in text:
        raise WordsError("There is a character in it that is no text. Type it anew.")
    return text


def _seal(key: CaseKey, label: str, text: str, longest: int = LONGEST_WORDS) -> bytes | None:
    return key.seal(label, checked_words(text, longest)) if text.strip() else None


def add_event(
    case_file: CaseFile, practitioner: Practitioner | None, kind: str, *, by_person: bool = False, **facts: str | int
) -> Event:
    """Write one event into a case file's timeline. ``kind`` is one that was registered (``timeline.register``).

    ``practitioner`` is ``None`` for the person (``by_person``) and for what the bank does by itself. Raises
    ``ValueError`` for a kind that nobody registered.
    """
    if not timeline.is_known(kind):
        raise ValueError(f"No app has registered events of the kind «{kind}».")
    return Event.objects.create(
        case_file=case_file, practitioner=practitioner, kind=kind, facts=facts, by_person=by_person
    )


def _locked(case_file: CaseFile) -> CaseFile:
    """The case file as it is now, for this transaction alone. Raises ``StateError`` if it is gone."""
    found = (
        CaseFile.objects.select_for_update(of=("self",))
        .select_related("organisation", "team", "owner__member")
        .filter(pk=case_file.pk)
        .first()
    )
    if found is None:
        raise StateError("This case file was erased meanwhile.")
    return found


def _at_work(case_file: CaseFile) -> CaseFile:
    found = _locked(case_file)
    if found.is_closed:
        raise StateError("This case file is closed. Open it again first.")
    return found


def _touch(case_file: CaseFile, **columns: object) -> None:
    for name, value in columns.items():
        setattr(case_file, name, value)
    case_file.touched_at = timezone.now()
    case_file.save(update_fields=[*columns, "touched_at"])


def _trace(case_file: CaseFile, actor: str, action: str) -> None:
    audit.record(actor, action, f"casefile:{case_file.pk}")


def open_case_file(
    practitioner: Practitioner,
    channel: Channel,
    facts: Facts | None = None,
    texts: Texts | None = None,
    *,
    adults: bool = False,
) -> CaseFile:
    """Begin a case file, which the practitioner then owns. ``adults``: everybody in the pictures is and was 18 or over.

    Raises ``WordsError``.
    """
    facts, texts = facts or Facts(), texts or Texts()
    key = uuid.uuid4()
    case_file = CaseFile(
        pk=key,
        designation=designation(key),
        organisation=practitioner.organisation,
        team=practitioner.team,
        owner=practitioner,
        channel=channel,
        adult_confirmed_at=timezone.now() if adults else None,
        risk=risk_of(facts.safety),
        **facts.columns(),
    )
    # Before the row: a key without a case file harms nobody, a case file without a key could never hold a note.
    case_key = keys.make(case_file)
    case_file.reach_sealed = _seal(case_key, "reach", texts.reach)
    case_file.words_sealed = _seal(case_key, "words", texts.words)
    with transaction.atomic():
        case_file.save(force_insert=True)
        add_event(case_file, practitioner, "opened", channel=Channel(channel).label)
        _trace(case_file, practitioner.actor, "casefile.open")
    log_event("a case file was opened", organisation=practitioner.organisation_id)
    return case_file


def case_file_of_consent(practitioner: Practitioner, consent: Consent, into: CaseFile | None = None) -> CaseFile:
    """The case file for a case that a person has just let the organisation see.

    It is the one that the organisation has for this case, else ``into``, else a new one. Raises ``StateError`` if
    ``into`` already has another case.
    """
    found = CaseFile.objects.filter(organisation=practitioner.organisation_id, case=consent.case_id).first()
    if found is not None:
        return found
    case_file = into or open_case_file(practitioner, Channel.CODE)
    with transaction.atomic():
        case_file = _locked(case_file)
        if case_file.case_id is not None and consent_for(case_file) is not None:
            raise StateError("This case file already has the case of a person. Open the code on the first page.")
        # Whose it is stays whose it was: another case's person reads nothing of it before somebody has asked them.
        _touch(case_file, case=consent.case, person=case_file.person or consent.case)
        add_event(case_file, practitioner, "case.linked", by_person=True)
        _trace(case_file, practitioner.actor, "casefile.link-case")
    return case_file


def forget_consented_case(case: uuid.UUID, organisation: int) -> None:
    """A consent ended: the organisation no longer learns whose case it was, and the person keeps their rights
    (``CaseFile.person``). In the caller's transaction."""
    for case_file in CaseFile.objects.filter(organisation=organisation, case=case):
        case_file.case = None
        case_file.save(update_fields=["case"])
        keys.take_from_person(case_file.pk, case)
        add_event(case_file, None, "case.ended", by_person=True)


def change_facts(case_file: CaseFile, practitioner: Practitioner | None, facts: Facts) -> list[str]:
    """Change what is known; returns which facts changed, as sentences name them. ``None`` is the person themselves.

    Raises ``StateError``.
    """
    with transaction.atomic():
        found = _at_work(case_file)
        changed = facts.changed_from(Facts.of(found))
        if changed:
            _touch(found, risk=risk_of(facts.safety), **facts.columns())
            add_event(found, practitioner, "facts", by_person=practitioner is None, what=", ".join(changed))
            _trace(found, practitioner.actor if practitioner else "person", "casefile.change")
    return changed


def change_texts(case_file: CaseFile, practitioner: Practitioner | None, key: CaseKey, texts: Texts) -> None:
    """Change how the person may be reached and the few words. Raises ``StateError`` and ``WordsError``."""
    reach, words = _seal(key, "reach", texts.reach), _seal(key, "words", texts.words)
    with transaction.atomic():
        found = _at_work(case_file)
        _touch(found, reach_sealed=reach, words_sealed=words)
        add_event(found, practitioner, "facts", by_person=practitioner is None, what="the sealed words")
        _trace(found, practitioner.actor if practitioner else "person", "casefile.change")


def set_status(case_file: CaseFile, practitioner: Practitioner, status: Status) -> None:
    """Say whether it is at work or waits for somebody outside; ``close`` and ``reopen`` do the rest.

    Raises ``StateError``.
    """
    if status == Status.CLOSED:
        raise StateError("Close the case file with its outcome.")
    with transaction.atomic():
        found = _at_work(case_file)
        if found.status != status:
            _touch(found, status=status)
            add_event(found, practitioner, "facts", what=f"status ({Status(status).label})")
            _trace(found, practitioner.actor, "casefile.change")


def confirm_adults(case_file: CaseFile, practitioner: Practitioner) -> None:
    """Everybody in the pictures is and was 18 or over. If not, ``erase`` the case file. Raises ``StateError``."""
    with transaction.atomic():
        found = _at_work(case_file)
        _touch(found, adult_confirmed_at=timezone.now())
        add_event(found, practitioner, "adults")
        _trace(found, practitioner.actor, "casefile.change")


def take(case_file: CaseFile, practitioner: Practitioner) -> None:
    """Take a case file that nobody has. Raises ``StateError`` if somebody was faster."""
    with transaction.atomic():
        found = _at_work(case_file)
        if found.owner_id is not None:
            raise StateError("Somebody has taken this case file meanwhile.")
        _touch(found, owner=practitioner)
        add_event(found, practitioner, "taken", name=practitioner.name)
        _trace(found, practitioner.actor, "casefile.take")


def add_note(
    case_file: CaseFile,
    practitioner: Practitioner,
    key: CaseKey,
    text: str,
    kind: str = Note.Kind.WORK,
    replaces: Note | None = None,
) -> Note:
    """Write a note, or a new version of one; nothing that was written is ever changed.

    Raises ``WordsError``, and ``StateError`` where the note has a newer version. A closed case file takes notes.
    """
    pk = uuid.uuid4()
    sealed = key.seal(f"note:{pk}", checked_words(text))
    with transaction.atomic():
        found = _locked(case_file)
        if replaces is not None:
            if Note.objects.filter(replaces=replaces).exists():
                raise StateError("Somebody has corrected this note meanwhile. Correct the newer one.")
            kind = replaces.kind
        note = Note.objects.create(
            pk=pk, case_file=found, kind=kind, practitioner=practitioner, replaces=replaces, sealed=sealed
        )
        _touch(found)
        if kind != Note.Kind.SUPERVISION:
            add_event(found, practitioner, "note.corrected" if replaces else "note")
        _trace(found, practitioner.actor, "casefile.correct-note" if replaces else "casefile.note")
    return note


def add_task(
    case_file: CaseFile,
    practitioner: Practitioner,
    key: CaseKey,
    text: str,
    due_on: datetime.date,
    to: Practitioner | None = None,
) -> Task:
    """Add something to be done by a day. ``to`` is who does it; the practitioner themselves if it is nobody.

    Raises ``WordsError`` and ``StateError``.
    """
    pk = uuid.uuid4()
    sealed = key.seal(f"task:{pk}", checked_words(text, LONGEST_TASK))
    with transaction.atomic():
        found = _at_work(case_file)
        task = Task.objects.create(
            pk=pk, case_file=found, practitioner=to or practitioner, due_on=due_on, sealed=sealed
        )
        _touch(found)
        add_event(found, practitioner, "task", due=due_on.isoformat())
        _trace(found, practitioner.actor, "casefile.task")
    return task


def set_done(task: Task, practitioner: Practitioner, *, done: bool) -> None:
    """A task was done, or is to be done after all. Raises ``StateError``."""
    with transaction.atomic():
        found = _at_work(task.case_file)
        if (Task.objects.get(pk=task.pk).done_at is not None) == done:
            return
        task.done_at = timezone.now() if done else None
        task.save(update_fields=["done_at"])
        _touch(found)
        add_event(found, practitioner, "task.done" if done else "task.again")
        _trace(found, practitioner.actor, "casefile.task")


def offer(
    case_file: CaseFile, practitioner: Practitioner, key: CaseKey, text: str, *, to: Practitioner | Team
) -> Handover:
    """Offer a case file to a colleague or a team, with words for whoever takes it. They can read it from now on.

    Raises ``WordsError`` and ``StateError``.
    """
    pk = uuid.uuid4()
    sealed = key.seal(f"handover:{pk}", checked_words(text))
    whom = {"practitioner": to} if isinstance(to, Practitioner) else {"team": to}
    with transaction.atomic():
        found = _at_work(case_file)
        if found.handovers.filter(state=Handover.State.OFFERED).exists():
            raise StateError("This case file is being offered already. Take that offer back first.")
        handover = Handover.objects.create(pk=pk, case_file=found, offered_by=practitioner, sealed=sealed, **whom)
        _touch(found)
        add_event(found, practitioner, "handover.offered", to=to.name)
        _trace(found, practitioner.actor, "casefile.offer")
        keys.settle(key, found)
    return handover


def _answer(handover: Handover, state: Handover.State) -> tuple[CaseFile, Handover]:
    found = _locked(handover.case_file)
    offered = Handover.objects.select_for_update().filter(pk=handover.pk, state=Handover.State.OFFERED).first()
    if offered is None:
        raise StateError("This offer was answered or taken back meanwhile.")
    offered.state, offered.answered_at = state, timezone.now()
    offered.save(update_fields=["state", "answered_at"])
    return found, offered


def accept(handover: Handover, practitioner: Practitioner, key: CaseKey) -> CaseFile:
    """Take over a case file that was offered, with the tasks of whoever had it. Raises ``StateError``."""
    with transaction.atomic():
        found, offered = _answer(handover, Handover.State.ACCEPTED)
        if found.is_closed:
            raise StateError("This case file was closed meanwhile.")
        found.tasks.filter(practitioner=found.owner_id, done_at=None).update(practitioner=practitioner)
        _touch(found, owner=practitioner, team=offered.team or practitioner.team)
        add_event(found, practitioner, "handover.accepted", to=practitioner.name)
        _trace(found, practitioner.actor, "casefile.accept")
        keys.settle(key, found)
    return found


def decline(handover: Handover, practitioner: Practitioner, key: CaseKey) -> None:
    """Say no to an offer; whoever offered it goes on. Raises ``StateError``."""
    with transaction.atomic():
        found, _ = _answer(handover, Handover.State.DECLINED)
        add_event(found, practitioner, "handover.declined", to=practitioner.name)
        _trace(found, practitioner.actor, "casefile.decline")
        keys.settle(key, found)


def take_back(handover: Handover, practitioner: Practitioner, key: CaseKey) -> None:
    """End an offer that nobody has answered. Raises ``StateError``."""
    with transaction.atomic():
        found, offered = _answer(handover, Handover.State.TAKEN_BACK)
        add_event(found, practitioner, "handover.taken-back", to=offered.to.name if offered.to else "")
        _trace(found, practitioner.actor, "casefile.take-back")
        keys.settle(key, found)


def close(case_file: CaseFile, practitioner: Practitioner, key: CaseKey, outcome: Outcome, reason: str = "") -> None:
    """End the work; what was offered or open to do ends with it. Raises ``WordsError`` and ``StateError``."""
    sealed = _seal(key, "reason", reason)
    with transaction.atomic():
        found = _at_work(case_file)
        now = timezone.now()
        found.handovers.filter(state=Handover.State.OFFERED).update(state=Handover.State.TAKEN_BACK, answered_at=now)
        found.tasks.filter(done_at=None).update(done_at=now)
        Invitation.objects.filter(case_file=found).delete()
        _touch(found, status=Status.CLOSED, closed_at=now, outcome=outcome, reason_sealed=sealed)
        add_event(found, practitioner, "closed", outcome=Outcome(outcome).label)
        _trace(found, practitioner.actor, "casefile.close")
        keys.settle(key, found)


def reopen(case_file: CaseFile, practitioner: Practitioner) -> None:
    """Go on with a closed case file, for instance because a picture is there again. Raises ``StateError``."""
    with transaction.atomic():
        found = _locked(case_file)
        if not found.is_closed:
            raise StateError("This case file is open already.")
        _touch(found, status=Status.OPEN, closed_at=None, outcome="", reason_sealed=None)
        add_event(found, practitioner, "reopened")
        _trace(found, practitioner.actor, "casefile.reopen")


def erase(case_file: CaseFile, actor: str) -> None:
    """Erase a case file for good: its key first, so that nothing in any backup can be read; then every row.

    The audit trail says from then on that somebody worked on a case file, and no longer on which.
    """
    with transaction.atomic():
        # Locked before its key goes: whoever hands it over just now must not share that key again.
        CaseFile.objects.select_for_update(of=("self",)).filter(pk=case_file.pk).first()
        keys.destroy(case_file.pk)
        erasing.forget_elsewhere(case_file.pk)
        CaseFile.objects.filter(pk=case_file.pk).delete()
        audit.forget("casefile", [case_file.pk])
        audit.record(actor, "casefile.erase", "casefile:erased")
    log_event("a case file was erased")


def erase_ended() -> int:
    """Erase closed case files whose time is over (``settings.CASE_FILE_DAYS``); returns how many."""
    ended, erased = to_erase(timezone.now()), 0
    for key in list(ended.values_list("pk", flat=True)[:_ERASED_AT_ONCE]):
        with transaction.atomic():
            # Looked at once more: somebody may have opened it again meanwhile.
            case_file = ended.select_for_update(of=("self",)).filter(pk=key).first()
            if case_file is not None:
                erase(case_file, "system")
                erased += 1
    return erased


def note_export(case_files: Iterable[CaseFile], practitioner: Practitioner) -> None:
    """Facts of case files leave the site: their timelines and the audit trail say so."""
    rows = list(case_files)
    with transaction.atomic():
        Event.objects.bulk_create(
            (Event(case_file=each, practitioner=practitioner, kind="exported") for each in rows), batch_size=500
        )
        audit.record(
            practitioner.actor, f"casefiles.export:{len(rows)}", f"organisation:{practitioner.organisation_id}"
        )


def new_invitation(case_file: CaseFile, practitioner: Practitioner) -> Invitation:
    """A link for the person's own device, good for a week; one that there was ends. ``token`` is said only here.

    Raises ``StateError``.
    """
    token = "".join(secrets.choice(ALPHABET) for _ in range(_TOKEN_CHARACTERS)).lower()
    with transaction.atomic():
        found = _at_work(case_file)
        Invitation.objects.filter(case_file=found).delete()
        invitation = Invitation.objects.create(
            case_file=found,
            practitioner=practitioner,
            token_mac=token_mac(token),
            expires_at=timezone.now() + INVITATION_LIFE,
        )
        _touch(found)
        add_event(found, practitioner, "invited")
        _trace(found, practitioner.actor, "casefile.invite")
    invitation.token = token
    return invitation


def forget_invitations() -> int:
    """Forget links that nobody can use any more; returns how many."""
    deleted, _ = Invitation.objects.filter(expires_at__lte=timezone.now()).delete()
    return deleted


def note_working(practitioner: Practitioner) -> None:
    """A practitioner works on a case file just now; a pause that was long enough was a break."""
    now = timezone.now()
    working, _ = Working.objects.get_or_create(practitioner=practitioner, defaults={"since": now, "last_seen_at": now})
    if now - working.last_seen_at >= BREAK:
        working.since, working.postponed_until = now, None
    working.last_seen_at = now
    working.save(update_fields=["since", "last_seen_at", "postponed_until"])


def postpone_break(practitioner: Practitioner) -> None:
    """Be reminded in ten minutes; once for each break."""
    if is_break_due(practitioner):
        Working.objects.filter(practitioner=practitioner, postponed_until=None).update(
            postponed_until=timezone.now() + POSTPONE
        )


def take_break(practitioner: Practitioner) -> None:
    """A practitioner takes a break now: whatever comes next is after it."""
    Working.objects.filter(practitioner=practitioner).delete()


def accept_invitation(invitation: int, case: Case, *, see: bool) -> bool:
    """Use up the link with which a person came to make this case. With ``see``, they let the organisation see it.

    ``False`` if the link is no longer good, or the case file has the case of a person by now.
    """
    with transaction.atomic():
        good = good_invitations().select_for_update(of=("self",))
        found = good.filter(pk=invitation).first()
        if found is None:
            return False
        found.used_at = timezone.now()
        found.save(update_fields=["used_at"])
        audit.record("person", "invitation.use", f"case:{case.pk}")
        case_file = _locked(found.case_file)
        if not see or (case_file.case_id is not None and consent_for(case_file) is not None):
            return False
        open_consent(case, case_file.organisation)
        # Whoever has the link may be somebody who reads along: ``confirm_person`` says whose it is.
        _touch(case_file, case=case)
        add_event(case_file, None, "case.linked-by-link")
        _trace(case_file, "person", "casefile.link-case")
    return True


def ask_for_help(case: Case, organisation: Organisation, facts: Facts, texts: Texts) -> CaseFile:
    """The person asks an organisation for help and lets it see their case: a case file that nobody owns yet.

    Raises ``WordsError``; ``NobodyReadsError`` where nobody could read the words; ``StateError`` if there is one.
    """
    pk = uuid.uuid4()
    case_file = CaseFile(
        pk=pk,
        designation=designation(pk),
        organisation=organisation,
        channel=Channel.FORM,
        case=case,
        person=case,
        risk=risk_of(facts.safety),
        **facts.columns(),
    )
    case_key = keys.make_for_person(case_file)
    case_file.reach_sealed = _seal(case_key, "reach", texts.reach)
    case_file.words_sealed = _seal(case_key, "words", texts.words)
    with transaction.atomic():
        open_consent(case, organisation)
        if CaseFile.objects.filter(organisation=organisation, case=case).exists():
            raise StateError("This organisation has a case file for this case already.")
        case_file.save(force_insert=True)
        add_event(case_file, None, "opened", by_person=True, channel=Channel.FORM.label)
        _trace(case_file, "person", "casefile.open")
    log_event("a person asked for help", organisation=organisation.pk)
    return case_file


def confirm_person(case_file: CaseFile, practitioner: Practitioner) -> None:
    """Say that the case which is linked is the person's, as they said themselves: from now on they read what is kept.

    Raises ``StateError`` if no case is linked.
    """
    with transaction.atomic():
        case_file = _locked(case_file)
        if case_file.case is None or consent_for(case_file) is None:
            raise StateError("No case is linked any more. The person may have ended it.")
        if not case_file.is_persons:
            _touch(case_file, person=case_file.case)
            add_event(case_file, practitioner, "case.confirmed")
            _trace(case_file, practitioner.actor, "casefile.confirm-person")


def share_with_person(case_file: CaseFile, key: CaseKey) -> None:
    """Let the person open what is meant for them, while they let the organisation see their case."""
    if (
        case_file.case_id is not None
        and case_file.is_persons
        and consent_for(case_file) is not None
        and keys.share_with_person(key, case_file.case_id)
    ):
        _trace(case_file, "system", "casefile.share-with-person")


def add_persons_note(case_file: CaseFile, key: CaseKey, text: str) -> Note:
    """What the person says is wrong, and how it should be; for whoever may see the case file.

    Raises ``WordsError`` and ``StateError``.
    """
    pk = uuid.uuid4()
    sealed = key.seal(f"note:{pk}", checked_words(text))
    with transaction.atomic():
        found = _locked(case_file)
        note = Note.objects.create(pk=pk, case_file=found, kind=Note.Kind.PERSON, by_person=True, sealed=sealed)
        _touch(found)
        add_event(found, None, "person.note", by_person=True)
        _trace(found, "person", "casefile.note")
    return note


def ask_for_notes(case_file: CaseFile) -> None:
    """The person would like to read the practitioners' own notes; said once a day. Raises ``StateError``."""
    with transaction.atomic():
        found = _locked(case_file)
        lately = timezone.now() - datetime.timedelta(days=1)
        if not found.events.filter(kind="person.asks", at__gt=lately).exists():
            _touch(found)
            add_event(found, None, "person.asks", by_person=True)
            _trace(found, "person", "casefile.ask-for-notes")


def erase_for_person(case: Case, organisation: int) -> None:
    """The person has all erased that an organisation keeps of them, and it sees their case no more."""
    with transaction.atomic():
        # The consent first: where something fails, nobody sees the case of whoever asked not to be seen.
        for consent in case.consents.filter(organisation=organisation):
            revoke_consent(case, consent.pk)
        for case_file in CaseFile.objects.filter(person=case, organisation=organisation):
            erase(case_file, "person")
