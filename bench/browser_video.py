"""How long a person waits for a video: 1080p from file to signals in Chromium, against that browser's own decode.

    python -m bench.browser_video [--json]

The decode is of the frames that the signals are made of and of those that they build on, in the same page, in turns
with the signals, of the same bytes; the figures are medians. The first film has a key frame every eight seconds, as
encoders make them by default, the second one every second, as phones do.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright
from rich.table import Table

from bench.browser import report
from tests.browser.chromium import ARGUMENTS, find_chromium
from tests.browser.hashing.server import serve
from tests.browser.hashing.videos import Frame, encoded, film

SIZE = (1920, 1080)
RATE = 30
SECONDS = 10
RUNS = 5
FILMS = {"key frame every 8 s": 240, "key frame every second": 30}

TIMES = """async ({ path, runs }) => {
  const { Fingerprinter } = await import('/static/hashing/fingerprinter.js');
  const { BlobSource, Input, MP4, VideoSampleSink } = await import('/static/vendor/mediabunny/mediabunny.js');
  const file = new File([await (await fetch(path)).arrayBuffer()], 'film');
  const fingerprinter = await Fingerprinter.start({ workers: 1 });
  await fingerprinter.selfTest();
  const timed = async (work) => {
    const start = performance.now();
    await work();
    return performance.now() - start;
  };
  const decode = async () => {
    const input = new Input({ source: new BlobSource(file), formats: [MP4] });
    const track = await input.getPrimaryVideoTrack();
    const moments = Array.from({ length: await track.computeDuration() }, (_, k) => k);
    for await (const sample of new VideoSampleSink(track).samplesAtTimestamps(moments)) sample.close();
    input.dispose();
  };
  let result;
  const fingerprint = async () => ([result] = await fingerprinter.fingerprint([file]));
  const times = { first: await timed(fingerprint), decode: [], signals: [] };
  await decode();
  for (let run = 0; run < runs; run++) {
    times.decode.push(await timed(decode));
    times.signals.push(await timed(fingerprint));
  }
  fingerprinter.stop();
  return { ...times, frames: result.signals[1].frames.length };
}"""


def grainy(seconds: int) -> Iterator[Frame]:
    """Photographs that move, with grain as a camera's: about as much to decode as a phone's video has."""
    rng = np.random.default_rng(12)
    grain = [rng.normal(0, 4, (SIZE[1], SIZE[0], 1)).astype(np.int16) for _ in range(5)]
    for number, rgb in enumerate(film(seconds, RATE, SIZE, range(5))):
        yield np.clip(rgb + grain[number % 5], 0, 255).astype(np.uint8)


def measure(runs: int = RUNS, seconds: int = SECONDS) -> dict[str, Any] | None:
    """Seconds of each part per minute of video and their ratio, for each film; None without a Chromium."""
    path = find_chromium()
    if path is None:
        return None
    films = []
    with serve() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        for name, key in FILMS.items():
            content = encoded(grainy(seconds), rate=RATE, preset="veryfast", crf="23", g=str(key), bf="2")
            page = browser.new_page()
            page.goto(site.origin + "/")
            times = page.evaluate(TIMES, {"path": site.put("film", content), "runs": runs})
            page.close()
            minute = 60 / seconds / 1000
            decode, signals = statistics.median(times["decode"]), statistics.median(times["signals"])
            films.append(
                {
                    "film": name,
                    "megabits_a_second": round(len(content) * 8 / seconds / 1e6, 1),
                    "frames": times["frames"],
                    "decode_s_per_minute": round(decode * minute, 2),
                    "signals_s_per_minute": round(signals * minute, 2),
                    "ratio": round(signals / decode, 2),
                    "first_s": round(times["first"] / 1000, 2),
                }
            )
        version = browser.version
        browser.close()
    return {
        "name": "browser_video",
        "browser": f"Chromium {version}",
        "size": list(SIZE),
        "frames_a_second": RATE,
        "seconds": seconds,
        "runs": runs,
        "films": films,
    }


def table(found: dict[str, Any]) -> Table:
    """The figures for a person."""
    width, height = found["size"]
    made = Table(title=f"{width} x {height} H.264 in {found['browser']}, seconds per minute, median of {found['runs']}")
    made.add_column("film")
    for column in ("the browser's own decode", "from file to signals", "times the decode"):
        made.add_column(column, justify="right")
    for each in found["films"]:
        decode, signals = each["decode_s_per_minute"], each["signals_s_per_minute"]
        made.add_row(each["film"], f"{decode:.2f}", f"{signals:.2f}", f"{each['ratio']:.2f}")
    return made


def main() -> None:
    report(__doc__, "browser_video", measure, table)


if __name__ == "__main__":
    main()
