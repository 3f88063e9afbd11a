"""Making, giving and forgetting snapshots.

A request only notes that a snapshot is wanted. A process of its own makes it, one at a time on a machine, so that no
request waits, no writer is in its way and no crash of it is the server's. Whatever it leaves behind half-done is made
again.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from reclaim.bank.exchange.cursors import Cursor
from reclaim.bank.exchange.identity import bank_id, signed
from reclaim.bank.exchange.models import Snapshot
from reclaim.bank.exchange.parquet import write_parts
from reclaim.bank.ledger.queries import standing
from reclaim.bank.platforms.models import Platform
from reclaim.protocol.native_v2 import SIGNAL_TYPES, Envelope, SnapshotManifest, SnapshotPart, as_json
from reclaim.sitekit import audit
from reclaim.sitekit.alone import only_holder
from reclaim.sitekit.events import log_event, log_failure

GIVEN_FOR = datetime.timedelta(hours=1)
"""A snapshot older than this is given to nobody any more: it has too much that was withdrawn since."""
KEPT_FOR = datetime.timedelta(hours=2)
"""Its parts go after this; who began to fetch them has the second hour to end it."""
_STARTS_WITHIN = 5
"""Seconds. A platform may ask many times before the process that its first request started says that it is at work."""
_DEAD_AFTER = datetime.timedelta(minutes=1)
"""Whoever makes a snapshot says much more often that it is at work. What failed is tried again after this, too."""


def folder_of(snapshot: Snapshot) -> Path:
    """Where the parts are."""
    return _folder() / str(snapshot.pk)


def fresh_snapshot(platform: Platform) -> Snapshot | None:
    """One that may be given to the platform now."""
    ready = Snapshot.objects.filter(
        platform=platform,
        state=Snapshot.State.READY,
        ledger=standing().ledger,
        made_at__gt=timezone.now() - GIVEN_FOR,
    ).order_by("-made_at")
    return next((snapshot for snapshot in ready if folder_of(snapshot).is_dir()), None)


def access_part(platform: Platform, snapshot_id: str, name: str) -> tuple[Path, SnapshotPart] | None:
    """A part of a snapshot of this platform's own, and where it is; ``None`` if there is no such thing any more."""
    try:
        key = uuid.UUID(snapshot_id)
    except ValueError:
        return None
    snapshot = Snapshot.objects.filter(
        pk=key,
        platform=platform,
        state=Snapshot.State.READY,
        made_at__gt=timezone.now() - KEPT_FOR,
    ).first()
    part = next((part for part in _parts(snapshot) if part.name == name), None) if snapshot else None
    if snapshot is None or part is None:
        return None
    path = folder_of(snapshot) / part.name
    return (path, part) if path.is_file() else None


def want_snapshot(platform: Platform) -> None:
    """Note that a platform wants a snapshot, and see that somebody makes it."""
    with contextlib.suppress(IntegrityError), transaction.atomic():
        if not Snapshot.objects.filter(platform=platform).exclude(state=Snapshot.State.READY).exists():
            Snapshot.objects.create(platform=platform)
    start_maker()


def manifest(snapshot: Snapshot, platform: Platform) -> Envelope:
    """The signed manifest of a snapshot that is ready."""
    if snapshot.made_at is None or snapshot.ledger is None:
        raise ValueError("This snapshot is not made yet.")
    cursor = Cursor(
        snapshot.ledger,
        snapshot.position,
        snapshot.second,
        int(snapshot.made_at.timestamp() * 1000),
        frozenset(SIGNAL_TYPES),
        least_trust=0,
        complete=True,
    )
    told = SnapshotManifest(
        snapshot=str(snapshot.pk),
        bank_id=str(bank_id()),
        made_at=snapshot.made_at,
        cursor=cursor.encode(platform),
        rows=snapshot.rows,
        parts=_parts(snapshot),
    )
    return signed(as_json(told))


def _parts(snapshot: Snapshot) -> list[SnapshotPart]:
    return [
        SnapshotPart(**part, href=reverse("v2-snapshot-part", args=[snapshot.pk, part["name"]]))
        for part in snapshot.parts
    ]


# Making them


def start_maker() -> None:
    """Start a process that makes what is wanted, unless one is at work on this machine."""
    if not _wanted().exists():
        return
    with only_holder(_folder() / "lock") as alone:
        if not alone or time.time() - _started().stat().st_mtime < _STARTS_WITHIN:
            return
        os.utime(_started())
    # A session of its own: who stops the server need not wait for it.
    subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "reclaim", "bank", "snapshots", "--data", str(settings.DATA)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def _started() -> Path:
    """A file that was touched when a maker was last started: until that one is at work, no request starts another."""
    path = _folder() / "started"
    if not path.exists():
        path.touch(mode=0o600)
        os.utime(path, (0, 0))
    return path


def make_wanted() -> int:
    """Make every snapshot that is wanted, one after the other; how many were made. Beside another maker, none."""
    made = 0
    with only_holder(_folder() / "lock") as alone:
        while alone and (snapshot := _claim()) is not None:
            try:
                _make(snapshot)
                made += 1
            except Exception as error:
                # It is wanted still, and whoever comes next tries again, after a while.
                log_failure("a snapshot could not be made", error)
                Snapshot.objects.filter(pk=snapshot.pk).update(state=Snapshot.State.WANTED, beat_at=timezone.now())
    return made


def _wanted() -> QuerySet[Snapshot]:
    """What is to be made now: not tried yet, or left behind half-done, or failed a while ago."""
    again = Q(tries=0) | Q(beat_at__lt=timezone.now() - _DEAD_AFTER)
    return Snapshot.objects.filter(again, platform__revoked_at=None).exclude(state=Snapshot.State.READY)


def _claim() -> Snapshot | None:
    snapshot = _wanted().order_by("asked_at").select_related("platform").first()
    if snapshot is not None:
        now = timezone.now()
        Snapshot.objects.filter(pk=snapshot.pk).update(state=Snapshot.State.MAKING, beat_at=now, tries=F("tries") + 1)
    return snapshot


def _make(snapshot: Snapshot) -> None:
    folder = folder_of(snapshot)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    made_at, begin = timezone.now(), standing()
    last = made_at

    def beat() -> None:
        nonlocal last
        if timezone.now() - last > _DEAD_AFTER / 6:
            last = timezone.now()
            Snapshot.objects.filter(pk=snapshot.pk).update(beat_at=last)

    parts = write_parts(snapshot.platform, folder, beat)
    with transaction.atomic():
        Snapshot.objects.filter(pk=snapshot.pk).update(
            state=Snapshot.State.READY,
            made_at=made_at,
            ledger=begin.ledger,
            position=begin.position,
            second=begin.second,
            rows=sum(part["rows"] for part in parts),
            parts=parts,
        )
        audit.record("system", "snapshot.make", f"platform:{snapshot.platform_id}")
    log_event("a snapshot was made", platform=snapshot.platform_id, signals=sum(part["rows"] for part in parts))


def forget_snapshots() -> None:
    """Delete snapshots that are too old, or whose platform has lost its access, and folders that nobody knows."""
    old = Q(made_at__lt=timezone.now() - KEPT_FOR) | Q(platform__revoked_at__isnull=False)
    Snapshot.objects.filter(old).delete()
    known = {str(key) for key in Snapshot.objects.values_list("pk", flat=True)}
    for path in _folder().iterdir():
        if path.is_dir() and path.name not in known:
            shutil.rmtree(path, ignore_errors=True)


def _folder() -> Path:
    folder = Path(settings.DATA) / "snapshots"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
