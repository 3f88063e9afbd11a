"""The sites' log, as ``reclaim.plainlog`` has it: one calm line per event, in words that carry no secret."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from gunicorn.http.errors import ParseException

from reclaim import plainlog
from reclaim.sitekit.problems import refusal

_log = logging.getLogger("reclaim")

Word = str
GetResponse = Callable[[HttpRequest], HttpResponseBase]


def log_event(sentence: Word, **facts: int | Word) -> None:
    """Write one line: a fixed sentence, then facts as ``name=value``.

    A fact is a number or a word from our own code (a platform's name, a view's name), never what a visitor sent.
    """
    _log.info("%s", " ".join([sentence, *(f"{name}={value}" for name, value in facts.items())]))


def log_failure(sentence: Word, error: BaseException) -> None:
    """Write one line for an error of ours: where it was raised and its type, never its message or its locals."""
    plainlog.log_failure(_log, sentence, error)


class OurSentences(plainlog.OurSentences):
    """The formatter of the sites."""

    ours = _log.name


def _first_cause(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


class OneLinePerEvent:
    """Turn an unexpected error into the site's plain error page and one log line."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Say where it broke; Django then answers with the site's ``handler500``.

        A bad request is the sender's error, not ours: it is answered, and not logged.
        """
        if isinstance(error, UnreadablePostError | ParseException):
            status = 408 if isinstance(_first_cause(error), TimeoutError) else 400
            return refusal(
                request, status, _("This request did not come whole"), _("Nothing was taken. Please try again.")
            )
        if isinstance(error, Http404 | PermissionDenied | SuspiciousOperation):
            return None
        view = request.resolver_match.view_name if request.resolver_match else "no view"
        log_failure(f"error while answering {view}", error)
        return None
