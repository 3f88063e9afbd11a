"""What takedown writes into the timelines of case files."""

from __future__ import annotations

import enum

from reclaim.bank.casework.models import CaseFile
from reclaim.bank.casework.services import add_event
from reclaim.bank.casework.timeline import register
from reclaim.bank.organisations.models import Practitioner


class Kind(enum.Enum):
    """What happened, as the timeline names it."""

    ADDED = "links.added"
    DOWN = "link.down"
    RELISTED = "link.relisted"
    GIVEN_UP = "link.given-up"
    TAKEN_UP = "link.taken-up"
    SENT = "request.sent"
    ANSWERED = "request.answered"
    BOUNCED = "request.bounced"
    REFUSED = "request.refused"
    DUE = "request.due"


SENTENCES = {
    Kind.ADDED: "Links were added: {links}.",
    Kind.DOWN: "A link is down, at {host}.",
    Kind.RELISTED: "A link that was down is there again, at {host}.",
    Kind.GIVEN_UP: "A link was given up, at {host}.",
    Kind.TAKEN_UP: "A link was taken up again, at {host}.",
    Kind.SENT: "A request was sent: {route}, about a link at {host}.",
    Kind.ANSWERED: "A request was answered: {route}, about a link at {host}.",
    Kind.BOUNCED: "A request could not be delivered: {route}, about a link at {host}.",
    Kind.REFUSED: "A request was refused: {route}, about a link at {host}.",
    Kind.DUE: "The next step is due: {route}, about a link at {host}.",
}


def register_all() -> None:
    """Make the kinds known to timelines."""
    for kind, sentence in SENTENCES.items():
        register(kind.value, sentence)


def note(case_file: CaseFile, practitioner: Practitioner | None, kind: Kind, **facts: str | int) -> None:
    """Write that something happened; ``practitioner`` is ``None`` for what the bank saw by itself. In the caller's
    transaction."""
    add_event(case_file, practitioner, kind.value, by_person=False, **facts)
