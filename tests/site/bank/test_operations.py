"""A platform's way in from its own side, and what the people who run the bank see of it afterwards."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from reclaim.bank.cases.services import NewItem, create_case, withdraw
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.lookup.models import LookupAlarm
from reclaim.bank.operations.models import Application
from reclaim.bank.operations.queries import watched_platforms
from reclaim.bank.platforms.models import ErrorHour, Platform, PlatformKey
from reclaim.bank.platforms.services import add_platform
from reclaim.sitekit.models import AuditEvent
from reclaim.sitekit.roles import Role
from tests.attacks.test_onboarding import ASKED
from tests.members import OWN_PAGE, signed_in
from tests.personas import pdq_value
from tests.v2 import Native

pytestmark = pytest.mark.django_db

KEY = re.compile(r"reclaim_[a-z]+_[A-Za-z0-9_-]{49}")


def a_member(role: Role) -> Client:
    """A browser of a new member of the staff."""
    client = Client(headers=OWN_PAGE)
    signed_in(client, role)
    return client


def as_json(path: str, body: dict[str, Any]) -> Any:
    """What a platform's script is answered."""
    return Client().post(path, body, content_type="application/json")


def test_a_platform_joins_from_its_first_question_to_its_first_page_of_the_feed() -> None:
    asked = as_json("/v2/applications", ASKED)
    assert asked.status_code == 202
    number, secret = asked.json()["application"], asked.json()["pickup_secret"]
    place, page = f"/v2/applications/{number}", f"/staff/applications/{number}/"

    def state() -> str:
        told: str = Client().get(place).json()["state"]
        return told

    assert state() == "asked"
    assert as_json(f"{place}/keys", {"secret": secret}).status_code == 409
    operator, overseer = a_member(Role.OPERATOR), a_member(Role.OVERSEER)
    assert "Example" in operator.get("/staff/applications/").content.decode()
    operator.post(f"{page}vet/", {"reason": "We have met them.", "scope": ["fetch", "feedback"]})
    assert state() == "vetted"
    assert "We have met them." in overseer.get(page).content.decode()
    overseer.post(f"{page}consent/")
    assert state() == "consented"
    keys = as_json(f"{place}/keys", {"secret": secret})
    assert keys.status_code == 200
    assert keys.json()["name"] == "Example"
    headers = {"Authorization": f"Bearer {keys.json()['platform_key']}"}
    assert Client().get("/v2/signals", headers=headers).status_code == 200
    assert as_json(f"{place}/keys", {"secret": secret}).status_code == 409
    assert state() == "joined"


def test_the_page_of_the_application_does_the_same_without_a_script() -> None:
    visitor = Client(headers=OWN_PAGE)
    assert visitor.get("/platforms/join/").status_code == 200
    wrong = visitor.post("/platforms/join/", ASKED | {"web": "nowhere"})
    assert wrong.status_code == 422
    assert "https://www.example.org" in wrong.content.decode()
    made = visitor.post("/platforms/join/", ASKED).content.decode()
    application = Application.objects.get()
    assert application.number in made
    assert KEY.search(made)
    assert visitor.get(f"/platforms/join/{application.number}/").status_code == 200
    assert not KEY.search(visitor.get(f"/platforms/join/{application.number}/").content.decode())


def test_an_applicant_who_is_declined_reads_why_and_one_may_take_the_question_back() -> None:
    asked = [as_json("/v2/applications", ASKED | {"name": name}).json() for name in ("One", "Two")]
    a_member(Role.OPERATOR).post(
        f"/staff/applications/{asked[0]['application']}/decline/", {"because": "Nobody answers."}
    )
    told = Client().get(f"/v2/applications/{asked[0]['application']}").json()
    assert (told["state"], told["declined_because"]) == ("declined", "Nobody answers.")
    taken = as_json(f"/v2/applications/{asked[1]['application']}/withdrawal", {"secret": asked[1]["pickup_secret"]})
    assert taken.status_code == 200
    assert Application.objects.get(name="Two").state == "withdrawn"


def test_what_a_platform_owes_is_seen_with_its_clock_and_who_is_late_comes_first() -> None:
    late, other = Native.vetted("Late"), Native.vetted("Other")
    case = create_case([NewItem.picture(1, pdq_value(1)), NewItem.picture(2, pdq_value(2))]).case
    for each in (late, other):
        each.sync()
    withdraw(case)
    behind = {each.platform.name: each for each in watched_platforms()}
    assert [behind[name].behind for name in ("Late", "Other")] == [2, 2]
    for each in (late, other):
        each.sync()
    other.acknowledges()
    long_ago = timezone.now() - datetime.timedelta(days=3)
    Platform.objects.update(vetted_at=long_ago)
    LedgerRecord.objects.update(withdrawn_at=long_ago + datetime.timedelta(days=1))
    first, second = watched_platforms()
    assert (first.platform.name, first.owed, first.overdue, second.owed) == ("Late", 2, 2, 0)
    assert first.acknowledge_by is not None
    assert first.acknowledge_by < timezone.now()
    page = a_member(Role.WATCHER).get("/staff/platforms/").content.decode()
    assert page.index("Late") < page.index("Other")


def test_a_platform_that_only_looks_uploads_up_is_behind_by_nothing() -> None:
    add_platform("Small", [PlatformKey.Scope.LOOKUP])
    create_case([NewItem.picture(1, pdq_value(1))])
    [small] = watched_platforms()
    assert (small.behind, small.behind_seconds, small.owed) == (0, 0, 0)


def test_errors_are_counted_by_the_hour_and_nothing_of_what_was_asked_is_kept() -> None:
    platform = Native.vetted()
    assert platform.get("signals", use="feedback").status_code == 403
    assert platform.get("signals", after="nonsense").status_code == 422
    assert platform.get("signals").status_code == 200
    row = ErrorHour.objects.get()
    assert (row.refused, row.failed) == (2, 0)
    assert watched_platforms()[0].refused == 2


def test_keys_are_made_rotated_and_ended_on_the_platforms_page_and_shown_once() -> None:
    platform, _ = add_platform("Example")
    operator = a_member(Role.OPERATOR)
    page = f"/staff/platforms/{platform.pk}/"
    made = operator.post(f"{page}keys/", {"scope": ["fetch"], "label": "crawler", "days": "30", "addresses": ""})
    shown = KEY.search(made.content.decode())
    assert shown
    key = PlatformKey.objects.latest("pk")
    assert (key.label, key.scopes) == ("crawler", ["fetch"])
    assert not KEY.search(operator.get(page).content.decode())
    headers = {"Authorization": f"Bearer {shown[0]}"}
    assert Client().get("/v2/signals", headers=headers).status_code == 200
    assert KEY.search(operator.post(f"{page}keys/{key.pk}/rotate/", {"days": "7"}).content.decode())
    a_member(Role.OVERSEER).post(f"{page}keys/{key.pk}/revoke/")
    assert Client().get("/v2/signals", headers=headers).status_code == 401


def test_a_watcher_reads_everything_changes_nothing_and_every_read_is_in_the_audit_trail() -> None:
    platform, _ = add_platform("Example")
    as_json("/v2/applications", ASKED | {"name": "Another"})
    number = Application.objects.get().number
    watcher = a_member(Role.WATCHER)
    pages = ["/staff/platforms/", f"/staff/platforms/{platform.pk}/", "/staff/applications/"]
    for path in (*pages, f"/staff/applications/{number}/"):
        before = AuditEvent.objects.count()
        assert watcher.get(path).status_code == 200, path
        assert AuditEvent.objects.filter(actor__startswith="member:").count() > 0
        assert AuditEvent.objects.count() > before, path
    page = f"/staff/platforms/{platform.pk}/"
    for path in (f"{page}keys/", f"{page}end/", f"/staff/applications/{number}/vet/"):
        assert watcher.post(path).status_code == 403, path
    assert Platform.objects.get().revoked_at is None
    assert "Held" not in watcher.get("/staff/").content.decode()


def test_staff_see_lookups_and_peers_and_say_how_much_a_platform_may_look_up() -> None:
    platform, _ = add_platform("Example")
    operator, watcher = a_member(Role.OPERATOR), a_member(Role.WATCHER)
    assert "No other bank" in watcher.get("/staff/peers/").content.decode()
    allowed = {"platform": str(platform.pk), "do": "allow", "a_day": "5000"}
    assert watcher.post("/staff/lookups/change/", allowed).status_code == 403
    assert operator.post("/staff/lookups/change/", allowed | {"a_day": "many"}).status_code == 422
    assert operator.post("/staff/lookups/change/", allowed).status_code == 302
    assert "5,000" in watcher.get("/staff/lookups/").content.decode()
    alarm = LookupAlarm.objects.create(platform=platform, versions=41, stopped=True)
    assert "41" in watcher.get("/staff/lookups/").content.decode()
    operator.post("/staff/lookups/change/", {"platform": str(platform.pk), "do": "close"})
    alarm.refresh_from_db()
    assert alarm.closed_by.startswith("member:")
