"""How long a person waits, and how much memory it takes: from file to signal in Chromium, for a JPEG and a HEIC of 12
megapixels, against the browser's own decode of the same JPEG and libheif's of the same HEIC; and one JPEG of 100.

    python -m bench.browser [--json]

Each is timed in turns with its peer, in the same page, on the same bytes; the figures are medians. The peer of npm
that makes PDQ (pdq-wasm) takes pixels read back from a canvas; what reading them back takes alone is shown, since the
package itself cannot be had from the registry any more.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console
from rich.table import Table

from tests.browser.chromium import ARGUMENTS, HOW_TO_GET_IT, find_chromium
from tests.browser.hashing.server import Site, serve

PHOTO = Path(__file__).resolve().parents[1] / "tests" / "photos" / "hills.jpg"
SIZE = (4000, 3000)
LARGE = (12_000, 8_400)
RUNS = 11
HEIC_RUNS = 3

TIMES = """async ({ path, runs, peers }) => {
  const { Fingerprinter } = await import('/static/hashing/fingerprinter.js');
  const file = new File([await (await fetch(path)).arrayBuffer()], 'picture');
  const fingerprinter = await Fingerprinter.start({ workers: 1 });
  const timed = async (work) => {
    const start = performance.now();
    await work();
    return performance.now() - start;
  };
  const works = {
    decode: async () => {
      const bitmap = await createImageBitmap(file);
      const pixel = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
      pixel.drawImage(bitmap, 0, 0);
      pixel.getImageData(0, 0, 1, 1);
      bitmap.close();
    },
    pixels: async () => {
      const bitmap = await createImageBitmap(file);
      const { width, height } = bitmap;
      const canvas = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
      canvas.drawImage(bitmap, 0, 0);
      canvas.getImageData(0, 0, width, height);
      bitmap.close();
    },
    library: async () => {
      const { HeifPicture } = await import('/static/hashing/heif.js');
      (await HeifPicture.open(file, 2e8)).close();
    },
    signal: async () => {
      const [{ ok }] = await fingerprinter.fingerprint([file]);
      if (!ok) throw new Error('no signal');
    },
  };
  const selfTest = await timed(() => fingerprinter.selfTest());
  const first = await timed(works.signal);
  const times = { selfTest, first };
  for (const name of [...peers, 'signal']) {
    times[name] = [];
    await works[name]();
  }
  for (let run = 0; run < runs; run++) {
    for (const name of [...peers, 'signal']) times[name].push(await timed(works[name]));
  }
  fingerprinter.stop();
  return times;
}"""

TAKE = """async (path) => {
  const { Fingerprinter } = await import('/static/hashing/fingerprinter.js');
  const file = new File([await (await fetch(path)).blob()], 'picture');
  const fingerprinter = await Fingerprinter.start({ workers: 1 });
  await fingerprinter.selfTest();
  globalThis.take = async () => (await fingerprinter.fingerprint([file]))[0].ok;
}"""


def pixels(size: tuple[int, int]) -> Image.Image:
    """A carried photograph enlarged, with grain as a camera's."""
    with Image.open(PHOTO) as photo:
        enlarged = np.asarray(photo.convert("RGB").resize(size, Image.Resampling.BICUBIC)).astype(np.int16)
    grain = np.random.default_rng(12).normal(0, 6, enlarged.shape[:2])[..., None]
    return Image.fromarray(np.clip(enlarged + grain, 0, 255).astype(np.uint8))


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of a file of this kind."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def large_jpeg() -> bytes:
    """A JPEG of 100 megapixels; without grain, which takes as much memory and less time to make."""
    with Image.open(PHOTO) as photo:
        return encoded(photo.convert("RGB").resize(LARGE, Image.Resampling.BILINEAR), "JPEG", quality=85)


def held(browser: Browser) -> dict[int, int]:
    """The most bytes that each of the browser's processes has held so far (Linux)."""
    session = browser.new_browser_cdp_session()
    found = {}
    for process in session.send("SystemInfo.getProcessInfo")["processInfo"]:
        status = Path(f"/proc/{process['id']}/status").read_text()
        found[process["id"]] = 1024 * int(status.split("VmHWM:")[1].split()[0])
    session.detach()
    return found


def memory(browser: Browser, page: Page, path: str) -> float:
    """Mebibytes that the process of the page took at most for this picture, besides what it had held before."""
    page.evaluate(TAKE, path)
    before = held(browser)
    if not page.evaluate("take()"):
        raise RuntimeError("the large picture has no signal")
    return max(most - before.get(process, 0) for process, most in held(browser).items()) / 2**20


def _ratio(times: dict[str, Any], peer: str) -> tuple[float, float, float, float]:
    """Medians of the peer and of the signal, how many times the peer the signal takes, and the same of the lowest.

    The lowest are what other work on the machine disturbs least.
    """
    one, other = statistics.median(times[peer]), statistics.median(times["signal"])
    lowest = min(times["signal"]) / min(times[peer])
    return round(one, 1), round(other, 1), round(other / one, 2), round(lowest, 2)


def _measured(browser: Browser, site: Site, runs: int) -> dict[str, Any]:
    # Memory first: a process of which nothing was asked yet.
    page = browser.new_page()
    page.goto(site.origin + "/")
    took = memory(browser, page, site.put("large", large_jpeg()))
    page.close()
    page = browser.new_page()
    page.goto(site.origin + "/")
    picture = pixels(SIZE)
    jpeg = site.put("jpeg", encoded(picture, "JPEG", quality=90))
    heic = site.put("heic", encoded(picture, "HEIF", quality=80, enc_params={"preset": "ultrafast"}))
    of_jpeg = page.evaluate(TIMES, {"path": jpeg, "runs": runs, "peers": ["decode", "pixels"]})
    of_heic = page.evaluate(TIMES, {"path": heic, "runs": min(runs, HEIC_RUNS), "peers": ["library"]})
    decode, signal, ratio, lowest = _ratio(of_jpeg, "decode")
    library, heic_signal, heic_ratio, heic_lowest = _ratio(of_heic, "library")
    return {
        "name": "browser",
        "browser": f"Chromium {browser.version}",
        "megapixels": SIZE[0] * SIZE[1] / 1e6,
        "runs": runs,
        "decode_ms": decode,
        "pixels_ms": round(statistics.median(of_jpeg["pixels"]), 1),
        "signal_ms": signal,
        "ratio": ratio,
        "ratio_of_lowest": lowest,
        "first_picture_ms": round(of_jpeg["first"], 1),
        "self_test_ms": round(of_jpeg["selfTest"], 1),
        "heic_library_ms": library,
        "heic_signal_ms": heic_signal,
        "heic_ratio": heic_ratio,
        "heic_ratio_of_lowest": heic_lowest,
        "heic_first_picture_ms": round(of_heic["first"], 1),
        "large_megapixels": LARGE[0] * LARGE[1] / 1e6,
        "large_memory_mib": round(took),
    }


def measure(runs: int = RUNS) -> dict[str, Any] | None:
    """Milliseconds of each part, their ratios, and memory; None without a Chromium."""
    path = find_chromium()
    if path is None:
        return None
    pillow_heif.register_heif_opener()
    with serve() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        found = _measured(browser, site, runs)
        browser.close()
    return found


def _shown(found: dict[str, Any], name: str) -> tuple[str, str]:
    return f"{found[name]:.2f}", f"{found[name + '_of_lowest']:.2f}"


def table(found: dict[str, Any]) -> Table:
    """The figures for a person."""
    made = Table(title=f"{found['megapixels']:.0f} megapixels in {found['browser']}, median of {found['runs']}")
    made.add_column("what")
    made.add_column("ms", justify="right")
    made.add_column("times the decode", justify="right")
    made.add_column("lowest by lowest", justify="right")
    made.add_row("JPEG: the browser's own decode", f"{found['decode_ms']:.0f}", "1.00")
    made.add_row("JPEG: decoded, and every pixel read back from a canvas", f"{found['pixels_ms']:.0f}", "")
    made.add_row("JPEG: from file to signal, in the Worker", f"{found['signal_ms']:.0f}", *_shown(found, "ratio"))
    made.add_row("the first picture of a visit (one run)", f"{found['first_picture_ms']:.0f}", "")
    made.add_row("the self-test before it (one run)", f"{found['self_test_ms']:.0f}", "")
    made.add_row("HEIC: libheif's decode", f"{found['heic_library_ms']:.0f}", "1.00")
    made.add_row("HEIC: from file to signal", f"{found['heic_signal_ms']:.0f}", *_shown(found, "heic_ratio"))
    made.add_row("the first HEIC of a visit (one run)", f"{found['heic_first_picture_ms']:.0f}", "")
    made.caption = (
        f"A JPEG of {found['large_megapixels']:.0f} megapixels took {found['large_memory_mib']} MiB at most, its file "
        "included."
    )
    return made


def report(
    about: str | None, name: str, measure: Callable[[], dict[str, Any] | None], table: Callable[[dict[str, Any]], Table]
) -> None:
    """The command line of a measurement in the browser: ``measure`` gives ``None`` where there is no browser."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    wanted = parser.parse_args()
    found = measure()
    if wanted.json:
        print(json.dumps(found or {"name": name, "skipped": HOW_TO_GET_IT}))
    elif found is None:
        print(f"The browser was not measured: {HOW_TO_GET_IT}.")
    else:
        Console().print(table(found))


def main() -> None:
    report(__doc__, "browser", measure, table)


if __name__ == "__main__":
    main()
