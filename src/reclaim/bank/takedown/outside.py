"""What an operator says about the world outside: mail servers, registries, and how the bank looks at links."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

REGISTRIES = "https://data.iana.org/rdap/"
"""Where IANA says which registry answers for what (RFC 9224)."""
_ADDRESS = re.compile(r"[A-Za-z0-9._-]{1,21}@[A-Za-z0-9.-]{1,200}")


@dataclass(frozen=True)
class Server:
    """A mail server, and how to sign in."""

    host: str
    port: int
    tls: bool
    """From the first byte on."""
    starttls: bool
    user: str
    password: str


@dataclass(frozen=True)
class Outside:
    """All of it. Without a mail server no mail is sent, without IMAP none is fetched."""

    smtp: Server | None
    mail_from: str
    """The bank's own address for requests; replies go to it with a token in it."""
    imap: Server | None
    contact: str
    """Where a site complains about being looked at: a mail address or a page; empty for nowhere."""
    recheck: bool
    """Whether links are looked at again."""
    pause: float
    """Seconds between two looks at one host."""
    stand_in: tuple[str, int] | None
    """Where everything that is asked goes instead of to the internet: an address of this machine, and a port."""
    registries: str
    outbox: Path | None = None
    """Of a sandbox: the folder in which mail is laid instead of being sent. Nobody is asked anything either."""


NOT_IN_A_SANDBOX = ("RECLAIM_SMTP_URL", "RECLAIM_IMAP_URL", "RECLAIM_RECHECK_STAND_IN", "RECLAIM_RDAP_REGISTRIES")


def no_outside(environment: Mapping[str, str], outbox: Path) -> Outside:
    """The world outside of a sandbox: there is none. Raises ``ImproperlyConfigured`` where somebody names a server."""
    for variable in NOT_IN_A_SANDBOX:
        if environment.get(variable):
            raise ImproperlyConfigured(f"A sandbox asks and mails nobody. Leave {variable} out.")
    return Outside(
        smtp=None,
        mail_from="sandbox@training.example",
        imap=None,
        contact="",
        recheck=False,
        pause=1,
        stand_in=None,
        registries=REGISTRIES,
        outbox=outbox,
    )


def read_outside(environment: Mapping[str, str]) -> Outside:
    """The ``RECLAIM_*`` variables of takedown. Raises ``ImproperlyConfigured``."""
    mail_from = environment.get("RECLAIM_MAIL_FROM", "")
    if mail_from and not _ADDRESS.fullmatch(mail_from):
        raise ImproperlyConfigured("RECLAIM_MAIL_FROM must be a plain mail address, such as takedown@ngo.example.")
    smtp = _server(environment, "RECLAIM_SMTP_URL", {"smtps": 465, "smtp": 587})
    if smtp is not None and not mail_from:
        raise ImproperlyConfigured("Set RECLAIM_MAIL_FROM too: the address that requests come from.")
    pause = environment.get("RECLAIM_RECHECK_PAUSE", "") or "1"
    if not re.fullmatch(r"\d{1,4}(\.\d{1,3})?", pause):
        raise ImproperlyConfigured("RECLAIM_RECHECK_PAUSE must be a number of seconds from 0 to 9999, such as 1.5.")
    contact = environment.get("RECLAIM_RECHECK_CONTACT", "") or mail_from
    if not re.fullmatch(r"[!-'*-~]{0,200}", contact):
        raise ImproperlyConfigured("RECLAIM_RECHECK_CONTACT must be a mail address or the address of a page.")
    registries = environment.get("RECLAIM_RDAP_REGISTRIES", "") or REGISTRIES
    if not registries.startswith(("https://", "http://")):
        raise ImproperlyConfigured("RECLAIM_RDAP_REGISTRIES must begin with https:// or http://.")
    return Outside(
        smtp=smtp,
        mail_from=mail_from,
        imap=_server(environment, "RECLAIM_IMAP_URL", {"imaps": 993, "imap": 143}),
        contact=contact,
        recheck=environment.get("RECLAIM_RECHECK", "1") == "1",
        pause=float(pause),
        stand_in=_stand_in(environment.get("RECLAIM_RECHECK_STAND_IN", "")),
        registries=registries.rstrip("/") + "/",
    )


def _server(environment: Mapping[str, str], variable: str, ports: Mapping[str, int]) -> Server | None:
    text = environment.get(variable, "")
    if not text:
        return None
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if not host or parts.scheme not in ports:
        first = next(iter(ports))
        raise ImproperlyConfigured(
            f"{variable} looks like {first}://name:password@mail.example; write «{first[:-1]}» for STARTTLS."
        )
    tls = parts.scheme.endswith("s")
    # In the clear only to this machine itself: anybody on the way would read what a request names.
    return Server(
        host=host,
        port=port or ports[parts.scheme],
        tls=tls,
        starttls=not tls and not _is_this_machine(host),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _stand_in(text: str) -> tuple[str, int] | None:
    if not text:
        return None
    host, _, port = text.rpartition(":")
    # Never another machine: it would get to read every link of the bank.
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536) or not _is_this_machine(host):
        raise ImproperlyConfigured("RECLAIM_RECHECK_STAND_IN must be this machine and a port, such as 127.0.0.1:8099.")
    return ("127.0.0.1" if host == "localhost" else host, int(port))
