"""The signals as index files in ``DATA/index``, for the match service and for scans, which follow them.

    pdq.index, md5.index, video.index   the signals under their primary keys, each with a log of what changed since
    source.index, descriptors.index     the same of the extra types, where the bank gives them
    review-only.ids        which of them are only to be looked at by a person
    of-a-source.ids        which descriptors are of source photographs
    state.json             how far these files are, written last: after a crash the same changes come again
    writer.lock            held by the process that brings them up to date

The database says what is true. What is in doubt (another database, a damaged file) is built anew from it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
from django.conf import settings

from reclaim.client import ExtraType, Kind
from reclaim.index import (
    FrameIndex,
    HammingIndex,
    IndexFileError,
    LogInUse,
    StoredIndex,
    code_of_digest,
    codes_of_digests,
    create_stored,
)
from reclaim.matching.candidates import DescriptorIndex
from reclaim.matching.review_only import OF_A_SOURCE_FILE, REVIEW_ONLY_FILE, ReviewOnly
from reclaim.matching.state import (
    DESCRIPTORS_INDEX,
    MD5_INDEX,
    PDQ_INDEX,
    SOURCE_INDEX,
    VIDEO_INDEX,
    FolderState,
    load_state,
    save_state,
)
from reclaim.platform.subscription.models import KnownSignal, RemovedSignal, Subscription
from reclaim.platform.subscription.queries import (
    codes_of_descriptors,
    codes_of_frames,
    descriptors_of_sources,
    subscription,
)
from reclaim.protocol.stopncii_v1 import SignalType
from reclaim.sitekit.alone import only_holder

COMPACT_SECONDS = 20 * 3600
"""A log holds what was withdrawn; this often it ends, so that a promise of a day is kept with some to spare."""

_FILES: dict[Kind, str] = {
    SignalType.IMAGE_PDQ: PDQ_INDEX,
    SignalType.VIDEO_MD5: MD5_INDEX,
    SignalType.VIDEO_VPDQ: VIDEO_INDEX,
    ExtraType.SOURCE: SOURCE_INDEX,
    ExtraType.DESCRIPTORS: DESCRIPTORS_INDEX,
}
_MARKS = (REVIEW_ONLY_FILE, OF_A_SOURCE_FILE)
_CHUNK = 50_000
_AT_ONCE = 10_000
_BODIES_AT_ONCE = 100

MOST_FOLLOWED = 100_000
"""With more changes than this the files are built anew, which is faster then, and takes the changes in parts."""

Stamps = frozenset[tuple[str, int, int, int]]

_sound: dict[Path, Stamps] = {}
"""The files as this process last left them or found them sound."""

Rows = Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]]


def index_folder() -> Path:
    """Where the files are."""
    folder: Path = settings.DATA / "index"
    return folder


def update_index_files() -> bool:
    """Bring the files up to the database; whether that was done.

    Another process that is at it, or that writes to an index, is left alone. Raises ``OSError``, ``DatabaseError``.
    """
    row = subscription()
    if row is None:
        return False
    folder = index_folder()
    folder.mkdir(mode=0o700, exist_ok=True)
    with only_holder(folder / "writer.lock") as alone:
        if not alone:
            return False
        try:
            _update(folder, row)
        except LogInUse:
            return False
    return True


def _update(folder: Path, row: Subscription) -> None:
    try:
        state = load_state(folder)
        if (
            state is None
            or state.store != str(row.store)
            or not all((folder / name).exists() for name in (*_FILES.values(), *_MARKS))
        ):
            state = _build(folder, row)
        elif state.version != row.version or _compaction_is_due(state):
            state = _build(folder, row) if _is_much(state) else _follow(folder, row, state)
        elif _sound.get(folder) != _stamps(folder):
            _check(folder)
    except LogInUse:
        raise
    except (IndexFileError, ValueError):  # a file that is damaged, or a state that is none
        state = _build(folder, row)
    _sound[folder] = _stamps(folder)
    followed_at = row.synced_at.timestamp() if row.synced_at else None
    save_state(folder, state.model_copy(update={"followed_at": followed_at}))


def _build(folder: Path, row: Subscription) -> FolderState:
    """All indexes anew. The version was read before, so what changes meanwhile is followed the next time."""
    for mark in _MARKS:
        _marked(mark).save(folder, mark)
    newest = KnownSignal.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    pdq = HammingIndex.build(_rows(SignalType.IMAGE_PDQ, newest))
    md5 = HammingIndex.build(
        ((codes_of_digests(digests), ids) for digests, ids in _rows(SignalType.VIDEO_MD5, newest)), mode="compact"
    )
    create_stored(folder / PDQ_INDEX, pdq, replace=True)
    create_stored(folder / MD5_INDEX, md5, replace=True)
    video = FrameIndex.build((key, codes, None, seconds) for key, codes, seconds in _videos(newest)).index
    create_stored(folder / VIDEO_INDEX, cast(HammingIndex, video), replace=True)
    create_stored(folder / SOURCE_INDEX, HammingIndex.build(_rows(ExtraType.SOURCE, newest)), replace=True)
    described = DescriptorIndex.build(_described(newest)).index
    create_stored(folder / DESCRIPTORS_INDEX, cast(HammingIndex, described), replace=True)
    return FolderState(
        store=str(row.store),
        version=row.version,
        newest=newest,
        followed_at=None,
        compacted_at=time.time(),
        compacted_version=row.version,
    )


def _marked(mark: str) -> ReviewOnly:
    rows = KnownSignal.objects.filter(review_only=True) if mark == REVIEW_ONLY_FILE else descriptors_of_sources()
    return ReviewOnly(rows.values_list("pk", flat=True))


def _follow_marks(folder: Path) -> None:
    """Before anything else, so that no reader finds a new signal without what is to be known of it."""
    for mark in _MARKS:
        now = _marked(mark)
        if not now.same_as(ReviewOnly.load(folder, mark)):
            now.save(folder, mark)


def _rows(kind: Kind, newest: int) -> Rows:
    known = KnownSignal.objects.filter(type=kind, pk__lte=newest).order_by("pk").values_list("pk", "value")
    last = 0
    while chunk := list(known.filter(pk__gt=last)[:_CHUNK]):
        values = np.frombuffer(bytes.fromhex("".join(value for _, value in chunk)), np.uint8)
        yield values.reshape(len(chunk), -1), np.array([key for key, _ in chunk], np.int64)
        last = chunk[-1][0]


def _videos(newest: int) -> Iterator[tuple[int, npt.NDArray[np.uint8], npt.NDArray[np.float64]]]:
    known = KnownSignal.objects.filter(type=SignalType.VIDEO_VPDQ, pk__lte=newest).order_by("pk")
    for key, frames in known.values_list("pk", "frames").iterator(chunk_size=_BODIES_AT_ONCE):
        yield key, *codes_of_frames(frames)


def _described(newest: int) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    known = KnownSignal.objects.filter(type=ExtraType.DESCRIPTORS, pk__lte=newest).order_by("pk")
    for key, values in known.values_list("pk", "descriptors").iterator(chunk_size=_BODIES_AT_ONCE):
        yield key, codes_of_descriptors(values)


def _follow_descriptors(folder: Path, newest: int, removed: list[int], *, compact: bool) -> None:
    known = KnownSignal.objects.filter(type=ExtraType.DESCRIPTORS, pk__gt=newest).order_by("pk")
    with StoredIndex(folder / DESCRIPTORS_INDEX, writable=True) as index:
        pictures = DescriptorIndex(index)
        for key, values in known.values_list("pk", "descriptors").iterator(chunk_size=_BODIES_AT_ONCE):
            if key not in pictures:
                pictures.add(key, codes_of_descriptors(values))
        for key in removed:
            if key in pictures:
                pictures.remove(key)
        if compact:
            index.compact()


def _follow_videos(folder: Path, newest: int, removed: list[int], *, compact: bool) -> None:
    known = KnownSignal.objects.filter(type=SignalType.VIDEO_VPDQ, pk__gt=newest).order_by("pk")
    with StoredIndex(folder / VIDEO_INDEX, writable=True) as index:
        videos = FrameIndex(index)
        for key, frames in known.values_list("pk", "frames").iterator(chunk_size=_BODIES_AT_ONCE):
            if key not in videos:
                codes, seconds = codes_of_frames(frames)
                videos.add(key, codes, None, seconds)
        for key in removed:
            if key in videos:
                videos.remove(key)
        if compact:
            index.compact()


def _follow(folder: Path, row: Subscription, state: FolderState) -> FolderState:
    """What changed since the state was saved. What is in or out already, because a crash came between, is skipped."""
    added = list(KnownSignal.objects.filter(pk__gt=state.newest).order_by("pk").values_list("pk", "type", "value"))
    removed = list(RemovedSignal.objects.filter(version__gt=state.version).values_list("signal", flat=True))
    compact = _compaction_is_due(state)
    _follow_marks(folder)
    _follow_videos(folder, state.newest, removed, compact=compact)
    _follow_descriptors(folder, state.newest, removed, compact=compact)
    for kind, name in _FILES.items():
        if kind in (SignalType.VIDEO_VPDQ, ExtraType.DESCRIPTORS):
            continue
        new = [(key, _code(kind, value)) for key, type_, value in added if type_ == kind]
        with StoredIndex(folder / name, writable=True) as index:
            for start in range(0, len(new), _AT_ONCE):
                index.change(added=[each for each in new[start : start + _AT_ONCE] if each[0] not in index])
            for start in range(0, len(removed), _AT_ONCE):
                index.change(removed=[key for key in removed[start : start + _AT_ONCE] if key in index])
            if compact:
                index.compact()
    changed: dict[str, float] = {"version": row.version, "newest": added[-1][0] if added else state.newest}
    if compact:
        changed |= {"compacted_at": time.time(), "compacted_version": row.version}
    return state.model_copy(update=changed)


def _is_much(state: FolderState) -> bool:
    """Whether more has changed than is followed change by change."""
    added = KnownSignal.objects.filter(pk__gt=state.newest).count()
    return added + RemovedSignal.objects.filter(version__gt=state.version).count() > MOST_FOLLOWED


def _stamps(folder: Path) -> Stamps:
    """What a file that somebody touched no longer has."""
    found = []
    paths = [folder / mark for mark in _MARKS]
    for name in _FILES.values():
        paths += [folder / name, *folder.glob(f"{name}.*.log")]
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            about = path.stat()
            found.append((path.name, about.st_ino, about.st_size, about.st_mtime_ns))
    return frozenset(found)


def _check(folder: Path) -> None:
    """Raise ``IndexFileError`` or ``ValueError`` for files that readers cannot use. Reads them whole."""
    for mark in _MARKS:
        ReviewOnly.load(folder, mark)
    for name in _FILES.values():
        StoredIndex(folder / name).close()


def _code(kind: Kind, value: str) -> bytes:
    raw = bytes.fromhex(value)
    return code_of_digest(raw) if kind == SignalType.VIDEO_MD5 else raw


def _compaction_is_due(state: FolderState) -> bool:
    return state.compacted_version != state.version and time.time() - state.compacted_at >= COMPACT_SECONDS
