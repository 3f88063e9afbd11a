"""Names of countries and languages in the language of the page, from the CLDR."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale, UnknownLocaleError
from django.utils.translation import get_language


@lru_cache
def _locale(code: str) -> Locale:
    try:
        return Locale.parse(code, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


# Two letters in Unicode's list that are no country: unions, test locales, «unknown».
_NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})


def is_country(code: str) -> bool:
    """Whether ISO 3166-1 has this code of two capital letters."""
    two_letters = len(code) == 2 and code.isascii() and code.isalpha()
    return two_letters and code not in _NO_COUNTRIES and code in _locale("en").territories


def country_name(code: str) -> str:
    """The name of a country by its ISO 3166 code of two letters; the code itself if it has no name."""
    here, english = (_locale(language).territories for language in (get_language() or "en", "en"))
    return str(here.get(code) or english.get(code, code))


def language_name(code: str) -> str:
    """The name of a language by its ISO 639 code; the code itself if it has no name."""
    return str(_locale(get_language() or "en").languages.get(code, code))
