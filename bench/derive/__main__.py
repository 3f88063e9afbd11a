"""The bench from a shell; for whoever works on a method, some edits of the open part."""

from __future__ import annotations

import argparse

from rich.console import Console

from bench.derive.methods import METHODS
from bench.derive.quick import quick


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method", choices=METHODS, action="append", help="only this one, instead of all")
    parser.add_argument("--edits", default="", help="only those whose names begin so, with commas between")
    parser.add_argument("--pictures", type=int, default=30, help="photographs of the open part")
    asked = parser.parse_args()
    Console(width=200).print(
        quick(asked.method or list(METHODS), [one for one in asked.edits.split(",") if one], asked.pictures)
    )


if __name__ == "__main__":
    main()
