"""Reads on the directory."""

from __future__ import annotations

from django.conf import settings

from reclaim.bank.directory.services import LEAVE_ADDRESS, SERVICES, For, Service


def services_for(audience: For) -> list[Service]:
    """The services for these people, in the order in which a page should name them."""
    return [service for service in SERVICES if service.audience is audience]


def service_called(slug: str) -> Service | None:
    """The service with this slug, or ``None``."""
    return next((service for service in SERVICES if service.slug == slug), None)


def leave_address() -> str:
    """Where «Leave this page» goes: the operator's choice, or a weather forecast."""
    return settings.LEAVE_ADDRESS or LEAVE_ADDRESS
