"""One bank that knows a picture, and one platform that follows it."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.system.adapters.adapter import Adapter
from tests.system.platform.site import Platform
from tests.system.site_process import Bank

# It is in no package index, so whoever has it names its Python (docs/platforms/hasher-matcher-actioner.md).
collect_ignore = [] if os.environ.get("RECLAIM_TEST_HMA") else ["test_hasher_matcher_actioner.py"]

PHOTOS = Path(__file__).parents[2] / "photos"


@pytest.fixture(scope="session")
def known() -> Callable[[int], bytes]:
    """Copies of the picture that the bank knows, each another file."""

    def copy(number: int) -> bytes:
        out = io.BytesIO()
        with Image.open(PHOTOS / "astronaut.jpg") as image:
            image.save(out, "JPEG", quality=60 + number)
        return out.getvalue()

    return copy


@pytest.fixture(scope="session")
def harmless() -> bytes:
    return (PHOTOS / "cat.jpg").read_bytes()


@pytest.fixture(scope="session")
def review_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform that serves and knows the astronaut from its bank."""
    root = tmp_path_factory.mktemp("adapters")
    bank, platform = Bank(root / "bank"), Platform(root / "platform")
    bank.start()
    try:
        platform.join(bank.url, bank.add_platform("Example"))
        bank.submit(PHOTOS / "astronaut.jpg")
        assert platform.json("sync")["active"] == 1
    finally:
        bank.stop()
    platform.start()
    yield platform
    platform.stop()


@pytest.fixture
def running() -> Iterator[list[Adapter]]:
    """Adapters to be stopped at the end."""
    adapters: list[Adapter] = []
    yield adapters
    try:
        for each in adapters:
            each.stop()
    finally:
        for each in adapters:
            each.kill()
