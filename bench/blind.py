"""Blind lookup (docs/decisions/0021-blind-lookup.md): what it finds, gives away, and costs; against the plain lookup.

Uploads are edited copies of the photographs in tests/photos, and crops of photographs that are not in the bank. A
lookup is «shown» when enough samples agree for the platform to ask the bank for the exact answer, which shows the bank
that upload. The plain lookup (the same search as ``POST /v2/lookup``) finds what is within 31 bits; all is shown.

    python -m bench.blind [--n 1000000] [--json]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from bench.index_data import PHOTOS, PdqLike, crops_of_photos, flipped
from reclaim.blind import SAMPLES, Asker, Evaluator, Published
from reclaim.blind.samples import BITS_A_SAMPLE, samples_of, shared_samples
from reclaim.cli.edits import EDITS, edited_copy
from reclaim.index import HammingIndex
from reclaim.signals import fingerprint

RADIUS = 31
TIMED = 40
TAGGED = 60
FOREIGN = 1000
LOOKUPS_A_DAY = 10_000
"""What a bank allows one platform (bank/lookup)."""
FLIPS = (10, 20, 25, 31)
Codes = npt.NDArray[np.uint8]


def _code(content: Path | bytes) -> Codes:
    return np.frombuffer(bytes.fromhex(fingerprint(content).pdq), np.uint8)


def _edits() -> list[dict[str, Any]]:
    rows = []
    for edit in (each for each in EDITS if each not in ("flip", "rotate90")):
        near, one, two = [], 0, 0
        for path in sorted(PHOTOS.glob("*.jpg")):
            original, copy = _code(path), _code(edited_copy(path, edit))
            near.append(int(np.unpackbits(original ^ copy).sum()) <= RADIUS)
            shared = int(shared_samples(copy, original.reshape(1, 32))[0])
            one, two = one + (near[-1] and shared >= 1), two + (near[-1] and shared >= 2)
        found = sum(near)
        rows.append({"edit": edit, "copies": len(near), "plain": found, "blind_one": one, "blind_two": two})
    return rows


def _flips(generator: np.random.Generator) -> list[dict[str, Any]]:
    """The same for values with so many bits changed at random."""
    codes = crops_of_photos(generator, crops=20)
    rows = []
    for bits in FLIPS:
        copies = flipped(codes, np.full(len(codes), bits), generator)
        shared = np.count_nonzero(samples_of(codes) == samples_of(copies), axis=1)
        found = {"blind_one": int((shared >= 1).sum()), "blind_two": int((shared >= 2).sum())}
        rows.append({"edit": f"{bits} bits", "copies": len(codes), "plain": len(codes), **found})
    return rows


def _foreign(count: int, generator: np.random.Generator) -> dict[str, float]:
    """How many uploads that match nothing agree in a sample with one of ``count`` signals."""
    bank = samples_of(PdqLike(generator).draw(count))
    for sample in range(SAMPLES):
        bank[:, sample].sort()
    uploads = samples_of(crops_of_photos(generator, crops=60))
    uploads = uploads[generator.permutation(len(uploads))[:FOREIGN]]
    hits = np.zeros(len(uploads), np.int64)
    for sample in range(SAMPLES):
        places = np.searchsorted(bank[:, sample], uploads[:, sample])
        hits += bank[np.minimum(places, count - 1), sample] == uploads[:, sample]
    return {"uploads": len(uploads), "one": float((hits >= 1).mean()), "two": float((hits >= 2).mean())}


def _costs(generator: np.random.Generator) -> dict[str, float]:
    codes = PdqLike(generator).draw(1000)
    evaluator = Evaluator()
    start = time.perf_counter()
    tags = evaluator.tags(codes[:TAGGED])
    tag_seconds = (time.perf_counter() - start) / TAGGED
    published = Published(tags)
    asker = Asker(published)
    bank, platform = [], []
    for code in codes[:TIMED]:
        start = time.perf_counter()
        question = asker.question(code.tobytes())
        asked = time.perf_counter()
        evaluated = evaluator.evaluate(question.points)
        answered = time.perf_counter()
        asker.may_match(question, evaluated)
        bank.append(answered - asked)
        platform.append(time.perf_counter() - answered + asked - start)
    index = HammingIndex(codes, np.arange(len(codes)))
    start = time.perf_counter()
    for code in codes:
        index.query(code, RADIUS)
    plain = (time.perf_counter() - start) / len(codes)
    return {
        "bank_ms": float(np.median(bank)) * 1000,
        "platform_ms": float(np.median(platform)) * 1000,
        "plain_ms": plain * 1000,
        "tag_ms_a_signal": tag_seconds * 1000,
        "published_bytes_a_signal": len(published.as_bytes()) / TAGGED,
        "sent_bytes": SAMPLES * 32.0,
        "days_to_list_16_samples_of_16_bits": 16 * 2**16 / (LOOKUPS_A_DAY * SAMPLES),
        "years_to_list_one_sample_of_32_bits": 2.0**BITS_A_SAMPLE / (LOOKUPS_A_DAY * SAMPLES) / 365,
    }


def run(count: int = 1_000_000) -> dict[str, Any]:
    """Measure; ``count`` is how many signals the bank has where uploads that match nothing are looked up."""
    generator = np.random.default_rng(11)
    return {
        "edits": _edits() + _flips(generator),
        "foreign": {str(each): _foreign(each, generator) for each in (count // 100, count // 10, count)},
        "costs": _costs(generator),
    }


def table(found: dict[str, Any]) -> Table:
    """The figures for people."""
    shown = Table("what", "figure", title="Blind lookup")
    for row in found["edits"]:
        shown.add_row(
            f"{row['edit']}: found of {row['copies']} copies, plain / one sample / two samples",
            f"{row['plain']} / {row['blind_one']} / {row['blind_two']}",
        )
    for count, share in found["foreign"].items():
        shown.add_row(
            f"uploads that match nothing, shown to a bank of {int(count):,} signals, one / two samples",
            f"{share['one']:.2%} / {share['two']:.2%}",
        )
    for name, value in found["costs"].items():
        shown.add_row(name.replace("_", " "), f"{value:,.3g}")
    return shown


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = run(arguments.n)
    if arguments.json:
        print(json.dumps(found))
    else:
        Console(width=140).print(table(found))


if __name__ == "__main__":
    main()
