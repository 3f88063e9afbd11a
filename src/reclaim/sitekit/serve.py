"""Serve a site with gunicorn, with its ticker (the site's recurring work) beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from django.core.wsgi import get_wsgi_application
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from reclaim.sitekit.events import log_event

THREADS = 8


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

    ``ticker`` is the ``reclaim`` command that does the site's recurring work; it runs as a process of its own and
    ends with the server.
    """
    children: list[subprocess.Popen[bytes]] = []

    def when_ready(server: Arbiter) -> None:
        # A new session: Ctrl-C reaches the server alone, which then ends the ticker in its own time.
        children.append(subprocess.Popen([sys.executable, "-m", "reclaim", *ticker], start_new_session=True))  # noqa: S603
        bound = server.LISTENERS[0].sock.getsockname()[1]
        log_event(f"the {name} is serving", port=bound)

    def on_exit(server: Arbiter) -> None:
        for child in children:
            child.terminate()
            child.wait(timeout=10)
        log_event(f"the {name} has stopped")

    _SiteServer(
        {
            "bind": f"{host}:{port}",
            "workers": workers,
            "worker_class": "gthread",
            "threads": THREADS,
            "timeout": 60,
            "graceful_timeout": 10,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "error",
            "when_ready": when_ready,
            "on_exit": on_exit,
            "control_socket_disable": True,
        }
    ).run()


def tick_forever(work: Callable[[], None], every: float) -> None:
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
