"""Proofs of work, as a page makes them."""

from __future__ import annotations

import altcha

from reclaim.bank.gate.puzzles import make_puzzle


def solved(puzzle: dict[str, object]) -> str:
    """The text to send as «proof»."""
    challenge = altcha.Challenge.from_dict(puzzle)
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    return altcha.Payload(challenge, solution).to_base64()


def a_proof(load: int = 0) -> str:
    """A new puzzle of this process's bank, solved."""
    return solved(make_puzzle(load))
