"""Reads on canaries."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from django.db.models import QuerySet

from reclaim.bank.canaries.models import Canary
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.platforms.models import Platform
from reclaim.index import CODE_BYTES


def known_to_all() -> QuerySet[LedgerRecord]:
    """Records of canaries that somebody has reported since: they are in every feed."""
    return LedgerRecord.objects.filter(
        type=LedgerRecord.Type.PDQ, only_for=None, value__in=Canary.objects.filter(placed=True).values("value")
    )


def all_canaries() -> tuple[list[str], npt.NDArray[np.uint8]]:
    """The platform of each canary that names one, by name, and the values, shape (n, 32)."""
    secret = Canary.objects.filter(placed=True).exclude(value__in=known_to_all().values("value"))
    rows = list(secret.values_list("platform_name", "value"))
    codes = np.frombuffer(bytes.fromhex("".join(value for _, value in rows)), np.uint8).reshape(-1, CODE_BYTES)
    return [name for name, _ in rows], codes


def nearest_canary(platform: Platform, codes: npt.NDArray[np.uint8], radius: int) -> tuple[int, int, list[int]] | None:
    """The platform's canary that is nearest to any of these values (n, 32): its record's key, its distance in bits, and
    which of the values are within ``radius`` of it. ``None`` if none is within that of any canary.
    """
    own = LedgerRecord.objects.filter(only_for=platform, status=LedgerRecord.Status.ACTIVE, review_only=False)
    rows = [(key, value) for key, value in own.values_list("pk", "value") if value is not None]
    if not rows:
        return None
    known = np.frombuffer(bytes.fromhex("".join(value for _, value in rows)), np.uint8).reshape(-1, CODE_BYTES)
    apart = np.bitwise_count(known[:, np.newaxis] ^ codes[np.newaxis]).sum(axis=2, dtype=np.int64)
    best = int(apart.min(axis=1).argmin())
    near = np.flatnonzero(apart[best] <= radius).tolist()
    return (rows[best][0], int(apart[best].min()), near) if near else None
