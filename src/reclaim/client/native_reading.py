"""Reading what a bank answers on version 2: strict about what steers the fetch, forgiving about a single record.

One record that cannot be read must not keep a platform from all the others, so it is counted and left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from reclaim.client.changes import Change, ExtraType, Kind
from reclaim.client.connection import json_object
from reclaim.client.errors import BankMisbehaved
from reclaim.protocol import native_v2 as wire
from reclaim.protocol.stopncii_v1 import SignalType
from reclaim.signals import frames_text, is_degenerate, parse_frames, parse_md5, parse_pdq, vpdq_value
from reclaim.signals.descriptors import name_of, parse_descriptors, parse_name
from reclaim.signals.frames import parse_vpdq

Message = TypeVar("Message", bound=BaseModel)

TYPES: dict[str, Kind] = {
    "pdq": SignalType.IMAGE_PDQ,
    "md5": SignalType.VIDEO_MD5,
    "vpdq": SignalType.VIDEO_VPDQ,
    "descriptors": ExtraType.DESCRIPTORS,
    "source": ExtraType.SOURCE,
}
NAMES: dict[Kind, wire.AnyType] = {
    SignalType.IMAGE_PDQ: "pdq",
    SignalType.VIDEO_MD5: "md5",
    SignalType.VIDEO_VPDQ: "vpdq",
    ExtraType.DESCRIPTORS: "descriptors",
    ExtraType.SOURCE: "source",
}


@dataclass(frozen=True)
class NativePage:
    """One page of the feed, as far as it could be read."""

    changes: list[Change]
    skipped: int
    """How many records could not be read."""
    cursor: str
    """To be stored with the page."""
    has_more: bool


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; raises ``BankMisbehaved``."""
    return json_object(body, "Check its address, and that no proxy answers in its place.")


def read_message(model: type[Message], body: bytes, what: str) -> Message:
    """A message of the bank's; ``what`` names it in the ``BankMisbehaved`` that is raised if it is none."""
    return read_fields(model, read_object(body), what)


def read_fields(model: type[Message], fields: dict[str, Any], what: str) -> Message:
    """The same, from what JSON was made of."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        faults = sorted({str(fault["loc"][0]) for fault in error.errors() if fault["loc"]} & set(model.model_fields))
    # Raised out here so that no error that quotes the body hangs on to it.
    raise BankMisbehaved(f"The bank's {what} breaks the contract ({', '.join(faults)}). Tell the bank's operator.")


def read_signals(body: bytes, *, extra: bool = False) -> NativePage:
    """A page of the feed, or of that of the extra types: what belongs in the other one is left out.

    Raises ``BankMisbehaved`` if what steers the fetch is wrong.
    """
    message = read_object(body)
    raw, cursor, more = message.get("records"), message.get("cursor"), message.get("has_more")
    if not isinstance(raw, list):
        raise _broken("records is not a list")
    if not (isinstance(cursor, str) and 0 < len(cursor) <= wire.LARGEST_CURSOR and cursor.isascii()):
        raise _broken("cursor is not a short text")
    if type(more) is not bool:
        raise _broken("has_more is neither true nor false")
    if len(raw) > wire.LARGEST_PAGE:
        raise _broken("it has more records than any page may have")
    changes = [change for change in _changes(raw) if isinstance(change.type, ExtraType) == extra]
    return NativePage(changes, len(raw) - len(changes), cursor, more)


def _broken(fault: str) -> BankMisbehaved:
    return BankMisbehaved(
        f"The bank's page breaks the contract: {fault}. Nothing of it was stored; tell the bank's operator."
    )


def _changes(raw: list[Any]) -> Iterator[Change]:
    for entry in raw:
        try:
            yield _change(wire.Record.model_validate(_forgiven(entry)))
        except ValueError:
            continue


def _forgiven(entry: Any) -> Any:
    """The entry without what a platform can do without, where that is not as it should be."""
    if not isinstance(entry, dict):
        return entry
    mended = {**entry}
    for name in ("labels", "provenance"):
        mended[name] = _texts(entry.get(name))
    if not _is_whole(entry.get("quality"), 100):
        mended["quality"] = None
    if not _is_whole(entry.get("trust"), 100):
        mended["trust"] = 0
        # Whoever does not say how far a signal can be trusted is not believed that it may be acted on.
        mended["action"] = "review"
    decisions = entry.get("decisions")
    counts = decisions if isinstance(decisions, dict) else {}
    mended["decisions"] = {
        name: counts[name] if _is_whole(counts.get(name), 2**31) else 0 for name in ("blocked", "not_blocked")
    }
    return mended


def _texts(given: Any) -> list[str]:
    return [text for text in given if isinstance(text, str)][:20] if isinstance(given, list) else []


def _is_whole(number: Any, most: int) -> bool:
    return type(number) is int and 0 <= number <= most


def _change(record: wire.Record) -> Change:
    """Raises ``ValueError``."""
    kind = TYPES[record.type]
    gone = record.status == "withdrawn"
    value, frames = checked(kind, record.value, None if gone else record.frames)
    descriptors = _descriptors(value, record.descriptors) if kind is ExtraType.DESCRIPTORS and not gone else None
    return Change(
        kind,
        value,
        withdrawn=gone,
        owed=gone and record.because is None,
        acknowledge_by=int(record.acknowledge_by.timestamp()) if gone and record.acknowledge_by else None,
        frames=frames,
        descriptors=descriptors,
        labels=record.labels,
        quality=record.quality,
        provenance=record.provenance,
        trust=record.trust,
        # Of extra types always, whatever a bank says.
        review_only=record.action == "review" or isinstance(kind, ExtraType),
        blocked=record.decisions.blocked,
        not_blocked=record.decisions.not_blocked,
    )


def _descriptors(name: str, text: str | None) -> bytes:
    """The bytes that the value names. Raises ``ValueError``."""
    values = parse_descriptors(text or "")
    if name_of(values) != name:
        raise ValueError("These descriptors are not those that the value names.")
    return values.tobytes()


def checked(kind: Kind, value: str, frames: list[str] | None) -> tuple[str, list[str] | None]:
    """A signal's value and frames as they are stored; ``None`` where frames are not wanted. Raises ``ValueError``."""
    if kind is ExtraType.DESCRIPTORS:
        return parse_name(value), None
    if kind in (SignalType.IMAGE_PDQ, ExtraType.SOURCE):
        parsed = parse_pdq(value)
        if is_degenerate(parsed):
            raise ValueError("No real picture gives this value; it would match what nobody reported.")
        return parsed, None
    if kind is SignalType.VIDEO_MD5:
        return parse_md5(value), None
    name = parse_vpdq(value)
    if frames is None:
        return name, None
    parsed_frames = parse_frames(frames)
    if vpdq_value(parsed_frames) != name:
        raise ValueError("These frames are not those that the value names.")
    return name, frames_text(parsed_frames)
