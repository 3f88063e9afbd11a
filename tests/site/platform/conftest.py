"""A platform's site with signals of real photographs, its systems and its reviewers."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from reclaim.platform.inbox.services import make_upload_key
from reclaim.sitekit.permissions import Role
from tests.members import signed_in
from tests.site.platform.world import PlatformApi


@pytest.fixture(autouse=True)
def data_folder(settings: Settings, tmp_path: Path) -> Path:
    settings.UPLOADS = tmp_path / "uploads"
    settings.BANK_FILE = tmp_path / "bank.json"
    settings.ROOT_URLCONF = "reclaim.platform.urls"
    return tmp_path


@pytest.fixture
def api(db: None) -> PlatformApi:
    return PlatformApi(make_upload_key())


@pytest.fixture
def reviewer(db: None) -> Client:
    """Ada, signed in."""
    client = Client()
    signed_in(client, Role.REVIEWER, name="Ada")
    return client
