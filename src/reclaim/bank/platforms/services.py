"""Writes on platforms."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, fields

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from reclaim.bank.platforms.key_text import new_key
from reclaim.bank.platforms.models import ErrorHour, Platform, PlatformKey
from reclaim.bank.platforms.queries import key_mac
from reclaim.sitekit import audit

KEY_LIFE = datetime.timedelta(days=365)
SHORTEST_LIFE = datetime.timedelta(hours=1)
LONGEST_LIFE = datetime.timedelta(days=731)
USUAL_SCOPES = (PlatformKey.Scope.FETCH, PlatformKey.Scope.SUBMIT, PlatformKey.Scope.FEEDBACK)
COMMON_SCOPES = (*USUAL_SCOPES, PlatformKey.Scope.LOOKUP)
"""What a platform is granted if nothing else is said."""
ALL_SCOPES = (*COMMON_SCOPES, PlatformKey.Scope.DESCRIPTORS, PlatformKey.Scope.SOURCES)
"""All that can be granted; «subscription», which opens nothing by itself, comes with each."""
ENDED_KEYS_KEPT = datetime.timedelta(days=365)
MOST_ERRORS_COUNTED = 1_000_000
"""An hour; beyond that counting would only keep the database writing."""
ERRORS_KEPT = datetime.timedelta(days=7)


class NameTakenError(Exception):
    """A platform of this name is there already."""


class NotGrantedError(ValueError):
    """A key was to open more than was agreed to for its platform."""


@dataclass(frozen=True)
class PlatformKeys:
    """The keys of a platform, in the clear, empty where it has none for that. They are shown once; the bank keeps only
    their MACs."""

    fetch_key: str
    submit_key: str
    feedback_key: str
    subscription_key: str
    platform_key: str
    """For v2: everything that the platform may do in one."""


def checked_name(name: str) -> str:
    """A platform's name without what surrounds it. Raises ``ValueError``."""
    name = name.strip()
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise ValueError("A platform's name has 1 to 80 printable characters.")
    return name


def add_platform(
    name: str,
    scopes: Sequence[PlatformKey.Scope] | None = None,
    *,
    actor: str = "operator",
    addresses: Sequence[str] = (),
    life: datetime.timedelta = KEY_LIFE,
) -> tuple[Platform, PlatformKeys]:
    """Vet a platform and make its keys. One that lost its access can be vetted again.

    Its keys will never open more than ``scopes``, unless the command line grants more. Without ``scopes`` the common
    ones are granted, and the keys are the usual ones; descriptors and sources are granted by name alone.

    Raises ``NameTakenError``; ``ValueError`` for a name that is empty, too long or not plain text.
    """
    name = checked_name(name)
    try:
        with transaction.atomic():
            platform = Platform.objects.select_for_update().filter(name=name).exclude(revoked_at=None).first()
            granted = [scope.value for scope in ALL_SCOPES if scope in (COMMON_SCOPES if scopes is None else scopes)]
            if platform is None:
                platform = Platform.objects.create(name=name, granted=granted)
            else:
                # What it was given before counts no more: signals were withdrawn meanwhile, and nobody waited for it.
                platform.revoked_at, platform.vetted_at, platform.granted = None, timezone.now(), granted
                platform.save(update_fields=["revoked_at", "vetted_at", "granted"])
            keys = _make_keys(platform, USUAL_SCOPES if scopes is None else scopes, addresses, life)
            audit.record(actor, "platform.add", f"platform:{platform.pk}")
    except IntegrityError as error:
        raise NameTakenError(
            f"A platform named «{name}» is there already. Choose another name, or «rekey» it for new keys."
        ) from error
    return platform, keys


def rekey_platform(
    name: str,
    *,
    actor: str = "operator",
    addresses: Sequence[str] = (),
    life: datetime.timedelta = KEY_LIFE,
) -> tuple[Platform, PlatformKeys] | None:
    """Make new keys for a platform with access, ending its old ones at once; ``None`` if there is none of this name.

    They open what the old ones opened; where all had been ended before, everything that is granted.
    """
    with transaction.atomic():
        platform = Platform.objects.select_for_update().filter(name=name, revoked_at=None).first()
        if platform is None:
            return None
        opened = {scope for key in platform.keys.filter(revoked_at=None) for scope in key.scopes}
        granted = [PlatformKey.Scope(scope) for scope in platform.granted]
        scopes = [scope for scope in granted if scope in opened] or granted
        keys = _make_keys(platform, scopes, addresses, life)
        audit.record(actor, "platform.rekey", f"platform:{platform.pk}")
    return platform, keys


def end_keys(platform: Platform, *, actor: str) -> int:
    """End every key of a platform at once; returns how many opened something until now."""
    with transaction.atomic():
        ended = platform.keys.filter(revoked_at=None).update(revoked_at=timezone.now())
        audit.record(actor, "platform.end_keys", f"platform:{platform.pk}")
    return ended


def _make_keys(
    platform: Platform, scopes: Sequence[PlatformKey.Scope], addresses: Sequence[str], life: datetime.timedelta
) -> PlatformKeys:
    platform.keys.filter(revoked_at=None).update(revoked_at=timezone.now())
    # v1 has an endpoint for each of these, and asks for the subscription key on each.
    of_v1 = [scope for scope in USUAL_SCOPES if scope in scopes]
    named: dict[str, Sequence[str]] = {scope.value: (scope.value,) for scope in of_v1}
    if of_v1:
        named["subscription"] = (PlatformKey.Scope.SUBSCRIPTION.value,)
    named["platform"] = [scope.value for scope in scopes]
    labels = {"platform": "version 2", **dict.fromkeys(named.keys() - {"platform"}, "version 1")}
    made = {
        name: _make_key(platform, opens, label=labels[name], addresses=addresses, life=life)[1]
        for name, opens in named.items()
    }
    return PlatformKeys(**{each.name: made.get(each.name.removesuffix("_key"), "") for each in fields(PlatformKeys)})


def _make_key(
    platform: Platform,
    scopes: Sequence[str],
    *,
    label: str = "",
    addresses: Sequence[str] = (),
    life: datetime.timedelta = KEY_LIFE,
) -> tuple[PlatformKey, str]:
    text = new_key(scopes[0] if len(scopes) == 1 else "platform")
    row = PlatformKey.objects.create(
        platform=platform,
        scopes=list(scopes),
        label=label,
        addresses=list(addresses),
        mac=key_mac(text),
        expires_at=timezone.now() + life,
    )
    return row, text


def add_key(
    platform: Platform,
    scopes: Sequence[str],
    *,
    actor: str,
    label: str = "",
    addresses: Sequence[str] = (),
    life: datetime.timedelta = KEY_LIFE,
    grants: bool = False,
) -> tuple[PlatformKey, str]:
    """One more key, beside those that are there; its text is given out this once.

    ``grants`` is the command line's word, which needs no second person: what the key opens is granted to its platform.
    Raises ``NotGrantedError`` for a scope that is not; ``ValueError`` for no scope or an unknown one, an address that
    is no network, a life that is not between an hour and two years, a label that is too long.
    """
    wanted = _checked_scopes(scopes)
    if not SHORTEST_LIFE <= life <= LONGEST_LIFE:
        raise ValueError("A key lasts from an hour to two years.")
    if len(label) > 80 or not (label.isprintable() or not label):
        raise ValueError("A key's label has at most 80 printable characters.")
    networks = checked_networks(addresses)
    with transaction.atomic():
        _insist_on_grant(platform.pk, wanted, actor, grants)
        row, text = _make_key(platform, wanted, label=label, addresses=networks, life=life)
        audit.record(actor, "platform.key_add", f"key:{row.pk}")
    return row, text


def _checked_scopes(scopes: Sequence[str]) -> list[str]:
    wanted = [scope for scope in PlatformKey.Scope.values if scope in scopes]
    if not wanted or set(scopes) - set(wanted):
        raise ValueError(f"A key opens one or more of {', '.join(PlatformKey.Scope.values)}.")
    return wanted


def grantable(platform: Platform) -> list[str]:
    """What a platform's keys may open."""
    return [PlatformKey.Scope.SUBSCRIPTION.value, *platform.granted]


def _insist_on_grant(platform_key: int, scopes: Sequence[str], actor: str, grants: bool) -> None:
    platform = Platform.objects.select_for_update().get(pk=platform_key)
    more = [scope for scope in scopes if scope not in grantable(platform)]
    if more and not grants:
        raise NotGrantedError(
            f"Nobody agreed to {' and '.join(more)} for this platform. End its access and let it apply anew for all "
            "that it needs: then one person proposes it, and another consents."
        )
    if more:
        platform.granted = [scope.value for scope in ALL_SCOPES if scope in platform.granted or scope in more]
        platform.save(update_fields=["granted"])
        audit.record(actor, "platform.grant", f"platform:{platform.pk}")


def checked_networks(addresses: Sequence[str]) -> list[str]:
    """Networks as CIDR; raises ``ValueError`` for what is none."""
    try:
        return [str(ipaddress.ip_network(address.strip(), strict=False)) for address in addresses if address.strip()]
    except ValueError as error:
        raise ValueError("An address is written as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/48.") from error


def rotate_key(key: PlatformKey, *, actor: str, overlap: datetime.timedelta) -> tuple[PlatformKey, str]:
    """A new key with the same scopes, label, addresses and length of life; the old one goes on for ``overlap``, so
    nothing stops.

    Raises ``ValueError`` for a key that opens nothing any more.
    """
    with transaction.atomic():
        old = PlatformKey.objects.select_for_update().get(pk=key.pk)
        now = timezone.now()
        if old.revoked_at is not None or old.expires_at <= now:
            raise ValueError("This key opens nothing any more; add a new one.")
        life = old.expires_at - old.created_at
        row, text = _make_key(old.platform, old.scopes, label=old.label, addresses=old.addresses, life=life)
        old.expires_at = min(old.expires_at, now + overlap)
        old.save(update_fields=["expires_at"])
        audit.record(actor, "platform.key_rotate", f"key:{old.pk}")
    return row, text


def change_key(
    key: PlatformKey, *, actor: str, scopes: Sequence[str], addresses: Sequence[str], grants: bool = False
) -> None:
    """Let a key open other things, or come from elsewhere. ``grants`` and errors are as of ``add_key``."""
    wanted = _checked_scopes(scopes)
    networks = checked_networks(addresses)
    with transaction.atomic():
        _insist_on_grant(key.platform_id, wanted, actor, grants)
        PlatformKey.objects.filter(pk=key.pk).update(scopes=wanted, addresses=networks)
        audit.record(actor, "platform.key_change", f"key:{key.pk}")


def revoke_key(key: PlatformKey, *, actor: str) -> bool:
    """End a key from its next request on; ``False`` if it had ended already."""
    with transaction.atomic():
        ended = PlatformKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
        if ended:
            audit.record(actor, "platform.key_revoke", f"key:{key.pk}")
    return bool(ended)


def note_delivery(
    platform: Platform, *, from_position: int, from_second: int, to_position: int, to_second: int, videos: bool = False
) -> None:
    """Remember what a page of the feed gave a platform, if it follows on what it was given before.

    ``videos`` says that frames of videos may have been on it.

    A client that skips ahead leaves a gap; then nothing is noted, so that no person is told that a platform has
    what it has not.
    """
    with transaction.atomic():
        # Read again under a lock: of two fetches at once, the slower must not take back what the other noted.
        now = Platform.objects.select_for_update().get(pk=platform.pk)
        now.last_fetch_at = timezone.now()
        now.takes_videos = now.takes_videos or videos
        follows_on = from_position <= now.covered_position and from_second <= max(now.covered_until, 10)
        if follows_on:
            now.covered_position = max(now.covered_position, to_position)
            now.covered_until = max(now.covered_until, to_second)
            now.told_position = max(now.told_position, now.covered_position)
        now.save(update_fields=["last_fetch_at", "takes_videos", "covered_position", "covered_until", "told_position"])


def revoke_platform(name: str, *, actor: str = "operator") -> bool:
    """End a platform's access at once; ``False`` if none of this name has any."""
    with transaction.atomic():
        platform = Platform.objects.filter(name=name, revoked_at=None).first()
        if platform is None:
            return False
        platform.revoked_at = timezone.now()
        platform.save(update_fields=["revoked_at"])
        audit.record(actor, "platform.revoke", f"platform:{platform.pk}")
    return True


def note_error(platform: Platform, status: int) -> None:
    """Count that a request of a platform was answered with this status, from 400 on."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    counted = "failed" if status >= 500 else "refused"
    row, _ = ErrorHour.objects.get_or_create(platform=platform, hour=hour)
    ErrorHour.objects.filter(pk=row.pk, **{f"{counted}__lt": MOST_ERRORS_COUNTED}).update(**{counted: F(counted) + 1})


def forget_ended() -> int:
    """Delete keys that ended long ago, and counts of errors of past weeks; returns how many keys."""
    ErrorHour.objects.filter(hour__lt=timezone.now() - ERRORS_KEPT).delete()
    before = timezone.now() - ENDED_KEYS_KEPT
    deleted, _ = PlatformKey.objects.filter(Q(expires_at__lt=before) | Q(revoked_at__lt=before)).delete()
    return deleted
