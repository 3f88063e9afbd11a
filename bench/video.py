"""How much of copies of videos is found, and what is found wrongly: by reclaim, by MD5, by the ``vpdq`` package.

The originals are clips made out of the photographs that the project carries: panned, zoomed, cross-faded. Copies are
cut, made smaller, letterboxed, mirrored, and all of them encoded again at low quality (H.264, crf 35). Each is looked
up among all originals; so are clips of other photographs. What is found that is not the copy's original is found
wrongly.

    md5                the bytes of the file
    vpdq               ``vpdq.computeHash`` and threatexchange's ``VPDQIndex``, with its own thresholds
    reclaim, as it lies    frames as a browser sends them
    reclaim            frames in the eight turns and without black bars, as a platform looks an upload up

And the time from a 1080p file to its frames, against decoding alone.

``vpdq`` is compiled when it is installed, which needs FFmpeg's development files (on Debian libavdevice-dev and what it
asks for). Without it its rows are left out.

    python -m bench.video [--originals 10] [--json]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from rich.console import Console
from rich.table import Table

from bench import clips
from reclaim.index import CODE_BYTES, FrameIndex
from reclaim.matching import Action, Indexes, Policy
from reclaim.matching.videos import FoundVideo, VideoDecision, decide_on_frames, decide_on_video
from reclaim.signals import md5_of
from reclaim.signals.video import read_frames, read_turned_frames

SECONDS = 12.0
PHOTOS_A_CLIP = 2
UNRELATED = 20
FULL_HD = (1920, 1080)
FULL_HD_SECONDS = 20.0
HOW_TO_GET_VPDQ = "vpdq is not installed; it needs FFmpeg's development files: pip install vpdq==0.2.5"

Lookup = Callable[[Path], dict[int, tuple[float, float, bool]]]
"""From a file to what was found by id: how much of the upload, how much of the known video, whether to hold it."""


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


@dataclass
class Wrong:
    """What one way found wrongly, of pairs of a copy or unrelated clip and an original that is not its own."""

    way: str
    pairs: int
    found: int
    held: int


def _make(folder: Path, count: int) -> tuple[list[Path], list[tuple[str, int, Path]], list[Path]]:
    """The originals; the copies by kind and original; the unrelated clips."""
    photos = clips.photographs()
    needed = count * PHOTOS_A_CLIP
    if needed + PHOTOS_A_CLIP > len(photos):
        raise ValueError(f"{count} originals leave no photographs for unrelated clips.")
    originals: list[Path] = []
    copies: list[tuple[str, int, Path]] = []
    unrelated: list[Path] = []
    for number in range(count):
        mine = photos[number * PHOTOS_A_CLIP :][:PHOTOS_A_CLIP]
        original = clips.write(folder / f"{number}.mp4", clips.film(mine, SECONDS, seed=number))
        originals.append(original)
        frames = clips.read(original)
        for kind, change in clips.COPIES.items():
            path = folder / f"{number}-{len(copies)}.mp4"
            copies.append((kind, number, clips.write(path, change(frames), options=clips.COPY_OPTIONS)))
    others = photos[needed:]
    for number in range(UNRELATED):
        mine = [others[(number + step) % len(others)] for step in range(PHOTOS_A_CLIP)]
        path = folder / f"unrelated-{number}.mp4"
        unrelated.append(clips.write(path, clips.film(mine, SECONDS, seed=1000 + number), options=clips.COPY_OPTIONS))
    return originals, copies, unrelated


def _by_md5(originals: Sequence[Path]) -> Lookup:
    known = {md5_of(path): id_ for id_, path in enumerate(originals)}

    def look_up(path: Path) -> dict[int, tuple[float, float, bool]]:
        id_ = known.get(md5_of(path))
        return {} if id_ is None else {id_: (100.0, 100.0, True)}

    return look_up


def _ours(originals: Sequence[Path], *, turned: bool) -> Lookup:
    frames = [read_frames(path) for path in originals]
    codes = [np.frombuffer(bytes.fromhex("".join(each.pdq for each in video)), np.uint8) for video in frames]
    index = FrameIndex.build((id_, each.reshape(-1, CODE_BYTES), None) for id_, each in enumerate(codes))
    policy = Policy()

    def decide(path: Path) -> VideoDecision:
        if turned:
            return decide_on_video(md5_of(path), read_turned_frames(path), Indexes(video=index), policy)
        return decide_on_frames(read_frames(path), index, policy)

    def look_up(path: Path) -> dict[int, tuple[float, float, bool]]:
        return {
            match.id: (match.query_percent, match.video_percent, match.action is Action.HOLD)
            for match in decide(path).matches
            if isinstance(match, FoundVideo)
        }

    return look_up


def _by_vpdq(originals: Sequence[Path]) -> Lookup:
    from threatexchange.extensions.vpdq.vpdq_index import VPDQIndex
    from threatexchange.extensions.vpdq.vpdq_util import hash_file_compact, vpdq_to_json

    index = VPDQIndex.build((vpdq_to_json(hash_file_compact(str(path))), id_) for id_, path in enumerate(originals))

    def look_up(path: Path) -> dict[int, tuple[float, float, bool]]:
        found = index.query(vpdq_to_json(hash_file_compact(str(path))))
        alike: list[tuple[int, Any]] = [(match.metadata, match.similarity_info) for match in found]
        return {id_: (info.query_match_percent, info.compared_match_percent, True) for id_, info in alike}

    return look_up


def _measured(
    way: str, look_up: Lookup, originals: int, copies: Sequence[tuple[str, int, Path]], unrelated: Sequence[Path]
) -> tuple[list[Row], Wrong]:
    wrong = Wrong(way, len(copies) * (originals - 1) + len(unrelated) * originals, 0, 0)
    right: dict[str, list[tuple[float, float, bool]]] = {kind: [] for kind in clips.COPIES}
    for kind, own, path in [*copies, *(("", -1, path) for path in unrelated)]:
        for id_, found in look_up(path).items():
            if id_ == own:
                right[kind].append(found)
            else:
                wrong.found += 1
                wrong.held += found[2]
    rows = [
        Row(
            way,
            kind,
            originals,
            len(found),
            sum(held for _, _, held in found),
            statistics.median([of_query for of_query, _, _ in found] or [0.0]),
            statistics.median([of_video for _, of_video, _ in found] or [0.0]),
        )
        for kind, found in right.items()
    ]
    return rows, wrong


def _speed(folder: Path) -> dict[str, float]:
    """Seconds a minute of a 1080p film."""
    photos = clips.photographs()[:2]
    film = clips.write(folder / "full-hd.mp4", clips.film(photos, FULL_HD_SECONDS, size=FULL_HD))

    def decode() -> None:
        with av.open(str(film)) as container:
            container.streams.video[0].thread_type = "AUTO"
            for _ in container.decode(video=0):
                pass

    ways: dict[str, Callable[[], object]] = {
        "decode": decode,
        "reclaim": lambda: read_frames(film),
        "reclaim, all turns": lambda: read_turned_frames(film),
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


def run(originals: int = 10) -> dict[str, Any]:
    """Make the clips, look them up every way, and time the hashing."""
    with tempfile.TemporaryDirectory(prefix="reclaim-bench-") as scratch:
        folder = Path(scratch)
        known, copies, unrelated = _make(folder, originals)
        ways: dict[str, Lookup] = {"md5": _by_md5(known)}
        if importlib.util.find_spec("vpdq"):
            ways["vpdq"] = _by_vpdq(known)
        ways["reclaim, as it lies"] = _ours(known, turned=False)
        ways["reclaim"] = _ours(known, turned=True)
        rows: list[Row] = []
        wrong: list[Wrong] = []
        for way, look_up in ways.items():
            made, not_own = _measured(way, look_up, originals, copies, unrelated)
            rows += made
            wrong.append(not_own)
        return {
            "name": "video",
            "originals": originals,
            "copies": len(copies),
            "unrelated": len(unrelated),
            "rows": [asdict(row) for row in rows],
            "wrong": [asdict(each) for each in wrong],
            "seconds_per_minute_of_1080p": _speed(folder),
            "rate": clips.RATE,
            "note": "" if "vpdq" in ways else HOW_TO_GET_VPDQ,
        }


def table(found: dict[str, Any]) -> Table:
    """The figures for a person."""
    wrong = "; ".join(f"{each['way']} {each['found']} of {each['pairs']:,}" for each in found["wrong"])
    speed = ", ".join(f"{way} {taken:.2f}" for way, taken in found["seconds_per_minute_of_1080p"].items())
    made = Table(
        title=f"{found['originals']} clips, {found['copies']} copies, {found['unrelated']} unrelated clips",
        caption=f"Found wrongly: {wrong}. Seconds for a minute of 1080p at {found['rate']} frames a second: {speed}. "
        f"{found['note']}",
    )
    made.add_column("")
    made.add_column("copy")
    for title in ("found", "to hold", "of the copy, %", "of the original, %"):
        made.add_column(title, justify="right")
    for row in found["rows"]:
        made.add_row(
            row["way"],
            row["copy"],
            f"{row['found']} of {row['copies']}",
            str(row["held"]),
            f"{row['query_percent']:.0f}",
            f"{row['video_percent']:.0f}",
        )
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--originals", type=int, default=10)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args()
    found = run(options.originals)
    if options.json:
        print(json.dumps(found))
    else:
        Console(width=160).print(table(found))


if __name__ == "__main__":
    main()
