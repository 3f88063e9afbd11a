"""Settings of a platform's site."""

from reclaim.sitekit.settings import *  # noqa: F403
from reclaim.sitekit.settings import DATA, SECURE

INSTALLED_APPS: list[str] = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "reclaim.sitekit",
    "reclaim.platform.subscription",
    "reclaim.platform.outcomes",
    "reclaim.platform.inbox",
    "reclaim.platform.review",
]
ROOT_URLCONF = "reclaim.platform.urls"
SESSION_COOKIE_NAME = "__Host-r" if SECURE else "r"

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

UPLOADS = DATA / "uploads"
"""Review copies of held pictures, while they wait for a decision."""
BANK_FILE = DATA / "bank.json"
"""The bank's address and this platform's keys to it."""
