"""One method on some edits, for whoever works on it: on the open part of the corpus only.

python -m bench.derive --method views --edits screenshot,tilt2 --pictures 60
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from bench.derive.edits import EDITS, Edit
from bench.derive.methods import METHODS
from bench.derive.negatives import KINDS
from bench.derive.run import UNRELATED, Measured, Measuring

THRESHOLDS = {"pdq": 31, "turns": 31, "phash": 4, "views": 31, "parts": -5}
"""What each method finds with as it is built."""


def quick(methods: Sequence[str], edits: Sequence[str], pictures: int) -> Table:
    """Recall of each edit whose name begins with one of these, and what is found wrongly."""

    def wanted(edit: Edit) -> bool:
        return not edits or any(edit.name.startswith(begin) for begin in edits)

    with Measuring(pictures, held=False) as measuring:
        measured = measuring.measure("open", methods, wanted=wanted)
    made = Table(title=f"{len(measured.uploads):,} uploads, {len(measuring.entries):,} known pictures, open part")
    made.add_column("edit")
    shown = [method for method in METHODS if method in measured.distances]
    for method in shown:
        made.add_column(f"{method} <= {THRESHOLDS[method]}", justify="right")
    for edit in EDITS:
        rows = [number for number, entry in enumerate(measured.uploads) if entry.edit == edit]
        if rows:
            found = (measured.own(method)[rows] <= THRESHOLDS[method] for method in shown)
            made.add_row(edit, *(f"{100 * hit.mean():.0f} %" for hit in found))
    made.add_section()
    for kind in (UNRELATED, *KINDS):
        made.add_row(f"false: {kind}", *_false(measured, shown, kind))
    return made


def _false(measured: Measured, methods: Sequence[str], kind: str) -> list[str]:
    count = int(measured.pairs(kind).sum())
    return [
        f"{measured.false(method, THRESHOLDS[method], kind)} of {count:,}, nearest {measured.nearest(method, [kind])}"
        for method in methods
    ]
