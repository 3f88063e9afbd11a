"""What comes back by mail: read within limits, filed on the request that it answers, or kept a while for a supervisor.

Anybody can write to the address. What is not answered under a token (``addresses``) is nobody's reply; attachments are
never kept; and a flood fills no more than ``MOST_REPLIES`` of a request and ``MOST_UNMATCHED`` in all.
"""

from __future__ import annotations

import datetime
import email.errors
import email.header
import email.policy
import enum
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser

from django.db import IntegrityError, transaction
from django.utils import timezone

from reclaim.bank.takedown import timeline
from reclaim.bank.takedown.addresses import Place, requests_in
from reclaim.bank.takedown.charsets import decode
from reclaim.bank.takedown.models import Link, Reply, TakedownRequest
from reclaim.bank.takedown.sealing import Use, seal
from reclaim.bank.takedown.services import note_answer
from reclaim.sitekit import audit
from reclaim.sitekit.secrets import mac

LARGEST_MESSAGE = 2 * 1024 * 1024
MOST_PARTS = 50
MOST_LINES_OF_BOUNDARIES = 1000
LONGEST_TEXT = 20_000
LONGEST_HEADER = 500
MOST_ATTACHMENTS = 20
MOST_REPLIES = 100
"""Of one request."""
MOST_UNMATCHED = 500
UNMATCHED_FOR = datetime.timedelta(days=14)
_TO = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
_BOUNCED = re.compile(r"mailer-daemon|postmaster", re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class Filed(enum.Enum):
    """What became of a message."""

    ON_REQUEST = "on a request"
    UNMATCHED = "kept for a supervisor"
    KNOWN = "already here"
    TOO_LARGE = "too large"
    UNREADABLE = "not readable"
    FULL = "one too many"


@dataclass(frozen=True)
class Letter:
    """A message, as far as it is kept."""

    to: str
    """The headers that tell where it went, in one."""
    references: str
    sender: str
    subject: str
    text: str
    cut: bool
    attachments: list[str]
    automatic: bool
    bounced: bool


def read(raw: bytes) -> Letter:
    """Read a message of at most ``LARGEST_MESSAGE`` bytes. One whose parts nest too deeply is read by its headers."""
    # The old policy parses no header that nobody asks for: those of the new one cost long for what an attacker writes.
    headers = BytesHeaderParser(policy=email.policy.compat32).parsebytes(raw)
    message: Message = headers
    low = raw.lower()
    # The parser calls itself for each level, and goes through the boundaries of all levels for each line.
    nested = low.count(b"multipart/") + low.count(b"message/")
    if nested <= MOST_PARTS and raw.count(b"\n--") <= MOST_LINES_OF_BOUNDARIES:
        message = BytesParser(policy=email.policy.compat32).parsebytes(raw)
    text, attachments, more = _body(message)
    kind = headers.get_content_type()
    bounced = kind == "multipart/report" or bool(_BOUNCED.search(_header(headers, "From")))
    said = _header(headers, "Auto-Submitted").lower()
    automatic = (
        bounced
        or (bool(said) and not said.startswith("no"))
        or _header(headers, "Precedence").lower() in ("bulk", "auto_reply", "junk", "list")
        or any(headers.get(name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress", "List-Id"))
    )
    return Letter(
        to=" ".join(_header(headers, name) for name in _TO),
        references=_header(headers, "In-Reply-To") + " " + _header(headers, "References", 4 * LONGEST_HEADER),
        sender=_words(_header(headers, "From")),
        subject=_words(_header(headers, "Subject")),
        text=text,
        cut=more,
        attachments=attachments,
        automatic=automatic,
        bounced=bounced,
    )


def _header(message: Message, name: str, most: int = LONGEST_HEADER) -> str:
    """The values of a header as they stand, in one line."""
    values = [str(value)[:most] for value in (message.get_all(name) or [])[:4]]
    return " ".join(" ".join(values).split())


def _words(header: str) -> str:
    """A header in words: encoded words (RFC 2047) decoded."""
    try:
        parts = email.header.decode_header(header)
        words = "".join(part if isinstance(part, str) else decode(part, charset or "utf-8") for part, charset in parts)
    except (LookupError, ValueError, email.errors.MessageError):
        words = header
    return " ".join(_CONTROLS.sub(" ", words).split())[:LONGEST_HEADER]


def _body(message: Message) -> tuple[str, list[str], bool]:
    """The text, the media types of what is attached, and whether there was more text than is kept."""
    plain: list[str] = []
    marked: list[str] = []
    attachments: list[str] = []
    for part in _parts(message):
        kind = part.get_content_type()
        if part.get_content_disposition() == "attachment" or part.get_filename() or not kind.startswith("text/"):
            if len(attachments) < MOST_ATTACHMENTS:
                attachments.append(kind if _MEDIA_TYPE.fullmatch(kind) else "unknown")
        elif kind == "text/html":
            marked.append(_without_marks(_decoded(part)))
        else:
            plain.append(_decoded(part))
    whole = _CONTROLS.sub("", "\n".join(plain or marked)).replace("\r\n", "\n").strip()
    return whole[:LONGEST_TEXT], attachments, len(whole) > LONGEST_TEXT


def _parts(message: Message) -> Iterator[Message]:
    """The parts that hold no others, the first ``MOST_PARTS``; without recursion."""
    waiting, seen = [message], 0
    while waiting and seen < MOST_PARTS:
        part = waiting.pop()
        seen += 1
        inner = part.get_payload()
        if isinstance(inner, list):
            # A message within a message is what was bounced or passed on: its text is not the reply's.
            if part.get_content_type() != "message/rfc822":
                waiting += [each for each in reversed(inner) if isinstance(each, Message)]
        else:
            yield part


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    raw = payload[: 4 * LONGEST_TEXT] if isinstance(payload, bytes) else b""
    return decode(raw, part.get_content_charset() or "utf-8")


def _without_marks(text: str) -> str:
    """HTML as plain text: nothing of it is ever shown as HTML."""
    text = text[: 4 * LONGEST_TEXT]
    pieces, at = [], 0
    while (opens := text.find("<", at)) >= 0:
        pieces.append(text[at:opens])
        closes = text.find(">", opens)
        if closes < 0:
            at = len(text)
            break
        name = text[opens + 1 : opens + 8].lower()
        if name.startswith(("style", "script")):
            ends = text.lower().find(f"</{name[:5]}", closes)
            closes = text.find(">", ends) if ends >= 0 else -1
            if closes < 0:
                at = len(text)
                break
        pieces.append("\n" if name.startswith(("br", "p", "/p", "div", "tr", "li")) else " ")
        at = closes + 1
    pieces.append(text[at:])
    lines = (" ".join(line.split()) for line in html.unescape("".join(pieces)).splitlines())
    return "\n".join(line for line in lines if line)


def take(raw: bytes) -> Filed:
    """File one message. What is already here is not filed twice."""
    if len(raw) > LARGEST_MESSAGE:
        return Filed.TOO_LARGE
    try:
        letter = read(raw)
    except Exception:
        # Whatever the library makes of what anybody wrote: the next message is read all the same.
        return Filed.UNREADABLE
    wanted = requests_in(Place.ADDRESS, letter.to) + requests_in(Place.MESSAGE, letter.references)
    key = mac("takedown-reply", raw)
    try:
        with transaction.atomic():
            if Reply.objects.filter(mac=key).exists():
                return Filed.KNOWN
            asked = TakedownRequest.objects.select_for_update(of=("self",)).select_related("link__case_file")
            request = asked.filter(pk__in=wanted[:1]).exclude(state=TakedownRequest.State.DRAFT).first()
            others = Reply.objects.filter(request=request)
            if others.count() >= (MOST_UNMATCHED if request is None else MOST_REPLIES):
                return Filed.FULL
            Reply.objects.create(
                request=request,
                automatic=letter.automatic,
                bounced=letter.bounced,
                sealed_from=seal(Use.TEXT, letter.sender),
                sealed_subject=seal(Use.TEXT, letter.subject),
                sealed_text=seal(Use.TEXT, letter.text),
                cut=letter.cut,
                attachments=letter.attachments,
                mac=key,
            )
            if request is not None:
                _note(request, letter)
            audit.record("mail", "reply.file", f"request:{request.pk}" if request else "mail")
    except IntegrityError:
        # The same message came in twice at once.
        return Filed.KNOWN
    return Filed.UNMATCHED if request is None else Filed.ON_REQUEST


def _note(request: TakedownRequest, letter: Letter) -> None:
    if request.state in (TakedownRequest.State.SENDING, TakedownRequest.State.UNKNOWN):
        # It was answered, so it went; whoever looks at it finds the answer and says so.
        return
    if letter.bounced:
        if request.remind_at is not None:
            request.remind_at = timezone.now()
            request.save(update_fields=["remind_at"])
        link: Link = request.link
        timeline.note(link.case_file, None, timeline.Kind.BOUNCED, route=request.route, host=link.host)
    elif not letter.automatic:
        note_answer(request)


def forget_unmatched() -> int:
    """Erase messages that fit no request and that nobody filed within ``UNMATCHED_FOR``; returns how many."""
    gone, _ = Reply.objects.filter(request=None, arrived_at__lt=timezone.now() - UNMATCHED_FOR).delete()
    if gone:
        audit.record("system", "replies.forget", f"{gone} replies")
    return gone
