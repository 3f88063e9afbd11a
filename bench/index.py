"""Search among signals: the index against faiss, in the same run, on the same codes, on one core.

    python -m bench.index [--n 1000000] [--json]

faiss as `threatexchange` sets it is ``IndexBinaryIDMap2(IndexBinaryMultiHash(256, 16, 16))`` with ``nflip`` 1; the same
with 11 tables of 23 bits and ``nflip`` 2 also misses nothing. An inverted file (IVF) misses nothing only when it looks
into all of its lists, so that is how it is set. Every method answers the same queries at radius 31 and is
held to the reference; one that misses something does not count as the best.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from rich.table import Table

from bench.index_data import Codes, PdqLike, queries, uniform
from bench.rivals import tell
from reclaim.index import HammingIndex, _native
from reclaim.index.hamming import Mode
from reclaim.index.reference import search
from reclaim.signals import MATCH_DISTANCE

CHECKED = 40
"""Queries of each method that are held to the reference."""
BATCH = 20_000
TRAINED_ON = 50_000
SECONDS = 4.0
"""A method gets about this long for its single queries, and for its batch."""


class Contender(Protocol):
    """One method, built."""

    bytes_per_signal: float

    def one(self, code: Codes) -> set[int]:
        """What it finds for a code, shape (1, 32)."""
        ...

    def many(self, codes: Codes) -> object:
        """What it finds for many, on one core."""
        ...

    def many_on_two(self, codes: Codes) -> object:
        """The same on two."""
        ...


class Ours:
    """The index in one of its modes."""

    def __init__(self, codes: Codes, mode: Mode) -> None:
        self.index = HammingIndex(codes, np.arange(len(codes)), mode=mode)
        self.bytes_per_signal = self.index.memory_bytes / len(codes)

    def one(self, code: Codes) -> set[int]:
        return set(self.index.query(code[0], MATCH_DISTANCE).ids.tolist())

    def many(self, codes: Codes) -> object:
        return self.index.query_many(codes, MATCH_DISTANCE)

    def many_on_two(self, codes: Codes) -> object:
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(self.many, np.array_split(codes, 2)))


class Faiss:
    """A faiss index; its radius is exclusive."""

    def __init__(self, index: Any, codes: Codes, *, ids: bool) -> None:
        before = resident()
        self.index = index
        if ids:
            index.add_with_ids(codes, np.arange(len(codes)))
        else:
            index.add(codes)
        self.bytes_per_signal = (resident() - before) / len(codes)

    def one(self, code: Codes) -> set[int]:
        return set(self.index.range_search(code, MATCH_DISTANCE + 1)[2].tolist())

    def many(self, codes: Codes) -> object:
        return self.index.range_search(codes, MATCH_DISTANCE + 1)

    def many_on_two(self, codes: Codes) -> object:
        import faiss

        faiss.omp_set_num_threads(2)
        try:
            return self.many(codes)
        finally:
            faiss.omp_set_num_threads(1)


def resident() -> int:
    """Bytes of this process in memory, without what the allocator keeps for later."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def contenders(codes: Codes) -> Iterator[tuple[str, Callable[[], Contender]]]:
    """Each method's name and how it is built."""
    import faiss

    def multi_hash(tables: int, bits: int, flips: int) -> Contender:
        hashes = faiss.IndexBinaryMultiHash(256, tables, bits)
        hashes.nflip = flips
        return Faiss(faiss.IndexBinaryIDMap2(hashes), codes, ids=True)

    def inverted_file(lists: int) -> Contender:
        quantizer = faiss.IndexBinaryFlat(256)
        inverted = faiss.IndexBinaryIVF(quantizer, 256, lists)
        inverted.nprobe = lists
        inverted.train(codes[:: max(1, len(codes) // TRAINED_ON)])
        return Faiss(inverted, codes, ids=False)

    yield "reclaim, fast", lambda: Ours(codes, "fast")
    yield "reclaim, compact", lambda: Ours(codes, "compact")
    yield "faiss BinaryFlat", lambda: Faiss(faiss.IndexBinaryFlat(256), codes, ids=False)
    yield "faiss MultiHash as threatexchange", lambda: multi_hash(16, 16, 1)
    yield "faiss MultiHash 11 x 23 bits", lambda: multi_hash(11, 23, 2)
    yield "faiss IVF, all 256 lists", lambda: inverted_file(256)


@dataclass
class Row:
    """What was measured of one method on one kind of data."""

    method: str
    data: str
    p50_us: float
    p99_us: float
    batch_qps_1core: float
    batch_qps_2cores: float
    build_s: float
    bytes_per_signal: float
    recall: float
    add_us: float | None
    remove_us: float | None


def micros(run: Callable[[], object]) -> float:
    """Microseconds one call takes."""
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) * 1e6


def singles(contender: Contender, asked: Codes) -> tuple[float, float]:
    """Median and 99th percentile of one query at a time, in microseconds."""
    for code in asked[:20]:
        contender.one(code.reshape(1, -1))
    times: list[float] = []
    began = time.perf_counter()
    for code in asked[20:]:
        one = code.reshape(1, -1)
        times.append(micros(lambda one=one: contender.one(one)))  # type: ignore[misc]
        if len(times) >= 100 and time.perf_counter() - began > SECONDS:
            break
    return float(np.median(times)), float(np.percentile(times, 99))


def batch_rates(contender: Contender, asked: Codes, p50_us: float) -> tuple[float, float]:
    """Queries a second in one call, on one core and on two, best of three."""
    part = asked[: int(min(len(asked), max(200, SECONDS * 1e6 / p50_us)))]

    def rate(run: Callable[[Codes], object]) -> float:
        return len(part) * 1e6 / min(micros(lambda: run(part)) for _ in range(3))

    return rate(contender.many), rate(contender.many_on_two)


def changes(ours: Ours, fresh: Codes) -> tuple[float, float]:
    """Medians of adding and of removing one, in microseconds, through the Python class."""
    first = len(ours.index)
    added = [micros(lambda k=k: ours.index.add(first + k, fresh[k])) for k in range(2000)]  # type: ignore[misc]
    gone = [micros(lambda k=k: ours.index.remove(k)) for k in range(2000)]  # type: ignore[misc]
    return float(np.median(added)), float(np.median(gone))


def recall(contender: Contender, asked: Codes, truth: list[set[int]]) -> float:
    """The share of what the reference finds; 0 if something is found that the reference does not find."""
    found = [contender.one(code.reshape(1, -1)) for code in asked[: len(truth)]]
    if any(mine - right for mine, right in zip(found, truth, strict=True)):
        return 0.0
    return sum(map(len, found)) / max(1, sum(map(len, truth)))


def measure(data: str, codes: Codes, asked: Codes) -> Iterator[Row]:
    """One row a method."""
    known = np.flatnonzero([bool(search_one(codes, code)) for code in asked[: 4 * CHECKED]])[:CHECKED]
    checked = np.concatenate([asked[known], asked[:CHECKED]])
    truth = [search_one(codes, code) for code in checked]
    for name, build in contenders(codes):
        began = time.perf_counter()
        contender = build()
        build_s = time.perf_counter() - began
        p50, p99 = singles(contender, asked)
        rate, on_two = batch_rates(contender, asked, p50)
        right = recall(contender, checked, truth)
        added = gone = None
        if isinstance(contender, Ours):
            added, gone = changes(contender, asked)
        yield Row(name, data, p50, p99, rate, on_two, build_s, contender.bytes_per_signal, right, added, gone)
        del contender


def search_one(codes: Codes, code: Codes) -> set[int]:
    """The reference's answer, a part of the bank at a time."""
    part = 500_000
    found: set[int] = set()
    for start in range(0, len(codes), part):
        here = codes[start : start + part]
        found |= {id_ for id_, _ in search(here, np.arange(start, start + len(here)), code, MATCH_DISTANCE)}
    return found


KINDS = ("pdq-like", "uniform")


def run(count: int, kinds: Sequence[str] = KINDS) -> dict[str, Any]:
    """Everything, as one object, PDQ-like codes first. Raises ``ModuleNotFoundError`` without faiss."""
    import faiss

    faiss.omp_set_num_threads(1)
    rows: list[Row] = []
    generator = np.random.default_rng(20)
    source = PdqLike(generator)
    draws: dict[str, Callable[[int], Codes]] = {
        "pdq-like": source.draw,
        "uniform": lambda size: uniform(size, generator),
    }
    for data in kinds:
        draw = draws[data]
        codes = draw(count)
        rows += measure(data, codes, queries(codes, draw(BATCH), generator))
    ours = next(row for row in rows if row.method == "reclaim, fast")
    exact = [row for row in rows if row.method.startswith("faiss") and row.data == kinds[0] and row.recall == 1]
    return {
        "name": "index",
        "n": count,
        "radius": MATCH_DISTANCE,
        "kernel": _native.kernels()[0],
        "recall": min(row.recall for row in rows if row.method.startswith("reclaim")),
        "rows": [asdict(row) for row in rows],
        "ratio_vs_best_faiss": {
            "single": min(row.p50_us for row in exact) / ours.p50_us,
            "batch": ours.batch_qps_1core / max(row.batch_qps_1core for row in exact),
        },
    }


def table(found: dict[str, Any]) -> Table:
    """The figures for a person."""
    made = Table(
        title=f"{found['n']:,} signals, radius {found['radius']}, kernel {found['kernel']}",
        caption=f"against the best exact faiss, {found['rows'][0]['data']} codes: "
        + ", ".join(f"{name} {ratio:.0f} times" for name, ratio in found["ratio_vs_best_faiss"].items()),
    )
    for title in ("method", "data"):
        made.add_column(title)
    for title in ("p50 µs", "p99 µs", "batch/s", "… two cores", "build s", "bytes", "recall", "add µs", "remove µs"):
        made.add_column(title, justify="right")
    for row in found["rows"]:
        cells = [f"{row['p50_us']:,.1f}", f"{row['p99_us']:,.1f}", f"{row['batch_qps_1core']:,.0f}"]
        cells += [f"{row['batch_qps_2cores']:,.0f}"]
        cells += [f"{row['build_s']:.2f}", f"{row['bytes_per_signal']:.0f}", f"{row['recall']:.4g}"]
        cells += ["" if row[name] is None else f"{row[name]:.1f}" for name in ("add_us", "remove_us")]
        made.add_row(row["method"], row["data"], *cells)
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=1_000_000, help="signals in the bank")
    parser.add_argument("--data", choices=KINDS, action="append", help="only this kind of codes")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args()
    tell("index", lambda: run(options.n, options.data or KINDS), table, options.json)


if __name__ == "__main__":
    main()
