"""Evidence packs: what the person allowed, sealed to one officer, with a chain of custody."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from reclaim.bank.cases.consents import open_consents
from reclaim.bank.cases.models import CaseItem, CaseSignal
from reclaim.bank.casework.models import CaseFile
from reclaim.bank.casework.services import add_event
from reclaim.bank.cooperation.models import CustodyEntry, EvidencePack, Officer
from reclaim.bank.exchange.identity import bank_id, signed
from reclaim.bank.ledger.models import ORDINARY_TYPES
from reclaim.bank.organisations.models import Practitioner
from reclaim.bank.takedown.models import Link
from reclaim.bank.vault import services as vault
from reclaim.bank.vault.keys import Unlocked
from reclaim.protocol import evidence as wire
from reclaim.protocol.native_v2 import Envelope
from reclaim.protocol.referral import read_recipient, seal_bytes
from reclaim.sitekit import audit
from reclaim.sitekit.places import is_country
from reclaim.sitekit.secrets import mac

LONGEST_WORDS = 4000
LONGEST_NOTE = 300
_ZERO = "0" * 64


class EvidenceError(Exception):
    """This cannot be done so; the message says what to do."""


def _words(text: str, longest: int, what: str, *, needed: bool = True) -> str:
    text = " ".join(text.split()) if longest <= LONGEST_NOTE else text.replace("\r\n", "\n").strip()
    if (needed and not text) or len(text) > longest or "\x00" in text:
        raise EvidenceError(f"Write {what}, in at most {longest} characters.")
    # A longer text is read on a page or in a report; marks of direction come with what people write from right to left.
    # Joiners are not seen either, and several scripts write names with them.
    unwanted = ("Cc", "Cf", "Cs") if longest <= LONGEST_NOTE else ("Cc", "Cs")
    if any(unicodedata.category(each) in unwanted and each not in "\n\t\u200c\u200d" for each in text):
        raise EvidenceError(f"Write {what}, without control characters and marks that nobody sees.")
    return text


def add_officer(practitioner: Practitioner, name: str, agency: str, country: str, recipient: str) -> Officer:
    """Note an officer's public key. Nothing is sealed to it before a supervisor has checked it.

    Raises ``EvidenceError``.
    """
    if not is_country(country.strip().upper()):
        raise EvidenceError("A country is two letters of ISO 3166, such as GB.")
    try:
        key = read_recipient(recipient[:200])
    except ValueError as error:
        raise EvidenceError(str(error)) from error
    facts = {
        "name": _words(name, 120, "the officer's name or number"),
        "agency": _words(agency, 120, "the officer's authority"),
        "country": country.strip().upper(),
    }
    try:
        with transaction.atomic():
            officer = Officer.objects.create(
                organisation=practitioner.organisation, recipient=key, added_by=practitioner, **facts
            )
            audit.record(practitioner.actor, "officer.add", f"officer:{officer.pk}")
    except IntegrityError as error:
        raise EvidenceError("This key is noted already. Use that officer, or end it first.") from error
    return officer


def check_officer(practitioner: Practitioner, officer: Officer, how: str) -> None:
    """Say that a key is this officer's, and how that was made sure of. Raises ``EvidenceError``."""
    how = _words(how, LONGEST_NOTE, "how you made sure, such as a call to the authority's published number")
    with transaction.atomic():
        row = Officer.objects.select_for_update().get(pk=officer.pk)
        if row.added_by_id == practitioner.pk:
            raise EvidenceError("You noted this key yourself. Somebody else has to check it.")
        if row.ended_at is not None or row.checked_by_id is not None:
            raise EvidenceError("Somebody has checked or ended this key already.")
        row.checked_by, row.checked_at, row.checked_how = practitioner, timezone.now(), how
        row.save()
        audit.record(practitioner.actor, "officer.check", f"officer:{row.pk}")


def end_officer(practitioner: Practitioner, officer: Officer) -> None:
    """Nothing is sealed to this key any more."""
    with transaction.atomic():
        if Officer.objects.filter(pk=officer.pk, ended_at=None).update(ended_at=timezone.now()):
            audit.record(practitioner.actor, "officer.end", f"officer:{officer.pk}")


@dataclass(frozen=True)
class Allowed:
    """What the person allowed to be in a pack."""

    how: EvidencePack.How
    words: str
    links: Sequence[Link]
    signals: bool
    """Whether the fingerprints of the person's own case are in it."""
    statement: str
    pictures: Sequence[bytes]
    """Screenshots, as they were chosen: never decoded here, never stored."""


@dataclass(frozen=True)
class MadePack:
    """A pack that was just made, and its sealed file, which is kept nowhere else."""

    pack: EvidencePack
    file: bytes


def _checked_pictures(pictures: Sequence[bytes]) -> dict[str, tuple[str, bytes]]:
    """Screenshots under names of ours, whatever they were called."""
    if len(pictures) > wire.MOST_PICTURES or sum(map(len, pictures)) > wire.LARGEST_PICTURES:
        raise EvidenceError("Add at most 10 screenshots, of together at most 20 MB.")
    found = {}
    for number, content in enumerate(pictures, start=1):
        kind = wire.picture_kind(content)
        if kind is None or len(content) > wire.LARGEST_PICTURE:
            raise EvidenceError(f"Screenshot {number} is no PNG, JPEG or WebP of at most 5 MB. Save it as PNG.")
        found[f"screenshots/{number:02}.{kind[0]}"] = (kind[1], content)
    return found


def _signals(case_file: CaseFile) -> list[wire.PackSignal]:
    """Fingerprints of the person's own case, while they let the organisation see it."""
    if case_file.case_id is None or not open_consents(case_file.organisation).filter(case=case_file.case_id).exists():
        raise EvidenceError("The person's own case is not open to you, so its fingerprints cannot be added.")
    rows = CaseSignal.objects.filter(
        item__case=case_file.case_id,
        item__state=CaseItem.State.IN_PLACE,
        source__record__value__isnull=False,
        source__record__type__in=ORDINARY_TYPES,
    ).select_related("item", "source__record")
    return [
        wire.PackSignal(type=row.source.record.type, value=row.source.record.value, added_on=str(row.item.added_on))
        for row in rows[:10_000]
        if row.source.record is not None
    ]


def make_pack(
    practitioner: Practitioner, unlocked: Unlocked, case_file: CaseFile, officer: Officer, allowed: Allowed
) -> MadePack:
    """Make a pack of what the person allowed, sealed to a checked officer's key. The caller hands the file out.

    Raises ``EvidenceError``; what the vault raises.
    """
    # Here, since what writes PDFs takes half a second to load, and a server has to be there sooner.
    from reclaim.bank.cooperation.report import report

    words = _words(allowed.words, LONGEST_WORDS, "what the person allowed, in their words")
    statement = _words(allowed.statement, LONGEST_WORDS, "a shorter statement", needed=False)
    if officer.organisation_id != case_file.organisation_id or officer.ended_at or officer.checked_by_id is None:
        raise EvidenceError("This officer's key was not checked by a second person. Nothing was sealed to it.")
    pictures = _checked_pictures(allowed.pictures)
    signals = _signals(case_file) if allowed.signals else []
    if not (allowed.links or signals or pictures or statement):
        raise EvidenceError("Choose at least one link, a screenshot or the fingerprints, or write a statement.")
    if len(allowed.links) > wire.MOST_LINKS:
        raise EvidenceError(f"Choose at most {wire.MOST_LINKS} links; make another pack for the rest.")
    key = vault.case_key(unlocked, case_file.pk)
    number, now = uuid.uuid4(), timezone.now().replace(microsecond=0)
    for_officer = f"{officer.name}, {officer.agency}, {officer.country}"
    first = _step(1, now, CustodyEntry.Kind.MADE, f"{practitioner.name}, {practitioner.organisation.name}", "", _ZERO)
    draft = wire.Manifest(
        pack=str(number),
        made_at=now,
        bank=settings.NAME,
        bank_id=str(bank_id()),
        organisation=practitioner.organisation.name,
        made_by=practitioner.name,
        designation=case_file.designation,
        for_officer=for_officer,
        sealed_to=officer.recipient,
        allowed_how=allowed.how.value,
        allowed_words=words,
        statement=statement,
        links=[_link(link) for link in allowed.links],
        signals=signals,
        files=[wire.described(name, kind, content) for name, (kind, content) in pictures.items()],
        custody=[_told(first)],
    )
    files = {wire.REPORT: report(draft), **{name: content for name, (_, content) in pictures.items()}}
    listed = [wire.described(wire.REPORT, "application/pdf", files[wire.REPORT]), *draft.files]
    manifest = wire.write_manifest(draft.model_copy(update={"files": listed}))
    file = seal_bytes([officer.recipient], wire.write_pack(manifest, signed(manifest, wire.EVIDENCE_TYPE), files))
    with transaction.atomic():
        pack = EvidencePack(
            pk=number,
            case_file=case_file,
            officer=officer,
            made_by=practitioner,
            allowed_how=allowed.how,
            sealed_words=key.seal(f"evidence words {number}", words),
            made_at=now,
            links=len(draft.links),
            pictures=len(pictures),
            manifest_digest=hashlib.sha256(manifest).hexdigest(),
            file_digest=hashlib.sha256(file).hexdigest(),
            file_bytes=len(file),
        )
        _keep(pack, first, _start_mac(pack))
        add_event(case_file, practitioner, "evidence.made", agency=officer.agency)
        audit.record(practitioner.actor, "evidence.make", f"evidence:{number}")
    return MadePack(pack, file)


def _link(link: Link) -> wire.PackLink:
    return wire.PackLink(
        url=link.url[:4000],
        host=link.host,
        state=link.state,
        found_on=link.found_on,
        first_down_on=link.first_down_on,
        checked_at=link.checked_at,
    )


def _step(
    number: int, at: datetime.datetime, kind: CustodyEntry.Kind, by: str, note: str, previous: str
) -> CustodyEntry:
    entry = CustodyEntry(number=number, at=at, kind=kind, by=by[:200], note=note, previous=previous)
    written = _told(entry, digest=_ZERO).model_dump(mode="json")
    entry.digest = wire.custody_digest(number, written["at"], written["kind"], written["by"], note, previous)
    return entry


# Digests alone can be reckoned anew by whoever writes to the database, so what is kept has MACs as well. What is signed
# and handed out has the digests: nobody else can check a MAC.


def _start_mac(pack: EvidencePack) -> str:
    said = {"pack": str(pack.pk), "manifest": pack.manifest_digest, "file": pack.file_digest}
    return mac("custody-start", wire.canonical(said)).hex()


def _step_mac(entry: CustodyEntry, previous_mac: str) -> str:
    said = {"step": _told(entry).model_dump(mode="json"), "previous": previous_mac}
    return mac("custody-step", wire.canonical(said)).hex()


def _head_mac(pack: EvidencePack, steps: int, last_mac: str) -> str:
    said = {"pack": str(pack.pk), "steps": steps, "last": last_mac}
    return mac("custody-head", wire.canonical(said)).hex()


def _keep(pack: EvidencePack, entry: CustodyEntry, previous_mac: str) -> None:
    """Add a step, and what stands on the pack of it. The caller is in a transaction."""
    entry.mac = _step_mac(entry, previous_mac)
    pack.custody_steps, pack.custody_mac = entry.number, _head_mac(pack, entry.number, entry.mac)
    pack.save()
    entry.pack = pack
    entry.save(force_insert=True)


def _holds(pack: EvidencePack, entries: Sequence[CustodyEntry]) -> bool:
    if not entries or not wire.custody_holds([_told(entry) for entry in entries]):
        return False
    previous = _start_mac(pack)
    for entry in entries:
        if not hmac.compare_digest(entry.mac, _step_mac(entry, previous)):
            return False
        previous = entry.mac
    steps = len(entries)
    return pack.custody_steps == steps and hmac.compare_digest(pack.custody_mac, _head_mac(pack, steps, previous))


def _told(entry: CustodyEntry, digest: str = "") -> wire.Custody:
    return wire.Custody(
        number=entry.number,
        at=entry.at,
        kind=CustodyEntry.Kind(entry.kind).value,
        by=entry.by,
        note=entry.note,
        previous=entry.previous,
        digest=digest or entry.digest,
    )


def add_custody(practitioner: Practitioner, pack: EvidencePack, kind: CustodyEntry.Kind, note: str) -> CustodyEntry:
    """Add a step to the chain of custody: to whom it was handed and how, or what was said of it.

    Nothing is added to a chain that is broken: the new step would vouch for it. Raises ``EvidenceError``.
    """
    if kind == CustodyEntry.Kind.MADE:
        raise EvidenceError("Choose what happened to the pack after it was made.")
    note = _words(note, LONGEST_NOTE, "to whom, how and where, in one sentence")
    with transaction.atomic():
        # Locked, so that of two steps at once one comes after the other.
        row = EvidencePack.objects.select_for_update().get(pk=pack.pk)
        entries = list(row.custody.all())
        if not _holds(row, entries):
            raise EvidenceError(
                "This chain of custody was changed outside the site, so nothing is added to it. Tell the operator."
            )
        last = entries[-1]
        by = f"{practitioner.name}, {practitioner.organisation.name}"
        entry = _step(last.number + 1, timezone.now().replace(microsecond=0), kind, by, note, last.digest)
        _keep(row, entry, last.mac)
        audit.record(practitioner.actor, "evidence.custody", f"evidence:{pack.pk}")
    return entry


def custody_of(pack: EvidencePack) -> tuple[list[wire.Custody], bool]:
    """The chain of custody, and whether it is whole: each step, the last of them, and the pack that it is of."""
    # One question, so that a step that is added meanwhile is on the pack as well or on neither.
    entries = list(CustodyEntry.objects.filter(pack=pack.pk).select_related("pack"))
    return [_told(entry) for entry in entries], bool(entries) and _holds(entries[0].pack, entries)


def signed_custody(pack: EvidencePack) -> Envelope:
    """The chain of custody as it stands now, signed by the bank, for whoever has the pack. It says
    whether the chain is unbroken."""
    steps, holds = custody_of(pack)
    said = {
        "pack": str(pack.pk),
        "manifest": pack.manifest_digest,
        "unbroken": holds,
        "custody": [step.model_dump(mode="json") for step in steps],
    }
    return signed(wire.canonical(said), wire.CUSTODY_TYPE)
