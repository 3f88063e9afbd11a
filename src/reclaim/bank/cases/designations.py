"""The name that staff see for a case: two plain words and a number, made from its internal id; never its number."""

from __future__ import annotations

import uuid

from reclaim.sitekit.secrets import mac

_FIRST = (
    "amber", "autumn", "blue", "brass", "bright", "broad", "calm", "cedar", "clear", "copper", "coral", "crisp",
    "early", "east", "fern", "gentle", "golden", "green", "ivory", "late", "lemon", "light", "linen", "long",
    "maple", "mild", "morning", "north", "oak", "olive", "open", "orange", "paper", "pine", "plain", "quiet",
    "river", "round", "sandy", "silver", "slate", "slow", "small", "soft", "south", "spring", "steady", "still",
    "stone", "summer", "tall", "teal", "upper", "velvet", "violet", "warm", "west", "white", "wide", "willow",
    "winter", "wooden", "woven", "yellow",
)  # fmt: skip
_SECOND = (
    "anchor", "apple", "basket", "bay", "bell", "bench", "boat", "book", "bowl", "bridge", "brook", "candle",
    "cliff", "cloud", "clover", "coast", "compass", "cup", "door", "field", "finch", "forest", "garden", "gate",
    "grove", "harbour", "heron", "hill", "island", "kettle", "key", "kite", "ladder", "lake", "lamp", "lantern",
    "leaf", "marble", "meadow", "mill", "orchard", "otter", "path", "pebble", "pond", "quilt", "reed", "ridge",
    "robin", "sail", "shell", "shore", "sparrow", "spoon", "stream", "table", "terrace", "tower", "valley", "wagon",
    "wall", "well", "window", "wren",
)  # fmt: skip


def designation(case: uuid.UUID) -> str:
    """For example «calm harbour 417»; always the same for the same case, one of four million."""
    drawn = int.from_bytes(mac("designation", case.bytes))
    first, drawn = _FIRST[drawn % len(_FIRST)], drawn // len(_FIRST)
    second, drawn = _SECOND[drawn % len(_SECOND)], drawn // len(_SECOND)
    return f"{first} {second} {drawn % 1000:03}"
