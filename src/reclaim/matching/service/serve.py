"""Serve with granian: several worker processes, each with its own listening socket on the same port."""

from __future__ import annotations

import logging
import multiprocessing
from functools import partial

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from reclaim import plainlog
from reclaim.matching.service.app import create_app
from reclaim.matching.service.config import CONNECTIONS, DRAIN_SECONDS, HEADER_SECONDS, Config

OUR_LOG = "reclaim.matching"
_SERVER_LOG = "_granian"


class OurSentences(plainlog.OurSentences):
    """The formatter of this service."""

    ours = OUR_LOG
    first_lines_of = _SERVER_LOG


_LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"calm": {"()": OurSentences, "datefmt": "%H:%M:%S"}},
    "handlers": {"err": {"class": "logging.StreamHandler", "formatter": "calm"}},
    "root": {"handlers": ["err"], "level": "WARNING"},
    "loggers": {OUR_LOG: {"level": "INFO"}, _SERVER_LOG: {"level": "WARNING"}},
}


def serve(config: Config, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; what is under way then may end. A worker that dies is replaced.

    The port must be a fixed one: each worker binds it.
    """
    # Fresh processes, not forks of one that has threads.
    multiprocessing.set_start_method("spawn", force=True)
    server = Granian(
        "reclaim.matching.service.app:create_app",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=config.workers,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000, max_buffer_size=64 * 1024),
        log_level=LogLevels.warning,
        log_dictconfig=_LOGGING,
        log_access=False,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=DRAIN_SECONDS,
    )
    log = logging.getLogger(OUR_LOG)
    server.on_startup(lambda: log.info("the match service is starting port=%d workers=%d", port, config.workers))
    server.on_shutdown(lambda: log.info("the match service has stopped"))
    server.serve(target_loader=partial(create_app, config), wrap_loader=False)
