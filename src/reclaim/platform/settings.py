"""Settings of a platform's site."""

from reclaim.sitekit.roles import PLATFORM_ROLES
from reclaim.sitekit.settings import *  # noqa: F403
from reclaim.sitekit.settings import DATA, SECURE, STAFF_APPS

INSTALLED_APPS: list[str] = [
    "django.contrib.sessions",
    "django.contrib.messages",
    "reclaim.sitekit",
    *STAFF_APPS,
    "reclaim.platform.subscription",
    "reclaim.platform.outcomes",
    "reclaim.platform.inbox",
    "reclaim.platform.review",
]
ROOT_URLCONF = "reclaim.platform.urls"
SESSION_COOKIE_NAME = "__Host-r" if SECURE else "r"

STAFF_ROLES = PLATFORM_ROLES

UPLOADS = DATA / "uploads"
"""Review copies of held pictures, while they wait for a decision."""
BANK_FILE = DATA / "bank.json"
"""The bank's address and this platform's keys to it."""
