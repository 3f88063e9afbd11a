"""From a 12-megapixel JPEG to its PDQ, against the decoder alone and against the reference at full size.

The pictures are made here from a photograph the project carries: enlarged to 4000 x 3000, with grain, quality 90.
How much a scaled decode saves depends on the grain: the compressed data has to be read to its end in any case, and
the finer the detail, the larger its share. So there are three grains, from none to more than a good camera's.
Runs alternate, so that what else the machine does falls on all alike; the ratios are what counts.

    python -m bench.signals [--runs N] [--json]
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pdqhash
from PIL import Image
from rich.console import Console
from rich.table import Table

from reclaim.signals import fingerprint, pdq_of_luma, read_luma

PHOTO = Path(__file__).parents[1] / "tests" / "photos" / "pagoda.jpg"
SIZE = (4000, 3000)
GRAINS = (0, 3, 6)
"""Standard deviations in grey levels."""
AIM = 0.6


def twelve_megapixels(grain: int) -> bytes:
    """The JPEG, each colour channel with grain of its own, as a sensor has it."""
    with Image.open(PHOTO) as image:
        pixels = np.asarray(image.convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)).astype(np.int16)
    noise = np.random.default_rng(12).normal(0, grain, pixels.shape).astype(np.int16)
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()


def contenders(data: bytes) -> dict[str, Callable[[], object]]:
    """What is timed, by name: ours, Pillow's full decode alone, that and `pdqhash` on all of its pixels."""

    def decode() -> Image.Image:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            return image

    luma = read_luma(data)
    return {
        "file_to_pdq": lambda: pdq_of_luma(read_luma(data)),
        "full_decode": decode,
        "full_decode_and_pdqhash": lambda: pdqhash.compute(np.asarray(decode())),
        "file_to_pdq_and_md5": lambda: fingerprint(data),
        "pdq_of_512": lambda: pdq_of_luma(luma),
    }


def measure(grain: int, runs: int) -> dict[str, Any]:
    """Median seconds of each contender over that many alternated runs, and the ratios."""
    data = twelve_megapixels(grain)
    timed = contenders(data)
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for turn in range(runs + 1):
        for name, run in timed.items():
            began = time.perf_counter()
            run()
            if turn:  # the first is for warming up
                seconds[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    of_decode = medians["file_to_pdq"] / medians["full_decode"]
    return {
        "bench": "signals",
        "picture": f"{PHOTO.name} enlarged to {SIZE[0]} x {SIZE[1]}, grain {grain}, JPEG quality 90",
        "grain": grain,
        "bytes": len(data),
        "runs": runs,
        "median_seconds": medians,
        "of_full_decode": of_decode,
        "of_full_decode_and_pdqhash": medians["file_to_pdq"] / medians["full_decode_and_pdqhash"],
        "aim": AIM,
        "aim_met": of_decode < AIM,
    }


def show(results: list[dict[str, Any]]) -> None:
    """The table for people."""
    table = Table(
        title="12-megapixel JPEG to PDQ, milliseconds",
        caption=f"{PHOTO.name} at {SIZE[0]} x {SIZE[1]}, JPEG quality 90; medians of {results[0]['runs']} runs",
    )
    titles = (
        "grain",
        "MB",
        "file to PDQ",
        "and MD5",
        "full decode",
        "… and pdqhash",
        "PDQ of 512 x 512",
        "of full decode",
    )
    for title in titles:
        table.add_column(title, justify="right")
    names = ("file_to_pdq", "file_to_pdq_and_md5", "full_decode", "full_decode_and_pdqhash", "pdq_of_512")
    for result in results:
        times = [f"{result['median_seconds'][name] * 1000:.1f}" for name in names]
        verdict = f"{result['of_full_decode']:.2f}{'' if result['aim_met'] else ' (aim missed)'}"
        table.add_row(str(result["grain"]), f"{result['bytes'] / 1e6:.1f}", *times, verdict)
    console = Console()
    console.print(table)
    console.print(f"Aim: under {AIM} of the full decode.")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="From a 12-megapixel JPEG to its PDQ.")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", action="store_true", help="one JSON object a picture")
    options = parser.parse_args()
    results = [measure(grain, options.runs) for grain in GRAINS]
    if options.json:
        for result in results:
            print(json.dumps(result))
    else:
        show(results)


if __name__ == "__main__":
    main()
