"""What practitioners fill in to write a request."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict

from reclaim.bank.law.laws import Law
from reclaim.bank.takedown.models import TakedownRequest
from reclaim.bank.takedown.routes import Route
from reclaim.bank.takedown.services import LONGEST_REQUEST, LONGEST_SUBJECT, Draft, RequestError
from reclaim.bank.takedown.texts import LANGUAGES, MOST_WORDS, RequestText, clean_line, clean_text

MOST_CHOSEN = 20
"""Links that are asked for together."""


@dataclass(frozen=True)
class Options:
    """What a text is made from, besides the links."""

    language: str
    law: Law | None
    made_with_ai: bool = False
    defanged: bool = False
    words: str = ""
    name: str = ""
    """The person's, if they agreed to be named in this request."""


def read_options(sent: QueryDict, laws: Sequence[Law], usual: Options) -> Options:
    """What was chosen. Raises ``RequestError`` for a name without the person's agreement, or what is not on offer."""
    language = sent.get("language", usual.language)
    if language not in LANGUAGES:
        raise RequestError("Choose one of the languages in the list.")
    key = sent.get("law", "")
    law = next((each for each in laws if each.key == key), None)
    if key and law is None:
        raise RequestError("Choose one of the laws in the list, or none.")
    name = clean_line(sent.get("name", "")[:500], 120)
    if name and sent.get("agreed") != "yes":
        raise RequestError("A request names the person only if they agreed. Say that they did, or leave the name out.")
    return Options(
        language=language,
        law=law,
        made_with_ai=sent.get("ai") == "yes",
        defanged=sent.get("defanged") == "yes",
        words=clean_text(sent.get("words", "")[: 2 * MOST_WORDS]),
        name=name,
    )


@dataclass(frozen=True)
class Written:
    """A request as it stands in the form."""

    to: str
    subject: str
    text: str

    @classmethod
    def made(cls, route: Route, text: RequestText) -> Written:
        """As the sentences have it."""
        return cls(route.to, text.subject, text.body)

    @classmethod
    def read(cls, sent: QueryDict) -> Written:
        """As somebody changed it; what is too long is refused later, and only cut so that it is not carried about."""
        return cls(
            sent.get("to", "")[:400],
            sent.get("subject", "")[: LONGEST_SUBJECT + 1],
            sent.get("text", "").replace("\r\n", "\n")[: LONGEST_REQUEST + 1],
        )

    def draft(self, kind: str, options: Options) -> Draft:
        """As it is kept."""
        law = options.law.key if options.law else ""
        return Draft(TakedownRequest.Route(kind), self.to, self.subject, self.text, options.language, law)


def chosen_links(sent: QueryDict) -> list[uuid.UUID]:
    """The links that were ticked. Raises ``RequestError``."""
    typed = sent.getlist("link")
    if not typed:
        raise RequestError("Tick at least one link.")
    if len(typed) > MOST_CHOSEN:
        raise RequestError(f"Tick at most {MOST_CHOSEN} links at once.")
    try:
        return [uuid.UUID(each) for each in typed]
    except ValueError as error:
        raise RequestError("Tick links of this list.") from error
