"""Writes on decisions: made, joined by a second person, taken back, asked again. One function, one transaction, one
audit event; all of them under ``locked_signals``, so that no two people decide about the same upload at once.

A verdict is final when nobody's standing decision speaks against it and the rules want no second person; otherwise
when two people, one of them a lead, agree on it. So a disagreement waits for a lead who is neither of the two.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.db.models import Count, Min, Q
from django.utils import timezone

from reclaim.platform.inbox import pictures
from reclaim.platform.inbox.models import Appeal, Candidate, Decision, Match, Rules, Upload
from reclaim.platform.inbox.queries import has_decided, head_of, head_of_upload, rules, standing
from reclaim.platform.outcomes.queries import has_been_told
from reclaim.platform.outcomes.services import say
from reclaim.platform.subscription.models import KnownSignal
from reclaim.platform.subscription.services import locked_signals
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_event

API_ACTOR = "platform:api"
_NOTHING_SEEN = (Match.Status.LABELLED, Match.Status.NOT_CONFIRMED)
"""Matches that nobody has looked at and nobody will."""


@dataclass(frozen=True)
class Decider:
    """Who decides, undoes or changes rules."""

    name: str
    """As others on this site read it, 1 to 80 characters."""
    actor: str
    """As ``AuditEvent.actor`` has it. Two deciders with the same actor are the same person."""
    is_lead: bool = False
    """May give the second decision where two are asked for."""
    undoes: bool = False
    """May undo what others decided, and what was decided long ago."""
    decides_appeals: bool = False

    @property
    def is_member(self) -> bool:
        """Whether it is one certain person: the HTTP API and the command line are open to several."""
        return self.actor.startswith("member:")


class NotDecidedError(Exception):
    """It cannot be decided, undone or asked so; the sentence says why, and what can be done."""


class AlreadyDecidedError(NotDecidedError):
    """The match has another decision, or nothing is left to decide."""


class TwoPeopleError(NotDecidedError):
    """This one may not decide this, alone or at all; somebody else has to."""


def decide(
    match_id: uuid.UUID,
    verdict: Decision.Verdict,
    by: Decider,
    *,
    note: str = "",
    reason: Decision.Reason | None = None,
) -> Match:
    """Decide a match. Where that is final the bank is told, and why if not blocked; else it waits for a second person.

    ``blocked`` decides the other open matches of the upload too, see ``decided_together``. The same again changes
    nothing. Raises ``Match.DoesNotExist``; ``AlreadyDecidedError`` if it was decided otherwise or its signal is
    withdrawn; ``TwoPeopleError``.
    """
    with locked_signals():
        match = Match.objects.select_related("upload", "signal").get(pk=match_id)
        if match.status == verdict.value:
            return match
        if match.of_a_source and not by.is_member:
            raise TwoPeopleError("This is about a clothed original: a person looks for a fake, on the review pages.")
        if match.status == Match.Status.WITHDRAWN:
            raise AlreadyDecidedError("The signal was withdrawn, so there is nothing left to decide.")
        if match.status != Match.Status.OPEN:
            raise AlreadyDecidedError(f"There is nothing to decide about this match: it is {match.status}.")
        now_stands, needs_two = standing(match), _needs_two(match, verdict, rules())
        if _has_said(now_stands, verdict, by):
            return match
        _check_may_join(now_stands, by, needs_two=needs_two)
        now_stands.append(_note(match, None, verdict, by, note, reason))
        if not (final := _is_final(now_stands, verdict, needs_two=needs_two)):
            audit.record(by.actor, "match.propose", f"match:{match.pk}")
        else:
            _conclude(match, verdict, by)
            audit.record(by.actor, f"match.{verdict.value}", f"match:{match.pk}")
    log_event("a match was decided" if final else "a match waits for a second person", decision=verdict.value)
    match.refresh_from_db()
    return match


def _needs_two(match: Match, verdict: Decision.Verdict, now: Rules) -> bool:
    if verdict is Decision.Verdict.BLOCKED:
        return now.two_to_block
    return now.two_to_let_through == Rules.Second.ALWAYS or (
        now.two_to_let_through == Rules.Second.CLOSE and match.is_close
    )


def _has_said(decisions: Sequence[Decision], verdict: Decision.Verdict, by: Decider) -> bool:
    """Whether somebody has said the same already. Raises ``AlreadyDecidedError`` if it was the opposite."""
    own = next((each for each in decisions if each.actor == by.actor), None)
    if own is not None and own.verdict != verdict.value:
        raise AlreadyDecidedError("You decided otherwise. Take that back first, if you see it differently now.")
    return own is not None


def _check_may_join(decisions: Sequence[Decision], by: Decider, *, needs_two: bool) -> None:
    if not by.is_member and (needs_two or decisions):
        raise TwoPeopleError("Two people decide this, each with an account of their own, on the review pages.")
    disagree = len({each.verdict for each in decisions}) > 1
    if decisions and not by.is_lead and (disagree or not any(each.by_lead for each in decisions)):
        raise TwoPeopleError("Somebody has decided already, and a lead has to give the second decision.")


def _is_final(decisions: Sequence[Decision], verdict: Decision.Verdict, *, needs_two: bool) -> bool:
    agree = [each for each in decisions if each.verdict == verdict.value]
    if len(agree) == len(decisions) and not needs_two:
        return True
    return len({each.actor for each in agree}) >= 2 and any(each.by_lead for each in agree)


def _note(
    match: Match,
    appeal: Appeal | None,
    verdict: Decision.Verdict,
    by: Decider,
    note: str,
    reason: Decision.Reason | None,
) -> Decision:
    why = "" if verdict is Decision.Verdict.BLOCKED or reason is None else reason.value
    return Decision.objects.create(
        match=match,
        appeal=appeal,
        verdict=verdict,
        reviewer=by.name,
        actor=by.actor,
        by_lead=by.is_lead,
        note=note,
        reason=why,
    )


def _conclude(match: Match, verdict: Decision.Verdict, by: Decider) -> None:
    now = timezone.now()
    decided = [match]
    if verdict is Decision.Verdict.BLOCKED:
        others = decided_together(match)
        for other in others:
            other.together = match
        decided += others
    match.upload.candidates.filter(signal__in=[each.signal_id for each in decided]).delete()
    for each in decided:
        each.status, each.decided_at = Match.Status(verdict.value), now
        each.save(update_fields=["status", "decided_at", "together"])
    # Whoever decided by the API or the command line has done so in a machine's way: no slip of a key to wait for. And
    # what was public all along is not hidden because somebody lets it through.
    stays_public = match.upload.status == Upload.Status.CLEAR and verdict is Decision.Verdict.NOT_BLOCKED
    wait = datetime.timedelta(minutes=rules().answer_after_minutes) if by.is_member and not stays_public else None
    match.upload.answer_from = now + wait if wait else None
    if not stays_public:
        match.upload.carried_out_at = None
    settle(match.upload)
    tell_bank(each.signal_id for each in decided)


def decided_together(match: Match) -> list[Match]:
    """The other matches that are blocked with this one. Where it is not certain that the same picture was meant, or
    what matters is whether the upload is a fake, each is decided by itself."""
    if match.of_a_source:
        return []
    rows = match.upload.matches.filter(status=Match.Status.OPEN, of_a_source=False, unchecked=False)
    return list(rows.exclude(pk=match.pk))


def undo(match_id: uuid.UUID, by: Decider, *, why: str = "") -> Match:
    """Take a decision back: the match is open again, its upload held, and the bank told so.

    One's own can be taken back while it waits for a second person, and for ``Rules.undo_minutes`` after it became
    final, until it was carried out; a lead can undo any for ``Rules.appeal_days``, and says why. Raises
    ``Match.DoesNotExist``, ``NotDecidedError``.
    """
    with locked_signals():
        match = head_of(Match.objects.select_related("upload", "together__upload").get(pk=match_id))
        stands = standing(match)
        own = [each for each in stands if each.actor == by.actor]
        if match.status == Match.Status.OPEN:
            if not own:
                raise NotDecidedError("Nothing of yours stands here that could be taken back.")
            _mark_undone(own, by, why)
        else:
            alone = bool(own) and can_undo_alone(match, timezone.now())
            _check_can_undo(match, by, why, alone=alone)
            _mark_undone(own if alone else stands, by, why)
            _reopen(match)
        audit.record(by.actor, "decision.undo", f"match:{match.pk}")
    log_event("a decision was undone")
    match.refresh_from_db()
    return match


def can_undo_alone(match: Match, now: datetime.datetime) -> bool:
    """Whether whoever decided this may still take it back by themselves."""
    if match.decided_at is None:
        return True
    within = now <= match.decided_at + datetime.timedelta(minutes=rules().undo_minutes)
    return within and match.upload.carried_out_at is None


def can_lead_undo(match: Match, now: datetime.datetime) -> bool:
    """Whether a lead may still undo this, with a reason."""
    if match.decided_at is None:
        return False
    return now <= match.decided_at + datetime.timedelta(days=rules().appeal_days, minutes=rules().undo_minutes)


def why_final(match: Match) -> str:
    """Why what was decided about a match can be undone by nobody, as a sentence; empty if it can."""
    if match.status in _NOTHING_SEEN:
        return "Nobody has decided about this, so there is nothing to undo."
    if match.status == Match.Status.WITHDRAWN or not _with_signal(match):
        return "The reported picture was withdrawn, so there is nothing left to decide."
    if match.upload.appeals.filter(Q(status=Appeal.Status.OPEN) | Q(decided_at__gte=match.decided_at)).exists():
        return "The uploader has asked again about this upload; what is decided about that counts."
    return ""


def _check_can_undo(match: Match, by: Decider, why: str, *, alone: bool) -> None:
    if final := why_final(match):
        raise NotDecidedError(final)
    if alone:
        return
    if not by.undoes:
        raise NotDecidedError("The time to take this back is over. A lead can still undo it, with a reason.")
    if not can_lead_undo(match, timezone.now()):
        raise NotDecidedError("The time to undo this is over.")
    if not why.strip():
        raise NotDecidedError("Say why: what is undone so late needs a reason.")


def _with_signal(match: Match) -> list[Match]:
    """Of a match and those decided with it, the ones whose signal is still there."""
    return [each for each in (match, *match.followers.all()) if each.signal_id is not None]


def _mark_undone(decisions: Sequence[Decision], by: Decider, why: str) -> None:
    for each in decisions:
        each.undone_at, each.undone_by, each.undone_why = timezone.now(), by.name, why
        each.save(update_fields=["undone_at", "undone_by", "undone_why"])


def _reopen(match: Match) -> None:
    again = [match, *match.followers.all()]
    for each in again:
        each.status = Match.Status.OPEN if each.signal_id is not None else Match.Status.WITHDRAWN
        each.decided_at, each.together = None, None
        each.save(update_fields=["status", "decided_at", "together"])
    match.upload.answer_from = match.upload.carried_out_at = None
    settle(match.upload)
    tell_bank(each.signal_id for each in again)


def make_appeal(upload_id: uuid.UUID, text: str, actor: str) -> Appeal:
    """The uploader asks again; the same words again are the same appeal. Raises ``NotDecidedError``."""
    with locked_signals():
        upload = Upload.objects.get(pk=upload_id)
        last = upload.appeals.order_by("-received_at", "-pk").first()
        if last is not None and last.text == text and last.status == Appeal.Status.OPEN:
            return last
        head = head_of_upload(upload)
        if upload.status != Upload.Status.BLOCKED or head is None or head.decided_at is None:
            raise NotDecidedError("Only what is blocked can be asked about again.")
        if last is not None and (last.decided_at is None or last.decided_at >= head.decided_at):
            raise NotDecidedError("It was asked about already. Read the answer, or wait for it.")
        if timezone.now() > head.decided_at + datetime.timedelta(days=rules().appeal_days):
            raise NotDecidedError(f"It can be asked about for {rules().appeal_days} days, and they are over.")
        appeal = Appeal.objects.create(upload=upload, text=text)
        audit.record(actor, "appeal.make", f"appeal:{appeal.pk}")
    log_event("an uploader asks again")
    return appeal


def decide_appeal(
    appeal_id: uuid.UUID,
    verdict: Decision.Verdict,
    by: Decider,
    *,
    answer: str,
    note: str = "",
    reason: Decision.Reason | None = None,
) -> Appeal:
    """Uphold (``blocked``) or overturn (``not-blocked``) what was decided; ``answer`` is what the uploader is told.

    Raises ``Appeal.DoesNotExist``; ``AlreadyDecidedError``; ``TwoPeopleError`` for whoever decided about the upload
    before, and for whoever decides no appeals. Where two have to agree, the answer of the last one is given.
    """
    with locked_signals():
        appeal = Appeal.objects.select_related("upload").get(pk=appeal_id)
        head = head_of_upload(appeal.upload)
        if appeal.status != Appeal.Status.OPEN or head is None:
            raise AlreadyDecidedError("This was answered already.")
        if not by.is_member or not by.decides_appeals or has_decided(appeal.upload, by.actor):
            raise TwoPeopleError("Somebody else has to decide this, who did not decide about the upload before.")
        stands = list(appeal.decisions.filter(undone_at=None).order_by("pk"))
        if _has_said(stands, verdict, by):
            return appeal
        stands.append(_note(head, appeal, verdict, by, note, reason))
        audit.record(by.actor, f"appeal.{verdict.value}", f"appeal:{appeal.pk}")
        if _is_final(stands, verdict, needs_two=rules().two_for_appeals):
            _answer(appeal, head, verdict, answer)
    log_event("an appeal was decided", status=appeal.status)
    return appeal


def _answer(appeal: Appeal, head: Match, verdict: Decision.Verdict, answer: str) -> None:
    upheld = verdict is Decision.Verdict.BLOCKED
    appeal.status = Appeal.Status.UPHELD if upheld else Appeal.Status.OVERTURNED
    appeal.answer, appeal.decided_at = answer, timezone.now()
    appeal.save(update_fields=["status", "answer", "decided_at"])
    if not upheld:
        overturned = list(appeal.upload.matches.filter(status=Match.Status.BLOCKED))
        for each in overturned:
            each.status, each.decided_at = Match.Status.NOT_BLOCKED, appeal.decided_at
            each.save(update_fields=["status", "decided_at"])
        appeal.upload.answer_from = appeal.upload.carried_out_at = None
        settle(appeal.upload)
        tell_bank(each.signal_id for each in overturned)
    elif not _with_signal(head):
        settle(appeal.upload)


def note_carried_out(upload_id: uuid.UUID, actor: str) -> Upload:
    """The platform's own systems have done for good what was decided. Raises ``NotDecidedError`` while it is held."""
    with locked_signals():
        upload = Upload.objects.get(pk=upload_id)
        if answer_of(upload, timezone.now()) == Upload.Status.HELD:
            raise NotDecidedError("This upload is held: there is nothing to carry out yet.")
        if upload.carried_out_at is None:
            upload.carried_out_at = timezone.now()
            upload.save(update_fields=["carried_out_at"])
            audit.record(actor, "upload.carry_out", f"upload:{upload.pk}")
    return upload


def answer_of(upload: Upload, now: datetime.datetime) -> Upload.Status:
    """What the platform's own systems are told of an upload."""
    if upload.answer_from is not None and now < upload.answer_from:
        return Upload.Status.HELD
    return Upload.Status(upload.status)


def change_rules(new: Rules, by: Decider) -> None:
    """Set the rules. What waits for a second person goes on waiting under the new ones."""
    with transaction.atomic():
        new.pk = 1
        new.full_clean()
        new.save()
        audit.record(by.actor, "rules.change", "rules:review")


def close_withdrawn(signals: Sequence[KnownSignal]) -> None:
    """Close what waits for a decision about these signals, which are about to go, and delete copies that show no other
    reported picture. Call it under ``locked_signals``."""
    gone = {signal.pk for signal in signals}
    about = Q(matches__signal__in=gone) | Q(candidates__signal__in=gone)
    uploads = list(Upload.objects.filter(about).distinct())
    Candidate.objects.filter(signal__in=gone).delete()
    undecided = (Match.Status.OPEN, Match.Status.LABELLED)
    Match.objects.filter(signal__in=gone, status__in=undecided).update(status=Match.Status.WITHDRAWN)
    for upload in uploads:
        settle(upload, gone)


def settle(upload: Upload, gone: Collection[int] = ()) -> None:
    """Give an upload the answer that its matches make, and its copies their end; ``gone`` are signals about to go."""
    matches = list(upload.matches.all())
    waits = [each for each in matches if each.status == Match.Status.OPEN]
    asked = upload.candidates.exists()
    if any(each.status == Match.Status.BLOCKED for each in matches):
        upload.status = Upload.Status.BLOCKED
    else:
        upload.status = Upload.Status.HELD if any(each.holds for each in waits) else Upload.Status.CLEAR
    known = [each for each in matches if each.status not in _NOTHING_SEEN]
    kept = not all(each.signal_id is None or each.signal_id in gone for each in known)
    upload.copy_until = None if waits or asked else _end_of_copy(upload, matches, kept=kept)
    if not matches and not asked:
        # It only looked as if it matched: no more is kept of it than of any other upload.
        upload.sha256, upload.width, upload.height, upload.moments = "", None, None, []
    upload.save()
    if not waits and not asked and not kept:
        transaction.on_commit(partial(pictures.delete, upload.pk))


def _end_of_copy(upload: Upload, matches: Iterable[Match], *, kept: bool) -> datetime.datetime:
    decided = [each.decided_at for each in matches if each.decided_at is not None]
    if not kept or not decided:
        return timezone.now()
    now = rules()
    days = now.appeal_days if upload.status == Upload.Status.BLOCKED else 0
    return max(decided) + max(datetime.timedelta(days=days), datetime.timedelta(minutes=now.undo_minutes))


def tell_bank(signals: Iterable[int | None]) -> None:
    """Let the bank know where each of these signals stands, over all its matches here.

    The strongest word counts: the person whose picture was removed once must not read «is being looked at» because
    somebody uploaded it again.
    """
    for signal in signals:
        if signal is None:
            continue
        matches = Match.objects.filter(signal=signal).exclude(status__in=_NOTHING_SEEN)
        if not has_been_told(signal):
            # Of what may be another picture nothing is said before the bank, or a person, has said that it is not.
            matches = matches.exclude(status=Match.Status.OPEN, unchecked=True)
        stand = set(matches.values_list("status", flat=True))
        if not stand:
            continue
        about = matches.aggregate(distance=Min("distance"), count=Count("upload", distinct=True))
        if Match.Status.BLOCKED in stand:
            say(signal, "blocked", measure="removed", **about)
        elif Match.Status.OPEN in stand:
            # Held uploads are shown to nobody until a person has decided.
            hidden = matches.filter(status=Match.Status.OPEN, holds=True).exists()
            say(signal, "pending", measure="hidden" if hidden else "none", by_machine=True, **about)
        else:
            say(signal, "not-blocked", measure="none", reason=_reason(signal), **about)


def _reason(signal: int) -> str:
    """Why matches of this signal were not blocked; the latest decision's alone."""
    about = Q(match__signal=signal) | Q(match__followers__signal=signal)
    let_through = Decision.objects.filter(about, verdict=Decision.Verdict.NOT_BLOCKED, undone_at=None)
    last = let_through.order_by("-pk").first()
    return last.reason if last else ""
