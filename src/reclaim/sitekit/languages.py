"""The language of a page: the one named at the start of its address, else the one that the browser asks for.

``/ar/start/`` is ``/start/`` in Arabic. There is no cookie and no stored choice: a language is part of an address, so
it can be handed on as a link and leaves nothing behind (docs/decisions/0017).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.urls import get_script_prefix, set_script_prefix
from django.utils import translation

from reclaim.sitekit.events import GetResponse

LANGUAGES = {
    "en": "English",
    "ar": "العربية",
    "bn": "বাংলা",
    "de": "Deutsch",
    "es": "Español",
    "fa": "فارسی",
    "fil": "Filipino",
    "fr": "Français",
    "hi": "हिन्दी",
    "id": "Bahasa Indonesia",
    "it": "Italiano",
    "ja": "日本語",
    "ko": "한국어",
    "nl": "Nederlands",
    "pl": "Polski",
    "pt-br": "Português (Brasil)",
    "ru": "Русский",
    "sw": "Kiswahili",
    "th": "ไทย",
    "tr": "Türkçe",
    "uk": "Українська",
    "ur": "اردو",
    "vi": "Tiếng Việt",
    "zh-hans": "简体中文",
}
"""Code, as it stands in addresses, and the language's own name for itself."""

RIGHT_TO_LEFT = frozenset({"ar", "fa", "ur"})


@dataclass(frozen=True)
class PageLanguage:
    """One language of a page: its code, own name, direction, and where this page is in it."""

    code: str
    name: str
    direction: str
    address: str


@dataclass(frozen=True)
class Counted:
    """A sentence about a count: ``form`` gives it for one, with its gap (``{n}``) unfilled."""

    form: Callable[[int], str]


def direction_of(code: str) -> str:
    """``rtl`` or ``ltr``."""
    return "rtl" if code in RIGHT_TO_LEFT else "ltr"


def split_language(path: str) -> tuple[str | None, str]:
    """The language at the start of a path, if there is one, and the rest of the path: ``/ar/case/`` is Arabic's
    ``/case/``."""
    first, slash, rest = path[1:].partition("/")
    known = dict(settings.LANGUAGES)
    return (first, f"/{rest}") if slash and first in known else (None, path)


class LanguageOfThePage:
    """Answer in the language that the address names, or else in the best that the browser asks for.

    The prefix is taken off before routing, and every address that the page names carries it again.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info[1:] in dict(settings.LANGUAGES):
            # Somebody typed /ar for /ar/.
            query = request.META.get("QUERY_STRING", "")
            return HttpResponsePermanentRedirect(f"{request.path}/{query and '?'}{query}")
        named, path = split_language(request.path_info)
        before = get_script_prefix()
        if named:
            request.path_info = path
            set_script_prefix(f"{before}{named}/")
        try:
            with translation.override(named or translation.get_language_from_request(request)):
                response = self.get_response(request)
                if response.get("Content-Type", "").startswith("text/html"):
                    response["Content-Language"] = translation.get_language() or settings.LANGUAGE_CODE
                return response
        finally:
            set_script_prefix(before)


def in_english(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer in English, whatever the browser asks for; ``LanguageOfThePage`` puts back what was before."""

    @wraps(view)
    def answer_in_english(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        translation.activate("en")
        return view(request, *args, **kwargs)

    return answer_in_english


def languages(request: HttpRequest) -> dict[str, object]:
    """For templates: ``page_language`` and, for a page that can be asked for by GET, ``page_languages``."""
    code = translation.get_language() or settings.LANGUAGE_CODE
    known = dict(settings.LANGUAGES)
    offered = [
        PageLanguage(each, name, direction_of(each), f"/{each}{request.path_info}") for each, name in known.items()
    ]
    current = PageLanguage(code, known.get(code, code), direction_of(code), request.path)
    return {"page_language": current, "page_languages": offered}
