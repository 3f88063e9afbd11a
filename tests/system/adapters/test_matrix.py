"""The adapter for Matrix, with a real Synapse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reclaim.adapters.start import check
from tests.system.adapters.adapter import Adapter, decide
from tests.system.adapters.synapse import Synapse
from tests.system.platform.site import Platform

REFUSED = (400, "M_UNKNOWN")
"""Synapse's own words for what a module refuses: «Bad content»."""


def test_synapse_stores_nothing_that_is_held_and_lets_it_in_once_a_reviewer_has(
    review_site: Platform, running: list[Adapter], tmp_path: Path, known: Callable[[int], bytes], harmless: bytes
) -> None:
    adapter = Adapter("matrix", tmp_path / "adapter", review_site)
    running.append(adapter)
    synapse = Synapse(tmp_path / "synapse", adapter)
    try:
        check(adapter.config)
        adapter.start()
        synapse.wait()
        assert synapse.upload(harmless)[0] == 200
        assert synapse.upload(b"a letter", "text/plain")[0] == 200
        kept = synapse.stored()
        copy = known(8)
        assert synapse.upload(copy) == REFUSED
        assert synapse.upload(copy) == REFUSED
        assert synapse.upload(harmless[:3000]) == REFUSED
        assert synapse.stored() == kept

        file = tmp_path / "copy.jpg"
        file.write_bytes(copy)
        assert (adapter.run("ask", adapter.config, file).returncode, adapter.count("held")) == (60, 1)
        decide(review_site, "not-blocked")
        assert synapse.upload(copy)[0] == 200

        adapter.kill()
        assert synapse.upload(harmless) == REFUSED
        assert adapter.run("ask", adapter.config, file).returncode == 62
        assert "could not be asked" in synapse.log
    finally:
        synapse.stop()
