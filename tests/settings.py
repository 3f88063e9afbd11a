"""Both sites in one project, for tests inside the process. Tests in tests/system run each site by itself."""

import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

os.environ.setdefault("RECLAIM_DATA", tempfile.mkdtemp(prefix="reclaim-tests-"))
DATABASE = os.environ.get("RECLAIM_TEST_DATABASE", "sqlite")
_url = os.environ["RECLAIM_TEST_POSTGRES_URL"] if DATABASE == "postgresql" else ""
os.environ["RECLAIM_DATABASE_URL"] = _url
os.environ["RECLAIM_KEYS_DATABASE_URL"] = urlsplit(_url)._replace(path="/keys").geturl() if _url else ""

from reclaim.bank import settings as bank  # noqa: E402
from reclaim.platform import settings as platform  # noqa: E402
from reclaim.platform.settings import *  # noqa: E402, F403
from reclaim.sitekit.roles import BANK_ROLES, HELPLINE_ROLES, PLATFORM_ROLES  # noqa: E402
from reclaim.sitekit.settings import DATA  # noqa: E402

INSTALLED_APPS = list(dict.fromkeys([*platform.INSTALLED_APPS, *bank.INSTALLED_APPS]))
ROOT_URLCONF = "reclaim.bank.urls"
LANGUAGES = bank.LANGUAGES
MIDDLEWARE = bank.MIDDLEWARE
DATABASES = bank.DATABASES
DATABASE_ROUTERS: list[str] = bank.DATABASE_ROUTERS
APPS_APART = bank.APPS_APART
NAME, STAGING, ACKNOWLEDGE_WITHIN = bank.NAME, bank.STAGING, bank.ACKNOWLEDGE_WITHIN
SANDBOX = bank.SANDBOX
CANARIES = bank.CANARIES
CASE_FILE_DAYS = bank.CASE_FILE_DAYS
EVENTS_URL = bank.EVENTS_URL
EVENTS_PORT = bank.EVENTS_PORT
OUTSIDE = bank.OUTSIDE
STAFF_ROLES = (*BANK_ROLES, *HELPLINE_ROLES, *PLATFORM_ROLES)
SESSION_COOKIE_NAME = "test-session"
# Never asked anew: pages show the data files, and count no statement for it, unless a test says otherwise.
DIRECTORY_AGE = float("inf")
LIMITS_FILE = str(Path(__file__).parent / "limits.toml")
# In this process passwords are hashed lightly; the servers that tests start hash as always.
PASSWORD_HASHERS = ["tests.members.LightHasher"]
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
# The tables are made from the models, in less time: tests/unit/sitekit/test_migrations.py holds that the migrations
# come to the same, and the sites in tests/system are made by them.
DATABASES["default"]["TEST"] = {"MIGRATE": False}
DATABASES["keys"]["TEST"] = {"NAME": "test_keys", "MIGRATE": False}
if DATABASE == "sqlite":
    # Files, not memory: threads of one test must see one another's commits.
    DATABASES["default"]["TEST"]["NAME"] = str(Path(DATA) / "test.sqlite3")
    DATABASES["keys"]["TEST"]["NAME"] = str(Path(DATA) / "test-keys.sqlite3")
    for each in DATABASES.values():
        each["NAME"] = str(each["NAME"])
