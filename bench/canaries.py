"""Canaries (docs/canaries.md): whether a leaked part of a list names its source, and whether a canary can be told.

Leaks: a bank with signals and platforms in a folder of its own, made and asked by the bank's own code; of each
platform's list a random part leaks, as it is or with some bits of each value changed. Classifiers: a logistic
regression on the bits and on products of neighbouring bits, boosted trees, and the nearest neighbours, trained on crops
of two thirds of the photographs in tests/photos and as many canaries, judged on crops of the other photographs and
other canaries. Half is what guessing gives. Values drawn as 128 of 256 bits are there to compare.

    python -m bench.canaries [--leaks 300] [--json]
"""

from __future__ import annotations

import argparse
import json
import math
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.neighbors import KNeighborsClassifier

from bench.index_data import Codes, crops_of_each_photo

PLATFORMS = 8
SIGNALS = 2000
SHARES = (0.01, 0.05, 0.1, 0.2)
CHANGED_BITS = 8
CROPS = 120
_AWAY = ((0, 1), (1, 0), (0, 2), (2, 0), (1, 1), (2, 2), (0, 4), (4, 0), (1, 2), (2, 1))
"""Which bits are multiplied: frequencies so far apart, down and across."""


def balanced(count: int, generator: np.random.Generator) -> Codes:
    """Values of 128 bits drawn by lot out of 256, shape (count, 32)."""
    return np.packbits(generator.random((count, 256)).argsort(axis=1) < 128, axis=1)


def canary_codes(count: int) -> Codes:
    """Values as canaries are drawn, shape (count, 32)."""
    from reclaim.bank.canaries.values import draw

    # One by one: that none is near another is no part of what a value looks like, and takes the square of the time.
    nothing = np.empty((0, 32), np.uint8)
    return np.frombuffer(bytes.fromhex("".join(draw(1, nothing)[0] for _ in range(count))), np.uint8).reshape(-1, 32)


def _bits(codes: Codes) -> npt.NDArray[np.float32]:
    return np.unpackbits(codes, axis=1).astype(np.float32) * 2 - 1


def _products(codes: Codes) -> npt.NDArray[np.float32]:
    bits = _bits(codes)
    grid = bits.reshape(-1, 16, 16)
    pairs = [grid[:, : 16 - down, : 16 - across] * grid[:, down:, across:] for down, across in _AWAY]
    return np.concatenate([bits, *(pair.reshape(len(bits), -1) for pair in pairs)], axis=1)


def _classifiers() -> dict[str, tuple[Callable[[Codes], npt.NDArray[np.float32]], Any]]:
    return {
        "logistic regression, bits": (_bits, LogisticRegression(C=0.01, max_iter=300)),
        "logistic regression, products": (_products, LogisticRegression(C=0.0003, max_iter=300)),
        "boosted trees, products": (_products, HistGradientBoostingClassifier(max_iter=80, max_leaf_nodes=8)),
        "nearest neighbours": (_bits, KNeighborsClassifier(25)),
    }


def recognised(generator: np.random.Generator) -> list[dict[str, Any]]:
    """How well each classifier tells values of each kind from crops of photographs that it has not seen."""
    photos = crops_of_each_photo(generator, CROPS)
    seen = np.concatenate([codes for place, codes in enumerate(photos) if place % 3])
    unseen = np.concatenate([codes for place, codes in enumerate(photos) if not place % 3])
    rows = []
    for kind in ("canaries", "128 of 256 bits"):
        count = len(seen) + len(unseen)
        made = canary_codes(count) if kind == "canaries" else balanced(count, generator)
        for name, (features, classifier) in _classifiers().items():
            truth = np.r_[np.ones(len(seen)), np.zeros(len(seen))]
            classifier.fit(features(np.concatenate([seen, made[: len(seen)]])), truth)
            asked = features(np.concatenate([unseen, made[len(seen) :]]))
            truth = np.r_[np.ones(len(unseen)), np.zeros(len(unseen))]
            likely = classifier.predict_proba(asked)[:, 1]
            rows.append(
                {
                    "values": kind,
                    "classifier": name,
                    "accuracy": float(accuracy_score(truth, likely > 0.5)),
                    "auc": float(roc_auc_score(truth, likely)),
                }
            )
    return rows


def leaks(times: int, generator: np.random.Generator) -> dict[str, Any]:
    """How often a part of a list names its source, and anybody else."""
    from reclaim.bank.canaries.leaks import CHANGED_BITS as RADIUS
    from reclaim.bank.canaries.leaks import trace
    from reclaim.bank.canaries.services import A_PLATFORM, tend_canaries
    from reclaim.bank.cases.services import MOST_ITEMS, NewItem, create_case
    from reclaim.bank.ledger.models import LedgerRecord
    from reclaim.bank.ledger.queries import in_the_feed_of
    from reclaim.bank.platforms.services import add_platform

    values = [code.tobytes().hex() for code in balanced(SIGNALS, generator)]
    for start in range(0, SIGNALS, MOST_ITEMS):
        some = values[start : start + MOST_ITEMS]
        create_case([NewItem.picture(number, value) for number, value in enumerate(some, start=1)])
    platforms = [add_platform(f"Platform {number}")[0] for number in range(PLATFORMS)]
    tend_canaries()
    chooser = random.Random(7)
    lists = {
        each.name: [
            value or "" for value in LedgerRecord.objects.filter(in_the_feed_of(each)).values_list("value", flat=True)
        ]
        for each in platforms
    }
    rows, wrong, tried = [], 0, 0
    for share in SHARES:
        for changed in (0, CHANGED_BITS):
            named = 0
            for _ in range(times):
                name = chooser.choice(list(lists))
                leaked = chooser.sample(lists[name], round(len(lists[name]) * share))
                suspects = {
                    each.platform for each in trace(_written(value, changed, chooser) for value in leaked).suspects
                }
                named += name in suspects
                wrong += len(suspects - {name})
                tried += PLATFORMS - 1
            expected = 1 - math.comb(len(lists[name]) - A_PLATFORM, len(leaked)) / math.comb(
                len(lists[name]), len(leaked)
            )
            rows.append({"share": share, "changed_bits": changed, "named": named / times, "expected": expected})
    both = sum(
        {each.platform for each in trace(_part(lists, chooser)).suspects} == {"Platform 0", "Platform 1"}
        for _ in range(times)
    )
    near = sum(math.comb(128, half) ** 2 for half in range(RADIUS // 2 + 1)) / math.comb(256, 128)
    return {
        "leaks": rows,
        "wrong": wrong,
        "tried": tried,
        "both_of_two": both / times,
        "chance_of_a_wrong_hit": near * 1_000_000 * A_PLATFORM,
    }


def _part(lists: dict[str, list[Any]], chooser: random.Random) -> Any:
    """A tenth of what two platforms have together."""
    together = sorted({*lists["Platform 0"], *lists["Platform 1"]})
    return (value.encode() for value in chooser.sample(together, len(together) // 10))


def _written(value: str, changed: int, chooser: random.Random) -> bytes:
    number = int(value, 16)
    for bit in chooser.sample(range(256), changed):
        number ^= 1 << bit
    return f"{number:064x}".encode()


def run(times: int) -> dict[str, Any]:
    """Measure, on a bank in a temporary folder."""
    from reclaim.sitekit.setup import open_site

    generator = np.random.default_rng(3)
    with tempfile.TemporaryDirectory() as folder:
        open_site("reclaim.bank.settings", Path(folder), None)
        return {**leaks(times, generator), "recognised": recognised(generator)}


def tables(found: dict[str, Any]) -> list[Table]:
    """The figures for people."""
    named = Table("part of a list", "bits changed in each value", "names its source", "expected", title="Leaks")
    for row in found["leaks"]:
        named.add_row(f"{row['share']:.0%}", str(row["changed_bits"]), f"{row['named']:.3f}", f"{row['expected']:.3f}")
    named.caption = (
        f"Others named: {found['wrong']} of {found['tried']} that could have been. A tenth of two lists put together "
        f"names both: {found['both_of_two']:.3f}. That a list of a million unrelated values names a given platform: "
        f"{found['chance_of_a_wrong_hit']:.0e}."
    )
    told = Table("values", "classifier", "accuracy", "area under the curve", title="Told from real ones")
    for row in found["recognised"]:
        told.add_row(row["values"], row["classifier"], f"{row['accuracy']:.3f}", f"{row['auc']:.3f}")
    return [named, told]


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--leaks", type=int, default=300, help="of each kind")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = run(arguments.leaks)
    if arguments.json:
        print(json.dumps(found))
    else:
        console = Console(width=140)
        for table in tables(found):
            console.print(table)


if __name__ == "__main__":
    main()
