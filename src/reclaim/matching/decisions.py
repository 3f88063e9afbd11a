"""One call from a picture, or from a signal, to a decision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from reclaim.index import CODE_BYTES, FrameIndex, ManyHits
from reclaim.index.codes import Codes, Ids
from reclaim.matching.candidates import DescriptorIndex
from reclaim.matching.nearest import at_nearest_turn
from reclaim.matching.policy import Action, Policy, most_urgent
from reclaim.matching.review_only import NO_REVIEW_ONLY, ReviewOnly
from reclaim.signals import Pdq, SignalError, md5_of
from reclaim.signals.sources import read_bytes
from reclaim.signals.turned import Turned, turned_pdq
from reclaim.signals.values import SignalType

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
    """PDQ values of source photographs."""
    descriptors: DescriptorIndex | None = None
    of_a_source: ReviewOnly = NO_REVIEW_ONLY
    """Which of the descriptors are of source photographs."""


class Found(BaseModel):
    """A signal that was found."""

    model_config = ConfigDict(frozen=True)

    type: SignalType
    id: int
    """What the index knows it by; on a platform the primary key of its ``KnownSignal``."""
    value: str
    """The signal as the bank has it, in lowercase hexadecimal."""
    distance: int
    """Bits, smallest over the eight turns; 0 for an MD5."""
    turn: str | None = None
    """The turn of the picture at that distance; ``original`` is the picture as it lies. None for a bare signal."""
    quality: int | None = None
    """PDQ quality, 0 to 100, of what was looked up at that turn, where it is known."""
    review_only: bool = False
    """The bank says that a person has to look: this match asks for no more than a review."""
    action: Action
    """What this match alone asks for."""


class _Near(NamedTuple):
    """A signal that was found, before its value is fetched."""

    id: int
    distance: int
    turn: str | None
    quality: int | None
    poor: bool


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
    searched: list[SignalType]
    """The kinds of signals that were looked for."""
    matches: list[Found]
    """Nearest first, each signal once."""
    more: bool = False
    """There were more matches than are named here."""


def decide(picture: bytes | Path, indexes: Indexes, policy: Policy = DEFAULT_POLICY) -> Decision:
    """Look a picture up by its bytes or path: as a file, and by its looks in all eight turns.

    Raises what ``reclaim.signals.read_luma`` raises, unless the file is a known one: that is found even where nobody
    can decode it. The picture is decoded in this process; ``reclaim.signals.turned.turned_crew`` does so elsewhere.
    """
    data = read_bytes(picture)
    md5 = md5_of(data)
    try:
        turned: Turned | SignalError = turned_pdq(data)
    except SignalError as error:
        turned = error
    return decide_on_signals(md5, turned, indexes, policy)


def decide_on_signals(
    md5: str, turned: Turned | SignalError, indexes: Indexes, policy: Policy = DEFAULT_POLICY
) -> Decision:
    """As ``decide``, from signals made before. A picture's error is raised, unless the file is a known one."""
    files = files_of(md5, indexes.md5, policy, indexes.review_only)
    if isinstance(turned, SignalError):
        if not files:
            raise turned
        return _decision(files, ["md5"], None, poor=True, policy=policy)
    # Compared with None: an index with nothing in it is false, and is searched all the same.
    searched: list[SignalType] = [] if indexes.pdq is None else ["pdq"]
    searched += [] if indexes.md5 is None else ["md5"]
    near = [] if indexes.pdq is None else _nearest(turned, indexes.pdq, policy, indexes.review_only)
    upright = turned["original"]
    return _decision([*files, *near], searched, upright.quality, poor=upright.poor, policy=policy)


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
    near = [_Near(id_, distance, None, quality, poor) for id_, distance in pairs]
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


def _nearest(turned: Turned, index: NearIndex, policy: Policy, review_only: ReviewOnly) -> list[Found]:
    """Each signal that any turn comes near to, at its nearest."""
    codes = np.frombuffer(bytes.fromhex("".join(pdq.value for pdq in turned.values())), np.uint8)
    hits = index.query_many(codes.reshape(-1, CODE_BYTES), policy.review_distance)
    turns = np.repeat(np.arange(len(turned)), np.diff(hits.starts))
    named = list(turned.items())
    most = policy.max_matches + 1
    found = list(at_nearest_turn(hits.ids, hits.distances, turns, most))
    if len(found) == most and review_only.mask(np.array([id_ for id_, _, _ in found], np.int64)).all():
        # As in _counted.
        others = ~review_only.mask(hits.ids)
        found[-1:] = list(at_nearest_turn(hits.ids[others], hits.distances[others], turns[others], 1)) or found[-1:]
    near = []
    for id_, distance, at in found:
        turn, pdq = named[at]
        near.append(_Near(id_, distance, turn, pdq.quality, pdq.poor))
    return _named(near, index, policy, review_only)


def _named(nearest: Iterable[_Near], index: NearIndex, policy: Policy, review_only: ReviewOnly) -> list[Found]:
    found = []
    for near in nearest:
        try:
            value = index.code_of(near.id).hex()
        except KeyError:  # withdrawn since it was found
            continue
        action = policy.action_at(near.distance, poor=near.poor)
        asked = near.id in review_only
        found.append(
            Found(
                type="pdq",
                id=near.id,
                value=value,
                distance=near.distance,
                turn=near.turn,
                quality=near.quality,
                review_only=asked,
                action=policy.for_review_only(action) if asked else action,
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
        action = policy.for_review_only(policy.exact_file) if asked else policy.exact_file
        found.append(Found(type="md5", id=id_, value=md5, distance=0, review_only=asked, action=action))
    return found


def _decision(
    found: list[Found], searched: list[SignalType], quality: int | None, *, poor: bool, policy: Policy
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
    if any(match.type == "md5" for match in found):
        why = "This is a known file, byte for byte."
    else:
        why = f"The nearest known picture is {found[0].distance} of 256 bits away."
        if poor:
            why += " The picture has too little detail for that to say much."
    what = {
        Action.NONE: "By this policy nothing is to be done.",
        Action.REVIEW: "Let a person look at it.",
        Action.HOLD: "Keep it back until a person has decided.",
    }
    return f"{why} {what[action]}"
