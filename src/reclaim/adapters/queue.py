"""What an adapter has to do and has done, in one SQLite file: a restart loses nothing and does nothing twice."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reclaim.adapters.errors import ConfigError
from reclaim.adapters.standing import Standing

KEPT_SECONDS = 7 * 86400.0
"""What is finished is kept so long, in order to know it when it is told again."""

_TABLES = """
CREATE TABLE IF NOT EXISTS items (
    key TEXT PRIMARY KEY,
    target TEXT NOT NULL,
    about TEXT NOT NULL,
    delivery TEXT NOT NULL,
    standing TEXT,
    upload TEXT,
    matched INTEGER NOT NULL DEFAULT 0,
    done TEXT,
    changed_at REAL NOT NULL,
    due REAL,
    tries INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS items_due ON items (due) WHERE due IS NOT NULL;
CREATE INDEX IF NOT EXISTS items_target ON items (target);
CREATE TABLE IF NOT EXISTS measures (
    target TEXT NOT NULL,
    measure TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (target, measure)
);
"""
_COLUMNS = "key, target, about, delivery, standing, upload, matched, done, changed_at, tries"


@dataclass(frozen=True)
class Item:
    """One file of the platform's software."""

    key: str
    target: str
    """What a measure is taken against: an account, an object, a file."""
    about: Mapping[str, Any]
    """What the adapter needs in order to find it again."""
    delivery: str
    """By which it was told of last."""
    standing: Standing | None
    upload: str | None
    matched: bool
    done: Standing | None
    """The standing that the software was last brought to."""
    changed_at: float
    """Epoch seconds since which it stands so."""
    tries: int
    """That failed, one after the other."""


@dataclass(frozen=True)
class Counts:
    """For people: how many files there are of each kind, and since when the oldest has been waiting (epoch seconds)."""

    waiting: int
    oldest_waiting: float | None
    standings: Mapping[str, int]


class Queue:
    """The file. Used from several threads of one process; a second process is refused."""

    def __init__(self, path: Path) -> None:
        """Open it, or make it with mode 0600. Raises ``ConfigError``."""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock_file = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock_file)
            raise ConfigError("An adapter runs with this configuration already. Stop that one first.") from None
        except OSError as error:
            raise ConfigError(f"The queue {path.name} cannot be written ({error.strerror}).") from None
        self._lock = threading.Lock()
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._database = _connect(path)
            self._database.executescript(_TABLES)
            # What was learnt and not carried out before a crash is carried out now.
            self._database.execute("UPDATE items SET due = 0 WHERE due IS NULL AND standing IS NOT done")
        except (sqlite3.Error, OSError):
            os.close(self._lock_file)
            raise ConfigError(f"{path.name} is no queue of an adapter. Move it away; a new one is made.") from None

    def close(self) -> None:
        """Close it; another process may then open it."""
        self._database.close()
        os.close(self._lock_file)

    def add(self, key: str, target: str, about: Mapping[str, Any], delivery: str = "") -> bool:
        """Put a file in, at once durable; returns whether that is news.

        The same ``key`` again is news only with another ``delivery``: then the file is there again.
        """
        now = time.time()
        with self._writing() as database:
            return bool(
                database.execute(
                    "INSERT INTO items (key, target, about, delivery, changed_at, due) VALUES (?, ?, ?, ?, ?, ?) "
                    "ON CONFLICT (key) DO UPDATE SET about = excluded.about, delivery = excluded.delivery, "
                    "done = NULL, due = excluded.due, tries = 0 WHERE delivery != excluded.delivery",
                    (key, target, json.dumps(about), delivery, now, now),
                ).rowcount
            )

    def remember(self, key: str, standing: Standing, upload: str | None) -> None:
        """Write down how a file stands that matched, and about which nothing has to be done."""
        with self._writing() as database:
            database.execute(
                "REPLACE INTO items (key, target, about, delivery, standing, upload, matched, done, changed_at) "
                "VALUES (?, ?, '{}', '', ?, ?, 1, ?, ?)",
                (key, key, standing, upload, standing, time.time()),
            )

    def due(self, most: int) -> list[Item]:
        """What is to be done now, the longest due first."""
        return self._items("due <= ? ORDER BY due LIMIT ?", time.time(), most)

    def next_due(self) -> float | None:
        """When the next is due, in epoch seconds."""
        with self._lock:
            (found,) = self._database.execute("SELECT min(due) FROM items").fetchone()
        return found if found is None else float(found)

    def get(self, key: str) -> Item | None:
        """One file."""
        found = self._items("key = ?", key)
        return found[0] if found else None

    def of_target(self, target: str) -> list[Item]:
        """Every file of a target."""
        return self._items("target = ?", target)

    def learnt(self, key: str, standing: Standing, upload: str | None, matched: bool) -> None:
        """Write down how a file stands."""
        with self._writing() as database:
            database.execute(
                "UPDATE items SET changed_at = CASE WHEN standing IS ? THEN changed_at ELSE ? END, "
                "standing = ?, upload = ?, matched = ? WHERE key = ?",
                (standing, time.time(), standing, upload, matched, key),
            )

    def carried_out(self, item: Item, standing: Standing) -> None:
        """Write down that the software was brought to a standing; not if the file was told of again meanwhile."""
        with self._writing() as database:
            database.execute(
                "UPDATE items SET done = ? WHERE key = ? AND delivery = ?", (standing, item.key, item.delivery)
            )

    def again(self, item: Item, due: float | None, *, failed: bool = False) -> None:
        """When to look at a file next, ``None`` for never; if it was told of again meanwhile, that stands."""
        with self._writing() as database:
            database.execute(
                "UPDATE items SET due = ?, tries = CASE WHEN ? THEN tries + 1 ELSE 0 END "
                "WHERE key = ? AND delivery = ?",
                (due, failed, item.key, item.delivery),
            )

    def changed(self, key: str, about: Mapping[str, Any]) -> None:
        """Write down where a file is now."""
        with self._writing() as database:
            database.execute("UPDATE items SET about = ? WHERE key = ?", (json.dumps(about), key))

    def measures(self, target: str) -> dict[str, str]:
        """The measures that were taken against a target, each with a detail of its own."""
        with self._lock:
            rows = self._database.execute("SELECT measure, detail FROM measures WHERE target = ?", (target,)).fetchall()
        return dict(rows)

    def take_measure(self, target: str, measure: str, detail: str = "") -> None:
        """Write down a measure: before it is taken, so that a crash cannot make us forget to end it."""
        with self._writing() as database:
            database.execute("REPLACE INTO measures VALUES (?, ?, ?)", (target, measure, detail))

    def end_measure(self, target: str, measure: str) -> None:
        """Write down that it has ended."""
        with self._writing() as database:
            database.execute("DELETE FROM measures WHERE target = ? AND measure = ?", (target, measure))

    def forget(self, before: float) -> None:
        """Forget what is finished and was so before then; what matched, or had a measure taken, stays known."""
        with self._writing() as database:
            database.execute(
                "DELETE FROM items WHERE due IS NULL AND changed_at < ? AND NOT matched "
                "AND target NOT IN (SELECT target FROM measures)",
                (before,),
            )

    def _items(self, condition: str, *values: Any) -> list[Item]:
        with self._lock:
            rows = self._database.execute(f"SELECT {_COLUMNS} FROM items WHERE {condition}", values).fetchall()  # noqa: S608
        return [_item(row) for row in rows]

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            yield self._database


def counts(path: Path) -> Counts:
    """What stands in a queue, also while an adapter works with it. Raises ``ConfigError``."""
    if not path.exists():
        return Counts(0, None, {})
    try:
        database = _connect(path)
        try:
            waiting, oldest = database.execute(
                "SELECT count(*), min(changed_at) FROM items WHERE standing IS NULL OR standing IS NOT done"
            ).fetchone()
            rows = database.execute(
                "SELECT standing, count(*) FROM items WHERE standing NOT NULL GROUP BY 1"
            ).fetchall()
        finally:
            database.close()
    except sqlite3.Error:
        raise ConfigError(f"{path.name} is no queue of an adapter.") from None
    return Counts(waiting, oldest, dict(rows))


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    return database


def _item(row: tuple[Any, ...]) -> Item:
    key, target, about, delivery, standing, upload, matched, done, changed_at, tries = row
    return Item(
        key,
        target,
        json.loads(about),
        delivery,
        Standing(standing) if standing else None,
        upload,
        bool(matched),
        Standing(done) if done else None,
        changed_at,
        tries,
    )
