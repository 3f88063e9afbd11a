"""The bench runs, answers in the promised shape, and its codes are what it says they are."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bench import index, index_data
from bench.rivals import HOW_TO_GET_FAISS


def test_the_bench_answers_in_the_promised_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("faiss", reason=HOW_TO_GET_FAISS)
    monkeypatch.setattr(index, "SECONDS", 0.01)
    monkeypatch.setattr(index, "BATCH", 2100)
    monkeypatch.setattr(index_data, "CROPS", 20)
    found = json.loads(json.dumps(index.run(20_000)))
    assert found["n"] == 20_000
    assert found["recall"] == 1
    assert set(found["ratio_vs_best_faiss"]) == {"single", "batch"}
    assert {row["data"] for row in found["rows"]} == {"pdq-like", "uniform"}
    asked = {"method", "data", "p50_us", "p99_us", "batch_qps_1core", "build_s", "bytes_per_signal"}
    assert all(asked <= set(row) for row in found["rows"])
    assert all(row["recall"] == 1 for row in found["rows"])
    assert index.table(found).row_count == len(found["rows"])


def test_pdq_like_codes_have_half_their_bits_set_and_lean_on_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_data, "CROPS", 20)
    codes = index_data.PdqLike(np.random.default_rng(1)).draw(20_000)
    weights = np.bitwise_count(codes).sum(axis=1)
    assert np.count_nonzero(weights == 128) >= 0.95 * len(codes)
    bands = np.sort(np.bincount(codes.view("<u2")[:, 3], minlength=65_536))[::-1]
    even = np.sort(np.bincount(index_data.uniform(20_000, np.random.default_rng(2)).view("<u2")[:, 3]))[::-1]
    assert bands[:100].sum() > even[:100].sum()


def test_queries_are_mixed_of_known_and_fresh_codes() -> None:
    generator = np.random.default_rng(3)
    codes, fresh = index_data.uniform(300, generator), index_data.uniform(200, generator)
    asked = index_data.queries(codes, fresh, generator)
    assert np.count_nonzero((asked != fresh).any(axis=1)) == 20
    bits = np.array([0, 1, 40])
    away = np.bitwise_count(index_data.flipped(codes[:3], bits, generator) ^ codes[:3]).sum(axis=1)
    assert away.tolist() == bits.tolist()
