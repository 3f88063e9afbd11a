"""NCMEC hash sharing v2: XML messages, as the ``threatexchange`` package's own client (1.2.17) sends and expects them.

docs/exchange.md tells the rules behind them. An *entry* has one identity at one member and carries fingerprints; an
entry that is gone is named as deleted, without any.
"""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.etree.ElementTree import Element, SubElement, tostring

from reclaim.protocol.xml import UnsafeXmlError, parse_xml

NAMESPACE = "https://hashsharing.ncmec.org/hashsharing/v2"
CONTENT_TYPE = "application/xml; charset=utf-8"
PAGE_SIZE = 1000
"""Entries on a page; a client cannot ask for fewer or more."""
LARGEST_FEEDBACK = 4096
"""Bytes of a feedback submission."""
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_TIME_TEXT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)
_REASONS = uuid.UUID("6b9f2c1e-5d0a-5f0e-9a34-0c8d1d6e7a10")


class Kind(StrEnum):
    """What an entry is about."""

    IMAGE = "image"
    VIDEO = "video"


class Fingerprint(StrEnum):
    """The fingerprints that both sides know here. A server may have others; they are passed over."""

    PDQ = "PDQ"
    MD5 = "MD5"


@dataclass(frozen=True)
class Member:
    """Who takes part."""

    id: int
    name: str


@dataclass(frozen=True)
class Vote:
    """A member's word on one fingerprint of an entry: right, or wrong for a reason."""

    member: Member
    fingerprint: Fingerprint
    reason: str | None = None
    """The name of the reason; ``None`` says that the fingerprint is right."""


@dataclass(frozen=True)
class Entry:
    """One entry, as it stands now."""

    id: str
    member: Member
    kind: Kind
    changed_at: int
    """Epoch seconds; 0 where it is not said."""
    deleted: bool = False
    classification: str | None = None
    fingerprints: dict[Fingerprint, str] = field(default_factory=dict)
    votes: Sequence[Vote] = ()


@dataclass(frozen=True)
class EntriesPage:
    """A page of entries. ``next`` is a path below the base address; empty on the last page."""

    entries: list[Entry]
    next: str
    unread: int = 0
    """Entries that could not be read."""


@dataclass(frozen=True)
class EntriesQuery:
    """What is asked for: everything that changed from one second to another (both inclusive), after a place."""

    start: int
    end: int
    after: int = 0

    @classmethod
    def read(cls, query: dict[str, str]) -> EntriesQuery:
        """From the query of an address. Raises ``ValueError`` with a sentence for the client."""
        try:
            start, end = read_time(query["from"]), read_time(query["to"])
        except KeyError:
            raise ValueError("Say from and to, as 2026-01-31T12:00:00Z.") from None
        after = query.get("start", "0")
        if not re.fullmatch(r"\d{1,18}", after, re.ASCII):
            raise ValueError("«start» is a whole number that this bank gave out.")
        return cls(start, end, int(after))

    def path(self, after: int, largest: int) -> str:
        """Where the next page is: after this place, of ``largest``."""
        query = {
            "from": write_time(self.start),
            "to": write_time(self.end),
            "start": after,
            "size": PAGE_SIZE,
            "max": largest,
        }
        return f"/v2/entries?{urlencode(query)}"


def write_time(second: int) -> str:
    """Epoch seconds as the wire has them."""
    return datetime.datetime.fromtimestamp(second, datetime.UTC).strftime(_TIME)


def read_time(text: str) -> int:
    """Epoch seconds. Raises ``ValueError`` with a sentence."""
    if _TIME_TEXT.fullmatch(text):
        try:
            moment = datetime.datetime.strptime(text[:19] + "Z", _TIME).replace(tzinfo=datetime.UTC)
        except ValueError:
            pass
        else:
            return int(moment.timestamp())
    raise ValueError("A time is written as 2026-01-31T12:00:00Z.")


def reason_id(reason: str) -> str:
    """The GUID of a reason for a negative word: the same at every bank of this software."""
    return str(uuid.uuid5(_REASONS, reason))


def _root(name: str) -> Element:
    return Element(name, {"xmlns": NAMESPACE})


def _written(root: Element) -> bytes:
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _add_member(parent: Element, member: Member) -> None:
    SubElement(parent, "member", {"id": str(member.id)}).text = _clean(member.name)


def _clean(text: str) -> str:
    """Without what XML cannot hold."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def status_message(member: Member) -> bytes:
    """Who the asking member is."""
    root = _root("status")
    _add_member(root, member)
    return _written(root)


def members_message(members: Iterable[Member]) -> bytes:
    """Everybody who takes part."""
    root = _root("members")
    for member in members:
        _add_member(root, member)
    return _written(root)


def reasons_message(fingerprint: Fingerprint, reasons: Iterable[str]) -> bytes:
    """For which reasons a fingerprint can be called wrong."""
    root = _root("feedbackReasons")
    available = SubElement(root, "availableFeedbackReasons", {"type": fingerprint})
    for reason in reasons:
        SubElement(available, "reason", {"guid": reason_id(reason), "name": reason})
    return _written(root)


def feedback_taken_message() -> bytes:
    """The answer to feedback that was taken."""
    return _written(_root("feedbackTaken"))


def entries_message(page: EntriesPage) -> bytes:
    """A page of entries."""
    root = _root("queryResult")
    for kind in Kind:
        entries = [entry for entry in page.entries if entry.kind is kind]
        if entries:
            latest = max(entry.changed_at for entry in entries)
            attributes = {"count": str(len(entries)), "maxTimestamp": write_time(latest)}
            group = SubElement(root, f"{kind}s", attributes)
            for entry in entries:
                _add_entry(group, entry)
    if page.next:
        SubElement(SubElement(root, "paging"), "next").text = page.next
    return _written(root)


def _add_entry(group: Element, entry: Entry) -> None:
    name = f"deleted{entry.kind.capitalize()}" if entry.deleted else str(entry.kind)
    element = SubElement(group, name)
    _add_member(element, entry.member)
    SubElement(element, "timestamp").text = write_time(entry.changed_at)
    SubElement(element, "id").text = entry.id
    if entry.deleted:
        return
    if entry.classification:
        SubElement(element, "classification").text = entry.classification
    fingerprints = SubElement(element, "fingerprints")
    for fingerprint, value in entry.fingerprints.items():
        SubElement(fingerprints, fingerprint.lower()).text = value
    if entry.votes:
        _add_votes(SubElement(element, "feedback"), entry.votes)


def _add_votes(parent: Element, votes: Sequence[Vote]) -> None:
    for fingerprint in Fingerprint:
        own = [vote for vote in votes if vote.fingerprint is fingerprint]
        right = [vote.member for vote in own if vote.reason is None]
        if right:
            element = SubElement(parent, "affirmativeFeedback", {"type": fingerprint})
            members = SubElement(element, "members")
            for member in right:
                _add_member(members, member)
        wrong = sorted({vote.reason for vote in own if vote.reason is not None})
        if wrong:
            reasons = SubElement(SubElement(parent, "negativeFeedback", {"type": fingerprint}), "reasons")
            for reason in wrong:
                # Its client reads pairs: a reason, and after it whose it is.
                SubElement(reasons, "reason", {"guid": reason_id(reason), "name": reason})
                members = SubElement(reasons, "members")
                for vote in own:
                    if vote.reason == reason:
                        _add_member(members, vote.member)


def feedback_message(reason_guid: str | None) -> bytes:
    """Feedback on a fingerprint, as a member sends it: right, or wrong for the reason of this GUID."""
    root = _root("feedbackSubmission")
    if reason_guid is None:
        SubElement(root, "affirmative")
    else:
        reasons = SubElement(SubElement(root, "negative"), "reasonIds")
        SubElement(reasons, "guid").text = reason_guid
    return _written(root)


def read_feedback(body: bytes) -> str | None:
    """The GUID of the reason of a negative word, ``None`` for a positive one.

    Raises ``ValueError`` with a sentence for the member.
    """
    if len(body) > LARGEST_FEEDBACK:
        raise ValueError(f"A feedback submission has at most {LARGEST_FEEDBACK} bytes.")
    root = parse_xml(body)
    words = list(root)
    if root.tag != "feedbackSubmission" or len(words) != 1 or words[0].tag not in ("affirmative", "negative"):
        raise ValueError("A feedbackSubmission has one word: affirmative, or negative.")
    if words[0].tag == "affirmative":
        return None
    guids = [guid.text or "" for guid in words[0].findall("reasonIds/guid")]
    if len(guids) != 1:
        raise ValueError("A negative word has one guid in reasonIds: ask for the reasons at feedback/<type>/reasons.")
    return guids[0]


def read_member(body: bytes) -> Member:
    """The member in a status. Raises ``ValueError``."""
    element = parse_xml(body).find("member")
    if element is None:
        raise ValueError("This is no status.")
    return _member_of(element)


def read_reasons(body: bytes) -> dict[str, str]:
    """The reasons for a negative word: name by GUID. Raises ``ValueError``."""
    found = parse_xml(body).findall("availableFeedbackReasons/reason")
    return {each.get("guid", "")[:100]: each.get("name", "")[:100] for each in found[:100]}


def read_entries(body: bytes) -> EntriesPage:
    """A page of entries. One that cannot be read is counted; what steers the fetch must be right.

    Raises ``ValueError`` with a sentence that quotes nothing.
    """
    root = parse_xml(body)
    entries, unread = [], 0
    for kind in Kind:
        for element in root.findall(f"{kind}s/*"):
            try:
                entries.append(_read_entry(element, kind))
            except ValueError:
                unread += 1
    following = root.findtext("paging/next") or ""
    if following and not _is_entries_path(following):
        raise ValueError("The next page is not at the same server's entries.")
    return EntriesPage(entries, following, unread)


def _is_entries_path(path: str) -> bool:
    parts = urlsplit(path)
    plain = len(path) <= 2000 and path.isascii() and path.isprintable() and " " not in path
    return (
        plain and not parts.netloc and not parts.scheme and parts.path == "/v2/entries" and bool(parse_qs(parts.query))
    )


def _member_of(element: Element) -> Member:
    number = element.get("id", "")
    if not re.fullmatch(r"\d{1,18}", number, re.ASCII):
        raise ValueError("A member has a number.")
    return Member(int(number), (element.text or "")[:200])


def _read_entry(element: Element, kind: Kind) -> Entry:
    name = element.tag.lower()
    deleted = name.startswith("deleted")
    member, identity = element.find("member"), element.findtext("id") or ""
    if name.removeprefix("deleted") != kind or member is None or not 0 < len(identity) <= 200:
        raise ValueError("This is no entry.")
    said = element.findtext("timestamp")
    known = {fingerprint.lower(): fingerprint for fingerprint in Fingerprint}
    found = {
        known[each.tag.lower()]: each.text.strip()
        for each in element.findall("fingerprints/*")
        if each.tag.lower() in known and each.text
    }
    return Entry(
        id=identity,
        member=_member_of(member),
        kind=kind,
        changed_at=read_time(said) if said else 0,
        deleted=deleted,
        classification=(element.findtext("classification") or "")[:100] or None,
        fingerprints={} if deleted else found,
    )


__all__ = [
    "CONTENT_TYPE",
    "EntriesPage",
    "EntriesQuery",
    "Entry",
    "Fingerprint",
    "Kind",
    "Member",
    "UnsafeXmlError",
    "Vote",
    "entries_message",
    "feedback_message",
    "feedback_taken_message",
    "members_message",
    "read_entries",
    "read_feedback",
    "read_member",
    "read_reasons",
    "read_time",
    "reason_id",
    "reasons_message",
    "status_message",
    "write_time",
]
