"""The audit trail: one event per write, and one per staff read."""

from __future__ import annotations

from reclaim.sitekit.models import AuditEvent


def record(actor: str, action: str, target: str) -> None:
    """Add one event, in the caller's transaction: the act and its trace are saved together or not at all."""
    AuditEvent.objects.create(actor=actor, action=action, target=target)
