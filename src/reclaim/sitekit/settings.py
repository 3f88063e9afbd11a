"""Settings both sites start from. Everything an operator may change comes from ``RECLAIM_*`` variables.

docs/operators.md lists the variables; a test holds that list and this file together.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from reclaim.sitekit.secrets import derive, load_or_create_secret
from reclaim.sitekit.served import WEB

_data = os.environ.get("RECLAIM_DATA")
if not _data:
    raise ImproperlyConfigured("Set RECLAIM_DATA to the site's data folder, or use the reclaim command with --data.")
DATA = Path(_data).resolve()

MASTER_SECRET = load_or_create_secret(DATA)
SECRET_KEY = derive(MASTER_SECRET, "django").hex()

SECURE = os.environ.get("RECLAIM_SECURE", "0") == "1"
"""Served over HTTPS: cookies marked so, HSTS sent."""

DEBUG = False
ALLOWED_HOSTS = os.environ.get("RECLAIM_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
TRUSTED_PROXIES = int(os.environ.get("RECLAIM_TRUSTED_PROXIES", "0"))
"""How many reverse proxies of ours append to X-Forwarded-For; with 0 that header is ignored."""


def database(variable: str, file: str) -> dict[str, Any]:
    """A database of the site: the one whose URL the environment has as ``variable``, else SQLite in ``file``.

    Raises ``ImproperlyConfigured``.
    """
    url = os.environ.get(variable, "")
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA / file,
            "OPTIONS": {
                # IMMEDIATE: a transaction that will write waits for its turn at the start, instead of failing
                # half-way when another wrote first.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                # FULL: what a person was told is saved survives a power cut, not only a crash of ours.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
            },
        }
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise ImproperlyConfigured(f"{variable} must start with postgresql:// (leave it out for SQLite).")
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "reclaim",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.pop("host", parts.hostname or "")),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": query,
    }


def whole_number(variable: str, default: int, least: int, most: int) -> int:
    """A setting that is a whole number. Raises ``ImproperlyConfigured``."""
    text = os.environ.get(variable, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and least <= int(text[:20]) <= most):
        raise ImproperlyConfigured(f"{variable} must be a whole number from {least} to {most}.")
    return int(text)


DATABASES: dict[str, dict[str, Any]] = {"default": database("RECLAIM_DATABASE_URL", "site.sqlite3")}
APPS_APART: dict[str, str] = {}
"""For each further database, the label of the only app that has tables in it."""
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "reclaim.sitekit.headers.ExactHeaders",
    "reclaim.sitekit.events.OneLinePerEvent",
    "reclaim.sitekit.static.StaticFiles",
    "reclaim.sitekit.languages.LanguageOfThePage",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "reclaim.sitekit.static.CompressPublicPages",
    "django.middleware.common.CommonMiddleware",
    "reclaim.sitekit.origin.SameOriginWrites",
    "django.contrib.messages.middleware.MessageMiddleware",
    # The library of second factors wants it; none of that library's own routes is open (docs/decisions/0018).
    "allauth.account.middleware.AccountMiddleware",
    "reclaim.sitekit.access.DenyByDefault",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "reclaim.sitekit.languages.languages",
                "reclaim.sitekit.accounts.context.staff",
            ]
        },
    }
]

STAFF_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "allauth.account",
    "allauth.mfa",
    "reclaim.sitekit.accounts",
]
AUTH_USER_MODEL = "accounts.Member"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["name"]},
    },
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = "name"
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
MFA_ADAPTER = "reclaim.sitekit.accounts.adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
# A clock may be half a minute off.
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODE_DIGITS = 10

LEAVE_ADDRESS = os.environ.get("RECLAIM_LEAVE_ADDRESS", "")
"""Where «Leave this page» leads; empty for the directory's own choice."""

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_SECURE = SECURE
SESSION_COOKIE_AGE = 30 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE and TRUSTED_PROXIES else None

DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
# What a site's own pages are translated into; the bank names more.
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [Path(__file__).resolve().parent.parent / "locale"]
FORMAT_MODULE_PATH = ["reclaim.sitekit.formats"]
APPEND_SLASH = True

STATIC_URL = "/static/"
WHITENOISE_ROOT = None
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 0
STATICFILES_DIRS = [WEB]
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"calm": {"()": "reclaim.sitekit.events.OurSentences", "datefmt": "%H:%M:%S"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "calm"}},
    "root": {"handlers": ["out"], "level": "WARNING"},
    "loggers": {
        "reclaim": {"level": "INFO"},
        # OneLinePerEvent says what an operator needs of these instead.
        "django.request": {"level": "CRITICAL"},
        "django.security": {"level": "CRITICAL"},
        "django.server": {"level": "CRITICAL"},
        "gunicorn": {"level": "ERROR"},
        "urllib3": {"level": "CRITICAL"},
        # It names security keys.
        "fido2": {"level": "CRITICAL"},
    },
}
