"""The kinds of events that a case file's timeline has, each with its sentence.

Apps above register theirs when they are loaded (in ``AppConfig.ready``)::

    register("takedown.sent", "A request to {to} was sent.")

What a sentence names comes from the event's facts, which are never anybody's own words.
"""

from __future__ import annotations

from reclaim.bank.casework.models import Event

_SENTENCES: dict[str, str] = {}
_LONGEST_KIND = 40


def register(kind: str, sentence: str) -> None:
    """Add a kind of event. Raises ``ValueError`` for one that is there with another sentence, or too long a name."""
    if len(kind) > _LONGEST_KIND or _SENTENCES.setdefault(kind, sentence) != sentence:
        raise ValueError(f"«{kind}» is no name for a new kind of event.")


def is_known(kind: str) -> bool:
    """Whether a kind was registered."""
    return kind in _SENTENCES


def sentence(event: Event) -> str:
    """What happened, for practitioners. An event of an app that is gone says its kind."""
    known = _SENTENCES.get(event.kind)
    if known is None:
        return event.kind
    try:
        return known.format_map({name: str(value) for name, value in event.facts.items()})
    except KeyError:
        # Written by a version whose sentence named less.
        return event.kind


for _kind, _sentence in {
    "opened": "The case file was opened: {channel}.",
    "taken": "{name} took the case file.",
    "facts": "Facts were changed: {what}.",
    "adults": "It was confirmed that everybody in the pictures is and was 18 or over.",
    "note": "A note was added.",
    "note.corrected": "A note was corrected.",
    "task": "A task was added, due {due}.",
    "task.done": "A task was done.",
    "task.again": "A task was opened again.",
    "handover.offered": "The case file was offered to {to}.",
    "handover.accepted": "{to} accepted the case file.",
    "handover.declined": "{to} declined the case file.",
    "handover.taken-back": "The offer to {to} was taken back.",
    "case.linked": "The person let the organisation see their own case.",
    "case.linked-by-link": "Somebody who came by the link made a case and let the organisation see it.",
    "case.confirmed": "The case was confirmed to be the person's; they read what is kept.",
    "case.ended": "The person's own case is no longer to be seen.",
    "invited": "A link for the person's own device was made.",
    "person.note": "The person says that something is to be corrected; see the notes.",
    "person.asks": "The person would like to read the notes about them.",
    "closed": "The case file was closed: {outcome}.",
    "reopened": "The case file was opened again.",
    "exported": "The case file's facts were exported.",
}.items():
    register(_kind, _sentence)
