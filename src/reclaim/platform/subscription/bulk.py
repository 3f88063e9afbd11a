"""Writing many signals at once: a first sync brings a million."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from reclaim.client import Change
from reclaim.platform.subscription.models import KnownSignal

_COLUMNS = {
    "type": "text",
    "value": "text",
    "frames": "jsonb",
    "descriptors": "bytea",
    "labels": "jsonb",
    "feedback": "jsonb",
    "blocked": "integer",
    "not_blocked": "integer",
    "quality": "smallint",
    "provenance": "jsonb",
    "trust": "smallint",
    "review_only": "boolean",
}
"""Of each change, with PostgreSQL's name for its kind."""
_REPLACED = ("labels", "feedback", "blocked", "not_blocked", "quality", "provenance", "trust", "review_only")
"""What a later record says anew; frames and descriptors are those that the value names, and stay."""


def put_signals(changes: Sequence[Change], generation: int) -> None:
    """Insert signals, or say anew what is said of those that are held, in one statement. No name may come twice.

    Django's own ``bulk_create`` makes an object of each and takes eight times as long.
    """
    table = KnownSignal._meta.db_table
    names = ", ".join(_COLUMNS)
    replaced = ", ".join(f"{name} = excluded.{name}" for name in (*_REPLACED, "generation"))
    rest = f"ON CONFLICT (type, value) DO UPDATE SET {replaced}"
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    rows = _rows(changes)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # One array a column; «unnest» makes rows of them. Arrays of JSON come as texts.
            arrays = ", ".join(f"%s::{'text' if kind == 'jsonb' else kind}[]::{kind}[]" for kind in _COLUMNS.values())
            cursor.execute(
                f"INSERT INTO {table} ({names}, generation, received_at) "  # noqa: S608
                f"SELECT given.*, %s, %s FROM unnest({arrays}) AS given {rest}",
                [generation, now, *map(list, zip(*rows, strict=True))],
            )
        else:
            places = ", ".join(["%s"] * (len(_COLUMNS) + 2))
            cursor.executemany(
                f"INSERT INTO {table} ({names}, generation, received_at) VALUES ({places}) {rest}",  # noqa: S608
                [(*row, generation, now) for row in rows],
            )


def _rows(changes: Sequence[Change]) -> Iterator[tuple[Any, ...]]:
    for change in changes:
        yield (
            change.type.value,
            change.value,
            None if change.frames is None else json.dumps(change.frames),
            change.descriptors,
            _list(change.labels),
            _list(change.said),
            change.blocked,
            change.not_blocked,
            change.quality,
            _list(change.provenance),
            change.trust,
            change.review_only,
        )


def _list(things: list[Any]) -> str:
    return json.dumps(things) if things else "[]"
