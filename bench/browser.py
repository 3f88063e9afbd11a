"""How long a person waits: a 12-megapixel JPEG from file to signal in Chromium, against that browser's own decode.

    python -m bench.browser [--json]

Both are timed in the same page, in turns, on the same bytes; the figures are medians.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.table import Table

from tests.browser.chromium import ARGUMENTS, HOW_TO_GET_IT, find_chromium
from tests.browser.hashing.server import serve

PHOTO = Path(__file__).resolve().parents[1] / "tests" / "photos" / "hills.jpg"
SIZE = (4000, 3000)
RUNS = 11

TIMES = """async ({ path, runs }) => {
  const { Fingerprinter } = await import('/static/hashing/fingerprinter.js');
  const file = new File([await (await fetch(path)).arrayBuffer()], 'picture');
  const fingerprinter = await Fingerprinter.start({ workers: 1 });
  const timed = async (work) => {
    const start = performance.now();
    await work();
    return performance.now() - start;
  };
  const decode = async () => {
    const bitmap = await createImageBitmap(file, { colorSpaceConversion: 'none' });
    const pixel = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    pixel.drawImage(bitmap, 0, 0);
    pixel.getImageData(0, 0, 1, 1);
    bitmap.close();
  };
  const selfTest = await timed(() => fingerprinter.selfTest());
  const first = await timed(() => fingerprinter.fingerprint([file]));
  const times = { selfTest, first, decode: [], signal: [] };
  await decode();
  for (let run = 0; run < runs; run++) {
    times.decode.push(await timed(decode));
    times.signal.push(await timed(() => fingerprinter.fingerprint([file])));
  }
  fingerprinter.stop();
  return times;
}"""


def picture() -> bytes:
    """A JPEG of 12 megapixels, quality 90: a carried photograph enlarged, with grain as a camera's."""
    with Image.open(PHOTO) as photo:
        enlarged = np.asarray(photo.convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)).astype(np.int16)
    grain = np.random.default_rng(12).normal(0, 6, enlarged.shape[:2])[..., None]
    buffer = io.BytesIO()
    Image.fromarray(np.clip(enlarged + grain, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def measure(runs: int = RUNS) -> dict[str, Any] | None:
    """Milliseconds of each part and their ratio; None without a Chromium."""
    path = find_chromium()
    if path is None:
        return None
    with serve() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        page = browser.new_page()
        page.goto(site.origin + "/")
        times = page.evaluate(TIMES, {"path": site.put("picture", picture()), "runs": runs})
        version = browser.version
        browser.close()
    decode, signal = statistics.median(times["decode"]), statistics.median(times["signal"])
    return {
        "name": "browser",
        "browser": f"Chromium {version}",
        "megapixels": SIZE[0] * SIZE[1] / 1e6,
        "runs": runs,
        "decode_ms": round(decode, 1),
        "signal_ms": round(signal, 1),
        "ratio": round(signal / decode, 2),
        "first_picture_ms": round(times["first"], 1),
        "self_test_ms": round(times["selfTest"], 1),
    }


def table(found: dict[str, Any]) -> Table:
    """The figures for a person."""
    made = Table(title=f"{found['megapixels']:.0f}-megapixel JPEG in {found['browser']}, median of {found['runs']}")
    made.add_column("what")
    made.add_column("ms", justify="right")
    made.add_column("times the decode", justify="right")
    made.add_row("the browser's own decode", f"{found['decode_ms']:.0f}", "1.00")
    made.add_row("from file to signal, in the Worker", f"{found['signal_ms']:.0f}", f"{found['ratio']:.2f}")
    made.add_row("the first picture of a visit (one run)", f"{found['first_picture_ms']:.0f}", "")
    made.add_row("the self-test before it (one run)", f"{found['self_test_ms']:.0f}", "")
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    wanted = parser.parse_args()
    found = measure()
    if wanted.json:
        print(json.dumps(found or {"name": "browser", "skipped": HOW_TO_GET_IT}))
    elif found is None:
        print(f"The browser was not measured: {HOW_TO_GET_IT}.")
    else:
        Console().print(table(found))


if __name__ == "__main__":
    main()
