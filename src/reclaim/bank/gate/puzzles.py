"""Puzzles: proof of work by the altcha library, signed by this bank.

A puzzle is made by trying one hidden number and publishing half of the key that it gives; the solver tries numbers
from 0 until the key fits, and sends the whole key. So making one costs one try here, and checking one costs two MACs,
however much work it was. docs/decisions/0015-proof-of-work.md says why it is made so.
"""

from __future__ import annotations

import datetime
import secrets
import time
from dataclasses import dataclass
from typing import Any

import altcha

from reclaim.bank.gate.figures import figures
from reclaim.sitekit.secrets import mac

ALGORITHM = "PBKDF2/SHA-256"
LONGEST_PROOF = 2000
"""Characters. What the page sends has about 800."""


class ProofError(Exception):
    """A proof does not let anybody in. ``why`` is a word for the page: missing, malformed, stale, wrong or used."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class CheckedProof:
    """A right solution: the 32-byte signature of its puzzle, and until when the puzzle is good."""

    signature: bytes
    expires_at: datetime.datetime


def _secret() -> bytes:
    return mac("puzzle", b"what it asks")


def _key_secret() -> bytes:
    return mac("puzzle", b"its solution")


def tries_at(load: int) -> int:
    """How many tries a puzzle takes on average when the whole bank got ``load`` cases in the last hour."""
    puzzle = figures().puzzle
    times = max((step.times for step in puzzle.load if load >= step.cases), default=1)
    return puzzle.tries * times


def make_puzzle(load: int) -> dict[str, Any]:
    """A new puzzle as JSON, in altcha's form."""
    puzzle = figures().puzzle
    # Every number is as likely as every other, so a solver gains nothing by beginning elsewhere than at the first.
    number = 1 + secrets.randbelow(2 * tries_at(load) - 1)
    return altcha.create_challenge(
        ALGORITHM,
        puzzle.rounds,
        counter=number,
        expires_at=int(time.time()) + puzzle.minutes * 60,
        hmac_secret=_secret(),
        hmac_key_secret=_key_secret(),
    ).to_dict()


def check_proof(proof: str) -> CheckedProof:
    """Check a solution as the page sends it; raises ``ProofError``. Neither reads nor writes the database."""
    if len(proof) > LONGEST_PROOF:
        raise ProofError("malformed")
    try:
        payload = altcha.Payload.from_base64(proof)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ProofError("malformed") from None
    result = altcha.verify_solution(payload, _secret(), hmac_key_secret=_key_secret())
    if result.expired:
        raise ProofError("stale")
    if not result.verified:
        raise ProofError("wrong")
    signature, expires = payload.challenge.signature, payload.challenge.parameters.expires_at
    if signature is None or expires is None:  # never with a puzzle of ours
        raise ProofError("wrong")
    return CheckedProof(bytes.fromhex(signature), datetime.datetime.fromtimestamp(expires, datetime.UTC))
