"""The screening app of the bank."""

from django.apps import AppConfig


class ScreeningConfig(AppConfig):
    """Known-harmless values, and bulk patterns."""

    name = "reclaim.bank.screening"
