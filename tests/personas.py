"""Made-up people and platforms that tests act as, and values that look like real signals."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.test import Client

from reclaim.bank.cases.services import NewCase, NewItem, create_case
from reclaim.bank.organisations.models import Organisation, Practitioner
from reclaim.bank.organisations.services import add_organisation
from reclaim.bank.platforms.models import Platform
from reclaim.bank.platforms.services import PlatformKeys, add_platform
from reclaim.protocol.stopncii_v1 import FUNCTION_KEY_HEADER, SUBSCRIPTION_KEY_HEADER, FetchHashesResponse
from reclaim.signals import Frame
from reclaim.sitekit.permissions import Role
from tests.members import practitioner


def pdq_value(seed: int) -> str:
    """A value with 128 of 256 bits set, as a real picture's; the same seed gives the same value."""
    bits = [1] * 128 + [0] * 128
    random.Random(seed).shuffle(bits)
    return f"{int(''.join(map(str, bits)), 2):064x}"


def clip_frames(seed: int, count: int) -> list[Frame]:
    """Frames as a video's, one a second, no two of them alike; the same seed gives the same ones."""
    return [Frame(number, 90, pdq_value(1_000_000 + 10_000 * seed + number), float(number)) for number in range(count)]


def a_case(*seeds: int) -> NewCase:
    """A person's case with one signal for each seed."""
    return create_case([NewItem.picture(number, pdq_value(seed)) for number, seed in enumerate(seeds, start=1)])


@dataclass
class ActingOrganisation:
    """An organisation that helps people, and a supervisor of it who is signed in."""

    organisation: Organisation
    practitioner: Practitioner
    client: Client

    @classmethod
    def let_in(cls, name: str = "Example Helpline") -> ActingOrganisation:
        """A new organisation."""
        organisation = add_organisation(name, "GB", ["en"], "Telephone 0123")
        client = Client()
        supervisor = practitioner(client, organisation, Role.SUPERVISOR, scope=Practitioner.Scope.ORGANISATION)
        return cls(organisation, supervisor, client)

    def opens(self, code: str) -> str | None:
        """The page of the case that a person's code opens, or ``None``."""
        answer = self.client.post("/helpline/", {"code": code}, headers={"Origin": "http://testserver"})
        return self.client.get(answer["Location"]).content.decode() if answer.status_code == 302 else None


@dataclass
class ActingPlatform:
    """A vetted platform and its own HTTP client."""

    platform: Platform
    keys: PlatformKeys
    client: Client

    @classmethod
    def vetted(cls, name: str = "Example") -> ActingPlatform:
        """A new platform."""
        platform, keys = add_platform(name)
        return cls(platform, keys, Client())

    def _headers(self, key: str) -> dict[str, str]:
        return {FUNCTION_KEY_HEADER: key, SUBSCRIPTION_KEY_HEADER: self.keys.subscription_key}

    def get(self, **query: Any) -> HttpResponse:
        """The raw answer of FetchHashes."""
        return self.client.get("/v1/FetchHashes", query, headers=self._headers(self.keys.fetch_key))  # type: ignore[return-value]

    def fetch(self, **query: Any) -> FetchHashesResponse:
        """One page of the feed."""
        answer = self.get(**query)
        assert answer.status_code == 200, answer.content
        return FetchHashesResponse.model_validate_json(answer.content)

    def fetch_all(self, start: int = 10, size: int = 800) -> dict[str, str]:
        """Value → status, over all pages."""
        seen: dict[str, str] = {}
        token: dict[str, str] = {}
        while True:
            page = self.fetch(startTimestamp=start, pageSize=size, **token)
            seen |= {record.hashValue: record.hashStatus.value for record in page.hashRecords}
            if not page.hasMoreRecords:
                return seen
            assert page.nextPageToken
            token = {"nextPageToken": page.nextPageToken}

    def post(self, endpoint: str, body: dict[str, Any], key: str | None = None) -> HttpResponse:
        """The raw answer of one of the POSTs."""
        own = {"SubmitHashes": self.keys.submit_key, "SubmitFeedback": self.keys.feedback_key}
        return self.client.post(  # type: ignore[return-value]
            f"/v1/{endpoint}", body, content_type="application/json", headers=self._headers(key or own[endpoint])
        )

    def says(self, seed: int, feedback: str) -> None:
        """Give feedback on one signal."""
        answer = self.post(
            "SubmitFeedback",
            {"count": 1, "hashFeedbacks": [{"hashValue": pdq_value(seed), "feedbackValue": feedback, "tags": []}]},
        )
        assert answer.status_code == 200
        assert answer.json()["count"] == 1

    def syncs(self) -> None:
        """Do as a good client does: fetch everything, delete what is withdrawn, say so."""
        gone = [value for value, status in self.fetch_all().items() if status == "Withdrawn"]
        if gone:
            words = [{"hashValue": value, "feedbackValue": "Deleted", "tags": []} for value in gone]
            assert self.post("SubmitFeedback", {"count": len(words), "hashFeedbacks": words}).status_code == 200
