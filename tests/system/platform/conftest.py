"""Platforms that have joined the bank under test, on the same kind of database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.platform.site import Platform
from tests.system.site_process import Bank


@pytest.fixture(scope="module")
def joined(
    tmp_path_factory: pytest.TempPathFactory,
    bank: Bank,
    new_database_url: Callable[[], str],
    new_name: Callable[[], str],
) -> Iterator[Platform]:
    """A platform that has joined the bank of this module, for tests that leave it as it is."""
    site = Platform(tmp_path_factory.mktemp("joined") / "platform", new_database_url())
    site.join(bank.url, bank.add_platform(new_name()))
    yield site
    site.stop()


@pytest.fixture
def platform(
    tmp_path: Path, fresh_bank: Bank, new_database_url: Callable[[], str], new_name: Callable[[], str]
) -> Iterator[Platform]:
    """A platform that the bank has vetted and that has joined it; it does not serve yet."""
    site = Platform(tmp_path / "platform", new_database_url())
    site.join(fresh_bank.url, fresh_bank.add_platform(new_name()))
    yield site
    site.stop()
