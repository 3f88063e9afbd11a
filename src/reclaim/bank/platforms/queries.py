"""Reads on platforms, and the only way to get one from a request."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from reclaim.bank.platforms.basic import name_and_key, sends_basic
from reclaim.bank.platforms.models import Platform, PlatformKey
from reclaim.protocol.stopncii_v1 import FUNCTION_KEY_HEADER, SUBSCRIPTION_KEY_HEADER
from reclaim.sitekit.access import Access, check_for
from reclaim.sitekit.problems import problem
from reclaim.sitekit.secrets import mac


def key_mac(key: str) -> bytes:
    """What the bank keeps of a key. Looked up as a whole, so its time tells nothing about any part of a key."""
    return mac("platform-key", key.encode())


def vetted_platforms() -> QuerySet[Platform]:
    """Platforms that have not lost their access, though their keys may have expired: they may hold signals."""
    return Platform.objects.filter(revoked_at=None).order_by("name")


def active_platforms() -> QuerySet[Platform]:
    """Platforms that can fetch now."""
    usable = PlatformKey.objects.filter(scope=PlatformKey.Scope.FETCH, expires_at__gt=timezone.now())
    return vetted_platforms().filter(pk__in=usable.values("platform"))


def _find_key(key: str | None) -> PlatformKey | None:
    if not key or len(key) > 200:
        return None
    return (
        PlatformKey.objects.select_related("platform")
        .filter(mac=key_mac(key), expires_at__gt=timezone.now(), platform__revoked_at=None)
        .first()
    )


def access_platform(request: HttpRequest) -> Platform:
    """The platform whose keys came with the request; its route's access check has already let it in."""
    platform: Platform = request.platform  # type: ignore[attr-defined]
    return platform


def _check_basic(scope: str, request: HttpRequest) -> HttpResponse | None:
    shown = name_and_key(request)
    key = _find_key(shown.key) if shown else None
    if shown is None or key is None or not shown.names(key.platform):
        refusal = problem(
            401,
            "This name and key are not known",
            "Send your platform's name (or its number) as user name and its key as password. If you do, the key is "
            "expired or revoked: ask the bank for a new one.",
        )
        refusal["WWW-Authenticate"] = 'Basic realm="reclaim", charset="UTF-8"'
        return refusal
    if key.scope != scope:
        return problem(403, "This key is for another endpoint", f"Use the {scope} key here.")
    request.platform = key.platform  # type: ignore[attr-defined]
    return None


def _check(scope: str, request: HttpRequest) -> HttpResponse | None:
    if sends_basic(request):
        return _check_basic(scope, request)
    function_key = _find_key(request.headers.get(FUNCTION_KEY_HEADER))
    subscription = _find_key(request.headers.get(SUBSCRIPTION_KEY_HEADER))
    if (
        function_key is None
        or subscription is None
        or subscription.scope != PlatformKey.Scope.SUBSCRIPTION
        or subscription.platform_id != function_key.platform_id
    ):
        return problem(
            401,
            "These keys are not known",
            f"Send this endpoint's key as {FUNCTION_KEY_HEADER} and the subscription key as "
            f"{SUBSCRIPTION_KEY_HEADER}. If you do, they are expired or revoked: ask the bank for new ones.",
        )
    if function_key.scope != scope:
        return problem(403, "This key is for another endpoint", f"Use the {scope} key here.")
    request.platform = function_key.platform  # type: ignore[attr-defined]
    return None


@check_for(Access.FETCH_KEY)
def _check_fetch(request: HttpRequest) -> HttpResponse | None:
    return _check(PlatformKey.Scope.FETCH, request)


@check_for(Access.SUBMIT_KEY)
def _check_submit(request: HttpRequest) -> HttpResponse | None:
    return _check(PlatformKey.Scope.SUBMIT, request)


@check_for(Access.FEEDBACK_KEY)
def _check_feedback(request: HttpRequest) -> HttpResponse | None:
    return _check(PlatformKey.Scope.FEEDBACK, request)
