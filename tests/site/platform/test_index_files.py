"""The index files say what the database says, whatever came in between."""

from __future__ import annotations

import fcntl
import itertools
import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from reclaim.client import Change, Checkpoint
from reclaim.index import ExactIndex, StoredIndex
from reclaim.matching.review_only import ReviewOnly
from reclaim.matching.state import load_state
from reclaim.platform import work
from reclaim.platform.inbox.store import DatabaseStore
from reclaim.platform.subscription import index_files
from reclaim.platform.subscription.index_files import update_index_files
from reclaim.platform.subscription.models import KnownSignal, Subscription
from reclaim.platform.subscription.services import note_end_of_feed
from reclaim.protocol.stopncii_v1 import HashStatus, SignalType
from tests.personas import pdq_value
from tests.site.platform.world import bank_sends, record

pytestmark = pytest.mark.django_db

MD5 = "0123456789abcdef" * 2


@pytest.fixture
def folder(data_folder: Path, settings: Settings) -> Path:
    settings.DATA = data_folder
    return data_folder / "index"


def key(value: str) -> int:
    return KnownSignal.objects.get(value=value).pk


def held(folder: Path) -> dict[str, list[int]]:
    """What the files hold, found as a reader finds it."""
    found: dict[str, list[int]] = {}
    with StoredIndex(folder / "pdq.index") as pdq, StoredIndex(folder / "md5.index") as md5:
        for row in KnownSignal.objects.all():
            raw = bytes.fromhex(row.value)
            ids = pdq.query(raw, 31).ids if len(raw) == 32 else ExactIndex(md5).query(raw)
            found[row.value] = ids.tolist()
        assert len(pdq) + len(md5) == len(found), "the files hold what the database does not"
    return found


def rows() -> dict[str, list[int]]:
    return {row.value: [row.pk] for row in KnownSignal.objects.all()}


def withdrawn(value: str) -> Any:
    return record(value, HashStatus.WITHDRAWN)


def in_any_file(folder: Path, value: str) -> bool:
    return any(bytes.fromhex(value) in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_before_the_first_sync_there_are_no_files(folder: Path) -> None:
    assert update_index_files() is False
    assert not folder.exists()


def test_what_is_held_is_in_the_files_under_its_primary_key(folder: Path) -> None:
    bank_sends(record(pdq_value(1)), record(MD5), record(pdq_value(2)))
    assert update_index_files() is True
    assert held(folder) == rows()
    assert len(held(folder)) == 3


def test_a_platform_without_videos_has_both_files(folder: Path) -> None:
    bank_sends(record(pdq_value(1)))
    update_index_files()
    assert held(folder) == rows()


def test_what_comes_and_goes_is_followed_without_a_new_snapshot(folder: Path) -> None:
    bank_sends(record(pdq_value(1)), record(MD5))
    update_index_files()
    snapshots = {name: (folder / name).stat().st_ino for name in ("pdq.index", "md5.index")}
    bank_sends(record(pdq_value(2)), withdrawn(pdq_value(1)), withdrawn(MD5))
    update_index_files()
    assert held(folder) == rows() == {pdq_value(2): [key(pdq_value(2))]}
    assert {name: (folder / name).stat().st_ino for name in snapshots} == snapshots


def test_an_open_reader_sees_what_came_and_not_what_went(folder: Path) -> None:
    bank_sends(record(pdq_value(1)))
    update_index_files()
    with StoredIndex(folder / "pdq.index") as reader:
        bank_sends(withdrawn(pdq_value(1)), record(pdq_value(2)))
        update_index_files()
        reader.refresh()
        assert reader.query(bytes.fromhex(pdq_value(1)), 31).ids.tolist() == []
        assert reader.query(bytes.fromhex(pdq_value(2)), 31).ids.tolist() == [key(pdq_value(2))]


def bank_asks_for_review(*seeds: int, only: bool = True) -> None:
    store = DatabaseStore()
    before = store.load_checkpoint()
    changes = [Change(SignalType.IMAGE_PDQ, pdq_value(seed), review_only=only) for seed in seeds]
    store.apply(changes, Checkpoint(generation=1, writes=before.writes + 1 if before else 0), before)


def test_what_is_only_to_be_reviewed_is_beside_the_indexes_and_follows_each_change(folder: Path) -> None:
    bank_sends(record(pdq_value(1)))
    bank_asks_for_review(2)
    update_index_files()
    assert ReviewOnly.load(folder).same_as(ReviewOnly([key(pdq_value(2))]))
    bank_asks_for_review(1, 3)
    bank_asks_for_review(2, only=False)
    update_index_files()
    assert ReviewOnly.load(folder).same_as(ReviewOnly([key(pdq_value(1)), key(pdq_value(3))]))
    bank_sends(withdrawn(pdq_value(3)))
    update_index_files()
    assert ReviewOnly.load(folder).same_as(ReviewOnly([key(pdq_value(1))]))


def test_a_signal_is_in_no_index_before_it_is_known_to_be_review_only(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank_sends(record(pdq_value(1)))
    update_index_files()
    bank_asks_for_review(2)
    seen = []

    def look(index: StoredIndex, **_: Any) -> None:
        seen.append(key(pdq_value(2)) in ReviewOnly.load(folder))

    monkeypatch.setattr(StoredIndex, "change", look)
    update_index_files()
    assert seen
    assert all(seen)


def test_nothing_new_changes_no_index(folder: Path) -> None:
    bank_sends(record(pdq_value(1)))
    update_index_files()
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if ".index" in path.name}
    update_index_files()
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if ".index" in path.name} == before


def test_the_state_says_when_the_feed_was_followed_to_its_end(folder: Path) -> None:
    bank_sends(record(pdq_value(1)))
    update_index_files()
    state = load_state(folder)
    assert state is not None
    assert state.followed_at is None
    note_end_of_feed()
    update_index_files()
    state = load_state(folder)
    assert state is not None
    assert state.followed_at is not None
    assert abs(state.followed_at - time.time()) < 60


def test_killed_after_any_write_the_next_time_makes_it_right(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        """Nobody handles this, as nobody handles kill -9."""

    left = 0

    def mortal(write: Callable[..., Any]) -> Callable[..., Any]:
        def attempt(*args: Any, **more: Any) -> Any:
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            return write(*args, **more)

        return attempt

    monkeypatch.setattr(index_files, "create_stored", mortal(index_files.create_stored))
    monkeypatch.setattr(index_files, "save_state", mortal(index_files.save_state))
    monkeypatch.setattr(StoredIndex, "change", mortal(StoredIndex.change))
    monkeypatch.setattr(StoredIndex, "compact", mortal(StoredIndex.compact))
    monkeypatch.setattr(index_files, "COMPACT_SECONDS", 0)
    bank_sends(record(pdq_value(1)), record(MD5))
    deaths = 0
    for page in range(3):
        for allowed in itertools.count():
            left = allowed
            try:
                update_index_files()
                break
            except Killed:
                deaths += 1
        left = 100
        assert held(folder) == rows()
        bank_sends(record(pdq_value(10 + page)), withdrawn(pdq_value(9 + page)), withdrawn(MD5))
    assert deaths > 6


def test_another_process_at_the_files_is_left_alone(folder: Path) -> None:
    bank_sends(record(pdq_value(1)))
    update_index_files()
    bank_sends(record(pdq_value(2)))
    with (folder / "writer.lock").open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert update_index_files() is False
    with StoredIndex(folder / "md5.index", writable=True):
        assert update_index_files() is False
    assert update_index_files() is True
    assert held(folder) == rows()


def test_another_database_leads_to_new_files(folder: Path) -> None:
    bank_sends(record(pdq_value(1)), record(pdq_value(2)))
    update_index_files()
    KnownSignal.objects.all().delete()
    Subscription.objects.update(store=uuid.uuid4(), version=1)
    bank_sends(record(pdq_value(3)))
    with StoredIndex(folder / "pdq.index") as reader:
        update_index_files()
        reader.refresh()
        assert len(reader) == 1
    assert held(folder) == rows() == {pdq_value(3): [key(pdq_value(3))]}


@pytest.mark.parametrize("name", ["pdq.index", "md5.index", "review-only.ids", "state.json"])
@pytest.mark.parametrize("harm", [lambda path: path.write_bytes(b"rubbish"), lambda path: path.unlink()])
def test_a_damaged_or_missing_file_is_made_anew(folder: Path, name: str, harm: Callable[[Path], None]) -> None:
    bank_sends(record(pdq_value(1)), record(MD5))
    update_index_files()
    harm(folder / name)
    bank_sends(record(pdq_value(2)))
    assert update_index_files() is True
    assert held(folder) == rows()


@pytest.mark.parametrize("name", ["pdq.index", "md5.index", "review-only.ids", "state.json"])
@pytest.mark.parametrize("harm", [lambda path: path.write_bytes(b"rubbish"), lambda path: path.unlink()])
def test_a_damaged_or_missing_file_is_made_anew_also_when_no_signal_has_changed(
    folder: Path, name: str, harm: Callable[[Path], None]
) -> None:
    bank_sends(record(pdq_value(1)), record(MD5))
    update_index_files()
    harm(folder / name)
    assert update_index_files() is True
    assert held(folder) == rows()
    assert len(ReviewOnly.load(folder)) == 0


def test_a_log_that_is_gone_or_damaged_is_noticed_when_no_signal_has_changed(folder: Path) -> None:
    bank_sends(record(pdq_value(1)))
    update_index_files()
    bank_sends(record(pdq_value(2)))
    update_index_files()
    for harm in (lambda path: path.write_bytes(b"rubbish"), lambda path: path.unlink()):
        [log] = folder.glob("pdq.index.*.log")
        harm(log)
        update_index_files()
        assert held(folder) == rows()


def test_files_that_nobody_touched_are_not_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bank_sends(record(pdq_value(1)))
    update_index_files()

    def read(folder: Path) -> None:
        raise AssertionError("it read them again")

    monkeypatch.setattr(index_files, "_check", read)
    assert update_index_files() is True
    monkeypatch.setattr(index_files, "_sound", {})
    with pytest.raises(AssertionError):
        update_index_files()


def test_much_that_is_new_leads_to_new_snapshots(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_files, "MOST_FOLLOWED", 2)
    bank_sends(record(pdq_value(1)), record(MD5))
    update_index_files()
    before = (folder / "pdq.index").stat().st_ino
    bank_sends(record(pdq_value(2)), withdrawn(MD5))
    update_index_files()
    assert (folder / "pdq.index").stat().st_ino == before
    bank_sends(record(pdq_value(3)), record(pdq_value(4)), withdrawn(pdq_value(1)))
    update_index_files()
    assert (folder / "pdq.index").stat().st_ino != before
    assert held(folder) == rows()
    assert not in_any_file(folder, pdq_value(1))


def test_what_changes_while_the_files_are_built_is_followed_the_next_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank_sends(record(pdq_value(1)), record(pdq_value(2)), record(MD5))
    read = index_files._rows
    for changes_come in ("before", "after"):

        def meanwhile(kind: Any, newest: int, changes_come: str = changes_come) -> Any:
            found = read(kind, newest) if changes_come == "before" else iter(list(read(kind, newest)))
            monkeypatch.setattr(index_files, "_rows", read)
            bank_sends(record(pdq_value(8)), withdrawn(pdq_value(1)), withdrawn(MD5))
            bank_sends(record(pdq_value(1)), withdrawn(pdq_value(2)), record(pdq_value(9)))
            return found

        monkeypatch.setattr(index_files, "_rows", meanwhile)
        (folder / "state.json").unlink(missing_ok=True)
        update_index_files()
        assert index_files._rows is read, "else nothing changed meanwhile"
        update_index_files()
        assert held(folder) == rows()
        bank_sends(record(pdq_value(2)), record(MD5), withdrawn(pdq_value(8)), withdrawn(pdq_value(9)))


def test_within_a_day_no_file_holds_a_withdrawn_code(folder: Path) -> None:
    bank_sends(record(pdq_value(1)), record(pdq_value(2)))
    update_index_files()
    bank_sends(withdrawn(pdq_value(1)))
    update_index_files()
    assert in_any_file(folder, pdq_value(1)), "else this test shows nothing"
    state = json.loads((folder / "state.json").read_text())
    (folder / "state.json").write_text(json.dumps({**state, "compacted_at": time.time() - 20 * 3600 - 1}))
    update_index_files()
    assert not in_any_file(folder, pdq_value(1))
    assert in_any_file(folder, pdq_value(2))
    assert held(folder) == rows()


def test_the_files_are_for_their_owner_only(folder: Path) -> None:
    bank_sends(record(pdq_value(1)))
    update_index_files()
    assert folder.stat().st_mode & 0o077 == 0
    assert not [path.name for path in folder.iterdir() if path.stat().st_mode & 0o077]


def test_the_recurring_work_keeps_the_files_even_without_a_bank(folder: Path) -> None:
    bank_sends(record(pdq_value(1)))
    assert work.tick() is False
    assert held(folder) == rows()
