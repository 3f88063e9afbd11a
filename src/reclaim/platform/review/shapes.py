"""The small drawing of where in an upload the reported picture lies: rectangles and an arrow, and never a picture."""

from __future__ import annotations

from typing import NamedTuple

from reclaim.matching.relation import Box, Relation
from reclaim.platform.inbox.models import Match

_SIDE = 200
_TOP = {
    "original": (0, -1),
    "rotate90": (1, 0),
    "rotate180": (0, 1),
    "rotate270": (-1, 0),
    "flipx": (0, 1),
    "flipy": (0, -1),
    "flipplus1": (-1, 0),
    "flipminus1": (1, 0),
}
"""To where in the upload the top of the reported picture points, by the turn of the upload that lies as it does."""
_TO = {(0, -1): "at the top", (1, 0): "to the right", (0, 1): "at the bottom", (-1, 0): "to the left"}
_WHOLE = Box(0, 0, 1, 1)


class Shapes(NamedTuple):
    """What is drawn, in the units of its own view, and the same in words."""

    width: int
    height: int
    x: int
    y: int
    wide: int
    high: int
    arrow: str
    """The points of the arrow to the reported picture's top, as SVG has them."""
    words: str


def shapes_of(match: Match) -> Shapes | None:
    """The drawing for a match; ``None`` where the upload's shape, or what it shows, is not known."""
    relation, width, height = match.related, match.upload.width, match.upload.height
    if relation is None or relation.how == "same" or not width or not height or match.unchecked:
        return None
    if relation.how == "parts" and relation.kept is None:  # the bank has not said how it lies
        return None
    scale = _SIDE / max(width, height)
    wide, high = round(width * scale), round(height * scale)
    box = relation.box or _WHOLE
    left, top = round(box.left * wide), round(box.top * high)
    inner = (max(2, round(box.right * wide) - left), max(2, round(box.bottom * high) - top))
    towards = _TOP[relation.turn]
    arrow = _arrow(left + inner[0] / 2, top + inner[1] / 2, min(inner) / 3, towards)
    return Shapes(wide, high, left, top, *inner, arrow, _in_words(relation, box, _TO[towards]))


def _arrow(x: float, y: float, size: float, towards: tuple[int, int]) -> str:
    across, down = towards
    corners = [
        (x + across * size, y + down * size),
        (x - across * size + down * size / 2, y - down * size + across * size / 2),
        (x - across * size - down * size / 2, y - down * size - across * size / 2),
    ]
    return " ".join(f"{at_x:.1f},{at_y:.1f}" for at_x, at_y in corners)


def _in_words(relation: Relation, box: Box, top: str) -> str:
    where = "The reported picture fills the whole upload."
    if box != _WHOLE:
        left, above, right, below = (round(100 * side) for side in box)
        where = (
            f"The reported picture lies from {left} % to {right} % of the upload's width and from {above} % to "
            f"{below} % of its height, counted from the upper left."
        )
    mirrored = " It is mirrored." if relation.turn.startswith("flip") else ""
    return f"{where} Its top is {top}.{mirrored}"
