"""From the bytes of a 12-megapixel JPEG to its signal and to its matches, against the decoder alone and the field.

    python -m bench.hash [--runs N] [--n SIGNALS] [--json]

The pictures are made here from a photograph the project carries: enlarged to 4000 x 3000, with grain, quality 90. A
scaled decode saves arithmetic, but the compressed data has to be read to its end at any scale, and the finer the
detail, the more of it there is. So there are three grains, from none to more than a good camera's.

The floor is Pillow's decode of the brightness alone at one eighth of the scale. The field's way is that of
`threatexchange`, which Hasher-Matcher-Actioner runs: decode in full and in colour, PDQ of all pixels (the `pdqhash`
package), look up in its faiss index. It asks for the picture as it lies; ours asks for its eight turns. Runs alternate,
and what is measured is processor time, of one thread, so that what else the machine does falls on none; only what two
threads get done is measured by the clock on the wall, and says little on a busy machine.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pdqhash
from PIL import Image
from rich.console import Group
from rich.table import Table

from bench.index_data import Codes, PdqLike
from bench.rivals import tell
from reclaim.index import HammingIndex
from reclaim.matching import match_picture
from reclaim.signals import _pdq, pdq_of_luma, pdq_of_turns, read_luma

PHOTO = Path(__file__).parents[1] / "tests" / "photos" / "pagoda.jpg"
SIZE = (4000, 3000)
EIGHTH = (500, 375)
GRAINS = (0, 3, 6)
"""Standard deviations in grey levels."""
OF_FLOOR_AIM = 1.3
TIMES_FIELD_AIM = 12

Timed = dict[str, Callable[[], object]]


def twelve_megapixels(grain: int) -> bytes:
    """The JPEG, each colour channel with grain of its own, as a sensor has it."""
    with Image.open(PHOTO) as image:
        pixels = np.asarray(image.convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)).astype(np.int16)
    noise = np.random.default_rng(12).normal(0, grain, pixels.shape).astype(np.int16)
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()


def medians(timed: Timed, runs: int, clock: Callable[[], float] = time.thread_time) -> dict[str, float]:
    """Median seconds of each, the runs alternating; a first one is for warming up."""
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for turn in range(runs + 1):
        for name, run in timed.items():
            began = clock()
            run()
            if turn:
                seconds[name].append(clock() - began)
    return {name: statistics.median(each) for name, each in seconds.items()}


def decoded(data: bytes, scaled_to: tuple[int, int] | None = None) -> Image.Image:
    """In full and in colour, or the brightness at the scale that comes nearest to that size."""
    with Image.open(io.BytesIO(data)) as image:
        if scaled_to:
            image.draft("L", scaled_to)
        image.load()
        return image


def field_signal(data: bytes) -> str:
    """The signal as `threatexchange` makes it."""
    from threatexchange.signal_type.pdq.signal import PdqSignal

    return str(PdqSignal.hash_from_bytes(data))


def to_signal(grain: int, runs: int) -> dict[str, Any]:
    """Bytes to signal, for a picture of this grain."""
    data = twelve_megapixels(grain)
    found = medians(
        {
            "reclaim": lambda: pdq_of_luma(read_luma(data)),
            "decode_eighth": lambda: decoded(data, EIGHTH),
            "decode_quarter": lambda: decoded(data, (512, 512)),
            "decode_full": lambda: decoded(data),
            "threatexchange": lambda: field_signal(data),
            "decode_full_and_pdqhash": lambda: pdqhash.compute(np.asarray(decoded(data))),
        },
        runs,
    )
    of_floor = found["reclaim"] / found["decode_eighth"]
    times_field = found["threatexchange"] / found["reclaim"]
    return {
        "grain": grain,
        "bytes": len(data),
        "median_seconds": found,
        "of_decode_eighth": of_floor,
        "of_decode_full": found["reclaim"] / found["decode_full"],
        "times_threatexchange": times_field,
        "times_threatexchange_at_most": found["threatexchange"] / found["decode_eighth"],
        "aims_met": {
            "of_decode_eighth": of_floor <= OF_FLOOR_AIM,
            "times_threatexchange": times_field >= TIMES_FIELD_AIM,
        },
    }


def kernels(runs: int) -> list[dict[str, Any]]:
    """The kernel alone, every kind of code that runs here, against `pdqhash` and Pillow's resize."""
    quarter = np.asarray(decoded(twelve_megapixels(3), (512, 512)))
    luma = read_luma(PHOTO)
    colour = np.ascontiguousarray(np.repeat(luma[:, :, np.newaxis], 3, axis=2))
    image = Image.fromarray(quarter)

    def resized(kind: str) -> None:
        _pdq.use(kind)
        narrow = np.frombuffer(_pdq.resize_rows(quarter, 512), np.uint8).reshape(-1, 512)
        _pdq.resize_columns(narrow, 512)

    def hashed(kind: str, work: Callable[[], object]) -> None:
        _pdq.use(kind)
        work()

    timed: Timed = {}
    for kind in _pdq.kernels():
        timed |= {
            f"{kind} pdq": lambda kind=kind: hashed(kind, lambda: pdq_of_luma(luma)),  # type: ignore[misc]
            f"{kind} turns": lambda kind=kind: hashed(kind, lambda: pdq_of_turns(luma)),  # type: ignore[misc]
            f"{kind} resize": lambda kind=kind: resized(kind),  # type: ignore[misc]
        }
    timed["peer pdq"] = lambda: pdqhash.compute(colour)
    timed["peer turns"] = lambda: pdqhash.compute_dihedral(colour)
    timed["peer resize"] = lambda: image.resize((512, image.height), Image.Resampling.BILINEAR).resize(
        (512, 512), Image.Resampling.BILINEAR
    )
    found = medians(timed, runs)
    _pdq.use(_pdq.kernels()[0])
    names = {**{kind: f"reclaim, {kind}" for kind in _pdq.kernels()}, "peer": "pdqhash; Pillow"}
    return [
        {"method": title, **{f"{work}_us": found[f"{kind} {work}"] * 1e6 for work in ("pdq", "turns", "resize")}}
        for kind, title in names.items()
    ]


def to_match(count: int, runs: int) -> dict[str, Any]:
    """Bytes to matches among so many signals, one of which is the picture's, for ours turned by a quarter."""
    import faiss
    from threatexchange.signal_type.pdq.pdq_index import PDQIndex

    faiss.omp_set_num_threads(1)
    data = twelve_megapixels(3)
    codes: Codes = PdqLike(np.random.default_rng(20)).draw(count)
    codes[0] = np.frombuffer(bytes.fromhex(pdq_of_turns(read_luma(data))["rotate90"].value), np.uint8)
    codes[1] = np.frombuffer(bytes.fromhex(field_signal(data)), np.uint8)
    index = HammingIndex(codes, np.arange(count))
    field: Any = PDQIndex([(code.tobytes().hex(), number) for number, code in enumerate(codes)])
    if not any(match.signal_id == 0 and match.turn != "original" for match in match_picture(data, index).matches):
        raise AssertionError("the turned picture was not found")
    if not any(match.metadata == 1 for match in field.query(field_signal(data))):
        raise AssertionError("the peer did not find the picture")
    found = medians(
        {"reclaim": lambda: match_picture(data, index), "threatexchange": lambda: field.query(field_signal(data))}, runs
    )
    return {
        "n": count,
        "median_seconds": found,
        "times_threatexchange": found["threatexchange"] / found["reclaim"],
    }


def two_threads(runs: int) -> dict[str, float]:
    """How many times as much two threads get done as one; 1 where one of them waits for the other."""
    data, luma = twelve_megapixels(0), read_luma(PHOTO)
    work: dict[str, tuple[Callable[[], object], int]] = {
        "bytes_to_signal": (lambda: pdq_of_luma(read_luma(data)), 8),
        "kernel": (lambda: pdq_of_luma(luma), 400),
        "threatexchange": (lambda: field_signal(data), 1),
    }

    def often(run: Callable[[], object], count: int) -> None:
        for _ in range(count):
            run()

    with ThreadPoolExecutor(2) as pool:
        timed: Timed = {}
        for name, (run, count) in work.items():
            timed[f"{name} 1"] = lambda run=run, count=count: often(run, 2 * count)  # type: ignore[misc]
            timed[f"{name} 2"] = lambda run=run, count=count: list(pool.map(often, [run, run], [count, count]))  # type: ignore[misc]
        found = medians(timed, runs, time.perf_counter)
    return {name: found[f"{name} 1"] / found[f"{name} 2"] for name in work}


def run(runs: int = 11, count: int = 1_000_000) -> dict[str, Any]:
    """Everything, as one object. Raises ``ModuleNotFoundError`` without faiss."""
    return {
        "name": "hash",
        "runs": runs,
        "kernel": _pdq.kernels()[0],
        "picture": f"{PHOTO.name} enlarged to {SIZE[0]} x {SIZE[1]}, JPEG quality 90",
        "aims": {"of_decode_eighth": OF_FLOOR_AIM, "times_threatexchange": TIMES_FIELD_AIM},
        "to_signal": [to_signal(grain, runs) for grain in GRAINS],
        "kernels": kernels(10 * runs),
        "to_match": to_match(count, runs),
        "two_threads": two_threads(runs),
    }


def table(found: dict[str, Any]) -> Group:
    """The figures for a person."""
    signal = Table(title=f"{found['picture']}: bytes to signal, milliseconds of processor time")
    columns = ("reclaim", "decode_eighth", "decode_quarter", "decode_full", "threatexchange", "decode_full_and_pdqhash")
    for title in ("grain", "MB", *(name.replace("_", " ") for name in columns), "of ⅛ decode", "× threatexchange"):
        signal.add_column(title, justify="right")
    for row in found["to_signal"]:
        ratios = {
            "of_decode_eighth": f"{row['of_decode_eighth']:.2f}",
            "times_threatexchange": f"{row['times_threatexchange']:.1f}",
        }
        signal.add_row(
            str(row["grain"]),
            f"{row['bytes'] / 1e6:.1f}",
            *(f"{row['median_seconds'][name] * 1000:.1f}" for name in columns),
            *(text + ("" if row["aims_met"][name] else " (missed)") for name, text in ratios.items()),
        )
    alone = Table(
        title="The kernel alone, microseconds of processor time", caption="pdqhash turns the transform, not the pixels"
    )
    for title in ("", "PDQ of 512 x 512", "eight turns", "1000 x 750 to 512 x 512"):
        alone.add_column(title, justify="right" if title else "left")
    for row in found["kernels"]:
        alone.add_row(row["method"], *(f"{row[f'{work}_us']:,.0f}" for work in ("pdq", "turns", "resize")))
    match, threads = found["to_match"], found["two_threads"]
    rest = Table(title="Bytes to matches, and two threads", show_header=False)
    ours, theirs = (match["median_seconds"][name] * 1000 for name in ("reclaim", "threatexchange"))
    rest.add_row(f"{match['n']:,} signals, reclaim, eight turns", f"{ours:.1f} ms")
    rest.add_row(f"{match['n']:,} signals, threatexchange, as it lies", f"{theirs:.1f} ms")
    rest.add_row("threatexchange / reclaim", f"{match['times_threatexchange']:.1f}")
    for name, ratio in threads.items():
        rest.add_row(f"two threads / one: {name.replace('_', ' ')}", f"{ratio:.2f}")
    return Group(signal, alone, rest)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--n", type=int, default=1_000_000, help="signals in the bank")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    options = parser.parse_args()
    tell("hash", lambda: run(options.runs, options.n), table, options.json)


if __name__ == "__main__":
    main()
