"""The operations app of the bank."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    """What the people who run the bank do."""

    name = "reclaim.bank.operations"
