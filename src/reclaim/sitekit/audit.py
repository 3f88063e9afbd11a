"""The audit trail: one event per write, and one per staff read."""

from __future__ import annotations

from collections.abc import Iterable

from reclaim.sitekit.models import AuditEvent


def record(actor: str, action: str, target: str) -> None:
    """Add one event, in the caller's transaction: the act and its trace are saved together or not at all."""
    AuditEvent.objects.create(actor=actor, action=action, target=target)


def forget(kind: str, ids: Iterable[object]) -> None:
    """Let the events of what is erased say that it was a ``kind``, and no longer which: that somebody did something
    stays, and no two events can be told to be about the same person."""
    AuditEvent.objects.filter(target__in=[f"{kind}:{each}" for each in ids]).update(target=f"{kind}:erased")
