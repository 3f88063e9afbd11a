"""A folder: what is put into it is looked up, and moved to where it belongs, or left and written into a report."""

from __future__ import annotations

import datetime
import json
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from reclaim.adapters.config import MOST_BYTES, FolderConfig
from reclaim.adapters.errors import ConfigError, Gone, MediaNotNow, NotNow, Unreadable
from reclaim.adapters.log import log
from reclaim.adapters.queue import Item, Queue
from reclaim.adapters.standing import Standing

_FOLDER_OF = {
    Standing.CLEAR: "clear",
    Standing.OTHER: "clear",
    Standing.HELD: "held",
    Standing.BLOCKED: "blocked",
    Standing.UNREADABLE: "unreadable",
}


def _identity(about: os.stat_result) -> str:
    return f"{about.st_ino} {about.st_size} {about.st_mtime_ns}"


class Watched:
    """The folder that is watched."""

    def __init__(self, root: Path, settle: float) -> None:
        self._root = os.fsencode(root)
        self._settle = settle

    def files(self, queue: Queue) -> tuple[int, float | None]:
        """Put every file that has settled into the queue; how many are news, and when to look again for the others.

        Links are not followed, and what begins with a dot is left: so programs name what they are still writing.
        """
        news, again = 0, None
        now = time.time()
        for name, about in self._walk():
            age = now - about.st_mtime
            # One from the future, as a wrong clock makes it, has settled when it no longer changes: it never «ages».
            if 0 <= age < self._settle:
                again = self._settle - age if again is None else min(again, self._settle - age)
                continue
            path = os.fsdecode(os.path.join(self._root, name))  # noqa: PTH118 names are bytes
            shown = name.decode("utf-8", "backslashreplace")
            about_file = {"path": path, "name": os.fsdecode(name), "identity": _identity(about)}
            news += queue.add(f"{shown} {_identity(about)}", shown, about_file)
        return news, again

    def _walk(self) -> Iterator[tuple[bytes, os.stat_result]]:
        waiting = [b""]
        while waiting:
            below = waiting.pop()
            try:
                with os.scandir(os.path.join(self._root, below)) as entries:  # noqa: PTH118 names are bytes
                    for entry in entries:
                        name = below + entry.name
                        if entry.name.startswith(b".") or entry.is_symlink():
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(name + b"/")
                        elif entry.is_file(follow_symlinks=False):
                            try:
                                yield name, entry.stat(follow_symlinks=False)
                            except FileNotFoundError:
                                continue
            except OSError:
                if not below:
                    raise NotNow("the watched folder cannot be read") from None
                log.warning("a folder inside the watched one cannot be read")


def read_whole(path: str, identity: str) -> bytes:
    """A file, if it is still the very one, before and after. Raises ``Gone``, ``Unreadable``, ``MediaNotNow``."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise Gone from None
    except OSError:
        raise MediaNotNow("a file cannot be opened") from None
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        # What was written to since then is another file by now, and in the queue as such or soon.
        if not stat.S_ISREG(about.st_mode) or _identity(about) != identity:
            raise Gone
        if about.st_size > MOST_BYTES:
            raise Unreadable("a file is too large")
        try:
            data = file.read(MOST_BYTES + 1)
        except OSError:
            raise MediaNotNow("a file cannot be read") from None
        if _identity(os.fstat(descriptor)) != identity:
            raise Gone
        return data


class Folder:
    """The place where files are moved or written into the report."""

    def __init__(self, config: FolderConfig, queue: Queue) -> None:
        section = config.folder_watch
        self._section = section
        self._queue = queue
        self._results = {standing: config.path(getattr(section, name)) for standing, name in _FOLDER_OF.items()}
        self._report = config.path(section.report)

    def read(self, item: Item) -> bytes:
        """The file as it was when it was found."""
        return read_whole(item.about["path"], item.about["identity"])

    def would_act(self, item: Item, standing: Standing) -> str | None:
        """Move or report."""
        if standing is Standing.GONE:
            return None
        return f"a file is {'moved to' if self._section.results == 'move' else 'reported as'} {standing.value}"

    def act(self, item: Item, standing: Standing) -> None:
        """Move the file to the folder of its standing, or write its line into the report."""
        if standing is Standing.GONE:
            return
        if self._section.results == "report":
            # What stays where it is must stay known, or it would be news again.
            self._queue.take_measure(item.target, "reported")
            self._write_line(item, standing)
            return
        source = Path(item.about["path"])
        to = item.about.get("to")
        if to is not None and not source.exists():
            # It was moved, and this process ended before it could write that down.
            source = Path(to)
        if not _is_still(source, item.about["identity"]):
            log.warning("a file was to be moved and is no longer there, or is another one by now")
            return
        folder = self._results[standing]
        wanted = folder / item.about["name"]
        if source.is_relative_to(folder):
            self._queue.changed(item.key, {**item.about, "path": str(source), "to": None})
            return
        try:
            wanted.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            target = _free(wanted)
            self._queue.changed(item.key, {**item.about, "to": str(target)})
            source.rename(target)
            if not _is_still(target, item.about["identity"]):
                # Another file took its name in that moment. It is looked up as itself, from where it was.
                target.rename(source)
                return
        except OSError as error:
            raise NotNow(f"a file cannot be moved ({os.strerror(error.errno or 0)})") from None
        self._queue.changed(item.key, {**item.about, "path": str(target), "to": None})

    def _write_line(self, item: Item, standing: Standing) -> None:
        line = {
            "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "file": item.target,
            "stands": standing.value,
            "upload": item.upload,
        }
        try:
            descriptor = os.open(self._report, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
                file.flush()
                os.fsync(descriptor)
        except OSError:
            raise NotNow("the report cannot be written") from None


def _is_still(path: Path, identity: str) -> bool:
    try:
        return _identity(path.lstat()) == identity
    except OSError:
        return False


def _free(wanted: Path) -> Path:
    """The path, or one with a number behind its name where that is taken. Only this process writes there."""
    target, number = wanted, 2
    while target.exists():
        target = wanted.with_stem(f"{wanted.stem} ({number})")
        number += 1
    return target


class _Waker(FileSystemEventHandler):
    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:
        # Our own reading of the folder is an event too.
        if event.event_type not in ("opened", "closed_no_write"):
            self._wake()


class Looker:
    """Looks through the folder whenever the system reports a change, and every so often besides."""

    def __init__(self, config: FolderConfig, queue: Queue, wake: Callable[[], None]) -> None:
        """Raises ``ConfigError`` for folders that cannot be used."""
        section = config.folder_watch
        root = check_folders(config)
        self._watched = Watched(root, section.settle_seconds)
        self._queue = queue
        self._wake = wake
        self._observer: Any = Observer()
        self._observer.schedule(_Waker(wake), str(root), recursive=True)
        self._later: threading.Timer | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._observer.start()

    def stop(self) -> None:
        """End it."""
        if self._later is not None:
            self._later.cancel()
        self._observer.stop()
        self._observer.join()

    def look(self) -> None:
        """Look once."""
        try:
            news, again = self._watched.files(self._queue)
        except NotNow as error:
            log.warning("tried again later: %s", error)
            return
        if news:
            log.info("files to look up: %d", news)
        if again is not None:
            if self._later is not None:
                self._later.cancel()
            self._later = threading.Timer(again + 0.05, self._wake)
            self._later.daemon = True
            self._later.start()


def check_folders(config: FolderConfig) -> Path:
    """The watched folder, if it is there and apart from where results go. Raises ``ConfigError``."""
    section = config.folder_watch
    root = config.path(section.watch).resolve()
    if not root.is_dir():
        raise ConfigError("The folder that «watch» names is not there. Make it, or mend its name.")
    if section.results == "move":
        for name in set(_FOLDER_OF.values()):
            to = config.path(getattr(section, name)).resolve()
            if to.is_relative_to(root) or root.is_relative_to(to):
                raise ConfigError(f"The folder «{name}» has to lie outside the one that is watched.")
            try:
                to.mkdir(mode=0o750, parents=True, exist_ok=True)
                if to.stat().st_dev != root.stat().st_dev:
                    raise ConfigError(f"The folder «{name}» has to lie on the same disk as the one that is watched.")
            except OSError as error:
                raise ConfigError(f"The folder «{name}» cannot be made ({error.strerror}).") from None
    elif config.path(section.report).resolve().is_relative_to(root):
        raise ConfigError("The report has to lie outside the folder that is watched.")
    return root
