"""Requests on their way out: one mail a request, through the operator's own mail server."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass
from email.headerregistry import Address
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.filebased import EmailBackend as FileBackend
from django.core.mail.backends.smtp import EmailBackend

from reclaim.bank.takedown import addresses
from reclaim.bank.takedown.models import TakedownRequest
from reclaim.bank.takedown.outside import Outside, Server

SECONDS = 30
"""For each answer of the mail server."""


class NoMailServerError(Exception):
    """Nobody has told this bank a mail server."""


@dataclass(frozen=True)
class Outcome:
    """What became of a mail."""

    sent: bool = False
    unsure: bool = False
    """The server may have taken it, or not."""
    fault: str = ""
    """Why it is not known to be sent: a sentence."""


def can_send() -> bool:
    """Whether there is a mail server."""
    outside: Outside = settings.OUTSIDE
    return outside.smtp is not None or outside.outbox is not None


def insist_on_a_server() -> Server | Path:
    """The mail server, or the folder that stands in for one in a sandbox. Raises ``NoMailServerError``."""
    outside: Outside = settings.OUTSIDE
    if outside.outbox is not None:
        return outside.outbox
    if outside.smtp is None:
        raise NoMailServerError(
            "This bank has no mail server. Copy the request into a mail of your own, or ask the operator to set one up."
        )
    return outside.smtp


def message_id_of(request: TakedownRequest) -> str:
    """The ``Message-ID`` under which a request goes out."""
    return addresses.message_id(settings.OUTSIDE.mail_from, request.pk)


def compose(request: TakedownRequest, organisation: str) -> EmailMessage:
    """The mail, whole. Raises ``ValueError`` for a line break in a header, and ``sealing.NotOursError``."""
    outside: Outside = settings.OUTSIDE
    made = EmailMessage(
        subject=request.subject,
        body=request.text,
        from_email=str(Address(display_name=" ".join(organisation.split()), addr_spec=outside.mail_from)),
        to=[request.to],
        reply_to=[addresses.reply_address(outside.mail_from, request.pk)],
        headers={"Message-ID": request.message_id, "Content-Language": request.language},
    )
    # Each header is written, and refused if it is none, before anything is on its way.
    made.message()
    return made


def hand_over(message: EmailMessage) -> Outcome:
    """Hand a mail to the server, and say what became of it. Call it in no transaction: it may take a minute."""
    server = insist_on_a_server()
    if isinstance(server, Path):
        FileBackend(file_path=str(server)).send_messages([message])
        return Outcome(sent=True)
    backend = EmailBackend(
        host=server.host,
        port=server.port,
        username=server.user,
        password=server.password,
        use_tls=server.starttls,
        use_ssl=server.tls,
        timeout=SECONDS,
    )
    try:
        backend.open()
    except (OSError, smtplib.SMTPException):
        return Outcome(
            fault="The mail server cannot be reached, or refuses the bank. Nothing was sent. Tell the operator."
        )
    try:
        backend.send_messages([message])
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused):
        return Outcome(fault="The mail server did not take it. Check the address; then try again.")
    except (OSError, smtplib.SMTPException):
        return Outcome(
            unsure=True, fault="The mail server broke off. Look there whether the mail went before you press again."
        )
    finally:
        # What the server says to our goodbye changes nothing.
        backend.fail_silently = True
        backend.close()
    return Outcome(sent=True)
