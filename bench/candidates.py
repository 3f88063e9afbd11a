"""Which known pictures an upload shows by its descriptors: time and memory as a bank of such pictures grows.

    python -m bench.candidates [--n 10000] [--json]

The bank's pictures are made up of real descriptors, see `candidates_data`. The rival is faiss, which answers the same
queries for the same votes and pairs: hash tables of sixteen bits each (``IndexBinaryMultiHash``), which find all within
15 bits, and an inverted file (``IndexBinaryIVF``) with as many lists looked into as it takes to name as many of the
right pictures, 256 at most. Times are of one core.
"""

from __future__ import annotations

import argparse
import gc
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.table import Table

from bench.candidates_data import Material, Upload, made_up, material, near_shares
from bench.index import resident
from bench.rivals import tell
from reclaim.index import HammingIndex, ManyHits
from reclaim.index.codes import Codes, Ids
from reclaim.matching import bits
from reclaim.matching.candidates import SLOT_BITS, VOTE_RADIUS, DescriptorIndex, candidates
from reclaim.signals.descriptors import MOST
from reclaim.signals.geometry import check

NEAR = (16, 22, 28, 34, 40)
"""Radii at which made-up pictures are held against real ones."""
SEED = 7
_TRAINED_ON = 100_000
_PROBED = (4, 16, 64, 256)  # lists looked into, until as much is named or it is the last
_MOST_LISTS = 4096  # each code is held against the middle of every list when it is added
_MOST_HASHED = 20_000  # pictures: with ten times as many an upload takes it seconds
_AS_GOOD = 0.99  # of what ours names: a rival that names as much is as good


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of one method."""

    method: str
    p50_ms: float
    p99_ms: float
    mean_ms: float
    named: float
    """Of the uploads that show a picture of the bank: how many have it among their candidates."""
    first: float
    """How many have it as the first."""
    idle: float
    """Candidates of an upload that shows none, which the bank is asked about for nothing; the mean."""
    build_s: float
    bytes_a_picture: float


class Rival:
    """An index of faiss, asked as ours is asked. From the row ``even`` on, ids have no gap."""

    def __init__(self, index: Any, codes: Codes, ids: Ids, even: int) -> None:
        self.index = index
        self.index.add(codes)
        self._codes, self._ids, self._even = codes, ids, even
        self._odd = {id_: row for row, id_ in enumerate(ids[:even].tolist())}

    def query_bounded(self, codes: Codes, radius: int, *, looks: int, fullest: int) -> ManyHits:
        del looks, fullest  # it knows no such bounds
        starts, distances, rows = self.index.range_search(np.ascontiguousarray(codes), radius + 1)
        return ManyHits(starts.astype(np.int64), self._ids[rows], distances.astype(np.uint16))

    def __len__(self) -> int:
        return len(self._codes)

    def code_of(self, id_: int) -> bytes:
        row = self._odd.get(id_)
        if row is None:
            row = self._even + id_ - int(self._ids[self._even])
            if row < self._even:
                raise KeyError(id_)
        return bytes(self._codes[row])


def inverted(codes: Codes) -> Any:
    """faiss's inverted file of binary codes, trained on these and empty."""
    import faiss

    lists = min(_MOST_LISTS, max(64, 1 << round(math.log2(4 * math.sqrt(len(codes))))))
    index = faiss.IndexBinaryIVF(faiss.IndexBinaryFlat(256), 256, lists)
    index.cp.niter = 5
    index.train(codes[:: max(1, len(codes) // _TRAINED_ON)])
    return index


def hashed() -> Any:
    """faiss's hash tables, one for each of sixteen bits: within 15 bits one of them is the same."""
    import faiss

    return faiss.IndexBinaryMultiHash(256, 16, 16)


def bank(made_of: Material, pictures: int) -> Iterator[tuple[Codes, Ids]]:
    """The codes of so many pictures as the index keeps them, the real ones first, with their ids."""
    for number, planted in enumerate(made_of.planted):
        yield bits.laid(planted.values), (number << SLOT_BITS) + np.arange(len(planted.values), dtype=np.int64)
    first = len(made_of.planted)
    for part in made_up(made_of, pictures - first, SEED):
        ids = np.arange(first << SLOT_BITS, (first + len(part)) << SLOT_BITS, dtype=np.int64)
        first += len(part)
        yield bits.laid(part.reshape(-1, 32)), ids


def asked(index: DescriptorIndex, uploads: Sequence[Upload]) -> tuple[list[float], float, float, float]:
    """Milliseconds of each upload, and of all: the share named, the share first, and candidates for nothing."""
    times, named, first, idle = [], [], [], []
    for upload in uploads[:3]:
        candidates(upload.descriptors, index)
    for upload in uploads:
        began = time.thread_time()
        found = candidates(upload.descriptors, index)
        times.append(1000 * (time.thread_time() - began))
        ids = [candidate.id for candidate in found]
        if upload.of is None:
            idle.append(len(ids))
        else:
            named.append(upload.of in ids)
            first.append(ids[:1] == [upload.of])
    return times, float(np.mean(named)), float(np.mean(first)), float(np.mean(idle or [0]))


def _row(method: str, index: DescriptorIndex, uploads: Sequence[Upload], build_s: float, bytes_: float) -> Row:
    times, named, first, idle = asked(index, uploads)
    p50, p99 = np.percentile(times, (50, 99))
    return Row(method, float(p50), float(p99), float(np.mean(times)), named, first, idle, build_s, bytes_)


def measure(made_of: Material, pictures: int) -> Iterator[Row]:
    """Ours, then the rivals."""
    began = time.perf_counter()
    ours = HammingIndex.build(bank(made_of, pictures), mode="compact")
    build_s = time.perf_counter() - began
    mine = _row("reclaim", DescriptorIndex(ours), made_of.uploads, build_s, ours.memory_bytes / pictures)
    yield mine
    del ours
    gc.collect()
    codes, ids = (np.concatenate(each) for each in zip(*bank(made_of, pictures), strict=True))
    even = sum(len(planted.values) for planted in made_of.planted)
    if pictures <= _MOST_HASHED:
        index, build_s, held = _rival(hashed, codes, ids, even)
        yield _row("faiss MultiHash 16 x 16 bits", index, made_of.uploads, build_s, held / pictures)
        del index
        gc.collect()
    index, build_s, held = _rival(lambda: inverted(codes), codes, ids, even)
    lists = index.index.index
    known = [upload for upload in made_of.uploads if upload.of is not None][::3]
    for probed in _PROBED:
        lists.nprobe = min(probed, lists.nlist)
        if asked(index, known)[1] >= _AS_GOOD * mine.named:
            break
    yield _row(f"faiss IVF, {lists.nprobe} of {lists.nlist} lists", index, made_of.uploads, build_s, held / pictures)


def _rival(make: Callable[[], Any], codes: Codes, ids: Ids, even: int) -> tuple[Any, float, int]:
    """A rival to be asked, the seconds it took to build, and the bytes it holds, the codes with them.

    A candidate's descriptors are looked up by its id, which the rival's own lists cannot do.
    """
    before, began = resident(), time.perf_counter()
    rival = Rival(make(), codes, ids, even)
    build_s = time.perf_counter() - began
    return DescriptorIndex(rival), build_s, resident() - before + codes.nbytes + ids.nbytes  # type: ignore[arg-type]


def checking(made_of: Material) -> tuple[float, float]:
    """Milliseconds of the bank's check of one candidate, median and 99th percentile, on the real pictures."""
    index = DescriptorIndex.build((number, planted.values) for number, planted in enumerate(made_of.planted))
    times = []
    for upload in made_of.uploads:
        frame = (upload.descriptors.width, upload.descriptors.height)
        for candidate in candidates(upload.descriptors, index):
            began = time.thread_time()
            check(made_of.planted[candidate.id].placement, candidate.pairs, frame)
            times.append(1000 * (time.thread_time() - began))
    p50, p99 = np.percentile(times, (50, 99))
    return float(p50), float(p99)


def run(pictures: int) -> dict[str, Any]:
    """Everything, as one object. Raises ``ModuleNotFoundError`` without faiss."""
    import faiss

    faiss.omp_set_num_threads(1)
    made_of = material()
    real = np.concatenate(made_of.real)
    invented = np.concatenate([part.reshape(-1, 32) for part in made_up(made_of, len(made_of.real), SEED + 1)])
    p50, p99 = checking(made_of)
    return {
        "name": "candidates",
        "n": pictures,
        "radius": VOTE_RADIUS,
        "uploads": len(made_of.uploads),
        "check_p50_ms": p50,
        "check_p99_ms": p99,
        "near": {
            "radii": NEAR,
            "real": near_shares(real, made_of.uploads, NEAR),
            "made_up": near_shares(invented, made_of.uploads, NEAR),
        },
        "rows": [asdict(row) for row in measure(made_of, pictures)],
    }


def table(found: dict[str, Any]) -> Table:
    """The figures for a person."""
    near = found["near"]
    shares = ", ".join(
        f"{radius}: {real:.1e} / {made_up:.1e}"
        for radius, real, made_up in zip(near["radii"], near["real"], near["made_up"], strict=True)
    )
    made = Table(
        title=f"{found['n']:,} pictures with {MOST} descriptors each, {found['uploads']} uploads, votes within "
        f"{found['radius']} bits",
        caption=f"the bank's check: {found['check_p50_ms']:.1f} ms, p99 {found['check_p99_ms']:.1f} ms; pairs near by "
        f"chance on real / made-up pictures: {shares}",
    )
    made.add_column("method")
    for title in ("p50 ms", "p99 ms", "mean ms", "named", "first", "for nothing", "build s", "bytes a picture"):
        made.add_column(title, justify="right")
    for row in found["rows"]:
        made.add_row(
            row["method"],
            *(f"{row[name]:.1f}" for name in ("p50_ms", "p99_ms", "mean_ms")),
            *(f"{100 * row[name]:.0f} %" for name in ("named", "first")),
            f"{row['idle']:.2f}",
            f"{row['build_s']:.1f}",
            f"{row['bytes_a_picture']:,.0f}",
        )
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=10_000, help="pictures in the bank")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args()
    tell("candidates", lambda: run(options.n), table, options.json)


if __name__ == "__main__":
    main()
