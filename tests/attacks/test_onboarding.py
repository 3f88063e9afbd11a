"""Attacks on the way in: who wants to become a platform without two people's consent, or with somebody else's keys."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from pydantic import ValidationError

from reclaim.bank.cases.services import NewItem, StagingError, create_case
from reclaim.bank.federation.services import PeerError, add_peer
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.ledger.services import locked_ledger, make_synthetic
from reclaim.bank.operations import applications
from reclaim.bank.operations.applications import NotNowError, SamePersonError
from reclaim.bank.operations.applying import NewApplication
from reclaim.bank.operations.models import Application
from reclaim.bank.operations.queries import access_own_application
from reclaim.bank.operations.staging import NotSyntheticError, fill, move
from reclaim.bank.peers.models import Peer
from reclaim.bank.platforms.models import Platform, PlatformKey
from reclaim.bank.platforms.services import NameTakenError, NotGrantedError, add_key, add_platform, rekey_platform
from reclaim.sitekit.models import AuditEvent
from reclaim.sitekit.roles import Role
from tests.members import OWN_PAGE, make_member, signed_in
from tests.personas import pdq_value

pytestmark = pytest.mark.django_db

ASKED: dict[str, Any] = {
    "name": "Example",
    "web": "https://www.example.org",
    "contact": "safety@example.org",
    "country": "GB",
    "kind": "social",
    "people": "up to 10,000",
    "media": ["pictures"],
    "review": "Two moderators look at each match within a day.",
    "scopes": ["fetch", "feedback"],
}


def asks(**changes: Any) -> tuple[Application, str]:
    """Somebody applies."""
    return applications.apply(NewApplication.model_validate(ASKED | changes))


def consented(**changes: Any) -> tuple[Application, str]:
    """Somebody applied, and two people agreed."""
    application, secret = asks(**changes)
    applications.vet(application, make_member(Role.OPERATOR), "We have met them.", application.wanted)
    applications.consent(application, make_member(Role.OVERSEER))
    application.refresh_from_db()
    return application, secret


def test_nobody_consents_to_what_they_proposed_themselves() -> None:
    application, _ = asks()
    both = make_member(Role.OPERATOR)
    applications.vet(application, both, "We have met them.", ["fetch"])
    with pytest.raises(SamePersonError):
        applications.consent(application, both)
    with pytest.raises(NotNowError):
        applications.pick_up(application)
    assert not Platform.objects.exists()


def test_the_database_itself_refuses_a_consent_that_is_not_another_members() -> None:
    application, _ = asks()
    alone = make_member(Role.OPERATOR)
    for changes in (
        {"state": "consented", "vetted_by": alone, "consented_by": alone},
        {"state": "consented", "vetted_by": alone},
        {"state": "joined", "consented_by": alone},
        {"state": "vetted"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Application.objects.filter(pk=application.pk).update(**changes)


def test_a_role_has_one_half_of_the_decision_on_every_page() -> None:
    application, _ = asks()
    operator, overseer = Client(headers=OWN_PAGE), Client(headers=OWN_PAGE)
    signed_in(operator, Role.OPERATOR)
    signed_in(overseer, Role.OVERSEER)
    page = f"/staff/applications/{application.number}/"
    proposal = {"reason": "We have met them.", "scope": ["fetch"]}
    assert overseer.post(f"{page}vet/", proposal).status_code == 403
    assert operator.post(f"{page}vet/", proposal).status_code == 302
    assert operator.post(f"{page}consent/").status_code == 403
    application.refresh_from_db()
    assert application.state == "vetted"
    assert overseer.post(f"{page}consent/").status_code == 302
    application.refresh_from_db()
    assert application.state == "consented"


def test_an_unattended_session_lets_nobody_in() -> None:
    application, _ = asks()
    client = Client(headers=OWN_PAGE)
    signed_in(client, Role.OPERATOR, fresh=False)
    answer = client.post(
        f"/staff/applications/{application.number}/vet/", {"reason": "We have met them.", "scope": ["fetch"]}
    )
    assert "/staff/again/" in answer["Location"]
    application.refresh_from_db()
    assert application.state == "asked"


def test_the_number_and_a_wrong_secret_open_nothing() -> None:
    application, secret = consented()
    _, other_secret = asks(name="Other")
    for wrong in ("", "x" * 1000, other_secret, secret[:-1], application.number):
        assert access_own_application(application.number, wrong) is None
        answer = Client().post(
            f"/v2/applications/{application.number}/keys", {"secret": wrong}, content_type="application/json"
        )
        assert answer.status_code in (404, 422)
    assert access_own_application(application.number, secret) == application
    assert not Platform.objects.exists()


def test_keys_are_picked_up_once_and_have_only_the_scopes_that_were_granted() -> None:
    application, _ = asks()
    applications.vet(application, make_member(Role.OPERATOR), "We have met them.", ["fetch"])
    applications.consent(application, make_member(Role.OVERSEER))
    given = applications.pick_up(application)
    assert set(given) == {"name", "fetch_key", "subscription_key", "platform_key"}
    assert {tuple(key.scopes) for key in Platform.objects.get().keys.all()} == {("fetch",), ("subscription",)}
    with pytest.raises(NotNowError):
        applications.pick_up(application)


def test_no_operator_alone_gives_a_platform_more_than_two_people_agreed_to() -> None:
    application, _ = consented(scopes=["lookup", "feedback"])
    applications.pick_up(application)
    platform = Platform.objects.get()
    key = platform.keys.latest("pk")
    operator = Client(headers=OWN_PAGE)
    signed_in(operator, Role.OPERATOR, name="alone")
    page = f"/staff/platforms/{platform.pk}/"
    assert 'value="fetch"' not in operator.get(page).content.decode()
    for path, sent in (
        (f"{page}keys/", {"scope": ["fetch"], "days": "30"}),
        (f"{page}keys/", {"scope": ["lookup", "submit"], "days": "30"}),
        (f"{page}keys/{key.pk}/change/", {"scope": ["fetch", "lookup"]}),
    ):
        answer = operator.post(path, sent)
        assert answer.status_code == 422, path
        assert "another consents" in answer.content.decode()
    assert rekey_platform(platform.name)
    applications.offer_again(application, make_member(Role.OPERATOR, "other"))
    applications.pick_up(application)
    opened = {scope for scopes in PlatformKey.objects.values_list("scopes", flat=True) for scope in scopes}
    assert opened == {"lookup", "feedback", "subscription"}
    assert operator.post(f"{page}keys/", {"scope": ["lookup"], "days": "30"}).status_code == 200


def test_the_command_line_alone_grants_more_and_that_is_in_the_audit_trail() -> None:
    platform, _ = add_platform("Small", [PlatformKey.Scope.LOOKUP])
    with pytest.raises(NotGrantedError):
        add_key(platform, ["fetch"], actor="member:1")
    add_key(platform, ["fetch"], actor="operator", grants=True)
    platform.refresh_from_db()
    assert platform.granted == ["fetch", "lookup"]
    assert AuditEvent.objects.filter(action="platform.grant", target=f"platform:{platform.pk}").exists()


def test_what_was_declined_or_taken_back_never_gets_keys() -> None:
    declined, _ = consented()
    applications.decline(declined, make_member(Role.OVERSEER, "another"), "They are not who they say.")
    taken_back, _ = asks(name="Other")
    applications.withdraw(taken_back)
    for application in (declined, taken_back):
        with pytest.raises(NotNowError):
            applications.pick_up(application)
    assert not Platform.objects.exists()


def test_nobody_takes_the_name_of_a_platform_that_is_there() -> None:
    application, _ = consented()
    add_platform("Example")
    with pytest.raises(NameTakenError):
        applications.pick_up(application)
    with pytest.raises(NameTakenError):
        asks()
    assert Platform.objects.get().applications.count() == 0


NOT_AN_APPLICATION: list[dict[str, Any]] = [
    {"name": ""},
    {"name": "Ex\u202eample"},
    {"name": "x" * 81},
    {"web": "javascript:alert(1)"},
    {"web": "https://[broken"},
    {"country": "Z9"},
    {"kind": "bank"},
    {"media": []},
    {"review": "x" * 2001},
    {"scopes": ["subscription"]},
    {"scopes": []},
    {"addresses": ["nowhere"]},
    {"addresses": ["192.0.2.1"] * 21},
    {"consented_by": 1},
]


def test_an_application_that_is_none_is_refused_with_a_sentence() -> None:
    for place, changes in enumerate(NOT_AN_APPLICATION):
        with pytest.raises(ValidationError):
            asks(**changes)
        client = Client(REMOTE_ADDR=f"192.0.{place}.1")
        answer = client.post("/v2/applications", ASKED | changes, content_type="application/json")
        assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json"), changes
    assert not Application.objects.exists()


def test_one_network_fills_no_list_of_applications() -> None:
    answers = [
        Client(REMOTE_ADDR=f"192.0.2.{place}").post("/v2/applications", ASKED, content_type="application/json")
        for place in range(8)
    ]
    assert answers[0].status_code == 202
    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) > 0
    assert Application.objects.count() < 8


def test_what_happened_to_an_application_is_in_the_audit_trail_and_no_secret_is() -> None:
    application, secret = consented()
    applications.pick_up(application)
    told = list(AuditEvent.objects.order_by("pk").values_list("actor", "action", "target"))
    actions = [action for _, action, target in told if target == f"application:{application.pk}"]
    assert actions == ["application.ask", "application.vet", "application.consent", "application.pick_up"]
    assert secret not in repr(told)
    assert application.number not in repr(told)


def test_a_staging_bank_takes_nobodys_case_and_a_real_one_is_never_filled_with_made_up_signals() -> None:
    with pytest.raises(NotSyntheticError):
        fill([])
    assert move() == 0
    create_case([NewItem.picture(1, pdq_value(1))])
    assert not make_synthetic()
    assert LedgerRecord.objects.count() == 1


def test_the_ledger_of_a_staging_bank_is_closed_to_persons() -> None:
    assert make_synthetic()
    with pytest.raises(StagingError):
        create_case([NewItem.picture(1, pdq_value(1))])
    assert not LedgerRecord.objects.exists()


def test_a_staging_bank_takes_in_no_other_banks_signals() -> None:
    assert make_synthetic()
    with pytest.raises(PeerError, match="staging"):
        add_peer("Another bank", Peer.Kind.STOPNCII, "https://bank.example", keys={})
    peer = Peer.objects.create(name="Another bank", kind=Peer.Kind.STOPNCII, url="https://bank.example")
    with pytest.raises(ValueError, match="staging"), locked_ledger() as ledger:
        ledger.add_source("pdq", pdq_value(1), peer=peer)
    assert not LedgerRecord.objects.exists()
