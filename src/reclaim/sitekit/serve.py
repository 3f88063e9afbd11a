"""Serve a site with gunicorn, with its ticker (the site's recurring work) beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from django.core.wsgi import get_wsgi_application
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from reclaim.sitekit.events import log_event
from reclaim.sitekit.worker import ServerLog, SiteWorker

THREADS = 32
CONNECTIONS = 800
"""Open at a time in each worker: a process may usually open 1024 files, and the database needs some."""
TICKER_PAUSE = 10.0
TICKER_END = 10.0


class _Ticker:
    """The process that does the recurring work; started again when it ends by itself."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = [sys.executable, "-m", "reclaim", *command]
        self._process: subprocess.Popen[bytes] | None = None
        self._not_before = 0.0

    def tend(self) -> None:
        """See that it runs; one that keeps ending is started every ``TICKER_PAUSE`` seconds."""
        now = time.monotonic()
        if now < self._not_before or (self._process and self._process.poll() is None):
            return
        if self._process:
            log_event("the ticker had ended; it is started again")
        self._not_before = now + TICKER_PAUSE
        # A new session: Ctrl-C reaches the server alone, which then ends the ticker in its own time.
        self._process = subprocess.Popen(self._command, start_new_session=True)  # noqa: S603

    def end(self) -> None:
        """End it: by asking, and after ``TICKER_END`` seconds by force. Work cut short is done at the next tick."""
        if not self._process:
            return
        self._process.terminate()
        try:
            self._process.wait(TICKER_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class _SiteArbiter(Arbiter):
    """gunicorn's first process; tends the ticker as it tends its workers, about once a second."""

    def __init__(self, app: BaseApplication, ticker: _Ticker) -> None:
        self._ticker = ticker
        super().__init__(app)

    def manage_workers(self) -> None:
        super().manage_workers()
        self._ticker.tend()


class _SiteServer(BaseApplication):
    """gunicorn with our settings and no configuration file."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return get_wsgi_application()


def serve_site(name: str, host: str, port: int, ticker: Sequence[str], workers: int = 1) -> None:
    """Serve until SIGTERM, which lets what is being answered finish, or SIGINT, which does not wait.

    ``ticker`` is the ``reclaim`` command that does the site's recurring work; it runs as a process of its own, is
    started again if it ends, and ends with the server.
    """
    beside = _Ticker(ticker)

    def when_ready(server: Arbiter) -> None:
        bound = server.LISTENERS[0].sock.getsockname()[1]
        log_event(f"the {name} is serving", port=bound)

    def on_exit(server: Arbiter) -> None:
        beside.end()
        log_event(f"the {name} has stopped")

    server = _SiteServer(
        {
            "bind": f"{host}:{port}",
            "workers": workers,
            "worker_class": SiteWorker,
            "threads": THREADS,
            "worker_connections": CONNECTIONS,
            "timeout": 60,
            "graceful_timeout": 10,
            "logger_class": ServerLog,
            "accesslog": None,
            "errorlog": None,
            "loglevel": "error",
            "when_ready": when_ready,
            "on_exit": on_exit,
            "control_socket_disable": True,
        }
    )
    _SiteArbiter(server, beside).run()


def tick_forever(work: Callable[[], object], every: float) -> None:
    """Do the work now and every so many seconds, until SIGTERM, SIGINT or the parent's end."""
    stop = threading.Event()

    def end(signal_number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    parent = os.getppid()
    while not stop.is_set() and os.getppid() == parent:
        work()
        stop.wait(every)
