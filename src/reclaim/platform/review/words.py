"""What a match means, in words."""

from __future__ import annotations

from collections.abc import Sequence

from reclaim.matching.relation import clock
from reclaim.matching.videos import shares_in_words
from reclaim.platform.inbox import pictures
from reclaim.platform.inbox.models import Decision, Match, Upload
from reclaim.signals import MATCH_DISTANCE

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


FURTHER_THAN_USUAL = (
    "The fingerprints are further apart than what counts as the same picture. It may be a strongly edited copy, and is "
    "often another picture. Look with care."
)
BY_PARTS = (
    "It was found by its parts: small patches are like those of the reported picture, and the bank has checked that "
    "they lie as they do there."
)
UNCHECKED = (
    "Small patches are like those of a reported picture. The bank could not be asked yet whether they lie as they do "
    "there, so it may well be another picture."
)


def tags_of(match: Match) -> list[str]:
    """What sets a match apart, in a word or two each."""
    relation = match.related
    tags = ["a clothed original"] if match.of_a_source else []
    if relation is not None:
        tags += [_TAGS[relation.how]] if relation.how in _TAGS else []
        tags += ["turned"] if relation.how not in ("turned", "same") and relation.turn != "original" else []
        tags += ["partly altered"] if relation.partly_altered else []
    tags += ["not checked yet"] if match.unchecked else []
    return tags + (["far"] if match.distance is not None and match.distance > MATCH_DISTANCE else [])


_TAGS = {
    "turned": "turned",
    "tilted": "tilted",
    "trimmed": "within bars",
    "part": "a part of it",
    "inset": "within another picture",
    "parts": "only by parts",
}


def relation_in_words(match: Match) -> str:
    """How the upload relates to the reported picture; empty where that is not known, or there is nothing to say."""
    relation = match.related
    if relation is None:
        return TURNS.get(match.turn, "")
    if match.unchecked:
        return "" if relation.at is None else f"It may be seen at {clock(relation.at)}."
    return relation.sentence


def stills_of(upload: Upload) -> list[tuple[int, str]]:
    """The numbers of its review copies, each with the moment of the video that it shows; no words for a picture's."""
    numbers = range(1, pictures.stills(upload.pk) + 1)
    moments = [clock(seconds) for seconds in upload.moments] or [""] * len(numbers)
    return list(zip(numbers, moments, strict=False))


def nearness_in_words(match: Match) -> str:
    """How near the upload is to what was reported: of a video's frames, how much of each is in the other."""
    if match.unchecked:
        return UNCHECKED
    if match.relation is not None and match.relation["how"] == "parts":
        return BY_PARTS
    if match.query_percent is not None and match.video_percent is not None:
        return shares_in_words(match.query_percent, match.video_percent)
    if match.is_same_file or match.upload.kind == Upload.Kind.VIDEO:
        return "It is the very same file as the one that was reported."
    return distance_in_words(match.distance or 0)


def distance_in_words(distance: int) -> str:
    """How near a distance in bits is. Unrelated pictures lie about 128 bits apart; a match is at most 31."""
    if distance > MATCH_DISTANCE:
        return FURTHER_THAN_USUAL
    if distance == 0:
        return "The fingerprints are the same: almost surely the same picture."
    if distance <= 10:
        return "The fingerprints are very close: most likely the same picture, saved anew or resized."
    if distance <= 20:
        return "The fingerprints are close: probably the same picture, edited."
    return "The fingerprints are just close enough: it may be an edited copy, or another picture. Look with care."


def stands_in_words(decisions: Sequence[Decision]) -> str:
    """What has been decided about a match that still waits, and whom it waits for."""
    if not decisions:
        return ""
    if len({each.verdict for each in decisions}) > 1:
        return "Two people see it differently. A lead who is neither of them decides."
    if any(each.by_lead for each in decisions):
        return "One person has decided. It waits for a second one."
    return "One person has decided. It waits for a lead as the second one."
