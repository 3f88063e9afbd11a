"""What this bank carries between organisations: taking messages in, handing them on, reading others' lists.

The content is sealed from organisation to organisation; here is only who, to whom, and how far it is.
"""

from __future__ import annotations

import datetime
import time
import uuid
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from reclaim.bank.cases.models import Consent
from reclaim.bank.cooperation.models import (
    EvidencePack,
    OrganisationKey,
    OutgoingMessage,
    PeerList,
    PeerOrganisation,
    ReceivedReferral,
    Referral,
    ReferralConsent,
    SeenMessage,
)
from reclaim.bank.peers.identity import own_bank_id, own_key
from reclaim.bank.peers.models import Peer
from reclaim.bank.peers.queries import present_peers
from reclaim.client import BankError
from reclaim.client.errors import BankRefused
from reclaim.client.referral import ReferralClient
from reclaim.protocol import referral as wire
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_event
from reclaim.sitekit.recurring import LeftForNowError

MOST_WAITING = 500
"""Referrals of one peer that wait for an answer here."""
MOST_DELIVERED = 200
"""Messages handed on in one tick."""
READ_AGAIN_AFTER = datetime.timedelta(hours=1)
TRIED_AGAIN_AFTER = datetime.timedelta(minutes=5)
BUDGET = 20.0
"""Seconds for one tick."""
_WAITS = (30, 60, 300, 900, 3600)
"""Seconds until a message is tried again."""
_NOT_THERE = 404
_FOR_GOOD = frozenset({400, 404, 413, 422})
"""What another try of the same message will not mend."""
_ENDED = (Referral.State.WITHDRAWN, Referral.State.ERASED)
"""One that failed is not among them: it may have arrived all the same, with the answer lost on its way."""


class RefusedMessageError(Exception):
    """A message that is not taken; the message says why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Party:
    """An organisation that may be referred to, or that referred: of a peer, or of this bank (``peer`` is ``None``)."""

    peer: Peer | None
    number: uuid.UUID
    name: str
    country: str
    languages: list[str]
    remit: str
    hours: str
    recipient: str
    new_key_at: datetime.datetime | None = None


def party(peer: Peer | None, number: uuid.UUID) -> Party | None:
    """The organisation with access that a bank calls so, or ``None``."""
    if peer is None:
        key = OrganisationKey.objects.select_related("organisation").filter(number=number).first()
        return _own(key) if key and key.organisation.revoked_at is None else None
    found = PeerOrganisation.objects.filter(peer=peer, number=number, listed=True, peer__ended_at=None).first()
    return _of_peer(peer, found) if found else None


def _own(key: OrganisationKey) -> Party:
    of = key.organisation
    return Party(None, key.number, of.name, of.country, of.languages, of.remit, of.hours, key.recipient)


def _of_peer(peer: Peer, row: PeerOrganisation) -> Party:
    return Party(
        peer, row.number, row.name, row.country, row.languages, row.remit, row.hours, row.recipient, row.new_key_at
    )


def parties() -> list[Party]:
    """Every organisation that can be referred to, of this bank and of its peers, by country and name."""
    keys = OrganisationKey.objects.select_related("organisation").filter(organisation__revoked_at=None)
    others = PeerOrganisation.objects.select_related("peer").filter(listed=True, peer__ended_at=None)
    found = [*map(_own, keys), *(_of_peer(row.peer, row) for row in others)]
    return sorted(found, key=lambda each: (each.country, each.name))


def own_list() -> wire.OrganisationList:
    """What other banks are told: the organisations of this one that take part in referrals."""
    keys = OrganisationKey.objects.select_related("organisation").filter(organisation__revoked_at=None).order_by("pk")
    return wire.OrganisationList(
        origin=str(own_bank_id()),
        made_at=int(time.time()),
        organisations=[
            wire.Listed(
                number=str(key.number),
                name=key.organisation.name,
                country=key.organisation.country,
                languages=key.organisation.languages[:40],
                hours=key.organisation.hours,
                remit=key.organisation.remit,
                recipient=key.recipient,
            )
            for key in keys[: wire.MOST_ORGANISATIONS]
        ],
    )


def take_list(peer: Peer, raw: bytes) -> None:
    """Take in a peer's list. Raises ``ValueError`` for one that it has not signed, or older than what is known."""
    said = wire.read_list(raw, bytes(peer.public_key or b""))
    if said is None or said.origin != str(peer.bank_id) or said.made_at > time.time() + wire.CLOCKS_APART:
        raise ValueError("Its list of organisations is not signed by it, and was not used. Tell its operator.")
    with transaction.atomic():
        read, _ = PeerList.objects.select_for_update().get_or_create(peer=peer)
        if said.made_at < read.made_at:
            raise ValueError("Its list of organisations is older than what is known, and was not used.")
        known = {row.number: row for row in PeerOrganisation.objects.filter(peer=peer)}
        for listed in said.organisations:
            row = known.pop(uuid.UUID(listed.number), None) or PeerOrganisation(
                peer=peer, number=uuid.UUID(listed.number), recipient=listed.recipient
            )
            if row.recipient != listed.recipient:
                row.new_key_at = timezone.now()
            for name in ("name", "country", "languages", "hours", "remit", "recipient"):
                setattr(row, name, getattr(listed, name))
            row.listed = True
            row.save()
        _leave_out(peer, [row.pk for row in known.values()])
        read.made_at, read.read_at = said.made_at, timezone.now()
        read.save()


def _leave_out(peer: Peer, keys: list[int]) -> None:
    """These are on the peer's list no more: those with which there was a referral are kept, so few of each peer's."""
    gone = PeerOrganisation.objects.filter(pk__in=keys)
    sent = Referral.objects.filter(peer=peer, to_number=OuterRef("number"))
    received = ReceivedReferral.objects.filter(peer=peer, from_number=OuterRef("number"))
    gone.filter(Exists(sent) | Exists(received)).update(listed=False)
    gone.exclude(Exists(sent) | Exists(received)).delete()


def post(
    referral: uuid.UUID, kind: wire.Kind, peer: Peer | None, sender: uuid.UUID, to: uuid.UUID, sealed: str = ""
) -> None:
    """Send a message, in the caller's transaction: within this bank at once, to a peer by the next tick.

    ``sender`` and ``to`` are the organisations' numbers. Raises ``RefusedMessageError`` within this bank.
    """
    audience = own_bank_id() if peer is None or peer.bank_id is None else peer.bank_id
    envelope = wire.Envelope(
        name=str(uuid.uuid4()),
        referral=str(referral),
        kind=kind,
        origin=str(own_bank_id()),
        audience=str(audience),
        from_organisation=str(sender),
        to_organisation=str(to),
        made_at=int(time.time()),
        sealed=sealed,
    )
    if peer is None:
        take(envelope, None)
        return
    now = timezone.now()
    OutgoingMessage.objects.create(
        name=uuid.UUID(envelope.name),
        peer=peer,
        referral=referral,
        kind=kind.value,
        body=wire.sign(envelope, own_key()),
        made_at=now,
        next_try_at=now,
    )


def take(envelope: wire.Envelope, peer: Peer | None) -> None:
    """Take in a message whose signature was checked. Taken twice, it counts once. Raises ``RefusedMessageError``."""
    origin = own_bank_id() if peer is None else peer.bank_id
    if envelope.origin != str(origin) or envelope.audience != str(own_bank_id()):
        raise RefusedMessageError(422, "This message is from another bank, or meant for another one.")
    age = time.time() - envelope.made_at
    if age > wire.LIFE or age < -wire.CLOCKS_APART:
        raise RefusedMessageError(422, "This message has expired, or comes from the future. Make it anew.")
    with transaction.atomic():
        if peer is not None:
            # Locked, so that of two deliveries at once one is the second; rows that point to it may be added meanwhile.
            Peer.objects.select_for_update(no_key=True).get(pk=peer.pk)
            until = timezone.now() + datetime.timedelta(seconds=wire.LIFE + 2 * wire.CLOCKS_APART)
            _, new = SeenMessage.objects.get_or_create(
                peer=peer, name=uuid.UUID(envelope.name), defaults={"until": until}
            )
            if not new:
                return
        if envelope.kind in wire.FROM_SENDER:
            _take_from_sender(envelope, peer)
        else:
            _take_answer(envelope, peer)


def _take_from_sender(envelope: wire.Envelope, peer: Peer | None) -> None:
    key = OrganisationKey.objects.select_related("organisation").filter(number=envelope.to_organisation).first()
    if key is None or (envelope.kind == wire.Kind.REFERRAL and key.organisation.revoked_at is not None):
        raise RefusedMessageError(422, "No organisation here that takes referrals has this number.")
    row = ReceivedReferral.objects.select_for_update().filter(peer=peer, name=envelope.referral).first()
    if row is None:
        _begin(envelope, peer, key)
    elif (str(row.from_number), row.organisation_id) != (envelope.from_organisation, key.organisation_id):
        raise RefusedMessageError(422, "This referral is somebody else's.")
    elif envelope.kind == wire.Kind.WITHDRAWAL and row.state != ReceivedReferral.State.ENDED:
        row.sealed = ""
        # Without a case file there is nothing left here that anybody would have to erase.
        row.state = ReceivedReferral.State.ENDED if row.case_file_id else ReceivedReferral.State.ERASED
        row.changed_at = timezone.now()
        row.save()
        audit.record(_actor(peer), "referral.withdrawn", f"received:{row.pk}")
        if row.state == ReceivedReferral.State.ERASED:
            post(row.name, wire.Kind.ERASED, peer, key.number, row.from_number)


def _begin(envelope: wire.Envelope, peer: Peer | None, key: OrganisationKey) -> None:
    sender = party(peer, uuid.UUID(envelope.from_organisation))
    if sender is None:
        raise RefusedMessageError(409, "The organisation that refers is not on your list as it was read here last.")
    gone = envelope.kind == wire.Kind.WITHDRAWAL
    waiting = ReceivedReferral.objects.filter(peer=peer, state=ReceivedReferral.State.WAITING)
    if peer is not None and not gone and waiting.count() >= MOST_WAITING:
        raise RefusedMessageError(
            429, "Too many referrals of yours wait here. This one is taken once some are answered."
        )
    row = ReceivedReferral.objects.create(
        name=envelope.referral,
        peer=peer,
        organisation=key.organisation,
        from_number=sender.number,
        from_name=sender.name,
        from_country=sender.country,
        state=ReceivedReferral.State.ERASED if gone else ReceivedReferral.State.WAITING,
        sealed=envelope.sealed,
    )
    audit.record(_actor(peer), "referral.receive", f"received:{row.pk}")
    if gone:
        # It came before what it withdraws, which is now refused as known.
        post(row.name, wire.Kind.ERASED, peer, key.number, row.from_number)


_UNANSWERED = (Referral.State.WAITING, Referral.State.FAILED)
_AFTER = {
    wire.Kind.ACCEPTED: (_UNANSWERED, Referral.State.ACCEPTED),
    wire.Kind.DECLINED: (_UNANSWERED, Referral.State.DECLINED),
    wire.Kind.RETURNED: ((*_UNANSWERED, Referral.State.ACCEPTED), Referral.State.RETURNED),
    wire.Kind.ERASED: ((Referral.State.WITHDRAWN,), Referral.State.ERASED),
}


def _take_answer(envelope: wire.Envelope, peer: Peer | None) -> None:
    row = Referral.objects.select_for_update().filter(pk=envelope.referral, peer=peer).first()
    if row is None or str(row.to_number) != envelope.from_organisation:
        raise RefusedMessageError(422, "No referral to this organisation has this number.")
    before, after = _AFTER[envelope.kind]
    if row.state in before:
        row.state, row.changed_at, row.fault = after, timezone.now(), ""
        row.sealed_reply = envelope.sealed
        row.delivered_at = row.delivered_at or row.changed_at
        row.save()
        audit.record(_actor(peer), f"referral.{envelope.kind}", f"referral:{row.pk}")


def _actor(peer: Peer | None) -> str:
    return f"peer:{peer.pk}" if peer else "system"


def withdraw(referral: Referral, actor: str) -> bool:
    """End a referral at once and tell the other organisation to erase it; ``False`` if it had ended."""
    with transaction.atomic():
        row = Referral.objects.select_for_update(of=("self",)).select_related("peer").get(pk=referral.pk)
        if row.consent is not None and row.consent.withdrawn_at is None:
            row.consent.withdrawn_at = timezone.now()
            row.consent.save(update_fields=["withdrawn_at"])
        if row.state in _ENDED:
            return False
        unsent = OutgoingMessage.objects.filter(referral=row.pk, kind=wire.Kind.REFERRAL)
        never_left = unsent.filter(tries=0).delete()[0] > 0
        # What was tried may have arrived, so it is withdrawn; but it is not sent once more.
        unsent.delete()
        row.state = Referral.State.ERASED if never_left else Referral.State.WITHDRAWN
        row.changed_at = timezone.now()
        row.save()
        audit.record(actor, "referral.withdraw", f"referral:{row.pk}")
        if not never_left:
            key = OrganisationKey.objects.get(organisation=row.organisation_id)
            post(row.pk, wire.Kind.WITHDRAWAL, row.peer, key.number, row.to_number)
    return True


def end_for_case_file(case_file: uuid.UUID) -> None:
    """A case file is about to be erased: what was told of it ends elsewhere too, and what was told or answered here
    goes with it. In the caller's transaction."""
    sent = Referral.objects.filter(case_file=case_file)
    for row in sent.exclude(state__in=_ENDED):
        withdraw(row, "system")
    sent.update(sealed_copy=None, sealed_reply="")
    ReceivedReferral.objects.filter(case_file=case_file, state=ReceivedReferral.State.ACCEPTED).update(
        state=ReceivedReferral.State.ERASED, sealed="", changed_at=timezone.now()
    )
    audit.forget("evidence", EvidencePack.objects.filter(case_file=case_file).values_list("pk", flat=True))


def end_withdrawn() -> int:
    """End referrals whose consent ended on the case page, or was erased with its case file; returns how many.

    A received case file that is gone is confirmed as erased.
    """
    still = Consent.objects.filter(case=OuterRef("case"), organisation=OuterRef("case_file__organisation"))
    ended = ReferralConsent.objects.filter(how=ReferralConsent.How.CODE, withdrawn_at=None).exclude(Exists(still))
    live = Referral.objects.exclude(state__in=_ENDED)
    count = sum(withdraw(row, "system") for row in live.filter(Q(consent=None) | Q(consent__in=ended)))
    gone = ReceivedReferral.objects.filter(state=ReceivedReferral.State.ENDED, case_file=None)
    for received in gone.select_related("peer", "organisation__key"):
        confirm_erased(received, "system")
    return count


def locked_received(received: ReceivedReferral) -> ReceivedReferral:
    """The receiver's side as it is now, for this transaction alone.

    Of a referral within this bank the sender's side is locked before it, as ``withdraw`` does: two that lock in one
    order never wait for one another.
    """
    if received.peer_id is None:
        Referral.objects.select_for_update().filter(pk=received.name).first()
    rows = ReceivedReferral.objects.select_for_update(of=("self",)).select_related("peer", "organisation")
    return rows.get(pk=received.pk)


def confirm_erased(received: ReceivedReferral, actor: str) -> bool:
    """Tell the other organisation that nothing of an ended referral is left; ``False`` if it was told, or goes on.

    The caller has erased the case file.
    """
    with transaction.atomic():
        row = locked_received(received)
        if row.state != ReceivedReferral.State.ENDED or row.case_file_id is not None:
            return False
        row.state, row.changed_at = ReceivedReferral.State.ERASED, timezone.now()
        row.save()
        key = OrganisationKey.objects.get(organisation=row.organisation_id)
        post(row.name, wire.Kind.ERASED, row.peer, key.number, row.from_number)
        audit.record(actor, "referral.erase", f"received:{row.pk}")
    return True


def exchange_referrals() -> None:
    """The recurring work: end what lost its consent, read peers' lists, hand messages on.

    Raises ``LeftForNowError`` where a peer could not be reached; it is tried again.
    """
    end_withdrawn()
    SeenMessage.objects.filter(until__lt=timezone.now()).delete()
    deadline = time.monotonic() + BUDGET
    faults = read_lists(deadline) + deliver(deadline)
    if faults:
        raise LeftForNowError(f"referrals: peers could not be reached, and are tried again tries={faults}")


def read_lists(deadline: float) -> int:
    """Read each peer's list that is due, until ``deadline`` (monotonic seconds); returns how many could not be."""
    now = timezone.now()
    if not OrganisationKey.objects.exists():
        # Nobody here refers anybody.
        return 0
    lately = PeerList.objects.filter(
        Q(read_at__gt=now - READ_AGAIN_AFTER) | Q(tried_at__gt=now - TRIED_AGAIN_AFTER), peer=OuterRef("pk")
    )
    faults = 0
    for peer in present_peers().filter(kind=Peer.Kind.RECLAIM).exclude(Q(url="") | Exists(lately)):
        if time.monotonic() > deadline or peer.bank_id is None:
            break
        PeerList.objects.update_or_create(peer=peer, defaults={"tried_at": now})
        client = ReferralClient(peer.url, own_key(), peer.bank_id)
        try:
            take_list(peer, client.organisations())
        except (BankError, ValueError) as error:
            if isinstance(error, BankRefused) and error.status == _NOT_THERE:
                # A bank whose version knows no referrals.
                continue
            faults += 1
            log_event("a peer's organisations could not be read", peer=peer.pk, why=type(error).__name__)
        finally:
            client.close()
    return faults


def deliver(deadline: float) -> int:
    """Hand on the first message of each referral, if it is due; returns how many could not be.

    A message that its peer refuses for good, or that expired, ends its referral with a sentence. A peer that did not
    take one is left alone until the next tick, so that one that is away keeps nobody else waiting.
    """
    earlier = OutgoingMessage.objects.filter(referral=OuterRef("referral"), made_at__lt=OuterRef("made_at"))
    due = OutgoingMessage.objects.filter(~Exists(earlier), next_try_at__lte=timezone.now()).select_related("peer")
    away: set[int] = set()
    for message in due.order_by("next_try_at")[:MOST_DELIVERED]:
        if time.monotonic() > deadline:
            break
        if message.peer_id not in away and not _deliver(message):
            away.add(message.peer_id)
    return len(away)


def _deliver(message: OutgoingMessage) -> bool:
    peer = message.peer
    expires = message.made_at + datetime.timedelta(seconds=wire.LIFE)
    if peer.ended_at is not None or peer.bank_id is None:
        return _give_up(message, "This bank no longer works with the other organisation's bank.")
    if timezone.now() > expires:
        return _give_up(message, "The other organisation's bank could not be reached for two weeks.")
    if not peer.url:
        return _give_up(message, "This bank has no address of the other organisation's bank. Ask its operator.")
    if not OutgoingMessage.objects.filter(pk=message.pk).update(tries=message.tries + 1):
        # Withdrawn since it was read: it must not leave.
        return True
    client = ReferralClient(peer.url, own_key(), peer.bank_id)
    try:
        client.send(bytes(message.body))
    except BankRefused as error:
        if error.status in _FOR_GOOD:
            return _give_up(message, "The other organisation's bank refused it. Is the organisation still there?")
        return _later(message)
    except BankError:
        return _later(message)
    finally:
        client.close()
    with transaction.atomic():
        OutgoingMessage.objects.filter(pk=message.pk).delete()
        if message.kind == wire.Kind.REFERRAL:
            Referral.objects.filter(pk=message.referral).update(delivered_at=timezone.now())
    return True


def _later(message: OutgoingMessage) -> bool:
    wait = _WAITS[min(message.tries, len(_WAITS) - 1)]
    OutgoingMessage.objects.filter(pk=message.pk).update(next_try_at=timezone.now() + datetime.timedelta(seconds=wait))
    return False


def _give_up(message: OutgoingMessage, sentence: str) -> bool:
    with transaction.atomic():
        OutgoingMessage.objects.filter(pk=message.pk).delete()
        facts = {"fault": sentence, "changed_at": timezone.now()}
        referral = Referral.objects.filter(pk=message.referral)
        if message.kind == wire.Kind.REFERRAL:
            referral.exclude(state__in=_ENDED).update(state=Referral.State.FAILED, **facts)
        else:
            referral.update(**facts)
        audit.record("system", "referral.undelivered", f"message:{message.pk}")
    return True
