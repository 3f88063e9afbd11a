"""Words of these pages."""

from __future__ import annotations

from reclaim.protocol.referral import Part

PARTS: dict[Part, tuple[str, str]] = {
    Part.CONTACT: (
        "How to reach the person",
        "By which way and when it is safe, and what to say if somebody else answers.",
    ),
    Part.COUNTRY: ("Country", "Two letters, such as GB."),
    Part.LANGUAGE: ("Language", "Its code, such as en or pt-br."),
    Part.HAPPENED: ("What happened", "Short, without names. No picture, and no description of one."),
    Part.LINKS: ("Links", "One on each line."),
    Part.SAFETY: ("Safety", "What the person is afraid of, and what was agreed on."),
    Part.DONE: ("What was done so far", "Requests, reports, advice."),
    Part.WANTS: ("What the person wishes for", "From the other organisation."),
}
"""Label and hint of each part of what may be told."""

SENT = {
    "waiting": "waits for an answer",
    "accepted": "accepted",
    "declined": "declined",
    "returned": "returned",
    "withdrawn": "the person no longer agrees; the other organisation was told to erase it",
    "erased": "erased there",
    "failed": "not delivered",
}
RECEIVED = {
    "waiting": "waits for your answer",
    "accepted": "accepted",
    "declined": "declined",
    "returned": "returned",
    "ended": "the person no longer agrees: erase it",
    "erased": "erased",
}
"""How a referral stands, on either side."""
