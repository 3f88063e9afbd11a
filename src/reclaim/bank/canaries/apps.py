"""The canaries app of the bank."""

from django.apps import AppConfig


class CanariesConfig(AppConfig):
    """Signals that nobody reported, one set a platform, so that a leaked list names its source."""

    name = "reclaim.bank.canaries"
