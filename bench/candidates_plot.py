"""Draw docs/images/candidates-cost.svg from what ``bench.candidates --json`` printed at several sizes.

python -m bench.candidates_plot RESULT.json...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from matplotlib import pyplot as plt

from bench.figures import save

TARGET = Path(__file__).parents[1] / "docs" / "images" / "candidates-cost.svg"
MEBIBYTES = 1 / 2**20


def _method(row: dict[str, Any]) -> str:
    """Without what hangs on the size of the bank."""
    return str(row["method"]).partition(",")[0]


def main(files: list[str]) -> None:
    """One line a method: milliseconds of an upload, and memory."""
    results = sorted((json.loads(Path(file).read_text()) for file in files), key=lambda found: int(found["n"]))
    figure, (time, memory) = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
    methods = dict.fromkeys(_method(row) for found in results for row in found["rows"])
    for method in methods:
        rows = [(found["n"], row) for found in results for row in found["rows"] if _method(row) == method]
        sizes = [n for n, _ in rows]
        style = "o-" if method == "reclaim" else "s--"
        (line,) = time.loglog(sizes, [row["p50_ms"] for _, row in rows], style, label=method)
        time.loglog(sizes, [row["p99_ms"] for _, row in rows], ":", color=line.get_color())
        memory.loglog(sizes, [n * row["bytes_a_picture"] * MEBIBYTES for n, row in rows], style)
    time.set_ylabel("ms of one core an upload (dotted: p99)")
    memory.set_ylabel("MiB of memory")
    for axis in (time, memory):
        axis.set_xlabel("opted-in pictures in the bank")
        axis.grid(True, which="major", alpha=0.3)
    figure.legend(loc="outside lower center", ncols=3, fontsize="small")
    save(figure, TARGET)


if __name__ == "__main__":
    main(sys.argv[1:])
