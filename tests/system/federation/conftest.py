"""Three banks in a ring, and a fourth that is a platform and a member of two of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.system.federation.banks import BankOfTheRing, Ring


@pytest.fixture(scope="package")
def ring(tmp_path_factory: pytest.TempPathFactory, new_database_url: Callable[[], str]) -> Iterator[Ring]:
    folder = tmp_path_factory.mktemp("ring")
    ring = Ring([BankOfTheRing(name, folder / name, new_database_url()) for name in "ABC"])
    ring.subscriber = BankOfTheRing("D", folder / "D", new_database_url())
    everybody = [*ring.banks, ring.subscriber]
    for bank in everybody:
        bank.begin()
    for bank in everybody:
        bank.wait()
    for bank in ring.banks:
        for other in ring.banks:
            if other is not bank:
                # The third one's statements come by way of the second.
                url = f"http://127.0.0.1:{other.port}" if other is ring.before(bank) else ""
                bank.peer(other.name, url, other.key)
    yield ring
    for bank in everybody:
        bank.kill()
