"""The figures drawn: docs/images/derive-recall.svg, derive-ablation.svg and derive-cost.svg."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt

from bench.derive.report import BOTH, STAGE_ONE, STAGE_TWO
from bench.figures import save
from reclaim.matching.policy import FARTHEST_REVIEW

LINES = ("PDQ", "eight turns", "pHash", STAGE_ONE, STAGE_TWO, BOTH)


def draw(figures: dict[str, Any], folder: Path) -> None:
    """Into this folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, made in (("recall", _recall), ("ablation", _ablation), ("cost", _cost)):
        figure = made(figures)
        save(figure, folder / f"derive-{name}.svg")


def _recall(figures: dict[str, Any]) -> Any:
    """A map: an edit a row, a method a column."""
    rows = figures["edits"]
    values = np.array([[row["recall"][name] for name in LINES] for row in rows])
    figure, axis = plt.subplots(figsize=(7, 0.2 * len(rows) + 1), layout="constrained")
    axis.imshow(values, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axis.set_xticks(range(len(LINES)), LINES)
    axis.xaxis.tick_top()
    axis.set_yticks(range(len(rows)), [row["edit"] for row in rows], fontsize="small")
    for y, x in np.ndindex(values.shape):
        ink = "white" if values[y, x] > 0.6 else "black"
        axis.text(x, y, f"{100 * values[y, x]:.0f}", ha="center", va="center", fontsize="small", color=ink)
    axis.set_title(f"recall in %, {figures['photographs']} held-out photographs")
    return figure


def _ablation(figures: dict[str, Any]) -> Any:
    """Grouped bars: the mean of each group of edits."""
    rows = figures["ablation"]
    groups = list(rows[0]["recall"])
    figure, axis = plt.subplots(figsize=(9, 4.2), layout="constrained")
    wide = 0.85 / len(rows)
    for number, row in enumerate(rows):
        at = np.arange(len(groups)) + (number - len(rows) / 2 + 0.5) * wide
        axis.bar(at, [100 * row["recall"][group] for group in groups], wide, label=row["what"])
    axis.set_xticks(range(len(groups)), groups)
    axis.set_ylabel("mean recall, %")
    figure.legend(loc="outside lower center", ncols=4, fontsize="small")
    return figure


def _cost(figures: dict[str, Any]) -> Any:
    """Milliseconds of looking an upload's views up, by the size of the bank."""
    rows = figures["growth"]
    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    sizes = [row["signals"] for row in rows]
    axis.loglog(sizes, [row["match_ms"] for row in rows], "o-", label="looked up at the distance of a match")
    axis.loglog(
        sizes,
        [row["review_ms"] for row in rows],
        "s--",
        label=f"the whole upload at {FARTHEST_REVIEW} bits, for review",
    )
    axis.axhline(figures["stage_one_ms"], color="grey", linestyle=":", label="decoding and making the views")
    axis.set_xlabel("signals in the bank")
    axis.set_ylabel("ms of one core an upload")
    axis.grid(True, which="major", alpha=0.3)
    axis.legend(fontsize="small")
    return figure
