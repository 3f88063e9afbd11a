"""What a match means, in words."""

from __future__ import annotations

TURNS = {
    "original": "It lies as the reported picture does.",
    "rotate90": "Against the reported picture it is turned by a quarter, clockwise.",
    "rotate180": "Against the reported picture it is upside down.",
    "rotate270": "Against the reported picture it is turned by a quarter, anticlockwise.",
    "flipx": "Against the reported picture it is mirrored top to bottom.",
    "flipy": "Against the reported picture it is mirrored left to right.",
    "flipplus1": "Against the reported picture it is mirrored and turned by a quarter.",
    "flipminus1": "Against the reported picture it is mirrored and turned by a quarter.",
}

WORDS = {
    "Blocked": "removed a copy",
    "NotBlocked": "looked and left a copy up",
    "PendingReview": "is looking at a copy",
}


def distance_in_words(distance: int) -> str:
    """How near a distance in bits is. Unrelated pictures lie about 128 bits apart; a match is at most 31."""
    if distance == 0:
        return "The fingerprints are the same: almost surely the same picture."
    if distance <= 10:
        return "The fingerprints are very close: most likely the same picture, saved anew or resized."
    if distance <= 20:
        return "The fingerprints are close: probably the same picture, edited."
    return "The fingerprints are just close enough: it may be an edited copy, or another picture. Look with care."
