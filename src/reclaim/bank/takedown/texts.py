"""The text of a request, made for a route, a law and a language from sentences in ``data/texts/<language>.toml``.

An organisation writes and signs, as the person's representative. Nothing tells who the person is unless a practitioner
gives a name, with the person's recorded consent. Every request holds what every law in the table asks for: where the
content is, a statement of good faith, for whom it is made, a signature, a contact; some laws add a declaration.

What people type goes in as it is, once: braces in it do nothing, line ends and control characters cannot leave a
header or hide a line.
"""

from __future__ import annotations

import re
import textwrap
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from babel import Locale
from babel.dates import format_date
from babel.units import format_unit

from reclaim.bank.law.laws import EU_MEMBERS, Law, Unit
from reclaim.bank.takedown.routes import Route

LANGUAGES = ("en", "ar", "de", "es", "fr", "hi", "id", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tr", "zh")
"""Languages that there are sentences in; English first."""
SPOKEN = {
    **dict.fromkeys(("AE", "SA", "EG", "JO", "MA", "DZ", "TN", "LB", "IQ", "KW", "QA", "BH", "OM", "YE", "LY"), "ar"),
    **dict.fromkeys(("DE", "AT", "CH", "LI"), "de"),
    **dict.fromkeys(("ES", "MX", "AR", "CO", "CL", "PE", "EC", "UY", "PY", "BO", "VE", "CR", "PA", "GT"), "es"),
    **dict.fromkeys(("FR", "BE", "LU", "SN", "CI", "CM"), "fr"),
    **dict.fromkeys(("RU", "BY", "KZ", "KG"), "ru"),
    **dict.fromkeys(("BR", "PT", "AO", "MZ"), "pt"),
    **dict.fromkeys(("CN", "TW", "HK", "MO"), "zh"),
    **{"ID": "id", "IT": "it", "JP": "ja", "KR": "ko", "NL": "nl", "PL": "pl", "TR": "tr"},
}
"""In which language an office of a country is written to; elsewhere in English. India's platforms are, too."""
WIDTH = 72
MOST_WORDS = 2000
"""Characters of the person's own words."""
OPENINGS = {
    "form": "platform",
    "mail": "platform",
    "api": "platform",
    "search": "search",
    "host": "host",
    "registrar": "registrar",
    "regulator": "regulator",
}
UNSPACED = frozenset({"ja", "zh"})

_PLACE = re.compile(r"\{([a-z]+)\}")
# What a law asks a request to hold, in the words of its row, and which sentences answer it.
_ANSWERS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"declar.*\b(is present|is on|on the service)\b", re.I), ("present",)),
    (re.compile(r"on behalf|made by|or for them|authori[sz]", re.I), ("capacity",)),
    (re.compile(r"good.?faith|consent", re.I), ("good_faith",)),
    (re.compile(r"signature|signed", re.I), ("signed",)),
    (re.compile(r"\breasons?\b|explanation|^why", re.I), ("reasons",)),
    (re.compile(r"accura|complete\b", re.I), ("accuracy",)),
    (re.compile(r"locat|url|where to find|what the \w+ is|identify", re.I), ("links", "location")),
    (re.compile(r"contact details|contact information|^contact$|e-?mail", re.I), ("contact",)),
)


class NoSuchLanguageError(LookupError):
    """There are no sentences in this language."""


@dataclass(frozen=True)
class Sentences:
    """One language's file."""

    language: str
    name: str
    reviewed: bool
    """Whether a lawyer who works in the language has read it."""
    hello: str
    intro: str
    subject: Mapping[str, str]
    opening: Mapping[str, str]
    say: Mapping[str, str]


@dataclass(frozen=True)
class Facts:
    """What a request is about. ``name`` is the person's, and empty unless they agreed to be named in this request."""

    urls: tuple[str, ...]
    organisation: str
    contact: str
    found_on: date | None = None
    asked_on: date | None = None
    """When it was last asked for, if this is a repeated request."""
    made_with_ai: bool = False
    words: str = ""
    """The person's own, if they want them in it."""
    name: str = ""
    defanged: bool = False
    """Whether addresses are written so that mail filters let them pass."""


@dataclass(frozen=True)
class RequestText:
    """A request as it goes out, ready to be changed by whoever sends it."""

    subject: str
    """One line."""
    body: str
    """Lines that end with ``\\n``; long ones only where an address is, or where a language has no spaces."""
    language: str
    reviewed: bool
    missing: tuple[str, ...] = ()
    """What the law asks for that no sentence answers, in the words of its row: to be added by hand."""


@cache
def sentences(language: str) -> Sentences:
    """The sentences of a language. Raises ``NoSuchLanguageError``."""
    if language not in LANGUAGES:
        raise NoSuchLanguageError(f"There are no sentences in «{language}».")
    found = tomllib.loads(files(__package__).joinpath("data", "texts", f"{language}.toml").read_text(encoding="utf-8"))
    return Sentences(language=language, **found)


def language_for(route: Route) -> str:
    """In which language whoever a route leads to is written to best."""
    known = [code for code in route.languages if code in LANGUAGES]
    if known:
        return known[0]
    # The big platforms read English everywhere; hosts, registrars and authorities their own language.
    return SPOKEN.get(route.country, "en") if route.kind in ("host", "registrar", "regulator") else "en"


def clean_line(text: str, most: int = 300) -> str:
    """One line of what somebody typed: no control characters, line ends or marks that turn the reading direction."""
    return " ".join(clean_text(text, most).split())


def clean_text(text: str, most: int = MOST_WORDS) -> str:
    """Lines of what somebody typed, without what is not to be seen."""
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (
        " " if each == "\t" else each
        for each in unix[: most * 2]
        # Cc, Cf, Cs, Co, Cn: controls, and marks that are not seen; joiners that scripts need stay.
        if each in "\n\t\u200c\u200d" or not unicodedata.category(each).startswith("C")
    )
    return "".join(kept).replace("\u2028", " ").replace("\u2029", " ")[:most].strip()


def defang(url: str) -> str:
    """An address that no program takes for one: ``hxxps://example[.]org/a``."""
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return scheme.replace("http", "hxxp") + mark + host.replace(".", "[.]") + slash + path


def _fill(template: str, **values: str) -> str:
    # Once, from left to right: what a value holds is never looked at as a place to fill.
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), template)


def _wrapped(paragraph: str, language: str, width: int = WIDTH) -> str:
    if language in UNSPACED:
        return paragraph
    return textwrap.fill(paragraph, width, break_long_words=False, break_on_hyphens=False)


def _locale(language: str) -> Locale:
    return Locale.parse(language)


def _time(law: Law, language: str) -> str:
    """A law's deadline in words of the language; empty where they would not be exact."""
    units = {Unit.HOURS: "duration-hour", Unit.DAYS: "duration-day"}
    if law.amount is None or law.unit not in units:
        return ""
    unit, locale = units[law.unit], _locale(language)
    # Not every language has every length; where there is none, the unit's own name comes back.
    said = (str(format_unit(law.amount, unit, length, locale=locale)) for length in ("long", "short", "narrow"))
    return next((each for each in said if "duration" not in each), "")


def _asked_for(law: Law | None, country: str) -> tuple[set[str], tuple[str, ...]]:
    """The sentences that a law asks for, and what no sentence answers."""
    wanted: set[str] = set()
    missing = []
    for thing in law.request if law else ():
        answers = [key for pattern, keys in _ANSWERS if pattern.search(thing) for key in keys]
        wanted.update(answers)
        if not answers:
            missing.append(thing)
    if country in EU_MEMBERS or (law and (law.country == "EU" or law.country in EU_MEMBERS)):
        # Art. 16 of the Digital Services Act: why it is illegal, where it is, who says so, in good faith.
        wanted.add("reasons")
    return wanted, tuple(missing)


def request_text(route: Route, law: Law | None, language: str, facts: Facts) -> RequestText:
    """A request for one route. Raises ``NoSuchLanguageError``, and ``ValueError`` if there is no address in it."""
    if not facts.urls:
        raise ValueError("Choose at least one link.")
    of, kind = sentences(language), OPENINGS[route.kind]
    wanted, missing = _asked_for(law, route.country)
    say = of.say
    parts = [
        of.hello,
        _fill(of.intro, organisation=clean_line(facts.organisation)),
        of.opening[kind],
    ]
    if facts.asked_on:
        parts.append(_fill(say["again"], date=_day(facts.asked_on, language)))
    urls = [defang(clean_line(url, 2100)) if facts.defanged else clean_line(url, 2100) for url in facts.urls]
    parts.append(say["links"] + "\n" + "\n".join(urls))
    parts.append(_about_content(facts, say, language))
    stated = [say["good_faith"], say["capacity"]]
    stated += [say[key] for key in ("present", "reasons") if key in wanted]
    parts.append(_joined([*stated, say["accuracy"]], language))
    parts += _by_law(law, say, language, kind)
    words = clean_text(facts.words)
    if words:
        parts.append(say["words"] + "\n" + "\n".join(f"> {line}" for line in _lines(words, language)))
    parts.append(_joined([say["privacy"], say["answer"]], language))
    name = clean_line(facts.name, 120)
    signature = [say["signed"], clean_line(facts.organisation)]
    signature += [_fill(say["person"], name=name)] if name else []
    signature.append(_fill(say["contact"], contact=clean_line(facts.contact)))
    parts.append("\n".join(signature))
    body = "\n\n".join("\n".join(_wrapped(line, language) for line in part.split("\n")) for part in parts)
    subject = of.subject["again" if facts.asked_on else "first"]
    return RequestText(subject, body + "\n", language, of.reviewed, missing)


def _day(day: date, language: str) -> str:
    return str(format_date(day, "long", locale=_locale(language)))


def _joined(said: Iterable[str], language: str) -> str:
    return ("" if language in UNSPACED else " ").join(said)


def _lines(words: str, language: str) -> list[str]:
    return [line for paragraph in words.split("\n") for line in _wrapped(paragraph, language, WIDTH - 2).split("\n")]


def _about_content(facts: Facts, say: Mapping[str, str], language: str) -> str:
    said = [say["location"]]
    if facts.found_on:
        said.append(_fill(say["found"], date=_day(facts.found_on, language)))
    if facts.made_with_ai:
        said.append(say["ai"])
    if facts.defanged:
        said.append(say["defanged"])
    return _joined(said, language)


def _by_law(law: Law | None, say: Mapping[str, str], language: str, kind: str) -> list[str]:
    if law is None:
        return []
    said = [
        _fill(
            say["law"],
            law=clean_line(law.name),
            country=str(_locale(language).territories.get(law.country, law.country)),
        )
    ]
    time = _time(law, language)
    # It binds those whom the law names, not an authority that is told of them.
    if time and kind in ("platform", "search", "host"):
        said.append(_fill(say["deadline"], time=time))
    return [_joined(said, language)]
