"""The intake app of the bank."""

from django.apps import AppConfig


class IntakeConfig(AppConfig):
    """The person's pages."""

    name = "reclaim.bank.intake"
