"""What is still owed to a bank of extra types that this platform follows no longer, or is given no longer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as site_settings
from pytest_django import Settings

from reclaim.client import BankRefused, ExtraType
from reclaim.platform.subscription.bank import BankAccess, save_bank
from reclaim.platform.subscription.models import KnownSignal, PendingAcknowledgement
from reclaim.platform.work import bank_client, sync
from tests.described import name, text_of
from tests.personas import pdq_value
from tests.unit.client.native_bank import PINNED, NativeFeed
from tests.unit.client.scripted_bank import Answer, Request, serve

pytestmark = pytest.mark.django_db

SOURCE, DESCRIBED = pdq_value(2), name(1)


class Feed(NativeFeed):
    """A bank that waits for the word on a source photograph and on descriptors, each named by its type alone."""

    def _right_answer(self, request: Request) -> Answer:
        answer = super()._right_answer(request)
        asked = request.query.get("types", "").split(",")
        if request.path == "/v2/acknowledgements" and request.method == "GET":
            for each in answer.body["owed"]:
                each["type"] = "source" if each["value"] == SOURCE else "descriptors"
            answer.body["owed"] = [each for each in answer.body["owed"] if each["type"] in asked]
        if request.path == "/v2/signals":
            of = [each for each in answer.body["records"] if each["type"] in asked]
            answer.body["records"] = of
        return answer

    def followed_by(self, *types: ExtraType) -> None:
        url = f"{self.bank.url.removesuffix('/v1')}/v2"
        access = BankAccess(name="P", platform_key="p", url=url, pinned=PINNED, extra_types=list(types))
        save_bank(site_settings.BANK_FILE, access)
        sync(bank_client())


@pytest.fixture
def feed(data_folder: Path, settings: Settings) -> Iterator[Feed]:
    settings.DATA = data_folder
    with serve() as bank:
        feed = Feed(bank)
        feed.put(DESCRIBED, type="descriptors", descriptors=text_of(1))
        feed.put(SOURCE, type="source", quality=80)
        feed.followed_by(*ExtraType)
        assert held() == {DESCRIBED, SOURCE}
        yield feed


def held() -> set[str]:
    return set(KnownSignal.objects.values_list("value", flat=True))


def test_of_two_types_of_which_one_is_followed_no_longer_the_bank_is_told_what_it_withdraws_of_either(
    feed: Feed,
) -> None:
    feed.followed_by(ExtraType.DESCRIPTORS)
    assert held() == {DESCRIBED}
    for value, kind in ((SOURCE, "source"), (DESCRIBED, "descriptors")):
        feed.put(value, status="withdrawn", type=kind)
    feed.owed = [SOURCE, DESCRIBED]
    feed.followed_by(ExtraType.DESCRIPTORS)
    assert (held(), sorted(feed.told)) == (set(), sorted([SOURCE, DESCRIBED]))
    feed.followed_by()
    assert not PendingAcknowledgement.objects.exists()


def test_what_a_bank_withdraws_of_types_that_it_gives_no_longer_was_deleted_and_is_acknowledged(feed: Feed) -> None:
    feed.owed = [SOURCE, DESCRIBED]
    feed.spoil = lambda request, answer: (
        Answer({}, 403) if request.path == "/v2/signals" and "source" in request.query["types"] else answer
    )
    with pytest.raises(BankRefused):
        feed.followed_by(*ExtraType)
    assert (held(), sorted(feed.told)) == (set(), sorted([SOURCE, DESCRIBED]))
    assert not PendingAcknowledgement.objects.exists()
