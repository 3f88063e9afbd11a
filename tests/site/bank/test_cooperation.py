"""Referrals, evidence, legal demands and plans, as those who work with them see them."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import re
import uuid
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from reclaim.bank.cases.consents import give_consent, open_case, revoke_consent
from reclaim.bank.casework.models import CaseFile
from reclaim.bank.casework.services import case_file_of_consent, erase
from reclaim.bank.cooperation import carry, demands, evidence, plans, queries, referrals
from reclaim.bank.cooperation.letters import preservation_letter
from reclaim.bank.cooperation.models import (
    CheckIn,
    EvidencePack,
    LegalDemand,
    OutgoingMessage,
    ReceivedReferral,
    Referral,
    ReferralConsent,
)
from reclaim.bank.exchange.identity import public_key
from reclaim.bank.law.queries import laws_of
from reclaim.bank.law.services import sync_shipped
from reclaim.bank.takedown.services import add_links
from reclaim.bank.vault.keys import is_envelope
from reclaim.cli.evidence import command
from reclaim.protocol import evidence as pack_wire
from reclaim.protocol import referral as wire
from reclaim.protocol.referral import Kind, Part
from reclaim.sitekit.models import AuditEvent
from reclaim.sitekit.permissions import Role
from tests.cooperating import PNG, Cooperating, OtherBank
from tests.members import OWN_PAGE, signed_in
from tests.personas import a_case, pdq_value
from tests.site.bank.test_columns import columns, inventory

pytestmark = [pytest.mark.django_db, pytest.mark.urls("reclaim.bank.urls")]

BASE = "/helpline/cooperation/"


def test_a_referral_within_the_bank_is_previewed_sent_accepted_and_returned_on_the_pages() -> None:
    one, two = Cooperating.begun("One"), Cooperating.begun("Two")
    address = f"{BASE}{one.case_file.pk}/refer/"
    form = {
        "to": f"0.{two.party.number}",
        "agreed": ["happened", "contact"],
        "how": "phone",
        "words": "Tell them, not my name.",
        "happened": "He threatens to send it.",
        "contact": "By text after six.",
    }
    page = one.acting.client.post(address, {**form, "do": "preview"})
    text = page.content.decode()
    assert "This is all they will see" in text
    assert "He threatens to send it." in text
    # Not without the preview of what is told, and of whose key it is sealed to.
    assert one.acting.client.post(address, {**form, "do": "send"}).status_code == 422
    assert not Referral.objects.exists()
    number = re.findall(r'name="number" value="([^"]+)"', text)[0]
    send = {**form, "do": "send", "key": two.party.recipient, "number": number}
    sent = one.acting.client.post(address, send)
    # Pressed twice, it is sent once.
    assert one.acting.client.post(address, send)["Location"] == sent["Location"]
    referral = Referral.objects.get()
    assert sent["Location"] == f"{BASE}sent/{referral.pk}/"
    assert b"He threatens" not in bytes(referral.sealed_copy or b"")

    received = ReceivedReferral.objects.get()
    where = f"{BASE}received/{received.pk}/"
    assert "1 referral waits for you" in two.acting.client.get("/helpline/").content.decode()
    assert "He threatens to send it." in two.acting.client.get(where).content.decode()
    accepted = two.acting.client.post(where, {"do": "accept"})
    received.refresh_from_db()
    assert received.case_file is not None
    assert accepted["Location"] == f"{BASE}{received.case_file_id}/"
    assert received.case_file.channel == CaseFile.Channel.REFERRAL
    assert "Accepted" in one.acting.client.get(sent["Location"]).content.decode()
    two.acting.client.post(where, {"do": "return", "words": "All of it is gone."})
    page = one.acting.client.get(sent["Location"]).content.decode()
    assert "Returned" in page
    assert "All of it is gone." in page
    received.refresh_from_db()
    assert received.sealed == ""


def test_a_declined_referral_says_why_and_leaves_nothing_behind() -> None:
    one, two = Cooperating.begun("One"), Cooperating.begun("Two")
    referral = one.refers_to(two.party)
    received = ReceivedReferral.objects.get()
    referrals.decline(two.acting.practitioner, two.key, received, "We help in Spanish alone.")
    referral.refresh_from_db()
    received.refresh_from_db()
    assert (referral.state, received.state, received.sealed) == ("declined", "declined", "")
    assert referrals.reply_to(one.key, referral) == "We help in Spanish alone."


def test_withdrawn_consent_ends_a_referral_and_the_receiver_erases_and_says_so() -> None:
    one, two = Cooperating.begun("One"), Cooperating.begun("Two")
    waiting, accepted = one.refers_to(two.party), one.refers_to(two.party)
    received = {row.name: row for row in ReceivedReferral.objects.all()}
    opened = referrals.accept(two.acting.practitioner, two.key, received[accepted.pk])
    for referral in (waiting, accepted):
        one.acting.client.post(f"{BASE}sent/{referral.pk}/")
        referral.refresh_from_db()
    assert (waiting.state, accepted.state) == ("erased", "withdrawn")
    row = ReceivedReferral.objects.get(name=accepted.pk)
    assert (row.state, row.sealed) == ("ended", "")
    page = two.acting.client.get(f"{BASE}received/{row.pk}/").content.decode()
    assert "the case file" in page
    two.acting.client.post(f"{BASE}received/{row.pk}/", {"do": "erase"})
    accepted.refresh_from_db()
    assert accepted.state == "erased"
    assert not CaseFile.objects.filter(pk=opened.pk).exists()


def test_consent_by_code_ends_with_the_consent_on_the_case_page() -> None:
    one, two = Cooperating.begun("One"), Cooperating.begun("Two")
    case = a_case(1).case
    given = give_consent(case, one.acting.organisation)
    consent = referrals.Consenting(
        frozenset({Part.WANTS}), ReferralConsent.How.CODE, "Yes.", code=f"{given.code[:5]}-{given.code[5:]}"
    )
    referral = one.refers_to(two.party, Part.WANTS, consent=consent)
    assert carry.end_withdrawn() == 0
    revoke_consent(case, case.consents.get().pk)
    assert carry.end_withdrawn() == 1
    referral.refresh_from_db()
    assert referral.state == "erased"
    assert ReceivedReferral.objects.get().sealed == ""


def test_erasing_a_case_file_ends_what_was_told_of_it() -> None:
    one, two = Cooperating.begun("One"), Cooperating.begun("Two")
    referral, declined = one.refers_to(two.party), one.refers_to(two.party)
    referrals.decline(
        two.acting.practitioner, two.key, ReceivedReferral.objects.get(name=declined.pk), "She called us before."
    )
    officer = one.checked_officer(wire.new_identity()[1])
    pack = evidence.make_pack(one.acting.practitioner, one.key, one.case_file, officer, one.allowed()).pack
    erase(one.case_file, one.acting.practitioner.actor)
    carry.end_withdrawn()
    for row in (referral, declined):
        row.refresh_from_db()
        assert (row.state, row.case_file, row.sealed_reply, row.sealed_copy) == ("erased", None, "", None)
    assert {row.sealed for row in ReceivedReferral.objects.all()} == {""}
    assert not AuditEvent.objects.filter(target__contains=str(pack.pk)).exists()
    assert AuditEvent.objects.filter(target="evidence:erased").exists()


def test_what_was_told_goes_with_the_case_file_that_was_opened_for_it() -> None:
    one, two = Cooperating.begun("One"), Cooperating.begun("Two")
    referral = one.refers_to(two.party)
    opened = referrals.accept(two.acting.practitioner, two.key, ReceivedReferral.objects.get())
    erase(opened, two.acting.practitioner.actor)
    received = ReceivedReferral.objects.get()
    assert (received.state, received.sealed) == ("erased", "")
    # Asked later, it says that nothing is left.
    assert referrals.withdraw(one.acting.practitioner, referral)
    referral.refresh_from_db()
    assert referral.state == "erased"


def test_a_referral_to_another_bank_waits_signed_and_sealed_and_is_answered() -> None:
    one, other = Cooperating.begun("One"), OtherBank().listed()
    referral = one.refers_to(other.party, told={Part.HAPPENED: "only for them"})
    message = OutgoingMessage.objects.get()
    from reclaim.bank.peers.identity import own_public_key

    envelope = wire.read_envelope(bytes(message.body), own_public_key())
    assert envelope is not None
    assert b"only for them" not in bytes(message.body)
    content = wire.open_sealed(other.identity, envelope.sealed, wire.Content)
    assert content.told == {Part.HAPPENED: "only for them"}
    assert other.answers(one, referral.pk, Kind.ACCEPTED).status_code == 204
    assert other.answers(one, referral.pk, Kind.RETURNED, "Done.").status_code == 204
    referral.refresh_from_db()
    assert referral.state == "returned"
    assert referrals.reply_to(one.key, referral) == "Done."


def test_a_withdrawal_of_what_never_left_sends_nothing() -> None:
    one, other = Cooperating.begun("One"), OtherBank().listed()
    referral = one.refers_to(other.party)
    assert referrals.withdraw(one.acting.practitioner, referral)
    assert not referrals.withdraw(one.acting.practitioner, referral)
    referral.refresh_from_db()
    assert referral.state == "erased"
    assert not OutgoingMessage.objects.exists()


def test_an_organisation_of_another_bank_that_comes_with_a_new_key_is_marked_so() -> None:
    other = OtherBank().listed()
    assert other.party.new_key_at is None
    carry.take_list(other.acting.peer, other.list(recipient=wire.new_identity()[1]))
    assert other.party.new_key_at is not None


def test_a_message_that_cannot_be_delivered_is_tried_again_and_ends_with_a_sentence() -> None:
    one, other = Cooperating.begun("One"), OtherBank().listed()
    other.acting.peer.url = "http://127.0.0.1:9"
    other.acting.peer.save()
    referral = one.refers_to(other.party)
    import time

    assert carry.deliver(time.monotonic() + 5) == 1
    message = OutgoingMessage.objects.get()
    assert message.tries == 1
    assert message.next_try_at > timezone.now()
    OutgoingMessage.objects.update(next_try_at=timezone.now(), made_at=timezone.now() - datetime.timedelta(days=15))
    assert carry.deliver(time.monotonic() + 5) == 0
    referral.refresh_from_db()
    assert referral.state == "failed"
    assert "two weeks" in referral.fault
    # It may have arrived: an answer still counts, and so does the person's word.
    assert other.answers(one, referral.pk, Kind.ACCEPTED).status_code == 204
    referral.refresh_from_db()
    assert (referral.state, referral.fault) == ("accepted", "")
    Referral.objects.update(state=Referral.State.FAILED)
    assert referrals.withdraw(one.acting.practitioner, referral)
    assert [each.kind for each in OutgoingMessage.objects.all()] == ["withdrawal"]


def test_an_evidence_pack_is_made_on_the_page_and_checked_by_the_officer_alone() -> None:
    one = Cooperating.begun("One")
    identity, recipient = wire.new_identity()
    officer = one.checked_officer(recipient)
    add_links(one.case_file, one.acting.practitioner, "https://site.example/a\nhttps://site.example/b")
    address = f"{BASE}{one.case_file.pk}/evidence/"
    page = one.acting.client.get(address).content.decode()
    assert "cover the pictures first" in page
    links = re.findall(r'name="link" value="([^"]+)"', page)
    form = {
        "officer": officer.pk,
        "how": "phone",
        "words": "أوافق: the links, and this message.",
        "link": links[:1],
        "statement": "He wrote at 21:00. 中文",
        "screenshot": SimpleUploadedFile("holiday with her name.png", PNG, "text/html"),
    }
    made = one.acting.client.post(address, form)
    assert made["Content-Type"] == "application/octet-stream"
    opened = wire.open_bytes(identity, made.content)
    found = pack_wire.verify(opened, public_key())
    assert b"holiday" not in opened
    manifest = found.manifest
    assert len(manifest.links) == 1
    assert [file.name for file in manifest.files] == ["report.pdf", "screenshots/01.png"]
    pack = EvidencePack.objects.get()
    assert pack.file_digest == hashlib.sha256(made.content).hexdigest()
    assert pack.manifest_digest == found.digest

    where = f"{BASE}packs/{pack.pk}/"
    one.acting.client.post(where, {"kind": "handed over", "note": "On a stick, at the station."})
    page = one.acting.client.get(where).content.decode()
    assert "Unbroken" in page
    assert "On a stick" in page
    custody = one.acting.client.get(f"{where}custody/").json()
    assert custody["payloadType"] == pack_wire.CUSTODY_TYPE


def test_fingerprints_are_in_a_pack_only_while_the_person_lets_them_be_seen() -> None:
    one = Cooperating.begun("One")
    identity, recipient = wire.new_identity()
    officer, case = one.checked_officer(recipient), a_case(7).case
    allowed = replace(one.allowed(), signals=True)
    make = partial(evidence.make_pack, one.acting.practitioner, one.key, one.case_file, officer, allowed)
    with pytest.raises(evidence.EvidenceError, match="not open to you"):
        make()
    given = give_consent(case, one.acting.organisation)
    consent = open_case(one.acting.practitioner, given.code)
    assert consent is not None
    one.case_file = case_file_of_consent(one.acting.practitioner, consent, into=one.case_file)
    made = evidence.make_pack(one.acting.practitioner, one.key, one.case_file, officer, allowed)
    manifest = pack_wire.verify(wire.open_bytes(identity, made.file), public_key()).manifest
    assert [(signal.type, signal.value) for signal in manifest.signals] == [("pdq", pdq_value(7))]
    revoke_consent(case, consent.pk)
    with pytest.raises(evidence.EvidenceError, match="not open to you"):
        make()


def test_an_officer_checks_a_pack_on_the_command_line(tmp_path: Path) -> None:
    one = Cooperating.begun("One")
    identity, recipient = wire.new_identity()
    officer = one.checked_officer(recipient)
    made = evidence.make_pack(one.acting.practitioner, one.key, one.case_file, officer, one.allowed(PNG))
    pack, secret = tmp_path / "pack.age", tmp_path / "key.txt"
    pack.write_bytes(made.file)
    secret.write_text(f"# created: today\n{identity}\n")
    key = base64.b64encode(public_key()).decode()

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(command, ["verify", str(pack), "--bank-key", key, *arguments])
        return result.exit_code, result.output

    code, said = run("--identity", str(secret))
    assert code == 0
    assert "It holds" in said
    assert "Custody   1 steps, unbroken" in said
    code, said = run("--identity", str(secret), "--json")
    assert json.loads(said)["statement"] == "He threatens me."
    assert run() == (40, "This is no evidence pack, or it was damaged. If it ends in .age, open it first.\n")
    for wrong in (wire.new_identity()[0].encode(), b"\xe8\x00" * 100, b""):
        secret.write_bytes(wrong)
        assert run("--identity", str(secret)) == (
            40,
            "This key does not open it, or it was damaged on the way. Ask for it again.\n",
        )


def test_a_letter_asks_to_preserve_names_the_law_and_says_what_nobody_has_checked() -> None:
    one = Cooperating.begun("One")
    sync_shipped()
    letter = preservation_letter(
        one.acting.organisation,
        "Example Hosting",
        ["https://site.example/a"],
        90,
        laws_of("GB"),
        datetime.date(2026, 11, 26),
    )
    assert "https://site.example/a" in letter.body
    assert "24 February 2027" in letter.body
    assert "Sexual Offences Act" in letter.body
    assert "Article 25" in letter.body
    assert "Article 42" in letter.body
    assert "not checked against the official text" in letter.body
    add_links(one.case_file, one.acting.practitioner, "https://site.example/a")
    address = f"{BASE}{one.case_file.pk}/letter/"
    link = re.findall(r'name="link" value="([^"]+)"', one.acting.client.get(address).content.decode())
    form = {"to": "Example Hosting", "days": "30", "country": "gb", "link": link}
    assert "Request to preserve data" in one.acting.client.post(address, {**form, "do": "read"}).content.decode()
    file = one.acting.client.post(address, {**form, "do": "file"})
    assert file["Content-Disposition"].startswith("attachment")
    assert one.acting.client.post(address, {**form, "days": "9"}).status_code == 422


def test_a_plan_has_steps_and_check_ins_until_the_person_ends_it() -> None:
    one = Cooperating.begun("One")
    address = f"{BASE}{one.case_file.pk}/plan/"
    assert one.acting.client.post(address, {"step": ["accounts", "sleep"]}).status_code == 302
    today = queries.day_of(one.acting.practitioner)
    change = f"{address}change/"
    sent = {"do": "agree", "due_on": str(today), "channel": "Signal, after six; say «the library» to others."}
    assert one.acting.client.post(change, sent).status_code == 302
    check_in = CheckIn.objects.get()
    assert b"library" not in bytes(check_in.sealed_channel)
    page = one.acting.client.get(address).content.decode()
    assert "say «the library» to others" in page
    assert [each.pk for each in queries.due_check_ins(one.acting.practitioner)] == [check_in.pk]
    assert one.case_file.designation in one.acting.client.get("/helpline/").content.decode()
    colleague, _ = one.colleague()
    assert not queries.due_check_ins(colleague).exists()
    one.acting.client.post(change, {"do": "step", "step": "sleep", "state": "done"})
    one.acting.client.post(change, {"do": "done", "check_in": check_in.pk})
    assert one.acting.client.post(change, {"do": "done", "check_in": check_in.pk}).status_code == 422
    plans.agree_check_in(one.acting.practitioner, one.key, one.case_file, today, "again")
    one.acting.client.post(change, {"do": "end"})
    assert not queries.due_check_ins(one.acting.practitioner).exists()
    assert [each.state for each in CheckIn.objects.all()] == ["done"]


def test_a_check_in_is_due_when_its_day_begins_where_the_organisation_is(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Cooperating.begun("One")
    for country, hour, day in (("NZ", 20, 27), ("US", 2, 25), ("GB", 12, 26)):
        one.acting.practitioner.organisation.country = country
        now = datetime.datetime(2026, 11, 26, hour, tzinfo=datetime.UTC)
        monkeypatch.setattr(timezone, "now", lambda now=now: now)
        assert queries.day_of(one.acting.practitioner) == datetime.date(2026, 11, day)


def test_a_demand_is_logged_proposed_and_released_by_two_and_counted_in_public() -> None:
    operator, overseer = Client(headers=OWN_PAGE), Client(headers=OWN_PAGE)
    signed_in(operator, Role.OPERATOR)
    signed_in(overseer, Role.OVERSEER)
    form = {
        "form": str(uuid.uuid4()),
        "received_on": str(timezone.now().date() - datetime.timedelta(days=3)),
        "sender": "Example Court",
        "country": "gb",
        "basis": "none named",
        "scope": "picture",
        "asked": "All pictures of a person.",
        "notice": "forbidden",
        "forbidden_until": "2027-01-01",
    }
    where = operator.post("/staff/demands/log/", form)["Location"]
    # Pressed twice, it is logged once; changed and sent again, it is not lost but asked about, under another name.
    assert operator.post("/staff/demands/log/", form)["Location"] == where
    again = operator.post("/staff/demands/log/", {**form, "sender": "Another Court"})
    assert again.status_code == 422
    assert "press «Log it» again" in again.content.decode()
    assert form["form"] not in again.content.decode()
    assert operator.post("/staff/demands/log/", {**form, "form": "x"}).status_code == 422
    demand = LegalDemand.objects.get()
    assert "pictures" not in demand.sealed_asked
    assert (
        operator.post(f"{where}propose/", {"answer": "part", "reasons": "Advised.", "digest": "x"}).status_code == 422
    )
    assert operator.post(f"{where}propose/", {"answer": "nothing", "reasons": "Advised."}).status_code == 302
    assert operator.post(f"{where}notice/", {"day": str(timezone.now().date())}).status_code == 422
    day = str(timezone.now().date() - datetime.timedelta(days=2))
    for consents in (False, True):
        assert operator.post(f"{where}notice/", {"do": "ban", "day": day}).status_code == 302
        demand.refresh_from_db()
        assert not demands.may_tell(demand)
        assert "I consent to this day" in overseer.get(where).content.decode()
        # Consent is to the day that was read.
        assert overseer.post(f"{where}release/", {"do": "ban", "day": "2027-05-19"}).status_code == 422
        answer = overseer.post(f"{where}release/", {"do": "ban" if consents else "ban-back", "day": day})
        assert answer.status_code == 302
        demand.refresh_from_db()
        assert demands.may_tell(demand) is consents
    assert "I consent" in overseer.get(where).content.decode()
    assert overseer.post(f"{where}release/", {"do": "release"}).status_code == 302
    demand.refresh_from_db()
    assert (demand.state, demand.answer) == ("answered", "nothing")
    page = Client().get("/demands/").content.decode()
    assert "This bank holds no pictures" in page
    assert "fewer than 5" not in page
    LegalDemand.objects.update(received_on=datetime.date(timezone.now().year - 1, 12, 31))
    assert "fewer than 5" in Client().get("/demands/").content.decode()


@pytest.mark.parametrize(
    ("page", "most"),
    [("", 12), ("case", 15), ("refer", 14), ("plan", 12), ("evidence", 13), ("letter", 12)],
)
def test_pages_ask_the_database_no_more_often_however_much_there_is(page: str, most: int) -> None:
    one, two = Cooperating.begun("One"), Cooperating.begun("Two")
    for _ in range(3):
        one.refers_to(two.party)
    add_links(one.case_file, one.acting.practitioner, "\n".join(f"https://site.example/{n}" for n in range(20)))
    path = {"": BASE, "case": f"{BASE}{one.case_file.pk}/"}.get(page, f"{BASE}{one.case_file.pk}/{page}/")
    one.acting.client.get(path)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert one.acting.client.get(path).status_code == 200
    assert len(asked) <= most, [each["sql"][:90] for each in asked]


def test_a_referral_that_nobody_knows_is_no_page() -> None:
    one = Cooperating.begun("One")
    assert one.acting.client.get(f"{BASE}sent/{uuid.uuid4()}/").status_code == 404
    assert one.acting.client.get(f"{BASE}received/{10**30}/").status_code == 404
    assert one.acting.client.get(f"{BASE}packs/{uuid.uuid4()}/").status_code == 404


def test_what_is_said_to_be_sealed_here_is_an_envelope() -> None:
    one, two = Cooperating.begun("One"), Cooperating.begun("Two")
    one.refers_to(two.party, told={Part.HAPPENED: "only for them"})
    officer = one.checked_officer(wire.new_identity()[1])
    evidence.make_pack(one.acting.practitioner, one.key, one.case_file, officer, one.allowed())
    plans.choose_steps(one.acting.practitioner, one.case_file, ["sleep"])
    today = queries.day_of(one.acting.practitioner)
    plans.agree_check_in(one.acting.practitioner, one.key, one.case_file, today, "only for them")
    said, seen = inventory(), set()
    for column, field in columns():
        if column[0] == "cooperation":
            for value in field.model._default_manager.values_list(field.name, flat=True):
                assert "only for them" not in str(bytes(value) if isinstance(value, memoryview) else value), column
                if said[column][0] == "sealed":
                    assert is_envelope(bytes(value)), column
                    seen.add(column)
    assert seen == {column for column, (kind, _) in said.items() if kind == "sealed" and column[0] == "cooperation"}
