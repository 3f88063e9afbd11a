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


class CursorGone(BankError):
    """The bank's feed does not go on from where the copy is: the whole of it has to be fetched again."""

    def __init__(self) -> None:
        super().__init__("The bank's feed does not go on from where this copy is. Fetch all of it again.")


class SyncOvertaken(BankError):
    """Other syncs of the same copy kept coming first, so this one stored no more. Nothing is amiss.

    A ``BankError`` because a sync ends with it as with the others, although the bank did nothing wrong.
    """

    def __init__(self) -> None:
        super().__init__(
            "Another sync of this copy is under way and has gone further, so this one stopped. Nothing is lost: sync "
            "again if you need to know that the copy is up to date."
        )
