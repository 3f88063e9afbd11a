"""A bank filled with many signals at once: what years of cases leave in its tables, written by COPY.

Positions and seconds keep to the ledger's own rules (ascending, at most 400 in a second), and each signal is a picture
of a case, so every query meets the rows that it would meet in a real bank. Runs inside the bank's site.
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection
from django.db.models import Model
from django.utils import timezone

from reclaim.bank.cases.models import Case, CaseItem, CaseSignal
from reclaim.bank.ledger.models import LedgerClock, LedgerRecord, Source
from reclaim.bank.ledger.services import MOST_IN_ONE_SECOND
from tests.load.values import a_value

PER_CASE = 20
_LINES_AT_ONCE = 5000


def fill(count: int) -> None:
    """Add so many PDQ signals to an empty bank on PostgreSQL: random values, ``PER_CASE`` to a case."""
    now, today = int(time.time()), timezone.now().date().isoformat()
    first_second = now - count // MOST_IN_ONE_SECOND - 60
    values = [a_value() for _ in range(count)]
    sources = [str(uuid.UUID(bytes=secrets.token_bytes(16), version=4)) for _ in range(count)]
    cases = [str(uuid.UUID(bytes=secrets.token_bytes(16), version=4)) for _ in range(-(-count // PER_CASE))]
    with connection.cursor() as cursor:
        # Before the rows: the bank's recurring work may add some of its own meanwhile.
        for model in (LedgerRecord, CaseItem, CaseSignal):
            table = model._meta.db_table
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {count})")
    _copy(
        LedgerRecord,
        ("id", "value", "position", "modified_at"),
        ((n, value, n, first_second + n // MOST_IN_ONE_SECOND) for n, value in enumerate(values, start=1)),
        type="pdq",
    )
    _copy(
        Source,
        ("id", "record_id", "added_position"),
        ((source, n, n) for n, source in enumerate(sources, start=1)),
        quality=90,
    )
    _copy(
        Case,
        ("id", "number_mac"),
        ((case, f"\\\\x{secrets.token_hex(32)}") for case in cases),
        made_on=today,
        pin_hash="none",
        last_number=PER_CASE,
    )
    _copy(
        CaseItem,
        ("id", "case_id", "number"),
        ((n, cases[(n - 1) // PER_CASE], (n - 1) % PER_CASE + 1) for n in range(1, count + 1)),
        kind="picture",
        added_on=today,
        held_for="[]",
    )
    _copy(
        CaseSignal,
        ("id", "item_id", "source_id"),
        ((n, n, source) for n, source in enumerate(sources, start=1)),
    )
    last_second = first_second + count // MOST_IN_ONE_SECOND
    LedgerClock.objects.filter(pk=1).update(position=count, second=last_second, in_second=MOST_IN_ONE_SECOND)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _copy(model: type[Model], names: tuple[str, ...], rows: Iterable[tuple[Any, ...]], **same: object) -> None:
    """COPY rows into a model's table: columns that differ by name, and what is the same in all; the rest is as the
    model's defaults say."""
    columns = {str(field.column): field.get_default() for field in model._meta.concrete_fields}
    tail = {name: same.get(name, default) for name, default in columns.items() if name not in names}
    rest = "".join(f"\t{_as_text(value)}" for value in tail.values())
    listed = ", ".join(f'"{name}"' for name in (*names, *tail))
    with connection.cursor() as cursor, cursor.copy(f"COPY {model._meta.db_table} ({listed}) FROM STDIN") as copy:
        for lines in _chunks("\t".join(map(str, row)) + rest + "\n" for row in rows):
            copy.write("".join(lines))


def _chunks(lines: Iterable[str]) -> Iterator[list[str]]:
    gathered: list[str] = []
    for line in lines:
        gathered.append(line)
        if len(gathered) == _LINES_AT_ONCE:
            yield gathered
            gathered = []
    yield gathered


def _as_text(value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value)
