"""Promises that only a real bank can keep are tested on one, as in tests/system."""

from tests.system.conftest import bank, fresh_bank, new_database_url, new_name, postgresql_server

__all__ = ["bank", "fresh_bank", "new_database_url", "new_name", "postgresql_server"]
