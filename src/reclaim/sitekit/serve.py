"""Serve a site with gunicorn, with other processes of the site, such as its recurring work, beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
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
PAUSE_BESIDE = 10.0
END_BESIDE = 10.0


class _Beside:
    """A process beside the server; started again when it ends by itself."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self._name = name
        self._command = [sys.executable, "-m", "reclaim", *command]
        self._process: subprocess.Popen[bytes] | None = None
        self._not_before = 0.0

    def tend(self) -> None:
        """See that it runs; one that keeps ending is started every ``PAUSE_BESIDE`` seconds."""
        now = time.monotonic()
        if now < self._not_before or (self._process and self._process.poll() is None):
            return
        if self._process:
            log_event(f"the {self._name} had ended; it is started again")
        self._not_before = now + PAUSE_BESIDE
        # A new session: Ctrl-C reaches the server alone, which then ends the ticker in its own time.
        self._process = subprocess.Popen(self._command, start_new_session=True)  # noqa: S603

    def ask_to_end(self) -> None:
        """Ask it to end."""
        if self._process:
            self._process.terminate()

    def end(self) -> None:
        """See it end: after ``END_BESIDE`` seconds by force. Work cut short is done the next time."""
        if not self._process:
            return
        try:
            self._process.wait(END_BESIDE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class _SiteArbiter(Arbiter):
    """gunicorn's first process; tends those beside it as it tends its workers, about once a second."""

    def __init__(self, app: BaseApplication, beside: Sequence[_Beside]) -> None:
        self._beside = beside
        super().__init__(app)

    def manage_workers(self) -> None:
        super().manage_workers()
        for process in self._beside:
            process.tend()


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


def serve_site(name: str, host: str, port: int, beside: Mapping[str, Sequence[str]], workers: int = 1) -> None:
    """Serve until SIGTERM, which lets what is being answered finish, or SIGINT, which does not wait.

    ``beside`` has ``reclaim`` commands under the names that the log has for them. Each runs as a process of its own, is
    started again if it ends, and ends with the server.
    """
    processes = [_Beside(*each) for each in beside.items()]

    def when_ready(server: Arbiter) -> None:
        bound = server.LISTENERS[0].sock.getsockname()[1]
        log_event(f"the {name} is serving", port=bound)

    def on_exit(server: Arbiter) -> None:
        for process in processes:
            process.ask_to_end()
        for process in processes:
            process.end()
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
    _SiteArbiter(server, processes).run()


def tick_forever(work: Callable[[], object], every: float) -> None:
    """Do the work now and every so many seconds, until SIGTERM, SIGINT or the parent's end."""

    def tick(stop: threading.Event) -> None:
        while not stop.is_set():
            work()
            stop.wait(every)

    until_stopped(tick)


def until_stopped(work: Callable[[threading.Event], object]) -> None:
    """Do work that goes on until the event that it is given is set: by SIGTERM, SIGINT or the parent's end."""
    stop = threading.Event()

    def end(signal_number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent and not stop.wait(1.0):
            pass
        stop.set()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
    work(stop)
