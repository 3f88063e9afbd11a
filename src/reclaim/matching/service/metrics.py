"""Figures for Prometheus, of all workers together.

Each worker counts in a file of its own, mapped to memory, in a folder they share; whichever worker is asked adds up
all of them. A file is locked by the worker that counts in it, so one that dies leaves its file, and its counts, to the
one that takes its place: a counter never goes back.
"""

from __future__ import annotations

import bisect
import fcntl
import mmap
import os
from pathlib import Path

ROUTES = ("/v1/lookup", "/v1/lookup/batch", "/v1/lookup/video", "/v1/match", "/live", "/ready", "/metrics", "other")
STATUSES = (200, 400, 401, 404, 405, 408, 413, 415, 422, 429, 500, 503, 504)
BOUNDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Upper bounds of the histogram, in seconds."""
REFUSALS = ("no_key", "too_many_of_key", "too_many_pictures", "too_large", "too_slow", "decoder_stopped", "deadline")
GAUGES = ("pictures", "decoding", "stale", "feed_stale")

_REQUESTS = 0
_HISTOGRAM = _REQUESTS + len(ROUTES) * len(STATUSES)
_PER_ROUTE = len(BOUNDS) + 2
_REFUSED = _HISTOGRAM + len(ROUTES) * _PER_ROUTE
_GAUGES = _REFUSED + len(REFUSALS)
_SIGNALS = _GAUGES + len(GAUGES)
_CELLS = _SIGNALS + 1
_BYTES = _CELLS * 8
_UNKNOWN = -1.0


class Metrics:
    """The figures of this worker, and the sum over all. Written by one thread only."""

    def __init__(self, folder: Path, workers: int) -> None:
        """Take a file that no living worker has. Raises ``OSError``."""
        self._folder = folder
        for place in range(2 * workers + 2):
            handle = os.open(folder / f"figures.{place}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                os.close(handle)
        else:
            raise OSError("There are more workers than files for their figures.")
        self._handle = handle
        os.ftruncate(handle, _BYTES)
        self._map = mmap.mmap(handle, _BYTES)
        self._cells = memoryview(self._map).cast("d")
        for name in GAUGES:
            self.set(name, 0.0)

    def close(self) -> None:
        """Leave the file, with its counts, to another worker."""
        self._cells.release()
        self._map.close()
        os.close(self._handle)

    def observe(self, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        row = ROUTES.index(route) if route in ROUTES else len(ROUTES) - 1
        column = STATUSES.index(status) if status in STATUSES else STATUSES.index(500)
        self._cells[_REQUESTS + row * len(STATUSES) + column] += 1
        start = _HISTOGRAM + row * _PER_ROUTE
        self._cells[start + bisect.bisect_left(BOUNDS, seconds)] += 1
        self._cells[start + len(BOUNDS) + 1] += seconds

    def refused(self, why: str) -> None:
        """Count one refusal; ``why`` is one of ``REFUSALS``."""
        self._cells[_REFUSED + REFUSALS.index(why)] += 1

    def looked_up(self, signals: int) -> None:
        """Count signals that were looked up."""
        self._cells[_SIGNALS] += signals

    def set(self, gauge: str, value: float | None) -> None:
        """Set one of ``GAUGES``; ``None`` is unknown."""
        self._cells[_GAUGES + GAUGES.index(gauge)] = _UNKNOWN if value is None else value

    def text(self, held: dict[str, int]) -> str:
        """All workers' figures in Prometheus' text format; ``held`` is how many signals there are by type."""
        workers = self._all()
        total = [sum(cells) for cells in zip(*workers, strict=True)]
        lines = [
            "# HELP reclaim_match_requests_total Answers by route and status, of all workers.",
            "# TYPE reclaim_match_requests_total counter",
        ]
        for row, route in enumerate(ROUTES):
            for column, status in enumerate(STATUSES):
                if count := total[_REQUESTS + row * len(STATUSES) + column]:
                    lines.append(f'reclaim_match_requests_total{{route="{route}",status="{status}"}} {count:.0f}')
        lines += [
            "# HELP reclaim_match_seconds Time from a request's head to its answer, of all workers.",
            "# TYPE reclaim_match_seconds histogram",
        ]
        for row, route in enumerate(ROUTES):
            lines += _histogram(route, total[_HISTOGRAM + row * _PER_ROUTE :][:_PER_ROUTE])
        lines += [
            "# HELP reclaim_match_refusals_total Refusals by reason, of all workers.",
            "# TYPE reclaim_match_refusals_total counter",
        ]
        lines += [
            f'reclaim_match_refusals_total{{reason="{why}"}} {total[_REFUSED + place]:.0f}'
            for place, why in enumerate(REFUSALS)
        ]
        lines += _single("looked_up_total", "counter", "Signals looked up, of all workers.", total[_SIGNALS])
        pictures, decoding = total[_GAUGES], total[_GAUGES + 1]
        lines += _single("pictures_waiting", "gauge", "Pictures received or waiting, of all workers.", pictures)
        lines += _single("pictures_decoding", "gauge", "Pictures being decoded, of all workers.", decoding)
        for place, (name, help_) in enumerate(
            [
                (
                    "index_stale_seconds",
                    "Since the indexes were last read well, of the worker that is furthest behind.",
                ),
                ("feed_stale_seconds", "Since the writer of the indexes last followed its feed to the end."),
            ],
            start=_GAUGES + 2,
        ):
            known = [cells[place] for cells in workers if cells[place] != _UNKNOWN]
            if known:
                lines += _single(name, "gauge", help_, max(known))
        lines += [
            "# HELP reclaim_match_signals Signals held by type, in the worker that answers this.",
            "# TYPE reclaim_match_signals gauge",
            *(f'reclaim_match_signals{{type="{name}"}} {count}' for name, count in held.items()),
        ]
        return "\n".join([*lines, ""])

    def _all(self) -> list[list[float]]:
        found = []
        for path in sorted(self._folder.glob("figures.*")):
            data = path.read_bytes()
            if len(data) == _BYTES:
                found.append([*map(float, memoryview(data).cast("d"))])
        return found


def _histogram(route: str, cells: list[float]) -> list[str]:
    counts, seconds = cells[:-1], cells[-1]
    if not any(counts):
        return []
    lines, so_far = [], 0.0
    for bound, count in zip([*map(str, BOUNDS), "+Inf"], counts, strict=True):
        so_far += count
        lines.append(f'reclaim_match_seconds_bucket{{route="{route}",le="{bound}"}} {so_far:.0f}')
    lines.append(f'reclaim_match_seconds_sum{{route="{route}"}} {seconds:.6f}')
    lines.append(f'reclaim_match_seconds_count{{route="{route}"}} {so_far:.0f}')
    return lines


def _single(name: str, kind: str, help_: str, value: float) -> list[str]:
    full = f"reclaim_match_{name}"
    return [f"# HELP {full} {help_}", f"# TYPE {full} {kind}", f"{full} {value:g}"]
