"""Roles of staff. No more than words: settings and commands read them before Django is there."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What somebody is at a site. A member has one role."""

    OPERATOR = "operator"
    OVERSEER = "overseer"
    WATCHER = "watcher"
    PRACTITIONER = "practitioner"
    SUPERVISOR = "supervisor"
    REVIEWER = "reviewer"
    LEAD = "lead"
    ADMIN = "admin"


BANK_ROLES: tuple[Role, ...] = (Role.OPERATOR, Role.OVERSEER, Role.WATCHER)
HELPLINE_ROLES: tuple[Role, ...] = (Role.PRACTITIONER, Role.SUPERVISOR)
"""Of organisations that help people: members of the bank's site, and not of its staff."""
PLATFORM_ROLES: tuple[Role, ...] = (Role.REVIEWER, Role.LEAD, Role.ADMIN)
