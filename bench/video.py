"""How much of edited copies of videos is found, and what is found wrongly.

The originals are clips made out of photographs: panned, zoomed, cross-faded. Copies are letterboxed, cropped, mirrored,
laid into others, cut, sped up and more (``bench.clips.COPIES``), all of them encoded again at low quality (H.264, crf
35). Each is looked up among all originals; so are clips of other photographs. What is found that is not the copy's
original is found wrongly.

    vpdq           ``vpdq.computeHash`` and threatexchange's ``VPDQIndex``, with its own thresholds
    frames         reclaim's frames as they lie, each within 31 bits: vPDQ's way with reclaim's thresholds
    views          also the eight turns, and what is found within bars, captions, insets and split screens
    reclaim        and frames that are less alike, in the same order and at one speed; as a platform looks an upload up
    parts          the second stage alone: descriptors of moments of either, the three likeliest checked by the bank
    both           found by «reclaim» or by «parts»

And the time from a 1080p file to its frames, against decoding alone.

``vpdq`` is compiled when it is installed, which needs FFmpeg's development files (on Debian libavdevice-dev and what it
asks for). Without it its rows are left out.

    python -m bench.video [--originals 12] [--json]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from bench import clips
from bench.derive.corpus import photographs
from reclaim.index import CODE_BYTES, FrameIndex
from reclaim.matching import Action, Policy
from reclaim.matching.by_parts import MOST_CHECKS, Described, described_moments, may_show
from reclaim.matching.candidates import DescriptorIndex
from reclaim.matching.relation import Stretch
from reclaim.matching.videos import find_videos
from reclaim.signals.crew import usable_processors
from reclaim.signals.frames import MAX_FRAMES
from reclaim.signals.geometry import LEAST_INLIERS_OF_MANY, check
from reclaim.signals.video import read_frames
from reclaim.signals.video_views import FramesView, describe_video, read_view, read_views

SECONDS = 12.0
PHOTOS_A_CLIP = 2
UNRELATED = 24
FULL_HD = (1920, 1080)
FULL_HD_SECONDS = 20.0
HOW_TO_GET_VPDQ = "vpdq is not installed; it needs FFmpeg's development files: pip install vpdq==0.2.5"

Lookup = Callable[[Path], dict[int, "Seen"]]
"""From a file to what was found by id."""


class Seen(NamedTuple):
    """How an original was found."""

    query_percent: float
    video_percent: float
    held: bool
    stretch: Stretch | None = None


@dataclass
class Row:
    """What one way found of one kind of copies."""

    way: str
    copy: str
    copies: int
    found: int
    held: int
    query_percent: float
    """Median of those found: how much of the copy is in the original."""
    video_percent: float
    speed: float | None
    """Median of what was said of the speed; None where nothing was."""


@dataclass
class Wrong:
    """What one way found wrongly, of pairs of a copy or unrelated clip and an original that is not its own."""

    way: str
    pairs: int
    found: int
    held: int


class _Made(NamedTuple):
    originals: list[Path]
    copies: list[tuple[str, int, Path]]
    """By kind and original."""
    unrelated: list[Path]

    @property
    def all(self) -> list[Path]:
        return [*self.originals, *(path for _, _, path in self.copies), *self.unrelated]


@cache
def _photographs() -> list[Path]:
    """One of each scene, in an order that mixes what they show."""
    chosen: dict[str, Path] = {}
    for photograph in photographs():
        chosen.setdefault(photograph.scene or photograph.name, photograph.path)
    paths = list(chosen.values())
    random.Random(7).shuffle(paths)
    return paths


def _film(number: int) -> list[Image.Image]:
    """A clip of its own photographs."""
    mine = _photographs()[number * PHOTOS_A_CLIP :][:PHOTOS_A_CLIP]
    return list(clips.film(mine, SECONDS, seed=number))


def _make_copies(folder: Path, number: int) -> list[Path]:
    """An original, then its copies in the order of their kinds."""
    # What copies are laid into and put between is known to nobody.
    original, other = clips.write(folder / f"{number}.mp4", _film(number + 1)), _film(0)
    frames = clips.read(original)
    made = [original]
    for at, change in enumerate(clips.COPIES.values()):
        path = folder / f"{number}-{at}.mp4"
        made.append(clips.write(path, change(frames, other), options=clips.COPY_OPTIONS))
    return made


def _make_unrelated(folder: Path, number: int) -> Path:
    return clips.write(folder / f"unrelated-{number}.mp4", _film(number), options=clips.COPY_OPTIONS)


def _make(folder: Path, count: int, pool: Executor) -> _Made:
    made = _Made([], [], [])
    for number, (original, *copies) in enumerate(pool.map(_make_copies, repeat(folder), range(count))):
        made.originals.append(original)
        made.copies.extend((kind, number, path) for kind, path in zip(clips.COPIES, copies, strict=True))
    made.unrelated.extend(pool.map(_make_unrelated, repeat(folder), range(count + 1, count + 1 + UNRELATED)))
    return made


def _index_of(originals: Sequence[Path]) -> FrameIndex:
    videos = [read_frames(path) for path in originals]
    return FrameIndex.build(
        (
            id_,
            np.frombuffer(bytes.fromhex("".join(each.pdq for each in video)), np.uint8).reshape(-1, CODE_BYTES),
            None,
            np.array([each.seconds for each in video]),
        )
        for id_, video in enumerate(videos)
    )


def _ours(index: FrameIndex, views_of: Callable[[Path], Sequence[FramesView]], policy: Policy) -> Lookup:
    def look_up(path: Path) -> dict[int, Seen]:
        return {
            match.id: Seen(
                match.query_percent, match.video_percent, match.action is Action.HOLD, match.relation.stretch
            )
            for match in find_videos(views_of(path), index, policy)
        }

    return look_up


def _described(path: Path) -> list[Described]:
    """An upload, as a platform's limited process describes it."""
    return described_moments(read_view(path).moments)


def _by_parts(made: _Made, pool: Executor) -> tuple[Lookup, float]:
    """And the median of the milliseconds that one look-up takes, without describing."""
    stills = [
        (original, still) for original, found in enumerate(pool.map(describe_video, made.originals)) for still in found
    ]
    index = DescriptorIndex.build((number, still.values) for number, (_, still) in enumerate(stills))
    described_of = dict(zip(made.all, pool.map(_described, made.all), strict=True))
    found: dict[Path, dict[int, Seen]] = {}
    taken = []
    for path in made.all:
        began = time.perf_counter()
        candidates = may_show(described_of[path], index)[:MOST_CHECKS]
        taken.append(1000 * (time.perf_counter() - began))
        found[path] = {
            stills[each.id][0]: Seen(0.0, 0.0, False)
            for each in candidates
            if check(stills[each.id][1].placement, each.pairs, each.frame, least=LEAST_INLIERS_OF_MANY)
        }
    return found.__getitem__, statistics.median(taken)


def _vpdq_of(path: Path) -> Any:
    from threatexchange.extensions.vpdq.vpdq_util import hash_file_compact, vpdq_to_json

    return vpdq_to_json(hash_file_compact(str(path)))


def _by_vpdq(made: _Made, pool: Executor) -> Lookup:
    from threatexchange.extensions.vpdq.vpdq_index import VPDQIndex

    asked = made.all
    hashed = dict(zip(asked, pool.map(_vpdq_of, asked), strict=True))
    index = VPDQIndex.build((hashed[path], id_) for id_, path in enumerate(made.originals))

    def look_up(path: Path) -> dict[int, Seen]:
        found = index.query(hashed[path])
        alike: list[tuple[int, Any]] = [(match.metadata, match.similarity_info) for match in found]
        return {id_: Seen(info.query_match_percent, info.compared_match_percent, True) for id_, info in alike}

    return look_up


def _measured(way: str, look_up: Lookup, made: _Made) -> tuple[list[Row], Wrong]:
    originals = len(made.originals)
    wrong = Wrong(way, len(made.copies) * (originals - 1) + len(made.unrelated) * originals, 0, 0)
    right: dict[str, list[Seen]] = {kind: [] for kind in clips.COPIES}
    for kind, own, path in [*made.copies, *(("", -1, path) for path in made.unrelated)]:
        for id_, found in look_up(path).items():
            if id_ == own:
                right[kind].append(found)
            else:
                wrong.found += 1
                wrong.held += found.held
    rows = []
    for kind, seen in right.items():
        speeds = [each.stretch.speed for each in seen if each.stretch is not None]
        rows.append(
            Row(
                way,
                kind,
                originals,
                len(seen),
                sum(each.held for each in seen),
                statistics.median([each.query_percent for each in seen] or [0.0]),
                statistics.median([each.video_percent for each in seen] or [0.0]),
                statistics.median(speeds) if speeds else None,
            )
        )
    return rows, wrong


def _speed(folder: Path) -> dict[str, float]:
    """Seconds a minute of a 1080p film."""
    photos = _photographs()[:2]
    film = clips.write(folder / "full-hd.mp4", clips.film(photos, FULL_HD_SECONDS, size=FULL_HD))

    def decode() -> None:
        with av.open(str(film)) as container:
            container.streams.video[0].thread_type = "AUTO"
            for _ in container.decode(video=0):
                pass

    ways: dict[str, Callable[[], object]] = {
        "decode": decode,
        "reclaim": lambda: read_frames(film),
        "reclaim, all views": lambda: read_views(film),
    }
    if importlib.util.find_spec("vpdq"):
        from threatexchange.extensions.vpdq.vpdq_util import hash_file_compact

        ways["vpdq"] = lambda: hash_file_compact(str(film))
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(3):
        for way, work in ways.items():
            began = time.perf_counter()
            work()
            seconds[way].append((time.perf_counter() - began) * 60 / FULL_HD_SECONDS)
    return {way: statistics.median(taken) for way, taken in seconds.items()}


def run(originals: int = 12) -> dict[str, Any]:
    """Make the clips, look them up every way, and time the hashing."""
    with (
        tempfile.TemporaryDirectory(prefix="reclaim-bench-") as scratch,
        ProcessPoolExecutor(usable_processors()) as pool,
    ):
        folder = Path(scratch)
        made = _make(folder, originals, pool)
        index = _index_of(made.originals)
        views_of = dict(zip(made.all, pool.map(read_views, made.all), strict=True)).__getitem__
        # No film has so many frames: what is in order counts for nothing.
        alone = Policy(review_frames=MAX_FRAMES)
        ways: dict[str, Lookup] = {"vpdq": _by_vpdq(made, pool)} if importlib.util.find_spec("vpdq") else {}
        ways["frames"] = _ours(index, lambda path: views_of(path)[:1], alone)
        ways["views"] = _ours(index, views_of, alone)
        ways["reclaim"] = _ours(index, views_of, Policy())
        rows: list[Row] = []
        wrong: list[Wrong] = []
        ways["parts"], by_parts_ms = _by_parts(made, pool)
        ways["both"] = lambda path: {**ways["parts"](path), **ways["reclaim"](path)}
        for way, look_up in ways.items():
            found, not_own = _measured(way, look_up, made)
            rows += found
            wrong.append(not_own)
        return {
            "name": "video",
            "originals": originals,
            "copies": len(made.copies),
            "unrelated": len(made.unrelated),
            "rows": [asdict(row) for row in rows],
            "wrong": [asdict(each) for each in wrong],
            "seconds_per_minute_of_1080p": _speed(folder),
            "by_parts_ms": by_parts_ms,
            "rate": clips.RATE,
            "note": "" if "vpdq" in ways else HOW_TO_GET_VPDQ,
        }


def table(found: dict[str, Any]) -> Table:
    """The figures for a person."""
    ways = [each["way"] for each in found["wrong"]]
    wrong = "; ".join(f"{each['way']} {each['found']} of {each['pairs']:,}" for each in found["wrong"])
    speed = ", ".join(f"{way} {taken:.2f}" for way, taken in found["seconds_per_minute_of_1080p"].items())
    made = Table(
        title=f"Found of {found['originals']} clips by {found['copies']} copies; "
        f"{found['unrelated']} unrelated clips. In brackets: to hold",
        caption=f"Found wrongly: {wrong}. Seconds for a minute of 1080p at {found['rate']} frames a second: {speed}. "
        f"Looked up by parts: {found['by_parts_ms']:.0f} ms a copy. "
        f"{found['note']}",
    )
    made.add_column("copy")
    for title in (*ways, "of the copy, %", "of the original, %", "speed"):
        made.add_column(title, justify="right")
    for kind in clips.COPIES:
        rows = {row["way"]: row for row in found["rows"] if row["copy"] == kind}
        ours = rows["reclaim"]
        made.add_row(
            kind,
            *(f"{rows[way]['found']} ({rows[way]['held']})" for way in ways),
            f"{ours['query_percent']:.0f}",
            f"{ours['video_percent']:.0f}",
            "" if ours["speed"] is None else f"{ours['speed']:g}",
        )
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--originals", type=int, default=12)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args()
    found = run(options.originals)
    if options.json:
        print(json.dumps(found))
    else:
        Console(width=160).print(table(found))


if __name__ == "__main__":
    main()
