"""What the pages of the law call things. English."""

from __future__ import annotations

from reclaim.bank.law.laws import Confidence, Covered

LABELS = {
    "key": "Key",
    "why": "Why you change it",
    "place": "Place",
    "name": "Law",
    "year": "Year",
    "confidence": "How well it is sourced",
    "status": "Whether it is in force",
    "read_on": "Sources read on",
    "sources": "Sources",
    "offence": "Offence",
    "duty": "Duty to remove",
    "amount": "Deadline: how many",
    "unit": "Deadline: of what",
    "starts": "The clock starts with",
    "due": "By then somebody must",
    "extendable": "An authority may allow more time",
    "reach": "It reaches through the country of the",
    "reach_stated": "A source states whom it reaches",
    "who_may_ask": "Who may ask",
    "request": "What the request must hold",
    "authority": "Authority",
    "penalty": "Penalty",
    "with_ai": "Made or changed with AI",
    "in_force_on": "In force from",
    "ended_on": "Last day in force",
    "in_force_note": "More on being in force",
    "note": "Note",
}
HELP = {
    "place": "A country's two letters, such as GB, a part of it, such as GB-SCT, or EU.",
    "sources": "Addresses of web pages, one a line.",
    "read_on": "As 2026-05-19.",
    "in_force_on": "As 2026-05-19. Leave it empty if no source says the day.",
    "ended_on": "As 2026-05-19. Leave it empty while the law is in force.",
    "request": "One thing a line.",
    "amount": "Leave it empty if the law sets no deadline.",
    "due": "Words that follow «must», such as: remove it.",
}
CONFIDENCE = {
    Confidence.STATED: "Stated by a source",
    Confidence.PARTLY: "Stated in part, or sources differ",
    Confidence.UNSOURCED: "Unsourced: nobody but operators sees it",
}
COVERED = {Covered.YES: "Covered", Covered.NO: "Not covered", Covered.UNSTATED: "No source says"}
