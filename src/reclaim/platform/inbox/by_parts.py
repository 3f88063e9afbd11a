"""Which known pictures an upload may show by its parts, and what the bank says of them.

A platform has descriptors and not where in the picture they lie. So what it finds is a *candidate*, and the bank is
asked, beside the upload and never in its way: an upload that matches by its parts alone is public meanwhile as it is
afterwards, while a person looks. Where the bank does not answer, a person is told just that.
"""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from django.utils import timezone

from reclaim.client import BankError, BankRefused, BankUnreachable, NativeClient
from reclaim.index import IndexFileError, StoredIndex
from reclaim.matching.by_parts import Described, MayShow, may_show, told
from reclaim.matching.candidates import DescriptorIndex
from reclaim.matching.relation import Box, Relation
from reclaim.matching.state import DESCRIPTORS_INDEX
from reclaim.platform.inbox.deciding import settle, tell_bank
from reclaim.platform.inbox.models import Candidate, Match, Rules, Upload
from reclaim.platform.inbox.queries import rules, standing
from reclaim.platform.subscription.index_files import index_folder
from reclaim.platform.subscription.models import KnownSignal
from reclaim.platform.subscription.services import locked_signals
from reclaim.protocol.native_v2 import PlacementRelation
from reclaim.signals.pdq import TURNS
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_event, log_failure

ASKED_AT_ONCE = 50
ASKING_SECONDS = 20.0
"""Then the rest waits for the next time: a bank that is slow with its answers must not keep its withdrawals away."""
PATIENCE = datetime.timedelta(minutes=2)
"""So long nobody is bothered with what the bank may say in a moment."""
ASKED_FOR = datetime.timedelta(days=7)
"""After that the bank is asked no more; the match stays with people, as one that was never checked."""
_NO_KEY = (401, 403)
_WAITS = tuple(datetime.timedelta(minutes=minutes) for minutes in (0.5, 2, 10, 30, 60))


class _Index:
    """The descriptors as the index files have them: mapped, so that all processes share the memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._path: Path | None = None
        self._index: StoredIndex | None = None

    def current(self) -> DescriptorIndex | None:
        """What can be searched now; ``None`` where no descriptors are followed."""
        path = index_folder() / DESCRIPTORS_INDEX
        with self._lock:
            try:
                if path != self._path or self._index is None:
                    self._index, self._path = StoredIndex(path), path
                self._index.refresh()
            except FileNotFoundError:
                self._index = None
            except (IndexFileError, OSError) as error:
                # The files are built anew at a tick; until then pictures are looked up by their PDQ alone.
                log_failure("the descriptors cannot be searched", error)
                self._index = None
            return DescriptorIndex(self._index) if self._index else None


_index = _Index()


def follows_descriptors() -> bool:
    """Whether there are descriptors to look uploads up in."""
    return _index.current() is not None


def by_parts(upload: Sequence[Described]) -> list[MayShow]:
    """The pictures that an upload may show, best first."""
    index = _index.current()
    return [] if index is None else may_show(upload, index)


def due(most: int = ASKED_AT_ONCE) -> list[Candidate]:
    """Candidates that the bank is to be asked about now, longest waiting first."""
    rows = Candidate.objects.filter(next_try_at__lte=timezone.now()).select_related("upload", "signal")
    return list(rows.defer("signal__descriptors").order_by("next_try_at", "pk")[:most])


def is_due() -> bool:
    """Whether the bank is to be asked about any."""
    return Candidate.objects.filter(next_try_at__lte=timezone.now()).exists()


def ask_bank(client: NativeClient) -> int:
    """Ask the bank about candidates that are due; of how many it has said something.

    Where it cannot be asked, or answers no more for now, they stay, and are tried again later and later.
    """
    answered, ends_at = 0, time.monotonic() + ASKING_SECONDS
    for candidate in due():
        if time.monotonic() > ends_at:
            break
        relation = _known_of_the_same_file(candidate)
        try:
            if relation is None:
                frame = (candidate.frame[0], candidate.frame[1])
                answer = client.check_placement(candidate.signal.value, frame, candidate.pairs)
                relation = _told(candidate, answer.relation) if answer.match else None
        except (BankError, ValueError) as error:
            _postpone(candidate)
            log_event("the bank could not be asked about a candidate; trying again", reason=type(error).__name__)
            if isinstance(error, BankUnreachable) or (isinstance(error, BankRefused) and error.status in _NO_KEY):
                break
            continue
        _conclude(candidate.pk, relation)
        answered += 1
    return answered


def _told(candidate: Candidate, said: PlacementRelation | None) -> Relation:
    part = None if candidate.part is None else Box(*candidate.part)
    return told(said, part, candidate.at)


def _known_of_the_same_file(candidate: Candidate) -> Relation | None:
    """What the bank has said already of the same file and the same signal."""
    same = Match.objects.filter(
        signal=candidate.signal_id, upload__sha256=candidate.upload.sha256, unchecked=False, relation__how="parts"
    )
    found = same.exclude(upload__sha256="").first()
    return found.related if found else None


def _postpone(candidate: Candidate) -> None:
    wait = _WAITS[min(candidate.tries, len(_WAITS) - 1)]
    rows = Candidate.objects.filter(pk=candidate.pk)
    rows.update(tries=candidate.tries + 1, next_try_at=timezone.now() + wait)


def _conclude(number: int, relation: Relation | None) -> None:
    """The bank has said how the upload shows the picture, or that it does not (``None``)."""
    with locked_signals():
        candidate = _candidate(number)
        if candidate is None:
            return
        upload, signal = candidate.upload, candidate.signal
        if signal.is_of_a_source and not (rules().sources and upload.adult is True):
            relation = None
        match = upload.matches.filter(signal=signal).first()
        candidate.delete()
        if match is None and relation is not None and _says_nothing_new(upload, signal, relation):
            relation = None
        if relation is not None:
            _match(upload, signal, match, relation)
        elif match is not None and match.status == Match.Status.OPEN and match.unchecked and not standing(match):
            match.status, match.decided_at = Match.Status.NOT_CONFIRMED, timezone.now()
            match.save(update_fields=["status", "decided_at"])
        settle(upload)
        tell_bank([signal.pk])
        audit.record("system", "upload.review" if relation else "upload.clear", f"upload:{upload.pk}")
    log_event("the bank has checked a candidate", match=relation is not None)


def _says_nothing_new(upload: Upload, signal: KnownSignal, relation: Relation) -> bool:
    """Whether a person has to look already, because the upload, or the video at that moment, is the same picture as it
    lies: two whole pictures of one upload are one."""
    whole = relation.turn == TURNS[0] and relation.box is None and relation.kept == 1 and not relation.partly_altered
    if not whole or signal.is_of_a_source:
        return False
    same = upload.matches.filter(holds=True, relation__how="same")
    if relation.at is None:
        return same.filter(distance__isnull=False).exists()
    return any(_has(match, relation.at) for match in same)


def _has(match: Match, at: float) -> bool:
    """Whether this moment of a video is in what a match of its frames covers. Of a few frames no stretch is told."""
    stretch = match.related.stretch if match.related else None
    if stretch is None:
        return match.query_percent == 100
    return stretch.upload_from <= at <= stretch.upload_to


def _candidate(number: int) -> Candidate | None:
    """A candidate as it is now; ``None`` where it was withdrawn or decided meanwhile. Call it under
    ``locked_signals``."""
    rows = Candidate.objects.select_related("upload", "signal").defer("signal__frames", "signal__descriptors")
    return rows.filter(pk=number).first()


def _match(upload: Upload, signal: KnownSignal, match: Match | None, relation: Relation) -> None:
    found = match or Match(
        upload=upload, signal=signal, holds=False, quality=upload.quality, of_a_source=signal.is_of_a_source
    )
    found.turn, found.relation, found.unchecked = relation.turn, relation.model_dump(mode="json"), False
    only_label = rules().partly_altered == Rules.Altered.LABEL and relation.partly_altered and not found.of_a_source
    if found.status == Match.Status.OPEN and only_label and not (match and standing(match)):
        found.status = Match.Status.LABELLED
    found.save()


def show_unchecked() -> int:
    """Have people look at what the bank could not be asked about for a while; at how many more."""
    now = timezone.now()
    shown = 0
    for number in list(Candidate.objects.filter(found_at__lt=now - PATIENCE).values_list("pk", flat=True)):
        with locked_signals():
            # Read here: its upload may have been decided about, and written, a moment ago.
            candidate = _candidate(number)
            if candidate is None:
                continue
            if not candidate.upload.matches.filter(signal=candidate.signal_id).exists():
                _match_unchecked(candidate)
                shown += 1
            if candidate.found_at < now - ASKED_FOR:
                candidate.delete()
    if shown:
        log_event("people look at what the bank could not be asked about", matches=shown)
    return shown


def _match_unchecked(candidate: Candidate) -> None:
    upload = candidate.upload
    Match.objects.create(
        upload=upload,
        signal=candidate.signal,
        holds=False,
        turn=TURNS[0],
        quality=upload.quality,
        relation=_told(candidate, None).model_dump(mode="json"),
        unchecked=True,
        of_a_source=candidate.signal.is_of_a_source,
    )
    settle(upload)
    audit.record("system", "upload.review", f"upload:{upload.pk}")
