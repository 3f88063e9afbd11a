"""The app of practitioners' pages."""

from django.apps import AppConfig


class HelplineConfig(AppConfig):
    """What practitioners of organisations see and do."""

    name = "reclaim.bank.helpline"
