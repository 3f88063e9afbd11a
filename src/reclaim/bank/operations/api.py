"""``/v2/applications``: a service asks to become a platform, and picks its keys up."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Body, Router
from pydantic import BaseModel, ConfigDict, Field

from reclaim.bank.operations.applications import NotNowError, apply, pick_up, withdraw
from reclaim.bank.operations.applying import NewApplication
from reclaim.bank.operations.limits import may_apply, may_try_secret
from reclaim.bank.operations.models import Application
from reclaim.bank.operations.queries import access_own_application, application_of
from reclaim.bank.operations.words import STATES
from reclaim.bank.platforms.services import NameTakenError
from reclaim.protocol.native_v2 import Problem
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.limits import SlowDownError
from reclaim.sitekit.problems import problem

router = Router()

UNKNOWN = "There is no application with this number and secret. Check both: they were shown when you applied."


class Standing(BaseModel):
    """Where an application stands."""

    application: str
    """Its number."""
    state: str
    """asked, vetted, consented, joined, declined or withdrawn."""
    asked_at: str
    what_next: str
    """A sentence."""
    declined_because: str | None = None


class Taken(Standing):
    """An application that was taken."""

    pickup_secret: str
    """Shown this once. With it the keys are picked up."""


class Secret(BaseModel):
    """What an applicant shows."""

    model_config = ConfigDict(extra="forbid")

    secret: Annotated[str, Field(min_length=1, max_length=200)]


class Keys(BaseModel):
    """Keys, shown this once, as ``reclaim platform init --keys`` reads them; those that were granted."""

    name: str
    fetch_key: str | None = None
    submit_key: str | None = None
    feedback_key: str | None = None
    subscription_key: str | None = None
    platform_key: str
    """For version 2: opens everything that was granted."""


def standing_of(application: Application) -> dict[str, Any]:
    """Where an application stands, as JSON."""
    told: dict[str, Any] = {
        "application": application.number,
        "state": application.state,
        "asked_at": application.asked_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "what_next": STATES[Application.State(application.state)],
    }
    if application.state == Application.State.DECLINED:
        told["declined_because"] = application.declined_because
    return told


def _later(error: SlowDownError) -> HttpResponse:
    refusal = problem(429, "Not now", f"Nothing was done. Come back in {error.seconds} seconds.")
    refusal["Retry-After"] = str(error.seconds)
    return refusal


@router.post(
    "/applications",
    url_name="v2-apply",
    response={202: Taken, 409: Problem, 422: Problem, 429: Problem},
    tags=["applications"],
)
@requires(Access.PUBLIC)
def ask_to_join(request: HttpRequest, message: Body[NewApplication]) -> HttpResponse:
    """Ask to become a platform of this bank. People read it; it takes days. A staging bank lets you in at once."""
    try:
        may_apply(request)
    except SlowDownError as error:
        return _later(error)
    try:
        application, secret = apply(message)
    except NameTakenError as error:
        return problem(409, "This name is taken", str(error))
    return JsonResponse({**standing_of(application), "pickup_secret": secret}, status=202)


@router.get(
    "/applications/{number}", url_name="v2-application", response={200: Standing, 404: Problem}, tags=["applications"]
)
@requires(Access.PUBLIC)
def see_application(request: HttpRequest, number: str) -> HttpResponse:
    """Where an application stands."""
    application = application_of(number)
    if application is None:
        return problem(404, "No such application", "Check its number: it was shown when you applied.")
    return JsonResponse(standing_of(application))


def _own(request: HttpRequest, number: str, secret: str) -> Application | HttpResponse:
    """The application of whoever shows its secret, or the refusal."""
    try:
        may_try_secret(request)
    except SlowDownError as error:
        return _later(error)
    return access_own_application(number, secret) or problem(404, "No such application", UNKNOWN)


@router.post(
    "/applications/{number}/keys",
    url_name="v2-pick-up",
    response={200: Keys, 404: Problem, 409: Problem, 429: Problem},
    tags=["applications"],
)
@requires(Access.PUBLIC)
def pick_up_keys(request: HttpRequest, number: str, message: Body[Secret]) -> HttpResponse:
    """Pick the keys up, once, when the bank has consented. Save the answer: nobody can show it again."""
    application = _own(request, number, message.secret)
    if isinstance(application, HttpResponse):
        return application
    try:
        return JsonResponse(pick_up(application))
    except (NotNowError, NameTakenError) as error:
        return problem(409, "No keys were given out", str(error))


@router.post(
    "/applications/{number}/withdrawal",
    url_name="v2-withdraw-application",
    response={200: Standing, 404: Problem, 409: Problem, 429: Problem},
    tags=["applications"],
)
@requires(Access.PUBLIC)
def withdraw_application(request: HttpRequest, number: str, message: Body[Secret]) -> HttpResponse:
    """Take an application back."""
    application = _own(request, number, message.secret)
    if isinstance(application, HttpResponse):
        return application
    try:
        withdraw(application)
    except NotNowError as error:
        return problem(409, "It was not taken back", str(error))
    application.refresh_from_db()
    return JsonResponse(standing_of(application))
