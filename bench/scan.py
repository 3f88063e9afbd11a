"""Throughput of a back-catalogue scan, against decoding alone and against threatexchange's way, in the same run.

The pictures are the photographs the project carries, enlarged to some four megapixels with grain, quality 90, each in
several variants. Peers read and decode the same files from the same disk cache:

    decode            Pillow decodes every pixel, and nothing else is done
    threatexchange    ``PdqSignal.hash_from_bytes`` and a query of its ``PDQIndex``: one turn
    reclaim           ``reclaim scan``: MD5, PDQ, look-up, results on disk; in eight turns, or one

    python -m bench.scan [--pictures 240] [--signals 1000000] [--json]
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from rich.console import Console
from rich.table import Table

from bench.index_data import PHOTOS, Codes, PdqLike, queries
from reclaim.index import HammingIndex
from reclaim.scan import Request, scan

SIDE = 2400
"""Pixels of the longer side."""
VARIANTS = 8
GRAIN = 3
BANK = 100_000
"""Signals that the pictures are looked up among; threatexchange's index takes long to build a larger one."""
CHUNK = 4
LINKS = 4
"""Each picture is scanned so many times, under names of its own."""


@dataclass
class Row:
    """What was measured of one way with so many processes."""

    what: str
    processes: int
    per_second: float
    """Without the start of processes."""
    seconds: float
    """All of it."""


def make_pictures(number: int, folder: Path, count: int) -> None:
    """The variants of one photograph that there is room for."""
    paths = sorted(PHOTOS.glob("*.jpg"))
    with Image.open(paths[number]) as photo:
        scale = SIDE / max(photo.size)
        size = (round(photo.width * scale), round(photo.height * scale))
        pixels = np.asarray(photo.convert("RGB").resize(size, Image.Resampling.BICUBIC)).astype(np.int16)
    grain = np.random.default_rng(number).normal(0, GRAIN, pixels.shape).astype(np.int16)
    grainy = Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8))
    for variant in range(VARIANTS):
        if variant * len(paths) + number < count:
            crop = grainy.crop((variant * 16, 0, grainy.width, grainy.height - variant * 8))
            crop.save(folder / f"{number:02}-{variant}.jpg", "JPEG", quality=90)


def decode(path: Path) -> None:
    """Every pixel, by Pillow."""
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        image.load()


@lru_cache(maxsize=1)
def _their_index(bank: Path) -> Any:
    from threatexchange.signal_type.pdq.signal import PdqSignal

    values = [code.tobytes().hex() for code in np.load(bank)]
    return PdqSignal.get_index_cls().build([(value, number) for number, value in enumerate(values)])


def their_way(bank: Path, path: Path) -> None:
    """Hash and look up as the package does."""
    from threatexchange.signal_type.pdq.signal import PdqSignal

    value = PdqSignal.hash_from_bytes(path.read_bytes())
    if value:
        _their_index(bank).query(value)


def peer(what: str, work: Callable[[Path], None], paths: list[Path], processes: int) -> Row:
    """A peer over all files, in so many warm processes."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        list(pool.map(work, paths[: 2 * processes]))
        began = time.perf_counter()
        list(pool.map(work, paths, chunksize=CHUNK))
        seconds = time.perf_counter() - began
    return Row(what, processes, len(paths) / seconds, seconds)


def ours(what: str, sources: tuple[Path, Path], bank: Path, processes: int, **how: Any) -> Row:
    """Two whole scans, of a quarter and of all: what the difference took is the rate, without any start."""
    files, seconds = [], []
    for source in sources:
        with tempfile.TemporaryDirectory(prefix="reclaim-bench-") as out:
            summary = scan(Request(str(source), bank, Path(out), jobs=processes, **how))
        if summary.counts.errors:
            raise RuntimeError("A scan had errors; the figures would not be comparable.")
        files.append(summary.counts.files)
        seconds.append(summary.seconds)
    return Row(what, processes, (files[1] - files[0]) / (seconds[1] - seconds[0]), seconds[1])


@contextmanager
def cluster(machines: int) -> Iterator[str]:
    """The address of a Ray cluster of so many machines with one processor each, all of them processes here."""
    import ray
    from ray.cluster_utils import Cluster

    small: dict[str, Any] = {"object_store_memory": 100_000_000, "include_dashboard": False}
    # Ray's sockets have long names, and a socket's name may have a hundred letters.
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        made: Any = Cluster(initialize_head=True, head_node_args={**small, "num_cpus": 0, "temp_dir": folder})
        try:
            for _ in range(machines):
                made.add_node(num_cpus=1, **small)
            yield made.address
        finally:
            ray.shutdown()
            made.shutdown()


def of_pictures(folder: Path, count: int, bank: Codes) -> list[Row]:
    """Every way on the same pictures."""
    pictures, many = folder / "pictures", folder / "many"
    index, codes = folder / "pdq.index", folder / "bank.npy"
    pictures.mkdir()
    many.mkdir()
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(partial(make_pictures, folder=pictures, count=count), range(len(list(PHOTOS.glob("*.jpg"))))))
    paths = sorted(pictures.iterdir())
    for number, path in itertools.product(range(LINKS), paths):
        (many / f"{number}-{path.name}").hardlink_to(path)
    HammingIndex(bank, np.arange(len(bank))).save(index)
    np.save(codes, bank)
    rows = []
    for processes in (1, 2):
        rows.append(peer("decode", decode, paths, processes))
        rows.append(peer("threatexchange", partial(their_way, codes), paths, processes))
        rows.append(ours("reclaim", (pictures, many), index, processes))
        rows.append(ours("reclaim, one turn", (pictures, many), index, processes, turns=1))
    for machines in (1, 2):
        with cluster(machines) as address:
            rows.append(ours("reclaim, Ray", (pictures, many), index, machines, engine="ray", address=address))
    return rows


def of_signals(folder: Path, bank: Codes, asked: Codes) -> list[Row]:
    """A Parquet file of signals against as many."""
    index, source, quarter = folder / "signals.index", folder / "signals.parquet", folder / "quarter.parquet"
    HammingIndex(bank, np.arange(len(bank))).save(index)
    for path, codes in ((source, asked), (quarter, asked[::4].copy())):
        pdq = pa.FixedSizeBinaryArray.from_buffers(pa.binary(32), len(codes), [None, pa.py_buffer(codes)])
        pq.write_table(pa.table({"id": np.arange(len(codes)), "pdq": pdq}), path, row_group_size=1 << 17)
    return [ours("signals", (quarter, source), index, processes) for processes in (1, 2)]


def run(pictures: int = 240, signals: int = 1_000_000) -> dict[str, Any]:
    """Everything, as one object. Raises ``ModuleNotFoundError`` without threatexchange, faiss or ray."""
    generator = np.random.default_rng(31)
    source = PdqLike(generator)
    bank = source.draw(signals)
    asked = queries(bank, source.draw(signals), generator)
    with tempfile.TemporaryDirectory(prefix="reclaim-bench-") as folder:
        rows = of_pictures(Path(folder), pictures, source.draw(BANK))
        megapixels, megabytes = _sizes(Path(folder) / "pictures")
        rows += of_signals(Path(folder), bank, asked)
    rate = {(row.what, row.processes): row.per_second for row in rows}
    return {
        "name": "scan",
        "pictures": pictures,
        "megapixels": megapixels,
        "megabytes": megabytes,
        "bank": BANK,
        "signals": signals,
        "rows": [asdict(row) for row in rows],
        "ratios": {
            "of_decode_alone": rate["reclaim", 1] / rate["decode", 1],
            "of_decode_alone_one_turn": rate["reclaim, one turn", 1] / rate["decode", 1],
            "to_threatexchange": rate["reclaim", 1] / rate["threatexchange", 1],
            "to_threatexchange_one_turn": rate["reclaim, one turn", 1] / rate["threatexchange", 1],
            "two_processes_to_one": rate["reclaim", 2] / rate["reclaim", 1],
            "ray_to_local": rate["reclaim, Ray", 2] / rate["reclaim", 2],
            "ray_two_machines_to_one": rate["reclaim, Ray", 2] / rate["reclaim, Ray", 1],
            "signals_two_processes_to_one": rate["signals", 2] / rate["signals", 1],
        },
    }


def _sizes(folder: Path) -> tuple[float, float]:
    """Megapixels and megabytes of a picture, in the mean."""
    pixels = size = 0.0
    paths = list(folder.iterdir())
    for path in paths:
        with Image.open(path) as image:
            pixels += image.width * image.height
        size += path.stat().st_size
    return pixels / len(paths) / 1e6, size / len(paths) / 1e6


def table(found: dict[str, Any]) -> Table:
    """The figures for a person."""
    made = Table(
        title=f"{found['pictures']} pictures of {found['megapixels']:.1f} megapixels, {found['megabytes']:.1f} MB, "
        f"against {found['bank']:,} signals; {found['signals']:,} signals against as many",
        caption=", ".join(f"{name.replace('_', ' ')} {ratio:.2f}" for name, ratio in found["ratios"].items()),
    )
    made.add_column("")
    for title in ("processes", "files a second", "seconds in all"):
        made.add_column(title, justify="right")
    for row in found["rows"]:
        made.add_row(row["what"], str(row["processes"]), f"{row['per_second']:,.1f}", f"{row['seconds']:.1f}")
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=240)
    parser.add_argument("--signals", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args()
    found = run(options.pictures, options.signals)
    if options.json:
        print(json.dumps(found))
    else:
        Console(width=160).print(table(found))


if __name__ == "__main__":
    main()
