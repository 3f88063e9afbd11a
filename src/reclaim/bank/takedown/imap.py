"""Fetching replies from the operator's mailbox."""

from __future__ import annotations

import imaplib
import re
import ssl
import time
from collections import Counter

from django.conf import settings

from reclaim.bank.takedown.inbox import LARGEST_MESSAGE, Filed, take
from reclaim.bank.takedown.outside import Outside, Server
from reclaim.sitekit.events import log_event
from reclaim.sitekit.recurring import LeftForNowError

SECONDS = 20
"""For each answer of the mail server."""
BUDGET = 20.0
"""Seconds for all that waits; the rest is fetched the next time."""
_SIZE = re.compile(rb"RFC822\.SIZE (\d{1,12})")


class MailboxError(Exception):
    """The mailbox cannot be read; the message says what to do, and quotes nothing."""


def fetch(budget: float = BUDGET) -> Counter[Filed]:
    """File the messages of the inbox that were not seen, mark them as seen, and say what became of how many.

    One too large is marked and left there. Raises ``MailboxError``, also where nobody has set a mailbox up.
    """
    outside: Outside = settings.OUTSIDE
    if outside.imap is None:
        raise MailboxError(
            "This bank has no mailbox: set RECLAIM_IMAP_URL, or pipe mails into «reclaim bank mail take»."
        )
    ends_at = time.monotonic() + budget
    filed: Counter[Filed] = Counter()
    try:
        box = _opened(outside.imap)
        try:
            box.login(outside.imap.user, outside.imap.password)
            box.select("INBOX")
            _, found = box.uid("SEARCH", "UNSEEN")
            for uid in (found[0] or b"").split():
                if time.monotonic() > ends_at:
                    break
                filed[_file(box, uid.decode())] += 1
        finally:
            box.logout()
    except (OSError, imaplib.IMAP4.error, ValueError) as error:
        raise MailboxError("The mailbox cannot be read. Check RECLAIM_IMAP_URL, and the server.") from error
    return filed


def _opened(server: Server) -> imaplib.IMAP4:
    context = ssl.create_default_context()
    if server.tls:
        return imaplib.IMAP4_SSL(server.host, server.port, ssl_context=context, timeout=SECONDS)
    box = imaplib.IMAP4(server.host, server.port, timeout=SECONDS)
    if server.starttls:
        box.starttls(context)
    return box


def _file(box: imaplib.IMAP4, uid: str) -> Filed:
    _, sized = box.uid("FETCH", uid, "(RFC822.SIZE)")
    size = _SIZE.search(b" ".join(each for each in sized if isinstance(each, bytes)))
    outcome = Filed.TOO_LARGE
    if size is not None and int(size[1]) <= LARGEST_MESSAGE:
        _, parts = box.uid("FETCH", uid, "(BODY.PEEK[])")
        raw = next((part[1] for part in parts if isinstance(part, tuple)), None)
        outcome = Filed.UNREADABLE if raw is None else take(raw)
    # Last: what a crash leaves unmarked is fetched again, and found to be here already.
    box.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)")
    return outcome


def fetch_mail() -> None:
    """A tick's share of fetching. Raises ``LeftForNowError`` where the mailbox cannot be read."""
    outside: Outside = settings.OUTSIDE
    if outside.imap is None:
        return
    try:
        filed = fetch()
    except MailboxError as error:
        raise LeftForNowError("replies could not be fetched from the mailbox") from error
    if filed:
        log_event("replies were fetched", messages=filed.total())
