"""What every server's log has in common: one calm line per event, in words that carry no secret.

Only a fixed sentence and whole numbers or fixed words of our own reach a log. No path, query, address, body or header
is ever passed to a logger, so none can leak through a log file.
"""

from __future__ import annotations

import logging
from typing import ClassVar


def log_failure(log: logging.Logger, sentence: str, error: BaseException) -> None:
    """Write one line for an error of ours: where it was raised and its type, never its message or its locals."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace else "unknown place"
    log.error("%s: %s at %s", sentence, type(error).__name__, where)


class OurSentences(logging.Formatter):
    """Lets our own sentences through, and of what any other library says only where it said it.

    A library's words can hold addresses, request lines, headers and bodies; its tracebacks can hold all of them.
    """

    ours: ClassVar[str]
    """The logger whose sentences are ours."""

    first_lines_of: ClassVar[str | None] = None
    """A logger whose first lines may be said too: what follows them may not."""

    def format(self, record: logging.LogRecord) -> str:
        """One line: the time, then our sentence or, for a library, its level, place and the error's type."""
        if record.name == self.ours:
            sentence = record.getMessage()
        elif record.name == self.first_lines_of:
            sentence = f"server: {record.getMessage().partition(chr(10))[0]}"
        else:
            error = record.exc_info[0] if record.exc_info else None
            place = f"{record.name.partition('.')[0]}, {record.module}:{record.lineno}"
            sentence = f"{record.levelname.lower()} from {place}" + (f": {error.__name__}" if error else "")
        return f"{self.formatTime(record, self.datefmt)} {sentence}"
