"""Names of countries and languages in the language of the page, from the CLDR."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale, UnknownLocaleError
from django.utils.translation import get_language


@lru_cache
def _locale(code: str) -> Locale:
    try:
        return Locale.parse(code, sep="-")
    except UnknownLocaleError:
        return Locale("en")


def country_name(code: str) -> str:
    """The name of a country by its ISO 3166 code of two letters; the code itself if it has no name."""
    return str(_locale(get_language() or "en").territories.get(code, code))


def language_name(code: str) -> str:
    """The name of a language by its ISO 639 code; the code itself if it has no name."""
    return str(_locale(get_language() or "en").languages.get(code, code))
