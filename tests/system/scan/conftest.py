"""Pictures and a bank's index. No test here touches a database: one of the runner's two turns is enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.scan.catalogue import make_catalogue, make_index


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 160 pictures in folders of their own, and a few files that are none."""
    return make_catalogue(tmp_path_factory.mktemp("catalogue") / "uploads", 160)


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The snapshot of a bank that knows some of the photographs."""
    return make_index(tmp_path_factory.mktemp("bank") / "pdq.index")
