"""The bench of hashing runs, and answers in the shape that is documented."""

from __future__ import annotations

import json

import pytest
from rich.console import Console

from bench import hash as hashing
from bench import index_data
from bench.rivals import HOW_TO_GET_FAISS
from reclaim.signals import _pdq


def test_the_bench_answers_in_the_documented_shape(monkeypatch):
    pytest.importorskip("faiss", reason=HOW_TO_GET_FAISS)
    monkeypatch.setattr(hashing, "SIZE", (1300, 1100))
    monkeypatch.setattr(index_data, "CROPS", 20)
    found = json.loads(json.dumps(hashing.run(runs=1, count=3000)))
    assert found["name"] == "hash"
    assert [row["grain"] for row in found["to_signal"]] == list(hashing.GRAINS)
    asked = {"of_decode_eighth", "of_decode_full", "times_threatexchange", "aims_met", "median_seconds", "bytes"}
    assert all(asked <= row.keys() for row in found["to_signal"])
    assert [row["method"] for row in found["kernels"]] == [
        *(f"reclaim, {kind}" for kind in _pdq.kernels()),
        "pdqhash; Pillow",
    ]
    assert found["to_match"]["n"] == 3000
    assert found["two_threads"].keys() == {"bytes_to_signal", "kernel", "threatexchange"}
    console = Console(width=200)
    with console.capture() as shown:
        console.print(hashing.table(found))
    assert "3,000 signals, reclaim, eight turns" in shown.get()
