"""Reads on platforms, and the only way to get one from a request."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from reclaim.bank.platforms.basic import name_and_key, sends_basic
from reclaim.bank.platforms.key_text import is_key
from reclaim.bank.platforms.models import Platform, PlatformKey
from reclaim.protocol.stopncii_v1 import FUNCTION_KEY_HEADER, SUBSCRIPTION_KEY_HEADER
from reclaim.sitekit.access import Access, check_for
from reclaim.sitekit.limits import Limit, comes_from, seconds_to_wait
from reclaim.sitekit.origin import SAFE_METHODS
from reclaim.sitekit.problems import problem
from reclaim.sitekit.secrets import mac

_BEARER = "Bearer "
WRITES = Limit("writes, platform", tries=600, window=60)
"""What one platform says moves the feed of all; lookups and checks of placements have limits of their own."""
_LIMITED_APART = (PlatformKey.Scope.LOOKUP, PlatformKey.Scope.DESCRIPTORS)


def key_mac(key: str) -> bytes:
    """What the bank keeps of a key. Looked up as a whole, so its time tells nothing about any part of a key."""
    return mac("platform-key", key.encode())


def vetted_platforms() -> QuerySet[Platform]:
    """Platforms that have not lost their access, though their keys may have expired: they may hold signals."""
    return Platform.objects.filter(revoked_at=None).order_by("name")


def platforms_with_a_list() -> QuerySet[Platform]:
    """Vetted platforms that may hold signals: not those that only look uploads up, with keys that never opened the
    feed."""
    scopes: dict[int, set[str]] = {}
    for platform, opens in PlatformKey.objects.filter(platform__last_fetch_at=None).values_list("platform", "scopes"):
        scopes.setdefault(platform, set()).update(opens)
    without = [platform for platform, opens in scopes.items() if PlatformKey.Scope.FETCH not in opens]
    return vetted_platforms().exclude(pk__in=without)


def has_a_list(platform: Platform) -> bool:
    """Whether a platform may hold signals; see ``platforms_with_a_list``."""
    return platforms_with_a_list().filter(pk=platform.pk).exists()


def usable_keys() -> QuerySet[PlatformKey]:
    """Keys that open something now."""
    return PlatformKey.objects.filter(expires_at__gt=timezone.now(), revoked_at=None, platform__revoked_at=None)


def keys_of(platform: Platform) -> QuerySet[PlatformKey]:
    """A platform's keys that open something now, the oldest first."""
    return usable_keys().filter(platform=platform).order_by("pk")


def scopes_of_all_keys(platform: Platform) -> frozenset[str]:
    """What any of a platform's keys opens now."""
    return frozenset(scope for key in keys_of(platform) for scope in key.scopes)


def may_have_sources(platform: Platform) -> bool:
    """Whether any of its keys opens source photographs, and so the descriptors of such."""
    return PlatformKey.Scope.SOURCES in scopes_of_all_keys(platform)


def active_platforms() -> QuerySet[Platform]:
    """Platforms that can fetch now."""
    fetching = [
        platform
        for platform, scopes in usable_keys().values_list("platform", "scopes")
        if PlatformKey.Scope.FETCH in scopes
    ]
    return vetted_platforms().filter(pk__in=fetching)


def _find_key(key: str | None) -> PlatformKey | None:
    if not key or not is_key(key):
        return None
    return usable_keys().select_related("platform").filter(mac=key_mac(key)).first()


def access_platform(request: HttpRequest) -> Platform:
    """The platform whose keys came with the request; its route's access check has already let it in."""
    platform: Platform = request.platform  # type: ignore[attr-defined]
    return platform


def scopes_of(request: HttpRequest) -> frozenset[str]:
    """What the key opens that came with the request; its route's access check has already let it in."""
    scopes: frozenset[str] = request.opened_scopes  # type: ignore[attr-defined]
    return scopes


def _check(scope: str, request: HttpRequest) -> HttpResponse | None:
    """Let in whoever shows a key of this scope: as a bearer, as v1's two headers, or as NCMEC's name and password."""
    authorization = request.headers.get("Authorization", "")
    if authorization.startswith(_BEARER):
        key = _find_key(authorization.removeprefix(_BEARER).strip())
        refusal = _unknown("Bearer", "Send your key as «Authorization: Bearer KEY».") if key is None else None
    elif sends_basic(request):
        shown = name_and_key(request)
        key = _find_key(shown.key) if shown else None
        if shown is None or key is None or not shown.names(key.platform):
            key = None
        refusal = _unknown("Basic", "Send your name, or number, as user name and your key as password.")
    else:
        key = _key_of_v1(request)
        refusal = _unknown(
            "Bearer",
            f"Send your key as «Authorization: Bearer KEY»; on v1 this endpoint's key as {FUNCTION_KEY_HEADER} and the "
            f"subscription key as {SUBSCRIPTION_KEY_HEADER}.",
        )
    if key is None:
        return refusal
    request.asking_platform = key.platform  # type: ignore[attr-defined]
    if scope not in key.scopes:
        return problem(403, "This key is for another endpoint", f"Use a key with the scope «{scope}» here.")
    if key.addresses and not comes_from(request, key.addresses):
        return problem(
            403,
            "This key may not be used from here",
            "Ask the bank to add your address, or send from the one it knows.",
        )
    writes = request.method not in SAFE_METHODS and scope not in _LIMITED_APART
    if writes and (wait := seconds_to_wait([(WRITES, key.platform.pk.to_bytes(8, "big"))])):
        refusal = problem(429, "Too many requests", f"Send more in each, and the next in {wait} seconds.")
        refusal["Retry-After"] = str(wait)
        return refusal
    request.platform = key.platform  # type: ignore[attr-defined]
    request.opened_scopes = frozenset(key.scopes)  # type: ignore[attr-defined]
    today = timezone.now().date()
    if key.last_used_on != today:
        PlatformKey.objects.filter(pk=key.pk).update(last_used_on=today)
    return None


def _key_of_v1(request: HttpRequest) -> PlatformKey | None:
    function_key = _find_key(request.headers.get(FUNCTION_KEY_HEADER))
    subscription = _find_key(request.headers.get(SUBSCRIPTION_KEY_HEADER))
    if (
        function_key is None
        or subscription is None
        or PlatformKey.Scope.SUBSCRIPTION not in subscription.scopes
        or subscription.platform_id != function_key.platform_id
    ):
        return None
    return function_key


def platform_of_ended_key(request: HttpRequest) -> Platform | None:
    """The platform one of whose keys came with a request that was refused: mostly one that has ended. For counting."""
    shown = name_and_key(request)
    texts = (
        request.headers.get("Authorization", "").removeprefix(_BEARER).strip(),
        shown.key if shown else "",
        request.headers.get(FUNCTION_KEY_HEADER, ""),
        request.headers.get(SUBSCRIPTION_KEY_HEADER, ""),
    )
    macs = [key_mac(text) for text in texts if is_key(text)]
    if not macs:
        return None
    key = PlatformKey.objects.select_related("platform").filter(mac__in=macs, platform__revoked_at=None).first()
    return key.platform if key else None


def _unknown(scheme: str, how: str) -> HttpResponse:
    refusal = problem(
        401, "This key is not known", f"{how} If you do, it is expired or revoked: ask the bank for a new one."
    )
    refusal["WWW-Authenticate"] = f'{scheme} realm="reclaim"'
    return refusal


@check_for(Access.FETCH_KEY)
def _check_fetch(request: HttpRequest) -> HttpResponse | None:
    return _check(PlatformKey.Scope.FETCH, request)


@check_for(Access.SUBMIT_KEY)
def _check_submit(request: HttpRequest) -> HttpResponse | None:
    return _check(PlatformKey.Scope.SUBMIT, request)


@check_for(Access.FEEDBACK_KEY)
def _check_feedback(request: HttpRequest) -> HttpResponse | None:
    return _check(PlatformKey.Scope.FEEDBACK, request)


@check_for(Access.LOOKUP_KEY)
def _check_lookup(request: HttpRequest) -> HttpResponse | None:
    return _check(PlatformKey.Scope.LOOKUP, request)


@check_for(Access.DESCRIPTORS_KEY)
def _check_descriptors(request: HttpRequest) -> HttpResponse | None:
    return _check(PlatformKey.Scope.DESCRIPTORS, request)
