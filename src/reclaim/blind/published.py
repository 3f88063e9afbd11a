"""What a platform downloads: a filter of the tags of all signals. Without the bank's key it tells of no picture.

A Bloom filter of about 23 bits a tag, which takes one foreign tag in 65,536 for a known one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from rbloom import Bloom

MISTAKEN = 2**-16
"""How often a foreign tag counts as known."""


def _itself(tag: int) -> int:
    """Tags are as good as random already."""
    return tag


class Published:
    """A set of tags that answers «is it in», with few mistakes, and cannot be listed."""

    def __init__(self, tags: Collection[int]) -> None:
        self._filter = Bloom(max(1, len(tags)), MISTAKEN, _itself)
        self._filter.update(tags)

    @classmethod
    def from_bytes(cls, content: bytes) -> Published:
        """As ``as_bytes`` wrote it. Raises ``ValueError`` for anything else."""
        published = cls(())
        published._filter = Bloom.load_bytes(content, _itself)
        return published

    def as_bytes(self) -> bytes:
        """The download."""
        return bytes(self._filter.save_bytes())

    def hits(self, tags: Iterable[int]) -> int:
        """How many of these tags are in the set."""
        return sum(tag in self._filter for tag in tags)
