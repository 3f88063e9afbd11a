"""Verdicts on values: what a signal is, whoever sends it. Nothing here depends on what the bank holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet

from reclaim.bank.screening.harmless import Known, distances, known_harmless
from reclaim.bank.screening.models import HarmlessValue
from reclaim.bank.screening.words import Hold, Refusal
from reclaim.signals import MATCH_DISTANCE, is_degenerate, parse_md5, parse_pdq
from reclaim.signals.frames import Frame, kept, parse_frames

SAME = 8
"""A value at most this far from a harmless one is that picture, saved once more."""


@dataclass(frozen=True)
class Candidate:
    """A signal as somebody sent it: ``value`` of a pdq or md5, or the ``frames`` of a vpdq as texts."""

    type: str
    value: str = ""
    frames: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What becomes of a signal. Refused: ``refused`` says why. Else ``value`` and ``frames`` are what to keep, in their
    proper writing, and ``held_for`` says why somebody must look first, if so."""

    refused: Refusal | None = None
    held_for: tuple[Hold, ...] = ()
    value: str = ""
    frames: tuple[Frame, ...] = field(default=())


def screen(signals: Sequence[Candidate]) -> list[Verdict]:
    """A verdict on each signal, in their order.

    A PDQ value that no real picture gives is refused; so is one at most ``SAME`` bits from a known-harmless one, in any
    of its turns; one at most ``MATCH_DISTANCE`` bits away is held. Frames of a video that near are left out; a video
    that is left with none is refused, and held if it lost more than half. A PDQ's quality is the sender's word alone.
    """
    known = known_harmless()
    pdq = [signal.value for signal in signals if signal.type == "pdq" and _is_pdq(signal.value)]
    nearest = dict(zip(pdq, distances(pdq, known), strict=True))
    return [_verdict(signal, known, nearest) for signal in signals]


def added_values() -> QuerySet[HarmlessValue]:
    """The harmless values that this bank's operators added, the oldest first."""
    return HarmlessValue.objects.order_by("pk")


def _is_pdq(value: str) -> bool:
    try:
        parse_pdq(value)
    except ValueError:
        return False
    return True


def _verdict(signal: Candidate, known: Known, nearest: dict[str, int]) -> Verdict:
    try:
        if signal.type == "vpdq":
            return _of_video(parse_frames(signal.frames), known)
        if signal.type == "md5":
            value = parse_md5(signal.value)
            return Verdict(Refusal.HARMLESS) if value in known.md5 else Verdict(value=value)
        value = parse_pdq(signal.value)
    except ValueError:
        return Verdict(Refusal.MALFORMED)
    if is_degenerate(value):
        return Verdict(Refusal.DEGENERATE)
    if nearest[signal.value] <= SAME:
        return Verdict(Refusal.HARMLESS)
    return Verdict(held_for=(Hold.NEAR_HARMLESS,) if nearest[signal.value] <= MATCH_DISTANCE else (), value=value)


def _of_video(frames: list[Frame], known: Known) -> Verdict:
    apart = distances([frame.pdq for frame in frames], known)
    # Once more through «kept»: with a frame gone from between them, two alike may have come together.
    left = kept(frame for frame, bits in zip(frames, apart, strict=True) if bits > MATCH_DISTANCE)
    lost = sum(bits <= MATCH_DISTANCE for bits in apart)
    if not left:
        return Verdict(Refusal.HARMLESS)
    return Verdict(held_for=(Hold.NEAR_HARMLESS,) if 2 * lost > len(frames) else (), frames=tuple(left))
