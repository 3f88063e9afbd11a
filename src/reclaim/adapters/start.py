"""From a configuration to a running adapter, or to a word on whether it would run."""

from __future__ import annotations

import signal
from pathlib import Path

from starlette.types import ASGIApp

from reclaim.adapters import folder, mastodon, matrix, s3
from reclaim.adapters.config import (
    AnyConfig,
    Config,
    FolderConfig,
    MastodonConfig,
    MatrixConfig,
    S3Config,
    read_config,
)
from reclaim.adapters.errors import ConfigError
from reclaim.adapters.log import log, set_up
from reclaim.adapters.queue import Queue
from reclaim.adapters.review_site import ReviewSite
from reclaim.adapters.web import make_app, serve
from reclaim.adapters.worker import Place, Worker

_CALL_SECONDS = 20.0


def review_site(config: Config) -> ReviewSite:
    """Raises ``ConfigError``."""
    return ReviewSite(config.review_site.address, config.secret(config.review_site.upload_key_file))


def _worker(config: Config, queue: Queue, place: Place, dry_run: bool) -> Worker:
    return Worker(
        queue,
        review_site(config),
        place,
        first_look=config.review_site.first_look_seconds,
        at_once=config.at_once,
        dry_run=dry_run,
    )


def _served(config: MastodonConfig | MatrixConfig | S3Config, queue: Queue, dry_run: bool) -> ASGIApp:
    if isinstance(config, MatrixConfig):
        answering = matrix.routes(config, queue, review_site(config))
        return make_app(answering, lambda: None, queue.close, matrix.ANSWER_SECONDS)
    if isinstance(config, MastodonConfig):
        worker = _worker(config, queue, mastodon.place(config, queue), dry_run)
        routes = mastodon.routes(config, queue, worker.wake)
    else:
        worker = _worker(config, queue, s3.place(config, queue), dry_run)
        routes = s3.routes(config, queue, worker.wake)

    def stop() -> None:
        worker.stop()
        queue.close()

    return make_app(routes, worker.start, stop, _CALL_SECONDS)


def create_app(path: Path, dry_run: bool) -> ASGIApp:
    """The application of the process that serves an adapter. Raises ``ConfigError``."""
    config = read_config(path)
    if isinstance(config, FolderConfig):
        raise ConfigError("A folder is watched, not served.")
    return _served(config, Queue(config.path(config.queue)), dry_run)


def run(path: Path, dry_run: bool) -> None:
    """Run an adapter until SIGTERM or SIGINT. Raises ``ConfigError`` before it serves anything."""
    config = read_config(path)
    set_up()
    if isinstance(config, FolderConfig):
        _watch(config, dry_run)
        return
    if dry_run and isinstance(config, MatrixConfig):
        raise ConfigError("This adapter only answers; whoever asks acts. There is nothing to run dry.")
    # What is wrong is said here, and not by a process that is started again and again.
    queue = Queue(config.path(config.queue))
    try:
        _served(config, queue, dry_run)
    finally:
        queue.close()
    serve(create_app, path.resolve(), dry_run, config.listen.host, config.listen.port)


def _watch(config: FolderConfig, dry_run: bool) -> None:
    queue = Queue(config.path(config.queue))
    worker = _worker(config, queue, folder.Folder(config, queue), dry_run)
    looker = folder.Looker(config, queue, worker.wake)
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: worker.ask_to_stop())
    looker.start()
    log.info("the adapter watches its folder")
    worker.run(looker.look, config.folder_watch.look_every_seconds)
    looker.stop()
    queue.close()
    log.info("the adapter has stopped")


def check(path: Path) -> AnyConfig:
    """Ask everybody that the adapter will need. Raises ``ConfigError`` and ``NotNow``."""
    config = read_config(path)
    review_site(config).check()
    if isinstance(config, MastodonConfig):
        config.secret(config.mastodon.webhook_secret_file)
        mastodon.api(config).check()
    elif isinstance(config, S3Config):
        config.secret(config.s3.webhook_secret_file)
        s3.store(config).check(config.s3)
    elif isinstance(config, MatrixConfig):
        config.secret(config.matrix.secret_file)
    else:
        folder.check_folders(config)
    return config
