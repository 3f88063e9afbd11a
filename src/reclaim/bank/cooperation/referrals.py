"""Writes of practitioners on referrals: refer, withdraw, accept, decline, return, confirm that it is erased."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from reclaim.bank.cases.codes import parse_code
from reclaim.bank.cases.consents import open_case
from reclaim.bank.casework.facts import Facts
from reclaim.bank.casework.models import CaseFile
from reclaim.bank.casework.services import (
    LONGEST_WORDS,
    StateError,
    Texts,
    add_event,
    case_file_of_consent,
    erase,
    open_case_file,
)
from reclaim.bank.cooperation import carry, keys
from reclaim.bank.cooperation.carry import Party, RefusedMessageError
from reclaim.bank.cooperation.models import ReceivedReferral, Referral, ReferralConsent
from reclaim.bank.organisations.models import Practitioner
from reclaim.bank.vault import services as vault
from reclaim.bank.vault.keys import Unlocked
from reclaim.protocol import referral as wire
from reclaim.protocol.referral import Kind, Part
from reclaim.sitekit import audit
from reclaim.sitekit.places import is_country


class CannotReferError(Exception):
    """This referral cannot be made or answered so; the message says what to do."""


@dataclass(frozen=True)
class Consenting:
    """What a person agreed to. ``code`` (parsed or not) only with ``how`` «code»."""

    parts: frozenset[Part]
    how: ReferralConsent.How
    words: str
    code: str = ""


def _text(text: str, what: str) -> str:
    text = text.strip()
    if not text:
        raise CannotReferError(f"Write {what}.")
    if len(text) > wire.LONGEST_TEXT or "\x00" in text:
        raise CannotReferError(f"Write {what} in at most {wire.LONGEST_TEXT} characters.")
    return text


def checked(consent: Consenting, told: Mapping[Part, str]) -> dict[Part, str]:
    """What would be told, without what is empty.

    Raises ``CannotReferError`` for more than was agreed to, for nothing, and for what is too long.
    """
    if not consent.parts:
        raise CannotReferError("Tick what the person agreed to. Without that nothing can be told.")
    kept = {part: _text(text, "less in each part") for part, text in told.items() if text.strip()}
    more = [part.value for part in Part if part in kept and part not in consent.parts]
    if more:
        raise CannotReferError(f"The person did not agree to this being told: {', '.join(more)}. Ask, or leave it out.")
    if not kept:
        raise CannotReferError("Write at least one part of what the person agreed to.")
    return kept


def refer(
    practitioner: Practitioner,
    unlocked: Unlocked,
    case_file: CaseFile,
    to: Party,
    consent: Consenting,
    told: Mapping[Part, str],
    number: uuid.UUID | None = None,
) -> Referral:
    """Refer a case file to another organisation, with what the person agreed to and no more.

    ``number`` is the referral's, so that a form that is sent twice refers once: the second raises ``IntegrityError``.
    Raises ``CannotReferError``; ``keys.NoOrganisationKeyError``; what the vault raises.
    """
    kept = checked(consent, told)
    words = _text(consent.words, "what the person agreed to, in their words")
    own = keys.key_of(practitioner.organisation)
    if to.peer is None and to.number == own.number:
        raise CannotReferError("This is your own organisation. Hand the case file over to a colleague instead.")
    if carry.party(to.peer, to.number) is None:
        raise CannotReferError("This organisation takes no referrals any more. Choose another one.")
    key = vault.case_key(unlocked, case_file.pk)
    number = number or uuid.uuid4()
    with transaction.atomic():
        agreed = ReferralConsent.objects.create(
            case_file=case_file,
            how=consent.how,
            case_id=_by_code(practitioner, case_file, consent),
            parts=[part.value for part in Part if part in consent.parts],
            sealed_words=key.seal(f"referral words {number}", words),
            recorded_by=practitioner,
        )
        content = wire.Content(
            referral=str(number),
            agreed=wire.Agreed(parts=agreed.parts, how=consent.how.value, at=int(time.time()), words=words),
            told=kept,
            reply_to=own.recipient,
        )
        copy = json.dumps({part.value: text for part, text in kept.items()})
        referral = Referral.objects.create(
            pk=number,
            case_file=case_file,
            consent=agreed,
            organisation=practitioner.organisation,
            sent_by=practitioner,
            peer=to.peer,
            to_number=to.number,
            to_name=to.name,
            to_country=to.country,
            sealed_copy=key.seal(f"referral {number}", copy),
        )
        try:
            carry.post(number, Kind.REFERRAL, to.peer, own.number, to.number, wire.seal_to(to.recipient, content))
        except RefusedMessageError as error:
            raise CannotReferError(str(error)) from error
        add_event(case_file, practitioner, "referral.sent", to=to.name)
        audit.record(practitioner.actor, "referral.send", f"referral:{number}")
    return referral


def _by_code(practitioner: Practitioner, case_file: CaseFile, consent: Consenting) -> uuid.UUID | None:
    """Use the person's one-time code; whose case it is of."""
    if consent.how != ReferralConsent.How.CODE:
        return None
    code = parse_code(consent.code[:100])
    opened = open_case(practitioner, code) if code else None
    if opened is None:
        raise CannotReferError("This code opens nothing. The person can make a new one on their case page.")
    other = CannotReferError("This code is of another person's case. Nothing was sent.")
    if case_file.case_id not in (None, opened.case_id):
        raise other
    try:
        if case_file_of_consent(practitioner, opened, into=case_file).pk != case_file.pk:
            raise other
    except StateError as error:
        raise CannotReferError(str(error)) from error
    return opened.case_id


def told_in(unlocked: Unlocked, referral: Referral) -> dict[Part, str]:
    """What a referral told, for its sender."""
    if referral.case_file_id is None or referral.sealed_copy is None:
        return {}
    key = vault.case_key(unlocked, referral.case_file_id)
    return {
        Part(name): text
        for name, text in json.loads(key.open(f"referral {referral.pk}", bytes(referral.sealed_copy))).items()
    }


def reply_to(unlocked: Unlocked, referral: Referral) -> str:
    """What the other organisation wrote with its answer; empty for nothing. Raises ``wire.CannotOpenError``."""
    if not referral.sealed_reply:
        return ""
    reply = wire.open_sealed(keys.identity_of(unlocked, referral.organisation), referral.sealed_reply, wire.Reply)
    if reply.referral != str(referral.pk):
        raise wire.CannotOpenError("The answer is about another referral, and is not shown. Call the organisation.")
    return reply.text


def content_of(unlocked: Unlocked, received: ReceivedReferral) -> wire.Content:
    """What was told in a referral. Raises ``wire.CannotOpenError``, also where more was told than was agreed to."""
    content = wire.open_sealed(keys.identity_of(unlocked, received.organisation), received.sealed, wire.Content)
    if content.referral != str(received.name):
        raise wire.CannotOpenError("This content is of another referral, and is not shown. Decline it.")
    return content


def _locked(received: ReceivedReferral, states: Collection[str]) -> ReceivedReferral:
    row = carry.locked_received(received)
    if row.state not in states:
        raise CannotReferError("Somebody has answered this referral already, or it has ended. Open it again.")
    return row


def _answer(row: ReceivedReferral, practitioner: Practitioner, kind: Kind, sealed: str = "") -> None:
    row.changed_at, row.answered_by = timezone.now(), practitioner
    row.save()
    own = keys.key_of(row.organisation)
    try:
        carry.post(row.name, kind, row.peer, own.number, row.from_number, sealed)
    except RefusedMessageError as error:
        raise CannotReferError(str(error)) from error
    audit.record(practitioner.actor, f"referral.answer-{kind}", f"received:{row.pk}")


def accept(practitioner: Practitioner, unlocked: Unlocked, received: ReceivedReferral) -> CaseFile:
    """Accept a referral: a case file is opened, which the practitioner owns. What was told stays beside it, sealed.

    Raises ``CannotReferError``; ``wire.CannotOpenError`` for content that breaks the rules.
    """
    told = content_of(unlocked, received).told
    facts = Facts(country=_country(told), language=_language(told))
    with transaction.atomic():
        row = _locked(received, (ReceivedReferral.State.WAITING,))
        row.case_file = open_case_file(
            practitioner, CaseFile.Channel.REFERRAL, facts, Texts(reach=told.get(Part.CONTACT, "")[:LONGEST_WORDS])
        )
        row.state = ReceivedReferral.State.ACCEPTED
        _answer(row, practitioner, Kind.ACCEPTED)
        add_event(row.case_file, practitioner, "referral.accepted", by=row.from_name)
    return row.case_file


def _country(told: Mapping[Part, str]) -> str:
    said = told.get(Part.COUNTRY, "").strip().upper()
    return said if is_country(said) else ""


def _language(told: Mapping[Part, str]) -> str:
    said = told.get(Part.LANGUAGE, "").strip().lower()
    return said if re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{2,8})?", said, re.ASCII) else "en"


def decline(practitioner: Practitioner, unlocked: Unlocked, received: ReceivedReferral, reason: str) -> None:
    """Decline a referral; its content is erased here. Raises ``CannotReferError``."""
    reason = _text(reason, "why, for the other organisation")
    with transaction.atomic():
        row = _locked(received, (ReceivedReferral.State.WAITING,))
        sealed = _reply(unlocked, row, reason)
        row.state, row.sealed = ReceivedReferral.State.DECLINED, ""
        _answer(row, practitioner, Kind.DECLINED, sealed)


def give_back(practitioner: Practitioner, unlocked: Unlocked, received: ReceivedReferral, summary: str) -> None:
    """Return a referral that was accepted, with a summary; what was told is erased here.

    Raises ``CannotReferError``.
    """
    summary = _text(summary, "a summary for the other organisation")
    with transaction.atomic():
        row = _locked(received, (ReceivedReferral.State.ACCEPTED,))
        sealed = _reply(unlocked, row, summary)
        row.state, row.sealed = ReceivedReferral.State.RETURNED, ""
        _answer(row, practitioner, Kind.RETURNED, sealed)
        if row.case_file is not None:
            add_event(row.case_file, practitioner, "referral.returned", to=row.from_name)


def _reply(unlocked: Unlocked, row: ReceivedReferral, text: str) -> str:
    try:
        recipient = content_of(unlocked, row).reply_to
    except wire.CannotOpenError as error:
        # Its own words cannot be relied on; the key on the sender's list can.
        sender = carry.party(row.peer, row.from_number)
        if sender is None:
            raise CannotReferError("The other organisation cannot be answered: it is on no list any more.") from error
        recipient = sender.recipient
    return wire.seal_to(recipient, wire.Reply(referral=str(row.name), text=text))


def withdraw(practitioner: Practitioner, referral: Referral) -> bool:
    """The person no longer agrees: the referral ends at once, and the other organisation is told to erase it.

    ``False`` if it had ended.
    """
    with transaction.atomic():
        ended = carry.withdraw(referral, practitioner.actor)
        if ended and referral.case_file is not None:
            add_event(referral.case_file, practitioner, "referral.withdrawn", to=referral.to_name)
    return ended


def erase_ended(practitioner: Practitioner, received: ReceivedReferral) -> None:
    """Erase the case file that was opened for a referral whose consent ended, and say so to its sender.

    Raises ``CannotReferError`` for one that has not ended.
    """
    if received.state != ReceivedReferral.State.ENDED:
        raise CannotReferError("This referral has not ended, or was erased already. Open it again.")
    if received.case_file is not None:
        erase(received.case_file, practitioner.actor)
    carry.confirm_erased(received, practitioner.actor)
