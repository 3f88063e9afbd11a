"""The ledger app of the bank."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """The signals, in the order in which they changed."""

    name = "reclaim.bank.ledger"
