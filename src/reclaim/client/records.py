"""Reading a page of the feed: strict about what steers the fetch, forgiving about a single record.

One record that cannot be read must not keep a platform from all the others, so it is counted and left out. Parts of
a record that a platform can do without (who said what, the case pseudonyms) never cost the record itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from reclaim.client.changes import Change
from reclaim.client.connection import json_object
from reclaim.client.errors import BankMisbehaved
from reclaim.protocol.stopncii_v1 import REVIEW_ONLY, Feedback, FeedbackValue, HashRecord, HashStatus, SignalType
from reclaim.signals import frames_text, is_degenerate, parse_frames, parse_md5, parse_pdq, vpdq_value
from reclaim.signals.frames import parse_vpdq

Message = TypeVar("Message", bound=BaseModel)

LATEST_SECOND = 10**11
"""Later than any time in seconds, and earlier than any recent time in milliseconds."""


@dataclass(frozen=True)
class Page:
    """One page of the feed, as far as it could be read."""

    records: list[HashRecord]
    skipped: int
    """How many records could not be read."""
    next_timestamp: int
    """Where to resume once these records are stored, epoch seconds."""
    next_page_token: str | None
    """Names the next page; ``None`` on the last."""


def change_of(record: HashRecord) -> Change:
    """What a record of v1 means for the copy."""
    said = [word.feedbackValue for word in record.CSPFeedbacks]
    return Change(
        record.signalType,
        record.hashValue,
        withdrawn=record.hashStatus.is_tombstone,
        owed=record.hashStatus.is_tombstone,
        frames=record.frames,
        labels=record.labels,
        review_only=REVIEW_ONLY in record.labels,
        blocked=said.count(FeedbackValue.BLOCKED),
        not_blocked=said.count(FeedbackValue.NOT_BLOCKED),
        said=[{"source": word.source, "value": word.feedbackValue.value} for word in record.CSPFeedbacks],
    )


def read_json(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; raises ``BankMisbehaved``."""
    return json_object(
        body,
        "Check that the base address ends where the bank says, for "
        "example in /v1, and that no proxy answers in its place.",
    )


def read_page(body: bytes) -> Page:
    """The page in the body of an answer; raises ``BankMisbehaved`` if what steers the fetch is wrong."""
    message = read_json(body)
    raw, timestamp = message.get("hashRecords"), message.get("nextSetTimestamp")
    more, token = message.get("hasMoreRecords"), message.get("nextPageToken")
    if not isinstance(raw, list):
        raise _broken("hashRecords is not a list")
    if type(timestamp) is not int or timestamp < 0:
        raise _broken("nextSetTimestamp is not a whole number of seconds")
    if timestamp >= LATEST_SECOND:
        raise _broken("nextSetTimestamp is in milliseconds, not in seconds")
    if type(more) is not bool:
        raise _broken("hasMoreRecords is neither true nor false")
    if more and not (isinstance(token, str) and token):
        raise _broken("there are more records, but no nextPageToken names them")
    records = list(_read_records(raw))
    return Page(records, len(raw) - len(records), timestamp, token if more else None)


def _broken(fault: str) -> BankMisbehaved:
    return BankMisbehaved(
        f"The bank's page breaks the contract: {fault}. Nothing of it was stored; tell the bank's operator."
    )


def _read_records(raw: list[Any]) -> Iterator[HashRecord]:
    for entry in raw:
        record = _read_record(entry) if isinstance(entry, dict) else None
        if record is not None:
            yield record


def _read_record(entry: dict[str, Any]) -> HashRecord | None:
    cases = entry.get("caseNumbers")
    said = entry.get("CSPFeedbacks")
    labels = entry.get("labels")
    readable = {
        **entry,
        "caseNumbers": _known_statuses(cases) if isinstance(cases, dict) else {},
        "CSPFeedbacks": list(_read_feedback(said)) if isinstance(said, list) else [],
        "labels": [label for label in labels if isinstance(label, str)] if isinstance(labels, list) else [],
    }
    try:
        record = HashRecord.model_validate(readable)
        value = _parse_value(record.signalType, record.hashValue)
        frames = _parse_frames(record, value)
    except ValueError:
        return None
    return record.model_copy(update={"hashValue": value, "frames": frames})


def _parse_frames(record: HashRecord, value: str) -> list[str] | None:
    """The frames of an active video, which have to be those that its value names; raises ``ValueError``."""
    if record.signalType is not SignalType.VIDEO_VPDQ or record.hashStatus.is_tombstone:
        return None
    frames = parse_frames(record.frames or [])
    if vpdq_value(frames) != value:
        raise ValueError("These frames are not those that the value names.")
    return frames_text(frames)


def _known_statuses(cases: dict[str, Any]) -> dict[str, Any]:
    return {case: status for case, status in cases.items() if status in HashStatus.__members__.values()}


def _read_feedback(said: Iterable[Any]) -> Iterator[Feedback]:
    for entry in said:
        if not isinstance(entry, dict):
            continue
        tags = entry.get("tags")
        complete = {
            **entry,
            "source": entry.get("source") or "",
            "tags": [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else [],
        }
        try:
            yield Feedback.model_validate(complete)
        except ValidationError:
            continue


def _parse_value(signal_type: SignalType, value: str) -> str:
    """The value as it is stored and compared; raises ``ValueError``."""
    if signal_type is SignalType.IMAGE_PDQ:
        parsed = parse_pdq(value)
        if is_degenerate(parsed):
            raise ValueError("No real picture gives this value; it would match what nobody reported.")
        return parsed
    if signal_type is SignalType.VIDEO_MD5:
        return parse_md5(value)
    if signal_type is SignalType.VIDEO_VPDQ:
        return parse_vpdq(value)
    if not value:
        raise ValueError("A signal has a value.")
    return value


def read_answer(model: type[Message], body: bytes) -> Message:
    """The answer to a submission; raises ``BankMisbehaved``."""
    message = read_json(body)
    try:
        return model.model_validate(message)
    except ValidationError:
        pass
    # Raised out here so that no error that quotes the body hangs on to it.
    raise BankMisbehaved(
        "The bank took the submission, but its answer breaks the contract, so it is not known which entries were "
        "taken. Sending them again does no harm; tell the bank's operator."
    )
