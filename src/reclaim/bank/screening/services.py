"""Writes of screening: bulk patterns of a sending, and an operator's harmless values."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from django.db import transaction

from reclaim.bank.gate.figures import figures
from reclaim.bank.gate.queries import HOUR, load
from reclaim.bank.screening import sketches
from reclaim.bank.screening.models import HarmlessValue, Sending
from reclaim.bank.screening.queries import Verdict
from reclaim.bank.screening.words import Hold
from reclaim.signals import md5_of, parse_md5, parse_pdq, pdq_of_turns, read_luma
from reclaim.sitekit import audit
from reclaim.sitekit.limits import daily_key, hidden_threshold

DAY = 24 * HOUR
MOST_COMPARED = 500
"""Of a network's sendings on a day, the last so many are compared with a new one: a bound on the work."""
FRAMES_SKETCHED = 8
"""Of each video."""


def note_sending(network: bytes, items: int, values: Sequence[str]) -> tuple[Hold, ...]:
    """Write down that a network sent so many items with these values (PDQ, MD5, PDQ of frames), and say what about
    that looks like bulk: reasons to hold all of it.

    It depends on what this network sent today and on how many cases the whole bank gets, never on what the bank holds.
    Whoever shares a person's network might still count up to a threshold and see it come too early, so thresholds are
    drawn, and nobody knows them. Call it outside a transaction, before the items are kept.
    """
    now = time.time()
    key = daily_key(b"screening:" + network)
    made = b"".join(sketches.sketch(value, key) for value in sketches.some_of(values))
    mine = Sending.objects.create(at=now, network_key=key, items=items, sketches=made)
    today = Sending.objects.filter(network_key=key)
    reasons = _counts(network, list(today.filter(at__gt=now - HOUR).values_list("items", flat=True)))
    if _circles(network, mine, today.exclude(pk=mine.pk).order_by("-pk")[:MOST_COMPARED]):
        reasons.append(Hold.CIRCLING)
    return tuple(reasons)


def telling_values(verdict: Verdict) -> list[str]:
    """The values by which a sending is compared with others: the signal's own, or a few of a video's frames."""
    step = max(1, -(-len(verdict.frames) // FRAMES_SKETCHED))
    return [frame.pdq for frame in verdict.frames[::step]] if verdict.frames else [verdict.value]


def _counts(network: bytes, sent: list[int]) -> list[Hold]:
    holding = figures().holding
    calm = load() < holding.flood.load
    cases, items = (holding.cases, holding.items) if calm else (holding.flood.cases, holding.flood.items)
    reasons = []
    if len(sent) > hidden_threshold("held cases", network, cases, 2 * cases):
        reasons.append(Hold.MANY_CASES)
    if sum(sent) > hidden_threshold("held items", network, items, 2 * items):
        reasons.append(Hold.MANY_ITEMS)
    return reasons


def _circles(network: bytes, mine: Sending, others: Iterable[Sending]) -> bool:
    earlier = list(others)
    if any(other.circles for other in earlier):
        mine.circles = True
    else:
        limits = figures().holding.circling
        # One draw a day: somebody who measures it with one picture has used it up for every other.
        threshold = hidden_threshold("circling", network, limits.low, limits.high, daily=True)
        near = sketches.most_near(sketches.read(mine.sketches), [sketches.read(other.sketches) for other in earlier])
        mine.circles = near + 1 >= threshold
    if mine.circles:
        mine.save(update_fields=["circles"])
    return mine.circles


def forget_sketches() -> int:
    """Forget what networks sent, after a day; returns how many sendings."""
    deleted, _ = Sending.objects.filter(at__lt=time.time() - DAY).delete()
    return deleted


def harmless_values_in(source: str) -> list[tuple[str, str]]:
    """What an operator names: a PDQ or MD5 value, or a picture's file, of which all eight turns and the MD5 count.

    Raises ``SignalError`` for a file that is no picture, ``ValueError`` for neither a value nor a file.
    """
    for kind, parse in (("pdq", parse_pdq), ("md5", parse_md5)):
        try:
            return [(kind, parse(source))]
        except ValueError:
            continue
    path = Path(source)
    if not path.exists():
        raise ValueError("This is neither a PDQ value, nor an MD5 value, nor a file.")
    turned = dict.fromkeys(turn.value for turn in pdq_of_turns(read_luma(path)).values())
    return [*(("pdq", value) for value in turned), ("md5", md5_of(path))]


def add_harmless(values: Sequence[tuple[str, str]], what: str) -> int:
    """Add harmless values, each with its type; returns how many are new. What is in the bank already stays.

    Raises ``ValueError`` for a description that is empty, too long or not plain text.
    """
    what = what.strip()
    if not 1 <= len(what) <= 80 or not what.isprintable():
        raise ValueError("Say in 1 to 80 printable characters what it shows.")
    with transaction.atomic():
        added = [
            HarmlessValue.objects.get_or_create(type=kind, value=value, defaults={"what": what})[1]
            for kind, value in values
        ]
        audit.record("operator", "harmless.add", f"values:{sum(added)}")
    return sum(added)


def remove_harmless(what: str) -> int:
    """Remove an operator's values with this description, or the one value; returns how many."""
    with transaction.atomic():
        removed, _ = HarmlessValue.objects.filter(what=what).delete()
        if not removed:
            removed, _ = HarmlessValue.objects.filter(value=what.lower()).delete()
        if removed:
            audit.record("operator", "harmless.remove", f"values:{removed}")
    return removed
