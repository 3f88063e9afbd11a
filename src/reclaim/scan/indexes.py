"""The indexes a scan looks in: kept as they were when it began, mapped by every worker, with shared pages."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from reclaim.index import ExactIndex, HammingIndex, IndexFileError, StoredIndex
from reclaim.index.log import log_path
from reclaim.matching.state import MD5_INDEX, PDQ_INDEX
from reclaim.scan.disk import private, sync_folder, to_disk
from reclaim.scan.errors import IndexNotUsable

_TRIES = 20


@dataclass(frozen=True)
class Indexes:
    """PDQ values, and exact MD5 where there are some."""

    pdq: HammingIndex | StoredIndex
    md5: ExactIndex | None = None


def open_indexes(snapshot: Path) -> Indexes:
    """A snapshot, with the log beside it if it has one, and the ``md5.index`` in the same folder if there is one.

    Raises ``IndexNotUsable``.
    """
    exact = snapshot.with_name(MD5_INDEX)
    try:
        return Indexes(_open(snapshot), ExactIndex(_open(exact)) if exact.exists() and exact != snapshot else None)
    except OSError:
        raise IndexNotUsable("The index cannot be opened: name a snapshot file that you may read.") from None
    except IndexFileError as error:
        raise IndexNotUsable(str(error)) from None


def _open(snapshot: Path) -> HammingIndex | StoredIndex:
    index = HammingIndex.open(snapshot)
    return StoredIndex(snapshot) if log_path(snapshot, index.identity).exists() else index


def identity_of(snapshot: Path) -> dict[str, str]:
    """Which snapshots these are; a log that has grown since is no other one. Raises ``IndexNotUsable``."""
    try:
        identities = {PDQ_INDEX: f"{HammingIndex.open(snapshot).identity:016x}"}
        exact = snapshot.with_name(MD5_INDEX)
        if exact.exists() and exact != snapshot:
            identities[MD5_INDEX] = f"{HammingIndex.open(exact).identity:016x}"
    except FileNotFoundError:
        raise IndexNotUsable("There is no index of that name: name the snapshot file, such as pdq.index.") from None
    except OSError:
        raise IndexNotUsable("The index cannot be opened: name a snapshot file that you may read.") from None
    except IndexFileError as error:
        raise IndexNotUsable(str(error)) from None
    return identities


def keep(snapshot: Path, folder: Path) -> dict[str, str]:
    """The indexes as they are now, in ``folder``: links where the file system allows, else copies.

    The bank's own may change or be built anew while a scan of weeks goes on; its answers must be those of one index.
    Returns what ``identity_of`` does; raises as it does.
    """
    identity_of(snapshot)
    folder.mkdir(mode=0o700)
    exact = snapshot.with_name(MD5_INDEX)
    try:
        _keep_one(snapshot, folder / PDQ_INDEX)
        if exact.exists() and exact != snapshot:
            _keep_one(exact, folder / MD5_INDEX)
    except OSError:
        raise IndexNotUsable("The index could not be copied into the output folder: see that there is room.") from None
    sync_folder(folder)
    return identity_of(folder / PDQ_INDEX)


def _keep_one(snapshot: Path, kept: Path) -> None:
    for _ in range(_TRIES):
        _link_or_copy(snapshot, kept)
        identity = HammingIndex.open(kept).identity
        log = log_path(snapshot, identity)
        try:
            # A log is written into, so it is copied; what a writer adds meanwhile is a torn end that readers drop.
            _copy(log, log_path(kept, identity))
        except FileNotFoundError:
            if HammingIndex.open(snapshot).identity == identity:
                return  # a plain snapshot has none
            kept.unlink()  # built anew between the two
            continue
        return
    raise OSError


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as held, private(target) as file:
        shutil.copyfileobj(held, file)
        to_disk(file)


def release(folder: Path) -> None:
    """Remove what ``keep`` kept."""
    shutil.rmtree(folder, ignore_errors=True)
