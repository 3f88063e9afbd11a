"""The facts of a case file that are no sealed words: what they may be, and which of them changed."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

from reclaim.bank.casework.models import AtRisk, CaseFile, Happened, Police, Said, Stage
from reclaim.bank.casework.safety import given, questions
from reclaim.sitekit.places import is_country

MOST_PLACES = 20
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", re.ASCII)
# No «@» and no «/»: an account's name or a page's address would be the person's data in a column that is not sealed.
_PLACE = re.compile(r"[\w.'’&+!() -]{1,40}")

NAMES = {
    "country": "country",
    "language": "language",
    "happened": "what happened",
    "stage": "threatened or shared",
    "since": "since when",
    "places": "where",
    "made_with_ai": "made with AI",
    "at_risk": "who is at risk",
    "police": "police",
    "safety": "safety questions",
}
"""Each fact as a sentence names it."""


class FactsError(ValueError):
    """A fact that cannot be kept; the message is a sentence that says what to do, ``fact`` which of ``NAMES`` it is."""

    def __init__(self, fact: str, sentence: str) -> None:
        super().__init__(sentence)
        self.fact = fact


@dataclass(frozen=True)
class Facts:
    """What is kept unsealed of what happened. Raises ``FactsError``."""

    country: str = ""
    language: str = "en"
    happened: Sequence[str] = ()
    stage: str = Stage.UNKNOWN
    since: datetime.date | None = None
    places: Sequence[str] = ()
    made_with_ai: str = Said.UNKNOWN
    at_risk: Sequence[str] = ()
    police: str = Police.UNKNOWN
    safety: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.country and not is_country(self.country):
            raise FactsError("country", "Choose a country from the list, or «not said».")
        if not _LANGUAGE.fullmatch(self.language) or len(self.language) > 12:
            raise FactsError("language", "Choose a language from the list.")
        for fact, value, known in (
            ("stage", [self.stage], Stage.values),
            ("made_with_ai", [self.made_with_ai], Said.values),
            ("police", [self.police], Police.values),
            ("happened", self.happened, Happened.values),
            ("at_risk", self.at_risk, AtRisk.values),
        ):
            if len(set(value)) != len(value) or not set(value) <= set(known):
                raise FactsError(fact, f"Choose from what is offered for «{NAMES[fact]}».")
        if self.since is not None and not datetime.date(1990, 1, 1) <= self.since <= _tomorrow():
            raise FactsError("since", "Choose a day that has been, or leave it empty.")
        if len(self.places) > MOST_PLACES:
            raise FactsError("places", f"Name at most {MOST_PLACES} sites; pages are added as links.")
        if not all(_PLACE.fullmatch(place) for place in self.places):
            raise FactsError(
                "places",
                "Name sites only, such as «Instagram» or «example.com», separated by commas. Addresses of pages are "
                "added as links, names of accounts belong in a note.",
            )
        asked = {question.key: question for question in questions()}
        for key, answer in self.safety.items():
            if key not in asked or asked[key].answer(answer) is None:
                raise FactsError("safety", "Choose from the answers that are offered.")

    @classmethod
    def of(cls, case_file: CaseFile) -> Facts:
        """As a case file has them; answers to questions that are no longer asked are left out."""
        answers = {question.key: answer.key for question, answer in given(case_file.safety)}
        kept = {each.name: getattr(case_file, each.name) for each in fields(cls)}
        return cls(**{**kept, "safety": answers})

    def columns(self) -> dict[str, object]:
        """As a case file keeps them."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        listed = {name: list(found[name]) for name in ("happened", "places", "at_risk")}
        return {**found, **listed, "safety": dict(self.safety)}

    def changed_from(self, before: Facts) -> list[str]:
        """Which facts differ, as a sentence names them."""
        now, then = self.columns(), before.columns()
        return [NAMES[name] for name in NAMES if now[name] != then[name]]


def places_of(typed: str) -> list[str]:
    """Names of sites, as somebody types them: separated by commas or lines, each once."""
    return list(dict.fromkeys(name for name in (part.strip() for part in re.split(r"[,;\n]", typed)) if name))


def _tomorrow() -> datetime.date:
    # Somebody's today may be tomorrow here.
    return datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)
