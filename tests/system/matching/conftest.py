"""A match service for the tests of a module to share, and its indexes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reclaim.signals import md5_of
from tests.personas import clip_frames
from tests.system.matching.service import Service, make_folder
from tests.system.matching.world import ASTRONAUT, CAT, FILM, pdq


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Two workers; knows the astronaut's looks under 1, the cat's file under 10, a film's under 11, frames under 20."""
    root = tmp_path_factory.mktemp("service")
    folder = make_folder(
        root / "index", {1: pdq(ASTRONAUT)}, {10: md5_of(CAT), 11: md5_of(FILM)}, {20: clip_frames(1, 10)}
    )
    served = Service(folder)
    with served:
        yield served
