"""Attacks on referrals, evidence and legal demands, as sentences."""

from __future__ import annotations

import base64
import datetime
import io
import json
import time
import uuid
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from reclaim.bank.cases.consents import give_consent
from reclaim.bank.cooperation import carry, demands, evidence, referrals
from reclaim.bank.cooperation.models import (
    CustodyEntry,
    EvidencePack,
    LegalDemand,
    Officer,
    OutgoingMessage,
    ReceivedReferral,
    Referral,
    ReferralConsent,
)
from reclaim.bank.cooperation.referrals import CannotReferError, Consenting
from reclaim.bank.exchange.identity import public_key
from reclaim.bank.federation.services import remove_peer
from reclaim.bank.organisations import alarms
from reclaim.bank.organisations.services import revoke_organisation
from reclaim.bank.takedown.services import add_links
from reclaim.cli.evidence import command
from reclaim.client.errors import BankUnreachable
from reclaim.client.referral import ReferralClient
from reclaim.protocol import evidence as pack_wire
from reclaim.protocol import referral as wire
from reclaim.protocol.referral import Kind, Part
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.permissions import Role
from tests.cooperating import PNG, Cooperating, OtherBank, changed
from tests.members import OWN_PAGE, make_member, signed_in
from tests.personas import a_case

pytestmark = [pytest.mark.django_db, pytest.mark.urls("reclaim.bank.urls")]

BASE = "/helpline/cooperation/"


def test_nobody_is_referred_without_consent() -> None:
    one, two = Cooperating.begun("One"), Cooperating.begun("Two")
    for consent in (
        Consenting(frozenset(), ReferralConsent.How.PHONE, "Yes."),
        Consenting(frozenset({Part.HAPPENED}), ReferralConsent.How.PHONE, "  "),
        Consenting(frozenset({Part.HAPPENED}), ReferralConsent.How.CODE, "Yes.", code="AAAAA-AAAAAA"),
    ):
        with pytest.raises(CannotReferError):
            one.refers_to(two.party, Part.HAPPENED, consent=consent)
    key = two.party.recipient
    form = {"to": f"0.{two.party.number}", "key": key, "do": "send", "happened": "x", "words": "x", "how": "phone"}
    form["number"] = str(uuid.uuid4())
    assert one.acting.client.post(f"{BASE}{one.case_file.pk}/refer/", form).status_code == 422
    assert not Referral.objects.exists()
    assert not ReferralConsent.objects.exists()


def test_no_more_parts_are_told_than_were_agreed_to() -> None:
    one, two, other = Cooperating.begun("One"), Cooperating.begun("Two"), OtherBank().listed()
    with pytest.raises(CannotReferError, match="did not agree"):
        one.refers_to(two.party, Part.HAPPENED, told={Part.HAPPENED: "x", Part.CONTACT: "her number"})
    assert not Referral.objects.exists()
    # A bank that does not hold to it: its content is shown to nobody.
    message = {
        "referral": str(uuid.uuid4()),
        "agreed": {"parts": ["happened"], "how": "phone", "at": 1, "words": "x"},
        "told": {"happened": "x", "contact": "her number"},
        "reply_to": other.recipient,
    }
    sealed = base64.b64encode(wire.seal_bytes([two.party.recipient], json.dumps(message).encode())).decode()
    assert other.posts(other.envelope(two, referral=message["referral"], sealed=sealed)).status_code == 204
    page = two.acting.client.get(f"{BASE}received/{ReceivedReferral.objects.get().pk}/").content.decode()
    assert "her number" not in page
    assert "did not agree to" in page


def test_another_persons_code_is_no_consent_and_stays_unused() -> None:
    one, two = Cooperating.begun("One"), Cooperating.begun("Two")
    mine, other = a_case(1).case, a_case(2).case
    one.case_file.case = mine
    one.case_file.save()
    given = give_consent(other, one.acting.organisation)
    consent = Consenting(frozenset({Part.HAPPENED}), ReferralConsent.How.CODE, "Yes.", code=given.code)
    with pytest.raises(CannotReferError):
        one.refers_to(two.party, Part.HAPPENED, consent=consent)
    assert other.consents.get().code_mac is not None


def test_nobody_is_referred_to_an_organisation_without_access_or_of_a_peer_that_was_removed() -> None:
    one, two, other = Cooperating.begun("One"), Cooperating.begun("Two"), OtherBank().listed()
    unvetted, theirs = two.party, other.party
    revoke_organisation("Two")
    remove_peer(other.acting.peer)
    for to in (unvetted, theirs):
        with pytest.raises(CannotReferError, match="takes no referrals any more"):
            one.refers_to(to)
    # What was on its way to a removed peer is not sent.
    other.acting.peer.refresh_from_db()
    assert carry.parties() == [one.party]
    assert other.posts(other.envelope(one)).status_code == 401
    assert not ReceivedReferral.objects.exists()


def test_a_message_on_its_way_to_a_peer_that_was_removed_is_not_sent() -> None:
    one, other = Cooperating.begun("One"), OtherBank().listed()
    referral = one.refers_to(other.party)
    remove_peer(other.acting.peer)
    assert carry.deliver(time.monotonic() + 5) == 0
    referral.refresh_from_db()
    assert referral.state == "failed"


def test_nothing_of_a_referral_leaves_after_its_withdrawal(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Cooperating.begun("One"), OtherBank().listed()
    other.acting.peer.url = "http://127.0.0.1:9"
    other.acting.peer.save()
    tried, untried = one.refers_to(other.party), one.refers_to(other.party)
    on_its_way = OutgoingMessage.objects.select_related("peer").get(referral=untried.pk)
    OutgoingMessage.objects.filter(referral=tried.pk).update(tries=1)
    for referral in (tried, untried):
        referrals.withdraw(one.acting.practitioner, referral)
    assert [(row.referral, row.kind) for row in OutgoingMessage.objects.all()] == [(tried.pk, "withdrawal")]
    sent: list[bytes] = []
    monkeypatch.setattr(ReferralClient, "send", lambda _, message: sent.append(message))
    # Also where the work of sending had read it before.
    carry._deliver(on_its_way)
    assert sent == []


def test_a_character_that_no_database_keeps_is_in_no_referral_and_no_letter() -> None:
    one, other = Cooperating.begun("One"), OtherBank().listed()
    message = {
        "referral": str(uuid.uuid4()),
        "agreed": {"parts": ["contact"], "how": "phone", "at": 1, "words": "x"},
        "told": {"contact": "a\x00b"},
        "reply_to": other.recipient,
    }
    sealed = base64.b64encode(wire.seal_bytes([one.party.recipient], json.dumps(message).encode())).decode()
    other.posts(other.envelope(one, referral=message["referral"], sealed=sealed))
    where = f"{BASE}received/{ReceivedReferral.objects.get().pk}/"
    assert one.acting.client.post(where, {"do": "accept"}).status_code == 422
    (link,) = add_links(one.case_file, one.acting.practitioner, "https://site.example/a").links
    form = {"link": link.pk, "to": "a\x00b", "days": "30", "do": "file"}
    assert one.acting.client.post(f"{BASE}{one.case_file.pk}/letter/", form).status_code == 422


def test_whoever_reads_many_referrals_raises_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Cooperating.begun("One"), OtherBank().listed()
    for _ in range(2):
        other.posts(other.envelope(one))
    monkeypatch.setattr(alarms, "READS", (alarms.Quota(3600, 1, 1),))
    pages = [f"{BASE}received/{row.pk}/" for row in ReceivedReferral.objects.all()]
    assert [one.acting.client.get(page).status_code for page in (pages[0], *pages)] == [200, 200, 403]
    assert alarms.open_alarms()


def test_a_replayed_referral_counts_once_and_does_not_come_back_after_its_withdrawal() -> None:
    one, other = Cooperating.begun("One"), OtherBank().listed()
    envelope = other.envelope(one)
    assert [other.posts(envelope).status_code for _ in range(2)] == [204, 204]
    assert other.posts(other.envelope(one, Kind.WITHDRAWAL, referral=envelope.referral)).status_code == 204
    # The same referral again, and under another message's name.
    assert other.posts(envelope).status_code == 204
    assert other.posts(envelope.model_copy(update={"name": str(uuid.uuid4())})).status_code == 204
    received = ReceivedReferral.objects.get()
    assert (received.state, received.sealed) == ("erased", "")


def test_a_withdrawal_that_comes_before_its_referral_holds() -> None:
    one, other = Cooperating.begun("One"), OtherBank().listed()
    envelope = other.envelope(one)
    assert other.posts(other.envelope(one, Kind.WITHDRAWAL, referral=envelope.referral)).status_code == 204
    assert other.posts(envelope).status_code == 204
    assert ReceivedReferral.objects.get().sealed == ""


def test_forged_changed_expired_and_misdirected_messages_are_refused() -> None:
    one, two, other = Cooperating.begun("One"), Cooperating.begun("Two"), OtherBank().listed()
    good = other.envelope(one)
    signed = wire.sign(good, other.key)
    stranger, _ = OtherBank(), OtherBank().listed()
    for message, status in (
        (changed(signed, to_organisation=str(two.party.number)), 400),
        (wire.sign(good, stranger.key), 400),
        (b"{", 400),
        (b"[" * 50_000, 400),
        (other.list(), 400),
        (other.envelope(one, made_at=int(time.time()) - wire.LIFE - 10), 422),
        (other.envelope(one, made_at=int(time.time()) + 3600), 422),
        (other.envelope(one, audience=str(uuid.uuid4())), 422),
        (other.envelope(one, origin=stranger.acting.id), 422),
        (other.envelope(one, to_organisation=str(uuid.uuid4())), 422),
        (other.envelope(one, from_organisation=str(uuid.uuid4())), 409),
        (b" " * (1024 * 1024 + 1), 413),
    ):
        assert other.posts(message).status_code == status
    # A bank that shows nothing, and one that is not known here.
    assert other.client.post(wire.MESSAGE_PATH, signed, content_type="application/json").status_code == 401
    assert other.client.get(wire.LIST_PATH).status_code == 401
    # What is shown for one address opens no other.
    shown = {"Authorization": other.shown(wire.MESSAGE_PATH)}
    assert other.client.get(wire.LIST_PATH, headers=shown).status_code == 401
    assert not ReceivedReferral.objects.exists()


def test_a_bank_answers_no_referral_that_went_to_another_one() -> None:
    one, two, other = Cooperating.begun("One"), Cooperating.begun("Two"), OtherBank().listed()
    referral = one.refers_to(two.party)
    assert other.answers(one, referral.pk, Kind.DECLINED, "no").status_code == 422
    theirs = one.refers_to(other.party)
    assert (
        other.posts(
            other.envelope(one, Kind.ACCEPTED, referral=str(theirs.pk), from_organisation=str(uuid.uuid4()))
        ).status_code
        == 422
    )
    # Erased is no answer to what was not withdrawn, and accepted none to what ended.
    assert other.answers(one, theirs.pk, Kind.ERASED).status_code == 204
    theirs.refresh_from_db()
    assert theirs.state == "waiting"


def test_an_older_list_of_organisations_and_one_that_somebody_else_signed_are_not_used() -> None:
    other, stranger = OtherBank().listed(), OtherBank()
    for raw in (other.list(made_at=1), stranger.list(), b"{}", other.list(made_at=int(time.time()) + 9999)):
        with pytest.raises(ValueError, match="was not used"):
            carry.take_list(other.acting.peer, raw)


def test_an_organisation_that_was_off_the_list_does_not_come_back_with_another_key_unnoticed() -> None:
    one, other = Cooperating.begun("One"), OtherBank().listed()
    one.refers_to(other.party)
    empty = wire.OrganisationList(origin=other.acting.id, made_at=int(time.time()), organisations=[])
    carry.take_list(other.acting.peer, wire.sign(empty, other.key))
    assert carry.party(other.acting.peer, uuid.UUID(other.number)) is None
    assert carry.parties() == [one.party]
    carry.take_list(other.acting.peer, other.list(recipient=wire.new_identity()[1]))
    assert other.party.new_key_at is not None


def test_a_bank_that_is_away_keeps_no_other_bank_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    one, away, there = Cooperating.begun("One"), OtherBank().listed(), OtherBank().listed()
    asked: list[str] = []

    def send(client: ReferralClient, message: bytes) -> None:
        envelope = json.loads(message)["envelope"]
        asked.append(envelope["audience"])
        if envelope["audience"] == away.acting.id:
            raise BankUnreachable("It cannot answer now.")

    monkeypatch.setattr(ReferralClient, "send", send)
    for other in (away, there):
        other.acting.peer.url = "http://127.0.0.1:9"
        other.acting.peer.save()
    for to in (away, away, there):
        one.refers_to(to.party)
    assert carry.deliver(time.monotonic() + 5) == 1
    assert asked == [away.acting.id, there.acting.id]


def test_a_peer_cannot_bury_an_organisation_in_referrals(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Cooperating.begun("One"), OtherBank().listed()
    monkeypatch.setattr(carry, "MOST_WAITING", 2)
    assert [other.posts(other.envelope(one)).status_code for _ in range(3)] == [204, 204, 429]


def test_a_practitioner_of_another_organisation_reads_nothing() -> None:
    one, two, three = (Cooperating.begun(name) for name in ("One", "Two", "Three"))
    referral = one.refers_to(two.party)
    received = ReceivedReferral.objects.get()
    officer = one.checked_officer(wire.new_identity()[1])
    made = evidence.make_pack(one.acting.practitioner, one.key, one.case_file, officer, one.allowed())
    pages = [
        f"sent/{referral.pk}/",
        f"received/{received.pk}/",
        f"packs/{made.pack.pk}/",
        f"packs/{made.pack.pk}/custody/",
        f"{one.case_file.pk}/",
        f"{one.case_file.pk}/refer/",
        f"{one.case_file.pk}/evidence/",
        f"{one.case_file.pk}/letter/",
        f"{one.case_file.pk}/plan/",
    ]
    _, colleague = one.colleague()
    for page in pages:
        assert three.acting.client.get(BASE + page).status_code == 404, page
        assert colleague.get(BASE + page).status_code == 404, page
    assert three.acting.client.post(f"{BASE}received/{received.pk}/", {"do": "accept"}).status_code == 404
    assert three.acting.client.post(f"{BASE}sent/{referral.pk}/").status_code == 404
    officer_page = f"{BASE}officers/{officer.pk}/"
    assert three.acting.client.post(officer_page, {"do": "end"}).status_code == 404
    # Its key opens nothing of it either.
    with pytest.raises(wire.CannotOpenError):
        wire.open_sealed(_identity(three), received.sealed, wire.Content)


def _identity(of: Cooperating) -> str:
    from reclaim.bank.cooperation.keys import identity_of

    return identity_of(of.key, of.acting.organisation)


def test_evidence_is_sealed_to_no_key_that_a_second_person_has_not_checked() -> None:
    one = Cooperating.begun("One")
    me = one.acting.practitioner
    officer = evidence.add_officer(me, "DC 1", "Example Police", "GB", wire.new_identity()[1])
    # Nor by a session that somebody left open.
    _, sessions = one.colleague(role=Role.SUPERVISOR, fresh=False)
    assert "/again/" in sessions.post(f"{BASE}officers/{officer.pk}/", {"do": "check", "how": "x"})["Location"]
    with pytest.raises(evidence.EvidenceError, match="yourself"):
        evidence.check_officer(me, officer, "I know them.")
    with pytest.raises(IntegrityError), transaction.atomic():
        Officer.objects.update(checked_by=me, checked_at=timezone.now(), checked_how="x")
    with pytest.raises(evidence.EvidenceError, match="not checked"):
        evidence.make_pack(me, one.key, one.case_file, officer, one.allowed())
    for forged in ("age1" + "q" * 58, "ssh-rsa AAAA", "AGE-SECRET-KEY-1" + "Q" * 58, ""):
        with pytest.raises(evidence.EvidenceError, match="no public key"):
            evidence.add_officer(me, "DC 2", "Example Police", "GB", forged)
    assert not EvidencePack.objects.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04" + b"x" * 50,
        b"<svg onload=alert(1)>",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n" + b"x" * (5 * 1024 * 1024),
    ],
    ids=["empty", "zip", "svg", "gif", "too large"],
)
def test_what_is_no_screenshot_is_in_no_pack(content: bytes) -> None:
    one = Cooperating.begun("One")
    officer = one.checked_officer(wire.new_identity()[1])
    hostile = SimpleUploadedFile("x.png", content, "image/png")
    form = {"officer": officer.pk, "how": "phone", "words": "Yes.", "screenshot": hostile}
    answer = one.acting.client.post(f"{BASE}{one.case_file.pk}/evidence/", form)
    assert answer.status_code == 422
    assert not EvidencePack.objects.exists()


def test_a_hostile_file_name_is_nowhere_in_a_pack() -> None:
    one = Cooperating.begun("One")
    identity, recipient = wire.new_identity()
    officer = one.checked_officer(recipient)
    files = [SimpleUploadedFile(name, PNG, "x/y") for name in ("../../etc/passwd", "a\r\nX: y.png", "\u202egnp.exe")]
    form = {"officer": officer.pk, "how": "phone", "words": "Yes.", "screenshot": files}
    answer = one.acting.client.post(f"{BASE}{one.case_file.pk}/evidence/", form)
    opened = wire.open_bytes(identity, answer.content)
    names = zipfile.ZipFile(io.BytesIO(opened)).namelist()
    assert names[2:] == ["report.pdf", *(f"screenshots/0{n}.png" for n in (1, 2, 3))]
    assert b"passwd" not in opened
    assert "\n" not in answer["Content-Disposition"]


def _repacked(pack: bytes, *, compress: bool = False, **changes: bytes) -> bytes:
    buffer = io.BytesIO()
    kind = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(io.BytesIO(pack)) as old, zipfile.ZipFile(buffer, "w", kind) as new:
        files = {name: old.read(name) for name in old.namelist()}
        for name, content in {**files, **changes}.items():
            new.writestr(name, content)
    return buffer.getvalue()


def test_a_pack_that_was_changed_after_it_was_signed_does_not_hold() -> None:
    one = Cooperating.begun("One")
    identity, recipient = wire.new_identity()
    officer = one.checked_officer(recipient)
    made = evidence.make_pack(one.acting.practitioner, one.key, one.case_file, officer, one.allowed(PNG))
    pack = wire.open_bytes(identity, made.file)
    pack_wire.verify(pack, public_key())
    manifest = json.loads(zipfile.ZipFile(io.BytesIO(pack)).read("manifest.json"))
    envelope = json.loads(zipfile.ZipFile(io.BytesIO(pack)).read("manifest.dsse.json"))
    forged = {**manifest, "statement": "He did nothing."}
    wrong = {**envelope, "payload": base64.b64encode(pack_wire.canonical(forged)).decode()}
    endless = b"PK\x01\x02" + b"\0" * 42
    many = endless * 2000 + b"PK\x05\x06" + b"\0" * 8 + (len(endless) * 2000).to_bytes(4, "little") + b"\0" * 6
    assert not pack_wire._has_few_files(many)
    other_type = {**envelope, "payloadType": "application/vnd.reclaim.snapshot+json"}
    bomb = _repacked(pack, compress=True, **{"screenshots/02.png": b"\0" * 30_000_000})
    for bad in (
        _repacked(pack, **{"manifest.json": pack_wire.canonical(forged)}),
        _repacked(
            pack, **{"manifest.json": pack_wire.canonical(forged), "manifest.dsse.json": json.dumps(wrong).encode()}
        ),
        _repacked(pack, **{"manifest.dsse.json": json.dumps(other_type).encode()}),
        _repacked(pack, **{"screenshots/01.png": PNG + b"x"}),
        _repacked(pack, **{"screenshots/02.png": PNG}),
        _repacked(pack, **{"../../etc/cron.d/x": b"x"}),
        _repacked(pack, **{"/etc/passwd": b"x"}),
        _repacked(pack, compress=True),
        bomb,
        many,
        pack[:-30],
        b"",
        b"PK",
    ):
        with pytest.raises(pack_wire.BadPackError):
            pack_wire.verify(bad, public_key())
    with pytest.raises(pack_wire.BadPackError, match="another key"):
        pack_wire.verify(pack, b"\x01" * 32)


def test_a_step_of_the_chain_of_custody_cannot_be_changed_or_left_out_unnoticed() -> None:
    one = Cooperating.begun("One")
    officer = one.checked_officer(wire.new_identity()[1])
    pack = evidence.make_pack(one.acting.practitioner, one.key, one.case_file, officer, one.allowed()).pack
    for note in ("To DC 4417.", "Receipt by mail."):
        evidence.add_custody(one.acting.practitioner, pack, CustodyEntry.Kind.HANDED, note)
    assert evidence.custody_of(pack)[1]
    with pytest.raises(evidence.EvidenceError):
        evidence.add_custody(one.acting.practitioner, pack, CustodyEntry.Kind.MADE, "again")
    CustodyEntry.objects.filter(pack=pack, number=2).update(note="To nobody.")
    assert not evidence.custody_of(pack)[1]
    # A chain that was cut gets no new end that would vouch for the rest.
    with pytest.raises(evidence.EvidenceError, match="nothing is added"):
        evidence.add_custody(one.acting.practitioner, pack, CustodyEntry.Kind.CHECKED, "All is well.")
    CustodyEntry.objects.filter(pack=pack, number=2).delete()
    assert not evidence.custody_of(pack)[1]


def _reckoned_anew(pack: EvidencePack) -> None:
    """Whoever writes to the database knows how digests are made."""
    previous = "0" * 64
    for entry in pack.custody.all():
        at = pack_wire.Custody.model_validate({**_fields(entry), "digest": previous}).model_dump(mode="json")["at"]
        entry.previous = previous
        entry.digest = previous = pack_wire.custody_digest(
            entry.number, at, entry.kind, entry.by, entry.note, entry.previous
        )
        entry.save()


def _fields(entry: CustodyEntry) -> dict[str, object]:
    return {name: getattr(entry, name) for name in ("number", "at", "kind", "by", "note", "previous")}


@pytest.mark.parametrize("how", ["rewritten", "cut", "cut and counted", "emptied", "another manifest", "another's"])
def test_whoever_writes_to_the_database_alone_cannot_forge_a_chain_of_custody(how: str) -> None:
    one = Cooperating.begun("One")
    officer = one.checked_officer(wire.new_identity()[1])
    pack, other = (
        evidence.make_pack(one.acting.practitioner, one.key, one.case_file, officer, one.allowed()).pack for _ in "12"
    )
    for each in (pack, other):
        evidence.add_custody(one.acting.practitioner, each, CustodyEntry.Kind.HANDED, "To DC 4417.")
        evidence.add_custody(one.acting.practitioner, each, CustodyEntry.Kind.RECALLED, "By telephone.")
    assert evidence.custody_of(pack)[1]
    steps, row = CustodyEntry.objects.filter(pack=pack), EvidencePack.objects.filter(pk=pack.pk)
    if how == "rewritten":
        steps.filter(number=2).update(note="To nobody.")
        _reckoned_anew(pack)
    elif how == "cut":
        steps.filter(number=3).delete()
    elif how == "cut and counted":
        steps.filter(number=3).delete()
        row.update(custody_steps=2, custody_mac=steps.get(number=2).mac)
    elif how == "emptied":
        steps.delete()
    elif how == "another manifest":
        row.update(manifest_digest="a" * 64)
    else:
        steps.delete()
        CustodyEntry.objects.filter(pack=other).update(pack=pack)
        other.refresh_from_db()
        row.update(custody_steps=other.custody_steps, custody_mac=other.custody_mac)
    assert not evidence.custody_of(pack)[1]
    page = one.acting.client.get(f"{BASE}packs/{pack.pk}/").content.decode()
    assert "Broken" in page
    signed = one.acting.client.get(f"{BASE}packs/{pack.pk}/custody/").json()
    assert json.loads(base64.b64decode(signed["payload"]))["unbroken"] is False


def test_an_officers_name_cannot_steer_the_terminal_of_whoever_checks_a_pack(tmp_path: Path) -> None:
    one = Cooperating.begun("One")
    identity, recipient = wire.new_identity()
    for name in ("DC \x1b]0;x\x07", "DC \x9b2J", "DC \x7f", "DC \u202e1", "DC\u200b"):
        with pytest.raises(evidence.EvidenceError, match="control characters"):
            evidence.add_officer(one.acting.practitioner, name, "Example Police", "GB", recipient)
        with pytest.raises(evidence.EvidenceError, match="control characters"):
            evidence.add_officer(one.acting.practitioner, "DC 1", name, "GB", recipient)
    # A bank that lets them through is not to be trusted with a terminal either.
    officer = one.checked_officer(recipient)
    officer.name = "DC \x1b[2J\x9b1m\u202e\nFor nobody"
    made = evidence.make_pack(one.acting.practitioner, one.key, one.case_file, officer, one.allowed())
    pack = tmp_path / "pack.zip"
    pack.write_bytes(wire.open_bytes(identity, made.file))
    key = base64.b64encode(public_key()).decode()
    said = CliRunner().invoke(command, ["verify", str(pack), "--bank-key", key]).output
    assert "DC \\u{1b}[2J\\u{9b}1m\\u{202e}\\u{a}For nobody" in said
    assert all(line.isprintable() for line in said.splitlines())
    said = CliRunner().invoke(command, ["verify", str(pack), "--bank-key", key, "--json"]).output
    assert said.isascii()


def _proposed(member: Member) -> LegalDemand:
    today = timezone.now().date()
    new = demands.NewDemand(today, "Court", "GB", "none", "All", "case", None, LegalDemand.Notice.DUE)
    demand = demands.log_demand(member, new)
    demands.propose(member, demand, "part", "Advised.", "a" * 64)
    return demand


def test_nobody_releases_an_answer_alone() -> None:
    operator = Client(headers=OWN_PAGE)
    member = signed_in(operator, Role.OPERATOR)
    demand = _proposed(member)
    where = f"/staff/demands/{demand.pk}/"
    assert operator.post(f"{where}release/", {"do": "release"}).status_code == 403
    # Nor somebody who has become the second person since, nor whoever writes to the database.
    Member.objects.filter(pk=member.pk).update(role=Role.OVERSEER)
    with pytest.raises(demands.DemandError, match="You proposed"):
        demands.release(member, demand)
    with pytest.raises(IntegrityError), transaction.atomic():
        LegalDemand.objects.update(state="answered", released_by=member, released_at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        LegalDemand.objects.update(state="answered", released_by=make_member(Role.OVERSEER), given_digest="")
    stale, watcher = Client(headers=OWN_PAGE), Client(headers=OWN_PAGE)
    signed_in(stale, Role.OVERSEER, fresh=False, name="stale")
    signed_in(watcher, Role.WATCHER)
    assert "/again/" in stale.post(f"{where}release/", {"do": "release"})["Location"]
    assert watcher.get(where).status_code == 403
    demand.refresh_from_db()
    assert demand.state == "proposed"


def test_nobody_ends_a_ban_on_telling_the_person_alone() -> None:
    operator = Client(headers=OWN_PAGE)
    member = signed_in(operator, Role.OPERATOR)
    demand = _proposed(member)
    LegalDemand.objects.update(notice="forbidden")
    where, today = f"/staff/demands/{demand.pk}/", timezone.now().date()
    assert operator.post(f"{where}notice/", {"do": "ban", "day": str(today)}).status_code == 302
    consent = {"do": "ban", "day": str(today)}
    assert operator.post(f"{where}release/", consent).status_code == 403
    # Nor somebody who has become the second person since, nor whoever writes to the database.
    Member.objects.filter(pk=member.pk).update(role=Role.OVERSEER)
    with pytest.raises(demands.DemandError, match="You proposed"):
        demands.release_ban_end(member, demand, today)
    with pytest.raises(IntegrityError), transaction.atomic():
        LegalDemand.objects.update(forbidden_until=today, ban_released_by=member)
    demand.refresh_from_db()
    assert demand.forbidden_until is None
    stale = Client(headers=OWN_PAGE)
    signed_in(stale, Role.OVERSEER, fresh=False, name="stale")
    assert "/again/" in stale.post(f"{where}release/", consent)["Location"]


def test_a_ban_on_telling_the_person_holds_until_its_last_day_is_over_everywhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day = datetime.date(2026, 11, 26)
    demand = LegalDemand(notice=LegalDemand.Notice.FORBIDDEN, forbidden_until=day)
    for hour, told in ((11, False), (13, True)):
        now = datetime.datetime(2026, 11, 27, hour, tzinfo=datetime.UTC)
        monkeypatch.setattr(timezone, "now", lambda now=now: now)
        assert demands.may_tell(demand) is told
    # And what came this morning where the day begins first did not come in the future.
    assert demands.latest_day() == datetime.date(2026, 11, 28)


def test_small_numbers_of_demands_are_not_told_in_public() -> None:
    member = make_member(Role.OPERATOR)
    for _ in range(5):
        _proposed(member)
    # Whoever looks every day would see on which one a demand came.
    assert demands.public_years() == []
    LegalDemand.objects.update(received_on=datetime.date(timezone.now().year - 1, 12, 31))
    (year,) = demands.public_years()
    assert (year.total, year.waiting) == ("5", "5")
    demands.release(make_member(Role.OVERSEER), LegalDemand.objects.all()[0])
    (year,) = demands.public_years()
    assert (year.total, year.waiting, year.part) == ("at least 5", "fewer than 5", "fewer than 5")


def test_another_sites_page_refers_nobody() -> None:
    one, two = Cooperating.begun("One"), Cooperating.begun("Two")
    form = {"to": f"0.{two.party.number}", "do": "send", "agreed": "happened", "happened": "x", "words": "x"}
    evil = {"Sec-Fetch-Site": "cross-site"}
    assert one.acting.client.post(f"{BASE}{one.case_file.pk}/refer/", form, headers=evil).status_code == 403
    assert not Referral.objects.exists()


def test_a_locked_session_reads_no_referral() -> None:
    one, two = Cooperating.begun("One"), Cooperating.begun("Two")
    one.refers_to(two.party)
    from reclaim.bank.vault.sessions import COOKIE

    del two.acting.client.cookies[COOKIE]
    answer = two.acting.client.get(f"{BASE}received/{ReceivedReferral.objects.get().pk}/")
    assert answer.status_code == 302
    assert "unlock" in answer["Location"]
