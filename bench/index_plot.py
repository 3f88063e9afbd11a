"""Draw docs/images/index-cost.svg from what ``bench.index --json`` printed at several sizes.

python -m bench.index_plot RESULT.json...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from matplotlib import pyplot as plt

from bench.figures import save

TARGET = Path(__file__).parents[1] / "docs" / "images" / "index-cost.svg"


def one_query(row: dict[str, Any]) -> float:
    """Microseconds of a query alone, the median."""
    return float(row["p50_us"])


def in_a_batch(row: dict[str, Any]) -> float:
    """Microseconds of a query among many."""
    return 1e6 / float(row["batch_qps_1core"])


PANELS = (("one query, median", one_query), ("in a batch", in_a_batch))


def main(files: list[str]) -> None:
    """One line a method, on PDQ-like codes."""
    results = sorted((json.loads(Path(file).read_text()) for file in files), key=lambda found: int(found["n"]))
    figure, axes = plt.subplots(1, 2, figsize=(9, 4.6), sharey=True, layout="constrained")
    methods = [row["method"] for row in results[0]["rows"] if row["data"] == "pdq-like"]
    for axis, (title, cost) in zip(axes, PANELS, strict=True):
        for method in methods:
            points = [
                (found["n"], cost(row))
                for found in results
                for row in found["rows"]
                if row["method"] == method and row["data"] == "pdq-like"
            ]
            style = "o-" if method.startswith("reclaim") else "s--"
            axis.loglog([n for n, _ in points], [cost_us for _, cost_us in points], style, label=method)
        axis.set_title(title)
        axis.set_xlabel("signals in the bank")
        axis.grid(True, which="major", alpha=0.3)
    axes[0].set_ylabel("microseconds a query, one core")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize="small")
    save(figure, TARGET)


if __name__ == "__main__":
    main(sys.argv[1:])
