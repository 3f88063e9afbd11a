"""Settings of the bank."""

import os

from django.core.exceptions import ImproperlyConfigured

from reclaim.bank.takedown.outside import Outside, no_outside, read_outside
from reclaim.sitekit.languages import LANGUAGES as OWN_NAMES
from reclaim.sitekit.roles import BANK_ROLES, HELPLINE_ROLES
from reclaim.sitekit.settings import *  # noqa: F403
from reclaim.sitekit.settings import DATA, DATABASES, MIDDLEWARE, SECURE, STAFF_APPS, TEMPLATES, database, whole_number

INSTALLED_APPS: list[str] = [
    "django.contrib.sessions",
    "django.contrib.messages",
    "reclaim.sitekit",
    *STAFF_APPS,
    "reclaim.bank.platforms",
    "reclaim.bank.peers",
    "reclaim.bank.organisations",
    "reclaim.bank.vault",
    "reclaim.bank.law",
    "reclaim.bank.directory",
    "reclaim.bank.gate",
    "reclaim.bank.screening",
    "reclaim.bank.ledger",
    "reclaim.bank.placements",
    "reclaim.bank.cases",
    "reclaim.bank.feedback",
    "reclaim.bank.trust",
    "reclaim.bank.intake",
    "reclaim.bank.casework",
    "reclaim.bank.takedown",
    "reclaim.bank.cooperation",
    "reclaim.bank.helpline",
    "reclaim.bank.exchange",
    "reclaim.bank.lookup",
    "reclaim.bank.canaries",
    "reclaim.bank.operations",
    "reclaim.bank.training",
]
ROOT_URLCONF = "reclaim.bank.urls"
# Wrapped keys of case files live apart, with a backup of their own and a short one: docs/helpline-security.md.
DATABASES = {**DATABASES, "keys": database("RECLAIM_KEYS_DATABASE_URL", "keys.sqlite3")}
if all(DATABASES["keys"].get(part) == DATABASES["default"].get(part) for part in ("NAME", "HOST", "PORT")):
    raise ImproperlyConfigured("RECLAIM_KEYS_DATABASE_URL must name another database than RECLAIM_DATABASE_URL.")
DATABASE_ROUTERS: list[str] = ["reclaim.bank.vault.router.KeysApart"]
APPS_APART = {"keys": "vault"}
STAGING_MARK = "staging"
"""A file in the data folder of a staging bank."""
STAGING: bool = (DATA / STAGING_MARK).exists()
"""A twin of a bank, with signals that are nobody's, on which platforms try their software. ``reclaim bank staging``
makes it so, for good; its ledger says the same."""
# The last is innermost: it sees every refusal and every failure of a view.
MIDDLEWARE = [
    *MIDDLEWARE,
    "reclaim.bank.organisations.alarms.AskAgain",
    "reclaim.bank.vault.sessions.KeyOfTheSession",
    "reclaim.bank.platforms.errors.CountErrors",
]
if STAGING:
    # It closes routes before they are asked whom they let in.
    MIDDLEWARE = ["reclaim.bank.operations.nobody.NoPersons", *MIDDLEWARE]
    TEMPLATES[0]["OPTIONS"]["context_processors"].append("reclaim.bank.operations.nobody.staging")  # type: ignore[index]
SANDBOX_MARK = "sandbox"
"""A file in the data folder of a sandbox."""
SANDBOX: bool = (DATA / SANDBOX_MARK).exists()
"""A bank for training, in which nothing is real. ``reclaim bank sandbox`` makes it so, for good; its database says the
same."""
if (STAGING or SANDBOX) and os.environ.get("RECLAIM_KEYS_DATABASE_URL"):
    # Their ticks sweep keys of case files that they do not have: in a bank's database of keys, every one.
    raise ImproperlyConfigured(
        "A staging bank or a sandbox keeps its keys in its own folder. Leave RECLAIM_KEYS_DATABASE_URL out."
    )
if SANDBOX:
    ROOT_URLCONF = "reclaim.bank.training.site"
    # After the exact headers, so that its refusals have them; before whatever asks a view whom it lets in.
    MIDDLEWARE = [MIDDLEWARE[0], "reclaim.bank.training.guard.NothingReal", *MIDDLEWARE[1:]]
    TEMPLATES[0]["OPTIONS"]["context_processors"].append("reclaim.bank.training.guard.sandbox")  # type: ignore[index]
# Says nothing to somebody who looks through the browser's cookies.
SESSION_COOKIE_NAME = "__Host-s" if SECURE else "s"
LANGUAGES = list(OWN_NAMES.items())
STAFF_ROLES = (*BANK_ROLES, *HELPLINE_ROLES)

NAME: str = os.environ.get("RECLAIM_NAME", "A Reclaim bank")
"""What the bank calls itself to platforms."""
ACKNOWLEDGE_WITHIN: int = whole_number("RECLAIM_ACKNOWLEDGE_WITHIN", 600 if STAGING else 24 * 3600, 60, 30 * 24 * 3600)
"""Seconds within which a platform acknowledges a withdrawal. At a staging bank one should see a clock run out."""
CASE_FILE_DAYS: int = whole_number("RECLAIM_CASE_FILE_DAYS", 365, 1, 3650)
"""Days after which a closed case file is erased."""
CANARIES: bool = os.environ.get("RECLAIM_CANARIES", "1") == "1"
"""Whether platforms that are vetted from now on get canaries in their copies. docs/canaries.md"""
EVENTS_URL: str = os.environ.get("RECLAIM_EVENTS_URL", "")
"""Where platforms find the stream of events, if not at ``EVENTS_PORT`` of the bank's own host."""
EVENTS_PORT: int = whole_number("RECLAIM_EVENTS_PORT", 0, 0, 65535)
"""The port of the stream of events; 0 if there is none. ``reclaim bank serve`` sets it."""

OUTSIDE: Outside = no_outside(os.environ, DATA / "outbox") if SANDBOX else read_outside(os.environ)
"""Mail servers, registries and how links are looked at. docs/takedown.md"""

LIMITS_FILE = os.environ.get("RECLAIM_LIMITS", "")
"""The limits of the form, as ``bank/gate/data/limits.toml``; empty for that file itself."""

DIRECTORY_AGE: float = 30
"""Seconds for which a process goes by what it has read of the support directory before it asks whether it changed."""
