"""Writes on platforms."""

from __future__ import annotations

import datetime
import secrets
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from reclaim.bank.platforms.models import Platform, PlatformKey
from reclaim.bank.platforms.queries import key_mac
from reclaim.sitekit import audit

KEY_LIFE = datetime.timedelta(days=365)


class NameTakenError(Exception):
    """A platform of this name is there already."""


@dataclass(frozen=True)
class PlatformKeys:
    """The keys of a new platform, in the clear. They are shown once; the bank keeps only their MACs."""

    fetch_key: str
    submit_key: str
    feedback_key: str
    subscription_key: str


def add_platform(name: str) -> tuple[Platform, PlatformKeys]:
    """Vet a platform and make its keys, which expire after a year. One that lost its access can be vetted again.

    Raises ``NameTakenError``; ``ValueError`` for a name that is empty, too long or not plain text.
    """
    name = name.strip()
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise ValueError("A platform's name has 1 to 80 printable characters.")
    try:
        with transaction.atomic():
            platform = Platform.objects.select_for_update().filter(name=name).exclude(revoked_at=None).first()
            if platform is None:
                platform = Platform.objects.create(name=name)
            else:
                platform.revoked_at = None
                platform.save(update_fields=["revoked_at"])
            keys = _make_keys(platform)
            audit.record("operator", "platform.add", f"platform:{platform.pk}")
    except IntegrityError as error:
        raise NameTakenError(
            f"A platform named «{name}» is there already. Choose another name, or «rekey» it for new keys."
        ) from error
    return platform, keys


def rekey_platform(name: str) -> tuple[Platform, PlatformKeys] | None:
    """Make new keys for a platform with access, ending its old ones at once; ``None`` if there is none of this name."""
    with transaction.atomic():
        platform = Platform.objects.select_for_update().filter(name=name, revoked_at=None).first()
        if platform is None:
            return None
        keys = _make_keys(platform)
        audit.record("operator", "platform.rekey", f"platform:{platform.pk}")
    return platform, keys


def _make_keys(platform: Platform) -> PlatformKeys:
    # The prefix lets a secret scanner recognise a key that was published by mistake.
    keys = {scope: f"reclaim_{scope}_{secrets.token_urlsafe(32)}" for scope in PlatformKey.Scope.values}
    expires_at = timezone.now() + KEY_LIFE
    platform.keys.all().delete()
    PlatformKey.objects.bulk_create(
        PlatformKey(platform=platform, scope=scope, mac=key_mac(key), expires_at=expires_at)
        for scope, key in keys.items()
    )
    return PlatformKeys(**{f"{scope}_key": key for scope, key in keys.items()})


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


def revoke_platform(name: str) -> bool:
    """End a platform's access at once; ``False`` if none of this name has any."""
    with transaction.atomic():
        platform = Platform.objects.filter(name=name, revoked_at=None).first()
        if platform is None:
            return False
        platform.revoked_at = timezone.now()
        platform.save(update_fields=["revoked_at"])
        audit.record("operator", "platform.revoke", f"platform:{platform.pk}")
    return True
