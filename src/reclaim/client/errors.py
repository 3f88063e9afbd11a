"""What can go wrong between a platform and a bank. No sentence here holds a key or a signal."""

from __future__ import annotations


class BankError(Exception):
    """A call to the bank did not work. The message says what to do."""


class BankUnreachable(BankError):
    """No answer, or one that says «not now». Trying again later may help; nothing else needs to change."""


class BankRefused(BankError):
    """The bank answered, and said no. Trying again without a change will not help."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        """The HTTP status of the refusal."""


class BankMisbehaved(BankError):
    """The answer breaks the contract (docs/exchange.md), so nothing of it was used."""
