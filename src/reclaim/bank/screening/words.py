"""The words of screening, and what each means to whom. The words are kept with what is held, so they never change."""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """Why a signal never enters the bank."""

    MALFORMED = "malformed"
    DEGENERATE = "degenerate"
    HARMLESS = "harmless"


class Hold(StrEnum):
    """Why a signal waits until somebody at the bank has looked."""

    NEAR_HARMLESS = "near-harmless"
    MANY_CASES = "many-cases"
    MANY_ITEMS = "many-items"
    CIRCLING = "circling"


FOR_PRACTITIONERS = {
    Hold.NEAR_HARMLESS: (
        "It is within 31 bits of a picture or of frames that many people have and that harm nobody (a test card, a "
        "blank page, an error message …). In the bank it would match those too. Let it in only if the person can "
        "explain how a picture of theirs comes to look like that."
    ),
    Hold.MANY_CASES: (
        "More cases came from its network within an hour than people usually make. It may be a shared network (a "
        "school, a mobile operator), or somebody who fills the bank. See when the cases came and how alike they are."
    ),
    Hold.MANY_ITEMS: (
        "More pictures and videos came from its network within an hour than people usually send. It may be one person "
        "with many pictures, or somebody who fills the bank."
    ),
    Hold.CIRCLING: (
        "On that day many cases of its network had values near one and the same value. So does somebody who makes "
        "values around a picture that they want taken down everywhere, or who feels for what the bank holds. The first "
        "cases of such a day are not held; later ones of that network are, alike or not."
    ),
}
"""What a practitioner reads about something held. Screening never asks what the bank holds already."""
