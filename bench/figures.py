"""How the benches draw: as SVG, with letters as letters, and the same bytes for the same figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import pyplot as plt

matplotlib.use("svg")
matplotlib.rcParams["svg.fonttype"] = "none"


def save(figure: Any, path: Path) -> None:
    """Write it, and give its memory back."""
    with matplotlib.rc_context({"svg.hashsalt": path.stem}):
        figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
