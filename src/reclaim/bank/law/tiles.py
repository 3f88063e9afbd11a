"""The map of laws: one tile for each country, about where it lies.

A tile says by letters, by words, and by the shape of its edge what its colour says. ``directory/data/tiles.json`` has
the places; ``tools/make_law_map.py`` makes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from django.utils import timezone

from reclaim.bank.law.clocks import holds
from reclaim.bank.law.laws import Law, Unit
from reclaim.bank.law.queries import place_name

SIZE, STEP = 40, 44
"""Of a tile and from one to the next, in units of the drawing."""


@dataclass(frozen=True)
class Tile:
    """One country on the map: ``kind`` is ``deadline``, ``law`` or ``none``; ``says`` is what is read aloud."""

    country: str
    kind: str
    x: int
    y: int
    says: str = ""
    short: str = ""
    """The shortest deadline, such as «48 h»."""

    @property
    def middle(self) -> int:
        """Where its letters stand, from the left."""
        return self.x + SIZE // 2

    @property
    def upper(self) -> int:
        """The base line of its letters."""
        return self.y + (17 if self.short else 25)

    @property
    def lower(self) -> int:
        """The base line of its deadline."""
        return self.y + 32


@dataclass(frozen=True)
class TileMap:
    """The whole drawing."""

    tiles: tuple[Tile, ...]
    width: int
    height: int


@cache
def _places() -> dict[str, tuple[int, int]]:
    text = files("reclaim.bank.directory").joinpath("data", "tiles.json").read_text(encoding="utf-8")
    return {country: (column, row) for country, (column, row) in json.loads(text)["tiles"].items()}


_SHORT = {Unit.HOURS: "h", Unit.DAYS: "d", Unit.WORKING_DAYS: "wd"}


def tiles_of(laws: Iterable[Law]) -> TileMap:
    """The map of these laws. A deadline shows only where the law is known to be in force, today's and no former."""
    by_country: dict[str, list[Law]] = {}
    for law in laws:
        by_country.setdefault(law.country, []).append(law)
    places = _places()
    tiles = tuple(
        _tile(country, column * STEP, row * STEP, by_country.get(country, []))
        for country, (column, row) in sorted(places.items(), key=lambda each: (each[1][1], each[1][0]))
    )
    width = (max(column for column, _ in places.values()) + 1) * STEP
    height = (max(row for _, row in places.values()) + 1) * STEP
    return TileMap(tiles, width, height)


def _tile(country: str, x: int, y: int, laws: list[Law]) -> Tile:
    if not laws:
        return Tile(country, "none", x, y)
    timed = [law for law in laws if law.has_deadline and holds(law, timezone.now())]
    if not timed:
        return Tile(country, "law", x, y, f"{place_name(country)}: laws, no deadline in force")
    hours = {Unit.HOURS: 1, Unit.DAYS: 24, Unit.WORKING_DAYS: 24}
    shortest = min(timed, key=lambda law: (law.amount or 0) * hours[law.unit or Unit.HOURS])
    short = f"{shortest.amount} {_SHORT[shortest.unit or Unit.HOURS]}"
    return Tile(country, "deadline", x, y, f"{place_name(country)}: {shortest.deadline}", short)
