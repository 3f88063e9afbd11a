"""From what a person confirms to what a connected platform does with an upload, over everything between.

    python -m bench.exchange_latency [--signals 1000000] [--rounds 100] [--json]

A bank on PostgreSQL with so many signals; a platform that follows it, with its match service beside it. Each round a
person makes a case of one picture over HTTP, and from the moment at which its answer is there that very picture is
uploaded to the match service again and again until the service says to stop it. Then she withdraws it, and from the
answer on the picture is uploaded until nothing is found. So an upload's own time (decoding, PDQ, search) is in both.
"""

from __future__ import annotations

import argparse
import io
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.table import Table

from reclaim.signals import pdq_of_luma, read_luma
from tests.load.memory import peak_mib
from tests.load.persons import Sending, sign_in, withdraw_all
from tests.load.world import World, a_world, as_json, machine
from tests.system.matching.service import Service
from tests.system.platform.site import Platform

PHOTOS = sorted((Path(__file__).parents[1] / "tests" / "photos").glob("*.jpg"))
SIDE = 400
PATIENCE = 120.0
HELD, CLEAR = "hold", "none"


@dataclass(frozen=True)
class Spread:
    """Seconds of all rounds."""

    p50: float
    p99: float
    least: float
    most: float

    @classmethod
    def of(cls, seconds: list[float]) -> Spread:
        """Of at least two."""
        cuts = statistics.quantiles(seconds, n=100, method="inclusive")
        return cls(cuts[49], cuts[98], min(seconds), max(seconds))


@dataclass(frozen=True)
class Latency:
    """All rounds."""

    machine: str
    signals: int
    rounds: int
    first_sync: float
    """Seconds of the platform's own first sync, into its database and index files."""
    to_blocked: Spread
    to_clear: Spread
    one_upload: Spread
    """Of an upload that nothing is near to."""
    follower_mib: float
    match_service_mib: float


def pictures(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """So many crops of photographs, no two alike: PDQ and JPEG of each."""
    chosen = random.Random(seed)
    while count:
        with Image.open(chosen.choice(PHOTOS)) as photo:
            side = chosen.randint(SIDE // 2, min(photo.size))
            left, top = (chosen.randint(0, length - side) for length in photo.size)
            out = io.BytesIO()
            photo.convert("RGB").crop((left, top, left + side, top + side)).resize((SIDE, SIDE)).save(out, "JPEG")
        pdq = pdq_of_luma(read_luma(out.getvalue()))
        if pdq.quality >= 90:
            count -= 1
            yield pdq.value, out.getvalue()


def measure(signals: int, rounds: int, seed: int) -> Latency:
    """One bank, one platform, so many rounds."""
    with a_world(events=True, RECLAIM_TRUSTED_PROXIES="1") as world:
        world.fill(signals)
        codes = world.make_codes(rounds)
        [keys] = world.add_platforms(1)
        platform = Platform(world.folder / "platform")
        platform.join(f"{world.root}/v2", keys)
        started = time.perf_counter()
        platform.command("sync")
        first_sync = time.perf_counter() - started
        print(f"first sync of {signals:,} signals: {first_sync:.1f} s", file=sys.stderr)
        platform.start(follow=True)
        try:
            with Service(platform.data / "index", workers=1) as service:
                return _rounds(world, platform, service, codes, signals, rounds, first_sync, seed)
        finally:
            platform.stop()


def _rounds(
    world: World,
    platform: Platform,
    service: Service,
    codes: list[str],
    signals: int,
    rounds: int,
    first_sync: float,
    seed: int,
) -> Latency:
    blocked, clear, single = [], [], []
    for number, (value, picture) in enumerate(pictures(rounds, seed), start=1):

        def says(action: str, picture: bytes = picture) -> bool:
            return bool(service.match(picture).json["action"] == action)

        single.append(_until(lambda: says(CLEAR), time.perf_counter()))
        told = Sending([value], codes.pop()).send(world.root)
        blocked.append(_until(lambda: says(HELD), time.perf_counter()))
        with sign_in(world.root, told["case_number"], told["pin"]) as page:
            withdraw_all(world.root, page)
            clear.append(_until(lambda: says(CLEAR), time.perf_counter()))
        print(f"{number:4}  {blocked[-1]:.3f} s  {clear[-1]:.3f} s", file=sys.stderr)
    return Latency(
        machine(),
        signals,
        rounds,
        first_sync,
        Spread.of(blocked),
        Spread.of(clear),
        Spread.of(single),
        max(map(peak_mib, platform.pids())),
        max(map(peak_mib, service.worker_pids())),
    )


def _until(true: Callable[[], bool], since: float) -> float:
    """Seconds from ``since`` until it is true."""
    while not true():
        if time.perf_counter() - since > PATIENCE:
            raise RuntimeError(f"it did not come about within {PATIENCE:.0f} s")
    return time.perf_counter() - since


def table(latency: Latency) -> Table:
    """The figures."""
    caption = (
        f"The platform's own first sync took {latency.first_sync:.0f} s; its largest process held "
        f"{latency.follower_mib:.0f} MiB, the match service's {latency.match_service_mib:.0f} MiB. {latency.machine}"
    )
    title = f"{latency.rounds} rounds at {latency.signals:,} signals"
    shown = Table(title=title, caption=caption, caption_justify="left")
    for name in ("seconds", "p50", "p99", "least", "most"):
        shown.add_column(name, justify="left" if name == "seconds" else "right")
    for name, spread in (
        ("from a person's confirmation to a blocked upload", latency.to_blocked),
        ("from a withdrawal to no longer matching", latency.to_clear),
        ("of these, one upload", latency.one_upload),
    ):
        shown.add_row(name, *(f"{figure:.3f}" for figure in asdict(spread).values()))
    return shown


def main() -> int:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signals", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    latency = measure(asked.signals, asked.rounds, asked.seed)
    if asked.json:
        print(as_json(asdict(latency)))
    else:
        Console(width=110).print(table(latency))
    return 0


if __name__ == "__main__":
    sys.exit(main())
