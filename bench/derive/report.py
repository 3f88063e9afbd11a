"""What was measured, as one object and as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Group
from rich.table import Table

from bench.derive.edits import EDITS
from bench.derive.negatives import KINDS
from bench.derive.run import UNRELATED, Measured
from reclaim.matching.policy import FARTHEST_REVIEW
from reclaim.signals import MATCH_DISTANCE
from reclaim.signals.geometry import LEAST_INLIERS

PARTLY_THE_SAME = ("background",)
"""Kinds that no threshold is set by: most of their pixels are the known photograph's."""
SCENES = ("burst", *PARTLY_THE_SAME)
"""With two photographs of one scene, which share what stage two goes by: walls and windows."""


@dataclass(frozen=True, slots=True)
class Column:
    """A method at a threshold."""

    name: str
    method: str
    threshold: int

    @property
    def limit(self) -> str:
        """The threshold as a person reads it."""
        return f"≥ {-self.threshold}" if self.method == "parts" else f"≤ {self.threshold}"


@dataclass(frozen=True, slots=True)
class Aim:
    """What the recall of some edits is to be."""

    what: str
    edits: tuple[str, ...]
    column: str
    least: float


def _of(*groups: str) -> tuple[str, ...]:
    return tuple(edit.name for edit in EDITS.values() if edit.group in groups)


STAGE_ONE, STAGE_TWO, BOTH = "stage one", "stage two", "both stages"
AS_USED = f"{STAGE_ONE}, as used"

AIMS = (
    Aim("turns and flips", _of("turn"), STAGE_ONE, 0.99),
    Aim("bars", _of("bars"), STAGE_ONE, 0.9),
    Aim("captions", _of("caption"), STAGE_ONE, 0.9),
    Aim("screenshots", _of("screenshot"), STAGE_ONE, 0.9),
    Aim("collages", _of("collage"), STAGE_ONE, 0.9),
    Aim("picture-in-picture", _of("inset"), STAGE_ONE, 0.9),
    Aim("text, small", ("text-small",), STAGE_ONE, 0.95),
    Aim("text, heavy", ("text-heavy",), STAGE_ONE, 0.95),
    Aim("crop of 5 %", ("crop5",), BOTH, 0.99),
    Aim("crop of 10 %", ("crop10",), BOTH, 0.98),
    Aim("crop of 20 %", ("crop20",), BOTH, 0.95),
    Aim("crop of 30 %", ("crop30",), BOTH, 0.9),
    Aim("stickers", _of("sticker"), BOTH, 0.95),
    Aim("tilts", _of("tilt"), BOTH, 0.95),
    Aim("centre 30 % replaced", ("centre30",), BOTH, 0.95),
    Aim("two edits at once", _of("two"), BOTH, 0.85),
)
"""Those of recall. Where it says several edits, their mean is held to it."""


def columns(learnt: Measured) -> list[Column]:
    """The methods, each at the threshold that has no false match among the pairs that thresholds are learnt on.

    Stage one once more at the distance that platforms look up with.
    """

    def zero(method: str, spared: Sequence[str] = PARTLY_THE_SAME) -> int:
        return _zero(learnt, method, spared)

    return [
        Column("PDQ", "pdq", min(MATCH_DISTANCE, zero("pdq"))),
        Column("eight turns", "turns", min(MATCH_DISTANCE, zero("turns"))),
        Column("pHash", "phash", zero("phash")),
        Column(STAGE_ONE, "views", min(MATCH_DISTANCE, zero("views"))),
        Column(AS_USED, "views", MATCH_DISTANCE),
        Column(STAGE_TWO, "parts", zero("parts", SCENES)),
        Column(f"{STAGE_TWO}, no scene", "parts", zero("parts")),
    ]


def _zero(learnt: Measured, method: str, spared: Sequence[str]) -> int:
    """The threshold below the nearest pair that must not match, and that the method itself allows."""
    binding = (UNRELATED, *(kind for kind in KINDS if kind not in spared))
    zero = learnt.nearest(method, binding) - 1
    return min(zero, -LEAST_INLIERS) if method.startswith("parts") else zero


def found(measured: Measured, column: Column) -> npt.NDArray[np.bool_]:
    """Which uploads are found in a column."""
    return measured.own(column.method) <= column.threshold


def recalls(measured: Measured, shown: Sequence[Column]) -> list[dict[str, Any]]:
    """A row an edit: the recall in each column, and in the two stages together."""
    by_column = {column.name: found(measured, column) for column in shown}
    by_column[BOTH] = by_column[STAGE_ONE] | by_column[STAGE_TWO]
    edits = np.array([entry.edit for entry in measured.uploads])
    rows = []
    for edit in EDITS.values():
        of = edits == edit.name
        if of.any():
            recall = {name: float(hit[of].mean()) for name, hit in by_column.items()}
            rows.append({"edit": edit.name, "group": edit.group, "uploads": int(of.sum()), "recall": recall})
    return rows


def mean(rows: Sequence[dict[str, Any]], edits: Sequence[str], column: str) -> float:
    """The mean recall over some edits."""
    return float(np.mean([row["recall"][column] for row in rows if row["edit"] in edits]))


def aims(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Whether each aim is met."""
    return [
        {"aim": aim.what, "with": aim.column, "least": aim.least, "recall": got, "met": got >= aim.least}
        for aim in AIMS
        for got in (mean(rows, aim.edits, aim.column),)
    ]


def wrongly(measured: Measured, shown: Sequence[Column]) -> list[dict[str, Any]]:
    """A row a kind of pairs: how many, how many of them each column calls the same, and what that bounds."""
    rows = []
    for kind in (UNRELATED, *KINDS):
        count = int(measured.pairs(kind).sum())
        false = {column.name: measured.false(column.method, column.threshold, kind) for column in shown}
        # The rule of three: with none among n, the rate is below 3 / n with 95 % confidence.
        rows.append({"kind": kind, "pairs": count, "false": false, "bound": 3 / count if count else None})
    return rows


def ablation(learnt: Measured, measured: Measured, stage: str) -> list[dict[str, Any]]:
    """The mean recall of each group of edits by a stage's method, and by that without one idea each.

    Each at the threshold that has no false match where it is learnt, and stage one at the distance of a match at most.
    """
    edits = np.array([entry.edit for entry in measured.uploads])
    groups = list(dict.fromkeys(edit.group for edit in EDITS.values()))
    rows = []
    for name in measured.distances:
        if name.startswith(stage):
            threshold = _zero(learnt, name, SCENES if stage == "parts" else PARTLY_THE_SAME)
            threshold = min(MATCH_DISTANCE, threshold) if stage == "views" else threshold
            hit = measured.own(name) <= threshold
            recall = {
                group: float(np.mean([hit[edits == edit].mean() for edit in _of(group) if (edits == edit).any()]))
                for group in groups
            }
            mean_ = float(np.mean(list(recall.values())))
            limit = f"≥ {-threshold}" if stage == "parts" else f"≤ {threshold}"
            rows.append({"what": f"{name} {limit}", "recall": recall, "mean": mean_})
    return rows


def costs(measured: Measured) -> dict[str, dict[str, float]]:
    """Milliseconds of one core of each stage of an upload: the median and the 95th percentile."""
    stages = list(dict.fromkeys(stage for times in measured.times for stage in times))
    spent = {stage: [times[stage] for times in measured.times if stage in times] for stage in stages}
    return {
        stage: {"median_ms": float(np.median(ms)), "p95_ms": float(np.percentile(ms, 95))}
        for stage, ms in spent.items()
    }


def table(figures: dict[str, Any]) -> Group:
    """The figures for a person."""
    return Group(_recalls(figures), _wrongly(figures), _aims(figures), _ablation(figures), _costs(figures))


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _recalls(figures: dict[str, Any]) -> Table:
    made = Table(title=f"recall in %, {figures['photographs']} held-out photographs, no false match learnt with")
    made.add_column("edit")
    shown = [*figures["columns"], {"name": BOTH, "limit": ""}]
    for column in shown:
        made.add_column(f"{column['name']}\n{column['limit']}", justify="right")
    group = ""
    for row in figures["edits"]:
        if row["group"] != group:
            made.add_section()
            group = row["group"]
        made.add_row(row["edit"], *(_percent(row["recall"][column["name"]]) for column in shown))
    made.add_section()
    made.add_row("mean", *(_percent(figures["mean"][column["name"]]) for column in shown))
    return made


def _wrongly(figures: dict[str, Any]) -> Table:
    made = Table(title="found wrongly, held-out part")
    made.add_column("pairs that are")
    for title in ("pairs", "bound if none"):
        made.add_column(title, justify="right")
    for column in figures["columns"]:
        made.add_column(column["name"], justify="right")
    for row in figures["wrongly"]:
        bound = "" if row["bound"] is None else f"{row['bound']:.1e}"
        counts = (f"{row['false'][column['name']]:,}" for column in figures["columns"])
        made.add_row(row["kind"], f"{row['pairs']:,}", bound, *counts)
    return made


def _aims(figures: dict[str, Any]) -> Table:
    made = Table(title="aims")
    for title in ("aim", "with", "least %", "recall %", "met"):
        made.add_column(title)
    for row in figures["aims"]:
        met = "yes" if row["met"] else "NO"
        made.add_row(row["aim"], row["with"], _percent(row["least"]), _percent(row["recall"]), met)
    for row in figures["growth"]:
        if row["signals"] == 10_000_000:
            whole = figures["stage_one_ms"] + row["match_ms"]
            met = "yes" if whole < 40 else "NO"
            made.add_row("an upload at 10 million signals", STAGE_ONE, "< 40 ms", f"{whole:.1f} ms", met)
    return made


def _ablation(figures: dict[str, Any]) -> Table:
    made = Table(title="ablation: mean recall in % of each group of edits")
    groups = list(figures["ablation"][0]["recall"])
    made.add_column("with")
    for group in (*groups, "mean"):
        made.add_column(group, justify="right")
    for row in figures["ablation"]:
        cells = [_percent(row["recall"][group]) for group in groups]
        made.add_row(row["what"], *cells, _percent(row["mean"]))
    return made


def _costs(figures: dict[str, Any]) -> Table:
    made = Table(title="ms of one core an upload", caption=", ".join(f"{k}: {v}" for k, v in figures["bytes"].items()))
    for title in ("stage", "median", "95 %"):
        made.add_column(title, justify="right")
    for stage, row in figures["costs"].items():
        made.add_row(stage, f"{row['median_ms']:.1f}", f"{row['p95_ms']:.1f}")
    for row in figures["growth"]:
        what = f"look-up of views among {row['signals']:,} signals"
        made.add_row(what, f"{row['match_ms']:.1f}", f"{row['match_p95_ms']:.1f}")
        made.add_row(
            f"… of the whole upload at {FARTHEST_REVIEW} bits", f"{row['review_ms']:.1f}", f"{row['review_p95_ms']:.1f}"
        )
    return made
