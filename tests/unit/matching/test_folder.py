"""A folder of indexes that another process writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reclaim.index import HammingIndex, StoredIndex, create_stored
from reclaim.matching.folder import IndexFolder
from reclaim.matching.review_only import REVIEW_ONLY_FILE, ReviewOnly
from reclaim.matching.state import FolderState, load_state, save_state
from tests.personas import pdq_value

CODE = bytes.fromhex(pdq_value(1))


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.01)


@pytest.fixture
def followed(tmp_path: Path) -> Iterator[IndexFolder]:
    create_stored(tmp_path / "pdq.index", HammingIndex())
    folder = IndexFolder(tmp_path)
    folder.start()
    yield folder
    folder.close()


def found(folder: IndexFolder, code: bytes = CODE) -> list[int]:
    assert isinstance(folder.indexes.pdq, StoredIndex)
    return folder.indexes.pdq.query(code, 31).ids.tolist()


def test_what_a_writer_adds_and_removes_acts_by_itself(followed: IndexFolder, tmp_path: Path) -> None:
    with StoredIndex(tmp_path / "pdq.index", writable=True) as writer:
        writer.add(1, CODE)
        until(lambda: found(followed) == [1])
        writer.remove(1)
        until(lambda: found(followed) == [])
        writer.add(2, CODE)
        writer.compact()
        until(lambda: found(followed) == [2])


def test_what_becomes_review_only_acts_by_itself_and_what_cannot_be_read_changes_nothing(
    followed: IndexFolder, tmp_path: Path
) -> None:
    assert (1 in followed.indexes.review_only, followed.fault) == (False, "")
    ReviewOnly([1]).save(tmp_path)
    until(lambda: 1 in followed.indexes.review_only)
    ReviewOnly([2]).save(tmp_path)
    until(lambda: 1 not in followed.indexes.review_only and 2 in followed.indexes.review_only)
    (tmp_path / REVIEW_ONLY_FILE).write_bytes(b"rubbish")
    until(lambda: "review-only.ids cannot be read" in followed.fault)
    (tmp_path / REVIEW_ONLY_FILE).unlink()
    until(lambda: "cannot be read (No such file" in followed.fault)
    assert 2 in followed.indexes.review_only


def test_an_index_that_comes_later_is_taken_up(followed: IndexFolder, tmp_path: Path) -> None:
    assert followed.indexes.md5 is None
    create_stored(tmp_path / "md5.index", HammingIndex(mode="compact"))
    until(lambda: followed.indexes.md5 is not None)
    assert followed.counts() == {"pdq": 0, "md5": 0}


def test_an_empty_folder_is_a_fault_until_an_index_is_there(tmp_path: Path) -> None:
    folder = IndexFolder(tmp_path)
    folder.refresh()
    assert folder.fault == "The folder has no pdq.index, no md5.index and no video.index."
    assert folder.seconds_behind() is None
    create_stored(tmp_path / "pdq.index", HammingIndex())
    folder.refresh()
    assert folder.fault == ""
    assert folder.seconds_behind() is not None
    folder.close()


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.rename(path.with_suffix(".gone"))])
def test_an_index_that_goes_is_a_fault_and_what_was_read_still_answers(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    create_stored(tmp_path / "pdq.index", HammingIndex())
    with StoredIndex(tmp_path / "pdq.index", writable=True) as writer:
        writer.add(1, CODE)
    folder = IndexFolder(tmp_path)
    folder.refresh()
    harm(tmp_path / "pdq.index")
    folder.refresh()
    assert folder.fault
    assert str(tmp_path) not in folder.fault
    assert found(folder) == [1]
    folder.close()


def test_what_is_wrong_with_one_index_does_not_keep_the_news_of_the_other_away(tmp_path: Path) -> None:
    for name in ("pdq.index", "md5.index"):
        create_stored(tmp_path / name, HammingIndex())
    folder = IndexFolder(tmp_path)
    folder.refresh()
    (tmp_path / "pdq.index").unlink()
    with StoredIndex(tmp_path / "md5.index", writable=True) as writer:
        writer.add(1, CODE)
    folder.refresh()
    assert folder.fault
    assert folder.counts() == {"pdq": 0, "md5": 1}
    folder.close()


def test_a_damaged_index_is_a_fault_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "pdq.index").write_bytes(b"no index at all")
    folder = IndexFolder(tmp_path)
    folder.refresh()
    assert folder.fault.endswith(".")
    assert folder.seconds_behind() is None


def test_the_state_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    assert load_state(tmp_path) is None
    state = FolderState(store="a", version=3, newest=9, followed_at=1.5, compacted_at=1.0, compacted_version=2)
    save_state(tmp_path, state)
    assert load_state(tmp_path) == state
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_how_long_ago_the_feed_was_followed_is_told_and_unknown_is_not_zero(tmp_path: Path) -> None:
    create_stored(tmp_path / "pdq.index", HammingIndex())
    folder = IndexFolder(tmp_path)
    folder.refresh()
    assert folder.feed_seconds_behind() is None
    folder.close()
    at = time.time() - 100
    save_state(
        tmp_path,
        FolderState(store="a", version=1, newest=1, followed_at=at, compacted_at=at, compacted_version=1),
    )
    again = IndexFolder(tmp_path)
    again.refresh()
    behind = again.feed_seconds_behind()
    assert behind is not None
    assert 100 <= behind < 160
    again.close()


def test_a_state_that_is_none_is_a_fault(tmp_path: Path) -> None:
    create_stored(tmp_path / "pdq.index", HammingIndex())
    (tmp_path / "state.json").write_text("{")
    folder = IndexFolder(tmp_path)
    folder.refresh()
    assert "state.json" in folder.fault
    folder.close()


def copied(source: Path, target: Path) -> None:
    """As docs/matching.md copies: logs in place, snapshots by renaming, then old logs away."""
    for log in source.glob("*.log"):
        with (target / log.name).open("ab") as copy:
            copy.write(log.read_bytes()[copy.tell() :])
    for name in ("pdq.index", "state.json"):
        if (source / name).exists():
            (target / "draft").write_bytes((source / name).read_bytes())
            (target / "draft").replace(target / name)
    for log in target.glob("*.log"):
        if not (source / log.name).exists():
            log.unlink()


def test_a_copy_on_another_machine_follows_what_is_copied_to_it(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()
    create_stored(ours / "pdq.index", HammingIndex())
    copied(ours, theirs)
    folder = IndexFolder(theirs)
    folder.start()
    with StoredIndex(ours / "pdq.index", writable=True) as writer:
        writer.add(1, CODE)
        copied(ours, theirs)
        until(lambda: found(folder) == [1])
        writer.remove(1)
        writer.add(2, CODE)
        writer.compact()
        copied(ours, theirs)
        until(lambda: found(folder) == [2])
        writer.remove(2)
        copied(ours, theirs)
        until(lambda: found(folder) == [])
    assert folder.fault == ""
    folder.close()
