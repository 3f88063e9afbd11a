"""The log of an adapter: our sentences, whole numbers and fixed words; no address, file name or account."""

from __future__ import annotations

import logging
import logging.config
from typing import Any

from reclaim import plainlog

log = logging.getLogger("reclaim.adapters")
_SERVER_LOG = "_granian"


class OurSentences(plainlog.OurSentences):
    """The formatter of adapters."""

    ours = "reclaim.adapters"
    first_lines_of = _SERVER_LOG


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"calm": {"()": OurSentences, "datefmt": "%H:%M:%S"}},
    "handlers": {"err": {"class": "logging.StreamHandler", "formatter": "calm"}},
    "root": {"handlers": ["err"], "level": "WARNING"},
    "loggers": {log.name: {"level": "INFO"}, _SERVER_LOG: {"level": "WARNING"}},
}


def set_up() -> None:
    """Let this process log so."""
    logging.config.dictConfig(LOGGING)
