"""Addresses as people type and paste them, made into one form."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

import idna

MOST_LINKS = 200
"""At once."""
LONGEST_URL = 2000
LONGEST_TEXT = MOST_LINKS * (LONGEST_URL + 2)
PORTS = {"http": 80, "https": 443}
_SPLIT = re.compile(r"[\s<>\"]+")
_CONTROLS = re.compile(r"[\x00-\x20\x7f-\x9f]")
# Parameters that say who passed an address on, and nothing about what is there.
_TRACKING = re.compile(
    r"utm_\w+|(?:d|fb|g|ms|tt|tw|y)cl(?:k)?id|gad_source|gbraid|wbraid|gclsrc|igsh|igshid|li_fat_id|mc_[ce]id|mkt_tok"
    r"|oly_(?:anon|enc)_id|epik|ref_src|s_cid|scid|vero_id|_ga|_gl|_hsenc|_hsmi"
)
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\d)")
_KEPT_IN_PATH = "/%:@!$&'()*+,;=~-._"
_KEPT_IN_QUERY = _KEPT_IN_PATH + "?[]{}|^`\\"


class NotALinkError(ValueError):
    """This is no address of a page; the message says why, and quotes nothing."""


@dataclass(frozen=True)
class Address:
    """One address of a page."""

    url: str
    """As it is kept: normalised, all parameters in place, without what follows ``#``."""
    looked_at: str
    """The same without known tracking parameters: what the bank asks for tells nobody who passed it on."""
    key: str
    """What makes two of them the same page: that, whether at http or https, and without a slash at the end."""
    host: str
    """Lower case, in ASCII; an IPv6 address without brackets."""


def _host(typed: str) -> str:
    """A host name in ASCII, or an address in its usual form. Raises ``NotALinkError``."""
    try:
        return str(ipaddress.ip_address(typed))
    except ValueError:
        pass
    try:
        name = idna.encode(typed.rstrip("."), uts46=True, transitional=False).decode().lower()
    except (idna.IDNAError, UnicodeError) as error:
        # Names with an underscore are none, by the letter, and there are sites at some.
        name = typed.rstrip(".").lower()
        if not all(_LABEL.fullmatch(label) for label in name.split(".")):
            raise NotALinkError("The name of the site is not one that can be.") from error
    if len(name) > 253 or "." not in name:
        raise NotALinkError("The name of the site has no dot in it: it is not one on the internet.")
    if re.fullmatch(r"(0x[0-9a-f]*|\d+)", name.rsplit(".", 1)[1]):
        # «0177.0.0.1», «0x7f.1»: libraries disagree about which address that is.
        raise NotALinkError("Write the address of the site as four numbers from 0 to 255, or its name.")
    return name


def read_link(typed: str) -> Address:
    """One address. Raises ``NotALinkError``."""
    text = typed.strip()
    if len(text) > LONGEST_URL:
        raise NotALinkError(f"It is longer than {LONGEST_URL} letters.")
    if _CONTROLS.search(text) or "\\" in text.split("?", 1)[0]:
        raise NotALinkError("There is a space, a backslash or a control character in it.")
    if not _SCHEME.match(text):
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise NotALinkError("It is not an address of a page.") from error
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        raise NotALinkError("It does not begin with https:// or http://.")
    if "@" in parts.netloc:
        raise NotALinkError("There is a name or a password before the site's name. Leave out what stands before «@».")
    if not host or "%" in host:
        raise NotALinkError("It names no site.")
    name = _host(host)
    netloc = f"[{name}]" if ":" in name else name
    if port is not None and port != PORTS[scheme]:
        netloc += f":{port}"
    path = quote(parts.path, safe=_KEPT_IN_PATH) or "/"
    query = quote(parts.query, safe=_KEPT_IN_QUERY)
    url = urlunsplit((scheme, netloc, path, query, ""))
    if len(url) > LONGEST_URL:
        raise NotALinkError(f"It is longer than {LONGEST_URL} letters.")
    telling = "&".join(pair for pair in query.split("&") if not _TRACKING.fullmatch(pair.split("=", 1)[0].lower()))
    looked_at = urlunsplit((scheme, netloc, path, telling, ""))
    # Whoever has a page at http:// has the same one at https://, or sends visitors there.
    usual = "https" if port in (None, PORTS[scheme]) else scheme
    return Address(url, looked_at, urlunsplit((usual, netloc, path.rstrip("/"), telling, "")), name)


def read_links(text: str) -> tuple[list[Address], list[tuple[int, str]]]:
    """The addresses in a pasted text, one a line or with spaces between; each page once.

    Second: what is none, as number of the word (from 1) and why. Raises ``NotALinkError`` for a text that is too long,
    or has more than ``MOST_LINKS`` in it.
    """
    if len(text) > LONGEST_TEXT:
        raise NotALinkError("That is too much text at once. Paste links alone, at most 200 at a time.")
    words = [word.strip(",;") for word in _SPLIT.split(text)]
    words = [word for word in words if word]
    if len(words) > MOST_LINKS:
        raise NotALinkError(f"These are more than {MOST_LINKS} links. Add them in several goes.")
    found: dict[str, Address] = {}
    wrong = []
    for number, word in enumerate(words, start=1):
        try:
            address = read_link(word)
        except NotALinkError as error:
            wrong.append((number, str(error)))
        else:
            found.setdefault(address.key, address)
    return list(found.values()), wrong


__all__ = ["MOST_LINKS", "Address", "NotALinkError", "read_link", "read_links"]
