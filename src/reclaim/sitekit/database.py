"""What erasing needs of the database beyond SQL."""

from __future__ import annotations

from django.db import connections


def empty_write_ahead_log() -> None:
    """Cut SQLite's write-ahead logs, which still hold values that were erased since, to nothing.

    While another process reads, one stays for the next time. PostgreSQL has no such call; docs/operators.md says what
    an operator does there.
    """
    for connection in connections.all():
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
