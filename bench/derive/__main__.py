"""The bench from a shell; for whoever works on a method, that method on some edits of the open part.

python -m bench.derive [--pictures 20] [--json]
python -m bench.derive --method views --edits screenshot,tilt2 --pictures 60
"""

from __future__ import annotations

import argparse
import json

from rich.console import Console

from bench.derive import run, table
from bench.derive.methods import METHODS
from bench.derive.quick import quick


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", choices=METHODS, action="append", help="only this one, open part only")
    parser.add_argument("--edits", help="only those whose names begin so, with commas between; open part only")
    parser.add_argument("--pictures", type=int, help="only so many photographs of each part")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    asked = parser.parse_args()
    console = Console(width=200)
    if asked.method or asked.edits is not None:
        edits = [begin for begin in (asked.edits or "").split(",") if begin]
        console.print(quick(asked.method or METHODS, edits, asked.pictures or 30))
        return
    figures = run(asked.pictures)
    if asked.json:
        print(json.dumps(figures))
    else:
        console.print(table(figures))


if __name__ == "__main__":
    main()
