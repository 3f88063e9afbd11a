"""The staging bank: a ledger of made-up signals that changes by itself, for platforms to try their software on.

Each made-up signal follows from its number alone, so anybody can tell which of them are in place. None is of a picture
or video that exists, but for those that it is filled with first.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Sequence

from django.utils import timezone

from reclaim.bank.ledger.models import LedgerRecord, Source
from reclaim.bank.ledger.queries import is_synthetic
from reclaim.bank.ledger.services import LedgerTransaction, locked_ledger
from reclaim.bank.operations.models import Invention
from reclaim.bank.platforms.queries import usable_keys, vetted_platforms
from reclaim.bank.platforms.services import revoke_platform
from reclaim.signals.frames import Frame, frames_text, vpdq_value
from reclaim.sitekit.events import log_event

IN_PLACE = 2000
"""Made-up signals in place at any time."""
EVERY = datetime.timedelta(seconds=10)
"""So often one more is put in and the oldest is withdrawn."""
_FRAMES = 6
_BITS = 256

Made = tuple[str, str, list[str]]
"""Type, value, and frames of a vPDQ."""


class NotSyntheticError(Exception):
    """The ledger holds real signals."""


def made_up(number: int) -> Made:
    """The made-up signal of a number: of ten, eight are a picture's PDQ, one a file's MD5, one a video's frames."""
    chance = random.Random(f"reclaim staging {number}")  # noqa: S311 anybody may know them
    if number % 10 == 8:
        return LedgerRecord.Type.MD5.value, chance.randbytes(16).hex(), []
    if number % 10 == 9:
        frames = [Frame(second, 100, _pdq(chance), float(second)) for second in range(_FRAMES)]
        return LedgerRecord.Type.VPDQ.value, vpdq_value(frames), frames_text(frames)
    return LedgerRecord.Type.PDQ.value, _pdq(chance), []


def _pdq(chance: random.Random) -> str:
    """A value as real ones are: half of the bits are ones."""
    return f"{sum(1 << bit for bit in chance.sample(range(_BITS), _BITS // 2)):064x}"


def _put(ledger: LedgerTransaction, made: Made) -> None:
    kind, value, frames = made
    ledger.add_source(kind, value, frames, quality=100 if kind == LedgerRecord.Type.PDQ else None)


def fill(lasting: Sequence[tuple[str, str]]) -> bool:
    """Fill a staging bank's ledger the first time: with these signals (type and value), which stay, and made-up ones.

    ``False`` if it was filled before. Raises ``NotSyntheticError``.
    """
    with locked_ledger() as ledger:
        if not ledger.synthetic:
            raise NotSyntheticError
        if Invention.objects.exists():
            return False
        for kind, value in lasting:
            _put(ledger, (kind, value, []))
        for number in range(IN_PLACE):
            _put(ledger, made_up(number))
        Invention.objects.create(made=IN_PLACE)
    return True


def move() -> int:
    """Put the next made-up signal in and withdraw the oldest, if it is time; returns how many changed.

    At a real bank it does nothing.
    """
    now = timezone.now()
    due = Invention.objects.exclude(moved_at__gt=now - EVERY).first() if is_synthetic() else None
    if due is None:
        return 0
    with locked_ledger() as ledger:
        if not ledger.synthetic:
            raise NotSyntheticError
        state = Invention.objects.select_for_update().get(pk=due.pk)
        _put(ledger, made_up(state.made))
        kind, value, _ = made_up(state.made - IN_PLACE)
        old = Source.objects.filter(
            record__type=kind, record__value=value, state=Source.State.ACTIVE, platform=None, peer=None
        )
        ended = list(old.select_related("record"))
        ledger.withdraw_sources(ended)
        state.made, state.moved_at = state.made + 1, now
        state.save(update_fields=["made", "moved_at"])
    end_lapsed()
    return 1 + len(ended)


def end_lapsed() -> int:
    """End the access of platforms that let all of their keys run out: at a staging bank nobody is asked to."""
    usable = usable_keys().values("platform")
    lapsed = [each.name for each in vetted_platforms().exclude(pk__in=usable)]
    for name in lapsed:
        revoke_platform(name, actor="system")
    if lapsed:
        log_event("platforms whose keys ran out have no access any more", platforms=len(lapsed))
    return len(lapsed)
