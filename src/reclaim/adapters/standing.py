"""How a file stands, in one word."""

from __future__ import annotations

from enum import StrEnum


class Standing(StrEnum):
    """What is known of one picture or video. The first three are the review site's own words."""

    CLEAR = "clear"
    """Nothing matched, or a reviewer let it through, or what it matched was withdrawn."""
    HELD = "held"
    """It matches, and a reviewer has to look."""
    BLOCKED = "blocked"
    """A reviewer wants it removed."""
    UNREADABLE = "unreadable"
    """A picture or video that could not be looked up: damaged, too large, or not to be had."""
    OTHER = "other"
    """Neither a picture nor a video that Reclaim reads."""
    GONE = "gone"
    """It was no longer there when it was to be looked up."""
