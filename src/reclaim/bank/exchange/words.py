"""Why an entry of a submission is not taken, in words for its platform."""

from __future__ import annotations

from reclaim.bank.screening.queries import Verdict
from reclaim.bank.screening.words import Refusal as Unfit

WITHDRAWN = "A person has withdrawn this signal."
UNKNOWN = "No signal of this value is in the bank."
NO_FIND = "You have no find of this value in the bank."
IN_PLACE = "This signal is not withdrawn."
NOT_ITS_NAME = "The value of a vpdq is the SHA-256 of its frames, joined by line ends."
NOT_OPENED = "You have no key that opens signals of this type."
REASON_ALONE = "A reason goes with the decision «not-blocked» alone."
TOO_POOR = "This picture is too plain: the quality of a pdq is at least 50."
_NO_VALUE = "This is no value of its type."
_NOT_TAKEN = {
    Unfit.DEGENERATE: "This value comes from no real picture; it would match what nobody reported.",
    Unfit.HARMLESS: "This is something harmless that many people have.",
}
_TOO_NEAR = "This is within 31 bits of something harmless that many people have; it would match that too."


def fault_of(verdict: Verdict) -> str | None:
    """Why a find is not taken. Nobody at the bank looks at finds, so what a person's case is held for is refused."""
    if verdict.refused:
        return _NOT_TAKEN.get(verdict.refused, _NO_VALUE)
    return _TOO_NEAR if verdict.held_for else None
