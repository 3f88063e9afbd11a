"""A person whom an organisation helps, and what it keeps of them, for tests."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Any

from django.test import Client

from reclaim.bank.cases.services import NewCase
from reclaim.bank.casework.facts import Facts
from reclaim.bank.casework.models import CaseFile, Channel
from reclaim.bank.casework.services import Texts, open_case_file
from tests.members import OWN_PAGE
from tests.personas import ActingOrganisation, a_case

FACTS = Facts(
    country="DE",
    language="de",
    happened=["sextortion"],
    stage="both",
    since=datetime.date(2026, 11, 20),
    places=["Example Social"],
    made_with_ai="no",
    at_risk=["person"],
    police="wanted",
    safety={"danger": "no"},
)


def a_case_file(helper: ActingOrganisation) -> CaseFile:
    """A case file with facts and words, in which a person has not said anything themselves."""
    texts = Texts("by post", "it was an ex")
    return open_case_file(helper.practitioner, Channel.PHONE, FACTS, texts, adults=True)


def person_of(made: NewCase) -> Client:
    """A browser in which the person has opened their case."""
    client = Client(headers=OWN_PAGE)
    assert client.post("/case/", {"number": made.number, "pin": made.pin}).status_code == 302
    return client


def words_of(answer: Any) -> str:
    """What a page says, without its mark-up."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def half_of(page: str) -> str:
    """What an open page has of the person's key."""
    found = re.search(r'name="opens" value="([^"]+)"', page)
    assert found
    return found[1]


@dataclass
class Helped:
    """A person, their case, whoever helps them, and what that organisation keeps."""

    helper: ActingOrganisation
    made: NewCase
    person: Client
    case_file: CaseFile

    @classmethod
    def by_code(cls, seed: int = 1, helper: ActingOrganisation | None = None) -> Helped:
        """One who gave a code for a case file that there was, which was opened since."""
        helper, made = helper or ActingOrganisation.let_in(), a_case(seed)
        case_file, person = a_case_file(helper), person_of(made)
        page = person.post("/case/helper/", {"organisation": helper.organisation.pk, "sure": "yes"})
        code = re.search(r"data-code>([^<]+)<", page.content.decode())
        assert code
        answer = helper.client.post(f"/helpline/cases/{case_file.pk}/case/", {"code": code[1]}, headers=OWN_PAGE)
        helper.client.get(answer["Location"])
        case_file.refresh_from_db()
        return cls(helper, made, person, case_file)

    @property
    def address(self) -> str:
        """Where the person reads what is kept."""
        return f"/case/helper/{self.helper.organisation.pk}/"

    def opens(self) -> str:
        """The page of what is kept, after number and PIN."""
        answer = self.person.post(self.address, {"number": self.made.number, "pin": self.made.pin})
        assert answer.status_code == 200
        return answer.content.decode()
