"""Lay the world's countries out as tiles: src/reclaim/bank/directory/data/tiles.json.

    python -m tools.make_law_map [/usr/share/zoneinfo/zone.tab]

Where a country lies is taken from the time zone database (public domain): the mean of its zones' places. Each gets a
cell of a grid of its own, so that all together move as little as can be. Territories that are part of another state are
left out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

ROOT = Path(__file__).resolve().parent.parent
TILES = ROOT / "src/reclaim/bank/directory/data/tiles.json"
COLUMNS, ROWS = 25, 17
_TERRITORIES = (
    "AI AQ AS AW AX BL BM BQ BV CC CK CW CX EH FK FO GF GG GI GL GP GS GU HK HM IM IO JE KY MF MO MP MQ MS NC NF NU PF "
    "PM PN PR RE SH SJ SX TC TF TK UM VG VI WF YT"
)
LEFT_OUT = set(_TERRITORIES.split())


def _degrees(text: str) -> float:
    digits = text[1:]
    whole = len(digits) - (2 if len(digits) in (4, 5) else 4)
    value = int(digits[:whole]) + int(digits[whole : whole + 2]) / 60
    return -value if text[0] == "-" else value


def places(table: Path) -> dict[str, tuple[float, float]]:
    """Latitude and longitude of each country, in degrees."""
    found: dict[str, list[tuple[float, float]]] = {}
    for line in table.read_text().splitlines():
        if line.startswith("#"):
            continue
        country, where, *_ = line.split("\t")
        cut = max(where.rfind("+"), where.rfind("-"))
        latitude, longitude = _degrees(where[:cut]), _degrees(where[cut:])
        # The Pacific stays in one piece.
        found.setdefault(country, []).append((latitude, longitude + 360 if longitude < -168 else longitude))
    # The first zone of a country is mostly that of its capital; the mean draws it to its middle.
    return {
        country: (float(np.mean([lat for lat, _ in each])), float(np.mean([lon for _, lon in each])))
        for country, each in found.items()
        if country not in LEFT_OUT
    }


def layout(where: dict[str, tuple[float, float]]) -> dict[str, tuple[int, int]]:
    """Column and row of each country."""
    countries = sorted(where)
    points = np.array([where[country] for country in countries])
    # By rank and by place, half each: Europe gets room, and the oceans lose some.
    ranks = points.argsort(axis=0).argsort(axis=0) / (len(countries) - 1)
    low, high = points.min(axis=0), points.max(axis=0)
    mixed = (ranks + (points - low) / (high - low)) / 2
    wanted = np.stack([mixed[:, 1] * (COLUMNS - 1), (1 - mixed[:, 0]) * (ROWS - 1)], axis=1)
    cells = np.array([(column, row) for row in range(ROWS) for column in range(COLUMNS)])
    cost = ((wanted[:, None, :] - cells[None, :, :]) ** 2).sum(axis=2)
    _, chosen = linear_sum_assignment(cost)
    return {country: (int(cells[i][0]), int(cells[i][1])) for country, i in zip(countries, chosen, strict=True)}


def main() -> int:
    """Write the file."""
    table = Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/zoneinfo/zone.tab")
    tiles = layout(places(table))
    lines = ",\n".join(f'  "{country}": [{column}, {row}]' for country, (column, row) in sorted(tiles.items()))
    about = "Where each country's tile stands: column and row. Made by tools/make_law_map.py, from public domain data."
    TILES.write_text(f'{{\n"about": {json.dumps(about)},\n"tiles": {{\n{lines}\n}}\n}}\n')
    print(f"{len(tiles)} tiles.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
