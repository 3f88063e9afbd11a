"""What is wrong with a row, whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from urllib.parse import urlsplit

from babel import Locale

from reclaim.bank.directory.rows import NUMBERS, Confidence, Service
from reclaim.sitekit.places import is_country

LISTS = {"android.googlesource.com", "doc.didww.com", "github.com", "glama.ai", "huggingface.co", "pastebin.com"}
"""Where lists are that somebody keeps of other people's numbers: one of them alone states nothing."""
SHORTENERS = {"bit.ly", "buff.ly", "cutt.ly", "goo.gl", "is.gd", "lnkd.in", "ow.ly", "rb.gy", "t.co", "t.ly", "tiny.cc"}
SHORTENERS |= {"tinyurl.com", "shorturl.at", "rebrand.ly", "s.id", "lnk.bio", "linktr.ee"}
"""Hosts whose addresses do not say where they lead, and whose owners can change that."""

_PHONE = re.compile(r"[+#*]?\d[\d -]{0,17}\d")
_CLOCK = re.compile(r"\d\d:\d\d–\d\d:\d\d")
_HOST = re.compile(r"(?:[^\s.@:/?#\[\]\\]{1,63}\.)+[^\s.@:/?#\[\]\\\d]{2,63}")
_LANGUAGES = frozenset(Locale("en").languages)


def name_of(row: Service) -> str:
    """How a fault names a row."""
    return f"{row.country or 'everywhere'} {row.kind} {row.name or row.phone}"


def _leads_somewhere(address: str, *schemes: str) -> bool:
    """Whether this is a plain address of a named host: no user name, no port, no number instead of a name."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in schemes and _HOST.fullmatch(parts.netloc) is not None


def faults_of(row: Service, today: date) -> Iterator[str]:
    """What is wrong with a row: each ends a sentence that began with its name. What nobody is shown, a row from memory,
    needs no source."""
    if row.confidence is not Confidence.MEMORY:
        yield from _faults_of_sources(row)
    if row.read_on > today:
        yield "was read in the future. Write the day on which the source was read"
    if row.country and not is_country(row.country):
        yield "is in no country. Write the two letters of ISO 3166, or nothing for everywhere"
    if any(code not in _LANGUAGES for code in row.languages):
        yield "speaks a language that has no code. Write codes of ISO 639 such as «en es»"
    if row.phone and not _PHONE.fullmatch(row.phone):
        yield f"has a phone number that is none: {row.phone}. Write digits, spaces and dashes"
    if (row.text and not row.text.isdecimal()) or (row.word and not row.text):
        yield "has a text number that is none. Write digits only"
    if row.address:
        yield from _faults_of_address(row.address)
    if row.open and not (_CLOCK.fullmatch(row.open) and row.hours):
        yield "opens at no time of day, or on no day. Write 09:00–17:00, and in «hours» on which days"
    if row.kind in NUMBERS:
        if not (row.country and row.phone) or row.slug or row.name or row.address:
            yield "is a number of a country, and no more. Give country and phone, no name and no address"
    elif not re.fullmatch(rf"{row.country.lower() or 'all'}-\d+", row.slug):
        yield f"has a slug that may say something: {row.slug}. It is the country and a number"
    elif not row.name or not (row.phone or row.text or row.address):
        yield "has no name, or cannot be reached. Give a name, and a phone, a text number or an address"


def _faults_of_sources(row: Service) -> Iterator[str]:
    if not row.sources or not all(_leads_somewhere(source, "http", "https") for source in row.sources):
        yield "names no source that is an address. Write addresses that begin with https://, with spaces between them"
    elif row.confidence is Confidence.STATED and len(row.sources) < 2 and urlsplit(row.sources[0]).netloc in LISTS:
        yield "is called stated, and only one list says it. Call it P, or name another source"
    if len(row.sources) > 10:
        yield "names more than ten sources. Keep the best"


def _faults_of_address(address: str) -> Iterator[str]:
    if not _leads_somewhere(address, "https"):
        yield f"has an address that is not https: {address}. Write the page's address, beginning with https://"
    elif urlsplit(address).netloc.lower().removeprefix("www.") in SHORTENERS:
        yield "has a shortened address. Open it, and write the address to which it leads"
