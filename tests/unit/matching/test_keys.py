"""Keys of the match service."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from reclaim.matching.keys import KeyFileError, Keys, make_key


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def test_a_key_that_was_made_is_known_and_others_are_not(path: Path) -> None:
    first, second = make_key(path, "a"), make_key(path, "b")
    keys = Keys(path)
    assert [keys.owner(key.encode()) for key in (first, second)] == [0, 1]
    assert [keys.owner(wrong) for wrong in (b"", first[:-1].encode(), f"{first} ".encode(), b"\xff")] == [None] * 4


def test_the_file_holds_the_hash_and_not_the_key_and_is_for_its_owner_only(path: Path) -> None:
    key = make_key(path, "a")
    text = path.read_text()
    assert key not in text
    assert key.removeprefix("reclaim_match_") not in text
    assert json.loads(text)["keys"][0]["sha256"] == hashlib.sha256(key.encode()).hexdigest()
    assert path.stat().st_mode & 0o077 == 0


def test_the_hash_itself_is_no_key(path: Path) -> None:
    make_key(path, "a")
    keys = Keys(path)
    assert keys.owner(json.loads(path.read_text())["keys"][0]["sha256"].encode()) is None


def test_a_new_key_of_a_name_ends_the_old_one(path: Path) -> None:
    old = make_key(path, "a")
    keys = Keys(path)
    new = make_key(path, "a")
    keys.refresh()
    assert keys.owner(old.encode()) is None
    assert keys.owner(new.encode()) == 0


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_text("{")])
def test_a_file_that_cannot_be_read_any_more_leaves_no_key_valid(path: Path, harm) -> None:  # type: ignore[no-untyped-def]
    key = make_key(path, "a")
    keys = Keys(path)
    harm(path)
    keys.refresh()
    assert keys.owner(key.encode()) is None
    make_key(path, "b") if not path.exists() else path.unlink()


@pytest.mark.parametrize("content", [None, "", "{", '{"keys": []}', '{"keys": [{"name": "a", "sha256": "x"}]}'])
def test_without_a_sound_file_with_a_key_nothing_is_opened(path: Path, content: str | None) -> None:
    if content is not None:
        path.write_text(content)
    with pytest.raises(KeyFileError, match=r"keys\.json.*\."):
        Keys(path)


@pytest.mark.parametrize("name", ["", "a" * 81, "a\nb"])
def test_a_name_has_1_to_80_printable_characters(path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="printable"):
        make_key(path, name)
    assert not path.exists()
