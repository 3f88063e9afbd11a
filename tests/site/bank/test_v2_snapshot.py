"""Snapshots: a first sync in files, and the feed after it."""

from __future__ import annotations

import base64
import datetime
import hashlib
import io
import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.http import HttpResponse
from django.utils import timezone

from reclaim.bank.cases.services import NewItem, NewSignal, create_case, withdraw
from reclaim.bank.exchange import parquet, snapshots
from reclaim.bank.exchange.models import Snapshot
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.platforms.models import Platform
from reclaim.bank.platforms.services import revoke_platform
from reclaim.protocol.native_v2 import About, Envelope, SnapshotManifest, pae
from reclaim.signals import frames_text, vpdq_value
from reclaim.sitekit.alone import only_holder
from tests.personas import a_case, clip_frames, pdq_value
from tests.v2 import Native

pytestmark = pytest.mark.django_db
start_maker = snapshots.start_maker


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests make snapshots themselves, in this process, whose database no other sees."""
    monkeypatch.setattr(snapshots, "start_maker", lambda: None)


def manifest_of(platform: Native) -> SnapshotManifest:
    """Ask, let it be made, and check the signature as a client does."""
    if platform.get("snapshot").status_code == 202:
        snapshots.make_wanted()
    envelope = Envelope.model_validate_json(platform.get("snapshot").content)
    about = About.model_validate_json(platform.get("").content)
    payload = base64.b64decode(envelope.payload)
    key = Ed25519PublicKey.from_public_bytes(about.snapshot_public_key)
    key.verify(base64.b64decode(envelope.signatures[0].sig), pae(envelope.payloadType, payload))
    return SnapshotManifest.model_validate_json(payload)


def body(answer: HttpResponse) -> bytes:
    """The whole of an answer that comes in pieces."""
    return b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]


def part(platform: Native, href: str, **headers: str) -> HttpResponse:
    """One part, or a range of it."""
    return platform.get(href.removeprefix("/v2/"), headers=headers)


def rows_of(platform: Native, manifest: SnapshotManifest) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for each in manifest.parts:
        content = body(part(platform, each.href))
        assert (len(content), hashlib.sha256(content).hexdigest()) == (each.bytes, each.sha256)
        table = pq.read_table(io.BytesIO(content))
        assert table.num_rows == each.rows
        rows += table.to_pylist()
    assert len(rows) == manifest.rows
    return rows


def test_a_first_sync_is_a_snapshot_and_then_what_changed_since() -> None:
    platform = Native.vetted()
    frames = clip_frames(1, 3)
    clip = NewSignal("vpdq", vpdq_value(frames), tuple(frames_text(frames)))
    create_case([NewItem(1, "video", (NewSignal("md5", "a" * 32), clip), "yes")])
    withdrawn, kept = a_case(1).case, a_case(2, 3).case
    withdraw(withdrawn)
    assert platform.get("snapshot").status_code == 202
    a_case(4)
    manifest = manifest_of(platform)
    a_case(5)
    withdraw(kept, [1])
    rows = {row["value"].hex(): row for row in rows_of(platform, manifest)}
    assert set(rows) == {"a" * 32, clip.value, *(pdq_value(seed) for seed in (2, 3, 4))}
    assert rows[clip.value]["frames"] == list(clip.frames)
    assert rows[pdq_value(4)] | {"changed_at": None} == {
        "type": "pdq",
        "value": bytes.fromhex(pdq_value(4)),
        "frames": None,
        "quality": None,
        "labels": [],
        "provenance": ["person"],
        "trust": 50,
        "action": "block",
        "changed_at": None,
    }
    assert rows["a" * 32]["labels"] == ["made-with-ai"]
    platform.cursor = manifest.cursor
    assert {(record.value, record.status) for record in platform.sync()} == {
        (pdq_value(2), "withdrawn"),
        (pdq_value(5), "active"),
    }


def test_rows_are_in_the_order_of_their_values_over_all_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROWS_A_PART", 4)
    monkeypatch.setitem(parquet._AT_ONCE, "pdq", 2)
    platform = Native.vetted()
    a_case(*range(10))
    manifest = manifest_of(platform)
    assert [each.rows for each in manifest.parts] == [4, 4, 2]
    values = [row["value"].hex() for row in rows_of(platform, manifest)]
    assert values == sorted(pdq_value(seed) for seed in range(10))


def test_what_comes_and_goes_while_it_is_made_is_in_it_or_in_the_feed_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(parquet._AT_ONCE, "pdq", 3)
    platform = Native.vetted()
    cases = [a_case(seed, seed + 100).case for seed in range(8)]
    platform.get("snapshot")
    write_parts, new = snapshots.write_parts, itertools.count(200)

    def beside_writers(of: Platform, folder: Path, beat: Callable[[], None]) -> list[dict[str, Any]]:
        def writers() -> None:
            beat()
            number = next(new)
            if number % 2:
                withdraw(cases.pop())
            cases.append(a_case(number, number + 100).case)

        return write_parts(of, folder, writers)

    monkeypatch.setattr(snapshots, "write_parts", beside_writers)
    manifest = manifest_of(platform)
    platform.cursor = manifest.cursor
    held = {row["value"].hex() for row in rows_of(platform, manifest)}
    for record in platform.sync():
        (held.add if record.status == "active" else held.discard)(record.value)
    assert held == set(LedgerRecord.objects.filter(status="active").values_list("value", flat=True))
    assert next(new) > 204


def test_a_download_that_was_cut_off_goes_on() -> None:
    platform = Native.vetted()
    a_case(*range(20))
    [whole] = manifest_of(platform).parts
    answer = part(platform, whole.href)
    tag, content = answer["ETag"], body(answer)
    assert (answer["Accept-Ranges"], int(answer["Content-Length"])) == ("bytes", whole.bytes)
    rest = part(platform, whole.href, **{"Range": "bytes=100-", "If-Range": tag})
    assert (rest.status_code, rest["Content-Range"]) == (206, f"bytes 100-{whole.bytes - 1}/{whole.bytes}")
    assert body(rest) == content[100:]
    assert body(part(platform, whole.href, Range="bytes=0-0")) == content[:1]
    assert body(part(platform, whole.href, Range="bytes=-7")) == content[-7:]
    other = part(platform, whole.href, **{"Range": "bytes=100-", "If-Range": '"another"'})
    assert (other.status_code, body(other)) == (200, content)
    beyond = part(platform, whole.href, Range=f"bytes={whole.bytes}-")
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{whole.bytes}")
    assert part(platform, whole.href, **{"If-None-Match": tag}).status_code == 304
    for several in ("bytes=0-1,3-4", "rows=1-2", "bytes=x", "bytes=-", "bytes=" + "9" * 5000 + "-"):
        assert body(part(platform, whole.href, Range=several)) == content


def test_a_manifest_that_somebody_changed_does_not_carry_the_signature() -> None:
    platform = Native.vetted()
    manifest_of(platform)
    envelope = Envelope.model_validate_json(platform.get("snapshot").content)
    told = json.loads(base64.b64decode(envelope.payload)) | {"rows": 7}
    key = Ed25519PublicKey.from_public_bytes(About.model_validate_json(platform.get("").content).snapshot_public_key)
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(envelope.signatures[0].sig), pae(envelope.payloadType, json.dumps(told).encode()))


def test_while_one_is_made_nobody_makes_it_twice_and_within_the_hour_it_is_given_again() -> None:
    platform = Native.vetted()
    answers = [platform.get("snapshot") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert all(int(answer["Retry-After"]) >= 1 for answer in answers)
    assert snapshots.make_wanted() == 1
    assert manifest_of(platform).snapshot == manifest_of(platform).snapshot
    assert Snapshot.objects.count() == 1
    with only_holder(snapshots._folder() / "lock"):
        assert snapshots.make_wanted() == 0


def test_who_asks_many_times_before_the_maker_is_at_work_starts_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(snapshots, "start_maker", start_maker)
    monkeypatch.setattr(snapshots.subprocess, "Popen", lambda *args, **how: started.append(args))
    (snapshots._folder() / "started").unlink(missing_ok=True)
    platform = Native.vetted()
    assert {platform.get("snapshot").status_code for _ in range(20)} == {202}
    assert len(started) == 1
    os.utime(snapshots._started(), (0, 0))
    platform.get("snapshot")
    assert len(started) == 2, "one that never came to work is followed by another"


def test_what_a_crash_left_half_done_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    platform = Native.vetted()
    a_case(1)
    assert platform.get("snapshot").status_code == 202

    def dies(*args: object) -> None:
        raise KeyboardInterrupt

    def fails(*args: object) -> None:
        raise OSError("no space")

    for accident, seen in ((dies, KeyboardInterrupt), (fails, None)):
        with monkeypatch.context() as broken:
            broken.setattr(snapshots, "write_parts", accident)
            if seen:
                with pytest.raises(seen):
                    snapshots.make_wanted()
            else:
                assert snapshots.make_wanted() == 0
        assert platform.get("snapshot").status_code == 202
        assert snapshots.make_wanted() == 0, "it is not tried at once again"
        Snapshot.objects.update(beat_at=timezone.now() - datetime.timedelta(minutes=2))
    assert snapshots.make_wanted() == 1
    assert manifest_of(platform).rows == 1


def test_snapshots_go_when_they_are_old_and_when_their_platform_loses_its_access() -> None:
    one, two = Native.vetted("One"), Native.vetted("Two")
    a_case(1)
    first, second = manifest_of(one), manifest_of(two)
    Snapshot.objects.filter(pk=first.snapshot).update(made_at=timezone.now() - datetime.timedelta(minutes=61))
    assert one.get("snapshot").status_code == 202, "it has too much that was withdrawn since"
    assert len(body(part(one, first.parts[0].href))) == first.parts[0].bytes, "who began to fetch it may end that"
    Snapshot.objects.filter(pk=first.snapshot).update(made_at=timezone.now() - datetime.timedelta(minutes=121))
    assert part(one, first.parts[0].href).status_code == 404
    revoke_platform("Two")
    folders = [snapshots.folder_of(Snapshot.objects.get(pk=each.snapshot)) for each in (first, second)]
    assert all(folder.is_dir() for folder in folders)
    snapshots.forget_snapshots()
    assert not any(folder.exists() for folder in folders)


def test_parts_can_be_read_by_their_owner_alone() -> None:
    platform = Native.vetted()
    a_case(1)
    manifest = manifest_of(platform)
    folder = snapshots.folder_of(Snapshot.objects.get(pk=manifest.snapshot))
    assert oct(folder.stat().st_mode)[-3:] == "700"
    assert [oct(file.stat().st_mode)[-3:] for file in Path(folder).iterdir()] == ["600"]


def test_a_signal_of_a_snapshot_counts_as_given_once_the_platform_comes_back_with_its_cursor() -> None:
    platform = Native.vetted()
    a_case(1)
    manifest = manifest_of(platform)
    now = platform.acting.platform
    now.refresh_from_db()
    assert (now.covered_position, now.takes_videos) == (0, True)
    platform.page(after=manifest.cursor)
    now.refresh_from_db()
    assert now.covered_position == LedgerRecord.objects.get().position
