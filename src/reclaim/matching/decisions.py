"""One call from a picture, or from a signal, to a decision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from reclaim.index import CODE_BYTES, FrameIndex, ManyHits
from reclaim.index.codes import Codes, Ids
from reclaim.matching.candidates import DescriptorIndex
from reclaim.matching.nearest import nearest
from reclaim.matching.pictures import look_up, relation_of
from reclaim.matching.policy import Action, Policy, at_most_review, most_urgent
from reclaim.matching.relation import Relation
from reclaim.matching.review_only import NO_REVIEW_ONLY, ReviewOnly
from reclaim.signals import Pdq, SignalError, md5_of
from reclaim.signals.sources import read_bytes
from reclaim.signals.values import MATCH_DISTANCE
from reclaim.signals.views import Views, read_views

FoundType = Literal["pdq", "md5", "source", "descriptors"]

DEFAULT_POLICY = Policy()


class NearIndex(Protocol):
    """Where PDQ values are looked up: a ``StoredIndex``."""

    def query_many(self, codes: Codes, radius: int) -> ManyHits:
        """See ``HammingIndex.query_many``."""
        ...

    def code_of(self, id_: int) -> bytes:
        """The 32 bytes under an id. Raises ``KeyError`` where there is none."""
        ...


class FileIndex(Protocol):
    """Where MD5 values are looked up: an ``ExactIndex``."""

    def query(self, digest: bytes) -> Ids:
        """See ``ExactIndex.query``."""
        ...


@dataclass(frozen=True, slots=True)
class Indexes:
    """What is searched. A kind of signal that has no index is not searched, and the decision says so."""

    pdq: NearIndex | None = None
    md5: FileIndex | None = None
    video: FrameIndex | None = None
    review_only: ReviewOnly = NO_REVIEW_ONLY
    """Signals, by their ids, that are only to be looked at by a person: they never hold."""
    source: NearIndex | None = None
    """PDQ values of source photographs: searched only where the policy takes them."""
    descriptors: DescriptorIndex | None = None
    """What ``by_parts`` looks in; what that finds joins a decision by ``joined``, once the bank has said yes."""
    of_a_source: ReviewOnly = NO_REVIEW_ONLY
    """Which of the descriptors are of source photographs."""


class Found(BaseModel):
    """A signal that was found."""

    model_config = ConfigDict(frozen=True)

    type: FoundType
    id: int
    """What the index knows it by; on a platform the primary key of its ``KnownSignal``."""
    value: str
    """The signal as the bank has it, in lowercase hexadecimal."""
    distance: int
    """Bits, smallest over the views and their turns; 0 for an MD5, and for what was found by its descriptors."""
    relation: Relation | None = None
    """How the upload relates to the known picture; None for a file, and where only a bare signal was looked up."""
    quality: int | None = None
    """PDQ quality, 0 to 100, of the view that was looked up, where it is known."""
    review_only: bool = False
    """The bank says that a person has to look: this match asks for no more than a review."""
    action: Action
    """What this match alone asks for."""


class _Near(NamedTuple):
    """A signal that was found, before its value is fetched."""

    id: int
    distance: int
    relation: Relation | None
    quality: int | None
    poor: bool
    plain: bool


class Decision(BaseModel):
    """What to do, and why."""

    model_config = ConfigDict(frozen=True)

    action: Action
    reason: str
    """One sentence for the person who looks."""
    poor_quality: bool
    """The picture has too little detail for its distances, or for there being no match, to say much."""
    quality: int | None = None
    """PDQ quality of what was looked up, 0 to 100; None where there is no PDQ or nobody said."""
    searched: list[FoundType]
    """The kinds of signals that were looked for."""
    matches: list[Found]
    """Files, then what may hold, then nearest first; each signal once."""
    more: bool = False
    """There were more matches than are named here."""


def decide(picture: bytes | Path, indexes: Indexes, policy: Policy = DEFAULT_POLICY) -> Decision:
    """Look a picture up by its bytes or path: as a file, and by its looks in all its views and their turns.

    Raises what ``reclaim.signals.read_luma`` raises, unless the file is a known one: that is found even where nobody
    can decode it. The picture is decoded in this process; ``reclaim.signals.views.views_crew`` does so elsewhere.
    """
    data = read_bytes(picture)
    md5 = md5_of(data)
    try:
        views: Views | SignalError = read_views(data)
    except SignalError as error:
        views = error
    return decide_on_signals(md5, views, indexes, policy)


def decide_on_signals(
    md5: str, views: Views | SignalError, indexes: Indexes, policy: Policy = DEFAULT_POLICY
) -> Decision:
    """As ``decide``, from signals made before. A picture's error is raised, unless the file is a known one.

    What is found by descriptors needs the bank's word first, and joins the decision afterwards: ``joined``.
    """
    files = files_of(md5, indexes.md5, policy, indexes.review_only)
    if isinstance(views, SignalError):
        if not files:
            raise views
        return _decision(files, ["md5"], None, poor=True, policy=policy)
    views = views if policy.views else views.whole()
    found = list(files)
    # Compared with None: an index with nothing in it is false, and is searched all the same.
    searched: list[FoundType] = []
    if indexes.pdq is not None:
        searched.append("pdq")
        found += _nearest(views, indexes.pdq, policy, indexes.review_only)
    if indexes.md5 is not None:
        searched.append("md5")
    if indexes.source is not None and policy.takes_sources:
        searched.append("source")
        found += _sources(views, indexes.source, policy, indexes.review_only)
    original = views.original
    return _decision(found, searched, original.quality, poor=original.poor, policy=policy)


def found_by_parts(id_: int, value: str, relation: Relation, policy: Policy = DEFAULT_POLICY) -> Found:
    """A known picture that the upload shows by its descriptors, after the bank has said how; ``value`` names these."""
    action = policy.action_on_parts(partly_altered=relation.partly_altered)
    return Found(type="descriptors", id=id_, value=value, distance=0, relation=relation, action=action)


def joined(decision: Decision, found: Sequence[Found], policy: Policy = DEFAULT_POLICY) -> Decision:
    """The decision with what was found besides, by descriptors, after what it names already."""
    searched = decision.searched if "descriptors" in decision.searched else [*decision.searched, "descriptors"]
    whole = _decision(
        [*decision.matches, *found], searched, decision.quality, poor=decision.poor_quality, policy=policy
    )
    # Of matches that are not named any more, the earlier decision knew.
    return whole.model_copy(
        update={"action": most_urgent(decision.action, whole.action), "more": decision.more or whole.more}
    )


def decide_on_md5(
    md5: str, index: FileIndex, policy: Policy = DEFAULT_POLICY, *, review_only: ReviewOnly = NO_REVIEW_ONLY
) -> Decision:
    """Look up one MD5 (32 lowercase hexadecimal characters)."""
    return _decision(files_of(md5, index, policy, review_only), ["md5"], None, poor=False, policy=policy)


def decide_on_pdq(
    value: str,
    quality: int | None,
    index: NearIndex,
    policy: Policy = DEFAULT_POLICY,
    *,
    review_only: ReviewOnly = NO_REVIEW_ONLY,
) -> Decision:
    """Look up one PDQ value (64 lowercase hexadecimal characters) as it lies, with its quality where it is known."""
    code = np.frombuffer(bytes.fromhex(value), np.uint8).reshape(1, CODE_BYTES)
    return _of_hits(value, quality, index.query_many(code, policy.review_distance), 0, index, policy, review_only)


def decide_on_codes(
    codes: Codes,
    qualities: Sequence[int | None] | None,
    index: NearIndex,
    policy: Policy = DEFAULT_POLICY,
    *,
    review_only: ReviewOnly = NO_REVIEW_ONLY,
) -> dict[int, Decision]:
    """Look up many PDQ values as they lie, shape (n, 32), with their qualities where they are known.

    Returns the decisions on those that match, by position; nothing was found for the others. Equal values of equal
    quality are looked up once, and share a decision.
    """
    raw = codes.tobytes()
    values = [raw[start : start + CODE_BYTES] for start in range(0, len(raw), CODE_BYTES)]
    places: dict[tuple[bytes, int | None], int] = {}
    asked = zip(values, repeat(None) if qualities is None else qualities, strict=qualities is not None)
    which = [places.setdefault(each, len(places)) for each in asked]
    distinct = np.frombuffer(b"".join(value for value, _ in places), np.uint8).reshape(-1, CODE_BYTES)
    hits = index.query_many(distinct, policy.review_distance)
    named = list(places)
    decisions: dict[int, Decision] = {}
    for place in np.flatnonzero(np.diff(hits.starts)).tolist():
        value, quality = named[place]
        decision = _of_hits(value.hex(), quality, hits, place, index, policy, review_only)
        if decision.matches:
            decisions[place] = decision
    return {at: decisions[place] for at, place in enumerate(which) if place in decisions}


def _of_hits(
    value: str,
    quality: int | None,
    hits: ManyHits,
    position: int,
    index: NearIndex,
    policy: Policy,
    review_only: ReviewOnly,
) -> Decision:
    here = slice(int(hits.starts[position]), int(hits.starts[position + 1]))
    ids = hits.ids[here]
    counted = _counted(ids, policy, review_only)
    pairs = zip(ids[counted].tolist(), hits.distances[here][counted].tolist(), strict=True)
    # Where nobody says what the quality is, only what no real picture gives is poor.
    poor = Pdq(value, 100 if quality is None else quality).poor
    near = [_Near(id_, distance, None, quality, poor, plain=True) for id_, distance in pairs]
    return _decision(_named(near, index, policy, review_only), ["pdq"], quality, poor=poor, policy=policy)


def _counted(ids: Ids, policy: Policy, review_only: ReviewOnly) -> npt.NDArray[np.intp]:
    """Which of the matches, nearest first, the decision is made of: those that are named, and one more.

    Where all of these may only be reviewed, the last is the nearest that is more than that, so that no number of
    review-only signals around a picture hides one that is not.
    """
    counted = np.arange(min(len(ids), policy.max_matches + 1))
    if len(counted) < len(ids) and review_only.mask(ids[counted]).all():
        others = np.flatnonzero(~review_only.mask(ids))
        counted[-1:] = others[:1] if len(others) else counted[-1:]
    return counted


def _nearest(views: Views, index: NearIndex, policy: Policy, review_only: ReviewOnly) -> list[Found]:
    """Each signal that any view comes near to: what may hold first, else at its nearest."""
    (hits,) = look_up([views], index, policy.review_distance)
    holding = (hits.asked == 0) & (hits.distances <= policy.hold_distance)
    if len(review_only):
        holding &= ~review_only.mask(hits.ids)
    origins = list(views.origins())
    near = []
    for id_, distance, at in nearest(hits.ids, hits.distances, hits.asked, policy.max_matches + 1, first=holding):
        view, turn = origins[at]
        # The first view is the only one that may be poor.
        poor = Pdq(view.codes[:CODE_BYTES].hex(), view.quality).poor if view.kind == "whole" else False
        near.append(_Near(id_, distance, relation_of(view, turn), view.quality, poor, plain=at == 0))
    return _named(near, index, policy, review_only)


def _sources(views: Views, index: NearIndex, policy: Policy, review_only: ReviewOnly) -> list[Found]:
    """The source photographs that any view comes near to; never more than a review."""
    found = _nearest(views, index, policy.model_copy(update={"review_distance": MATCH_DISTANCE}), review_only)
    action = policy.action_on_source()
    return [each.model_copy(update={"type": "source", "action": action}) for each in found]


def _named(near: Iterable[_Near], index: NearIndex, policy: Policy, review_only: ReviewOnly) -> list[Found]:
    found = []
    for each in near:
        try:
            value = index.code_of(each.id).hex()
        except KeyError:  # withdrawn since it was found
            continue
        action = policy.action_at(each.distance, poor=each.poor, plain=each.plain)
        asked = each.id in review_only
        found.append(
            Found(
                type="pdq",
                id=each.id,
                value=value,
                distance=each.distance,
                relation=each.relation,
                quality=each.quality,
                review_only=asked,
                action=at_most_review(action) if asked else action,
            )
        )
    return found


def files_of(md5: str, index: FileIndex | None, policy: Policy, review_only: ReviewOnly) -> list[Found]:
    """The known files with this MD5."""
    if index is None:
        return []
    ids = index.query(bytes.fromhex(md5))
    found = []
    for id_ in ids[_counted(ids, policy, review_only)].tolist():
        asked = id_ in review_only
        action = at_most_review(policy.exact_file) if asked else policy.exact_file
        found.append(Found(type="md5", id=id_, value=md5, distance=0, review_only=asked, action=action))
    return found


def _decision(
    found: list[Found], searched: list[FoundType], quality: int | None, *, poor: bool, policy: Policy
) -> Decision:
    action = Action.NONE
    for match in found:
        action = most_urgent(action, match.action)
    return Decision(
        action=action,
        reason=_reason(action, found, poor) + review_only_in_words([match.review_only for match in found]),
        poor_quality=poor,
        quality=quality,
        searched=searched,
        matches=found[: policy.max_matches],
        more=len(found) > policy.max_matches,
    )


def review_only_in_words(marks: Sequence[bool]) -> str:
    """What is said besides, of matches that are review-only or not; empty where none is."""
    if not any(marks):
        return ""
    which = "this signal" if len(marks) == 1 else "these signals" if all(marks) else "some of these signals"
    return f" Of {which} the bank says that a person has to look before anything is done."


def _reason(action: Action, found: list[Found], poor: bool) -> str:
    if not found:
        return "Nothing was found." + (" The picture has too little detail for that to say much." if poor else "")
    what = {
        Action.NONE: "By this policy nothing is to be done.",
        Action.REVIEW: "Let a person look at it.",
        Action.HOLD: "Keep it back until a person has decided.",
    }
    return f"{_why(found, poor)} {what[action]}"


def _why(found: list[Found], poor: bool) -> str:
    if any(match.type == "md5" for match in found):
        return "This is a known file, byte for byte."
    first = found[0]
    relation = "" if first.relation is None or first.relation.how == "same" else f" {first.relation.sentence}"
    if first.type == "source":
        return (
            "Somebody reported the clothed original of a fake; this upload, which the platform calls adult content, "
            f"looks like it.{relation}"
        )
    if first.type == "descriptors":
        return f"It shows a known picture by its parts.{relation}"
    why = f"The nearest known picture is {first.distance} of 256 bits away.{relation}"
    return f"{why} The picture has too little detail for that to say much." if poor else why
