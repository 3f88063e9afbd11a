"""Organisations that work together, of this bank and of another one, for tests."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.http import HttpResponse
from django.test import Client

from reclaim.bank.casework.models import CaseFile, Channel
from reclaim.bank.casework.services import open_case_file
from reclaim.bank.cooperation import carry, keys, referrals
from reclaim.bank.cooperation.models import EvidencePack, Officer, ReferralConsent
from reclaim.bank.cooperation.referrals import Consenting
from reclaim.bank.organisations.models import Practitioner
from reclaim.bank.peers.identity import own_bank_id
from reclaim.bank.vault import people
from reclaim.bank.vault import services as vault
from reclaim.bank.vault.keys import Unlocked
from reclaim.protocol import referral as wire
from reclaim.protocol.federation import authorization
from reclaim.protocol.referral import Part
from tests.acting_banks import ActingBank
from tests.members import OWN_PAGE, PASSWORD, practitioner
from tests.personas import ActingOrganisation

PNG = b"\x89PNG\r\n\x1a\n" + b"made up" * 20


def unlocked(of: Practitioner) -> Unlocked:
    """The practitioner's private key."""
    found = vault.unlock(people.name_of(of), PASSWORD)
    assert found is not None
    return found


@dataclass
class Cooperating:
    """An organisation of this bank that takes part, its supervisor, and a case file of theirs."""

    acting: ActingOrganisation
    case_file: CaseFile

    @classmethod
    def begun(cls, name: str) -> Cooperating:
        """A new one."""
        acting = ActingOrganisation.let_in(name)
        acting.client.defaults.update({"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_ACCEPT": "text/html"})
        keys.take_part(acting.practitioner)
        return cls(acting, open_case_file(acting.practitioner, Channel.PHONE))

    @property
    def key(self) -> Unlocked:
        """Of the supervisor."""
        return unlocked(self.acting.practitioner)

    @property
    def party(self) -> carry.Party:
        """As others refer to it."""
        number = keys.key_of(self.acting.organisation).number
        found = carry.party(None, number)
        assert found is not None
        return found

    def refers_to(self, to: carry.Party, *parts: Part, told: dict[Part, str] | None = None, **more: Any) -> Any:
        """A referral with what the person agreed to."""
        agreed = frozenset(parts or (Part.HAPPENED,))
        consent = Consenting(agreed, ReferralConsent.How.PHONE, "You may tell them what happened.")
        said = told or {part: f"about {part}" for part in agreed}
        return referrals.refer(
            self.acting.practitioner, self.key, self.case_file, to, more.get("consent", consent), said
        )

    def colleague(self, **more: Any) -> tuple[Practitioner, Client]:
        """Somebody else of the organisation, who sees case files of their own alone."""
        client = Client(headers=OWN_PAGE)
        return practitioner(client, self.acting.organisation, **more), client

    def checked_officer(self, recipient: str) -> Officer:
        """An officer whose key a second person has checked."""
        from reclaim.bank.cooperation.evidence import add_officer, check_officer

        colleague, _ = self.colleague()
        officer = add_officer(colleague, "DC 4417", "Example Police", "GB", recipient)
        check_officer(self.acting.practitioner, officer, "Called the published number.")
        officer.refresh_from_db()
        return officer

    def allowed(self, *pictures: bytes, statement: str = "He threatens me.") -> Any:
        """What the person allows."""
        from reclaim.bank.cooperation.evidence import Allowed

        return Allowed(EvidencePack.How.PHONE, "The police may have this.", [], False, statement, pictures)


class OtherBank:
    """Another bank with one organisation, which speaks to this one over HTTP as real ones do."""

    def __init__(self) -> None:
        self.acting = ActingBank.added()
        self.key: Ed25519PrivateKey = self.acting.key
        self.identity, self.recipient = wire.new_identity()
        self.number = str(uuid.uuid4())
        self.client = Client()

    def list(self, *, name: str = "Beispielhilfe", made_at: int | None = None, recipient: str = "") -> bytes:
        """Its organisations, signed."""
        listed = wire.Listed(
            number=self.number, name=name, country="DE", languages=["de"], recipient=recipient or self.recipient
        )
        said = wire.OrganisationList(
            origin=self.acting.id, made_at=int(time.time()) if made_at is None else made_at, organisations=[listed]
        )
        return wire.sign(said, self.key)

    def listed(self) -> OtherBank:
        """Once this bank has read that."""
        carry.take_list(self.acting.peer, self.list())
        return self

    @property
    def party(self) -> carry.Party:
        """Its organisation, as it is referred to here."""
        found = carry.party(self.acting.peer, uuid.UUID(self.number))
        assert found is not None
        return found

    def envelope(self, to: Cooperating, kind: wire.Kind = wire.Kind.REFERRAL, **more: Any) -> wire.Envelope:
        """A message of its organisation."""
        number = more.pop("referral", str(uuid.uuid4()))
        content = wire.Content(
            referral=number,
            agreed=wire.Agreed(parts=[Part.HAPPENED], how="phone", at=int(time.time()), words="Yes."),
            told={Part.HAPPENED: "what happened"},
            reply_to=self.recipient,
        )
        sealed = wire.seal_to(to.party.recipient, content) if kind in wire.WITH_CONTENT else ""
        facts = {
            "name": str(uuid.uuid4()),
            "referral": number,
            "kind": kind,
            "origin": self.acting.id,
            "audience": str(own_bank_id()),
            "from_organisation": self.number,
            "to_organisation": str(to.party.number),
            "made_at": int(time.time()),
            "sealed": sealed,
        }
        return wire.Envelope.model_validate({**facts, **more})

    def answers(self, to: Cooperating, referral: uuid.UUID, kind: wire.Kind, text: str = "") -> HttpResponse:
        """An answer of its organisation to a referral."""
        sealed = ""
        if text:
            recipient = keys.key_of(to.acting.organisation).recipient
            sealed = wire.seal_to(recipient, wire.Reply(referral=str(referral), text=text))
        return self.posts(self.envelope(to, kind, referral=str(referral), sealed=sealed))

    def posts(self, message: wire.Envelope | bytes, path: str = wire.MESSAGE_PATH) -> HttpResponse:
        """Hand a message over; its answer."""
        body = message if isinstance(message, bytes) else wire.sign(message, self.key)
        return self.client.post(  # type: ignore[return-value]
            path, body, content_type="application/json", headers={"Authorization": self.shown(path)}
        )

    def shown(self, path: str) -> str:
        """What it shows who it is with."""
        return authorization(self.key, own_bank_id(), path, int(time.time()))


def changed(message: bytes, **more: Any) -> bytes:
    """A signed message with something else in its envelope, under the same signature."""
    read = json.loads(message)
    read["envelope"] |= more
    return json.dumps(read).encode()
