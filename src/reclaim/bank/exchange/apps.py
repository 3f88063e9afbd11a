"""The exchange app of the bank."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    """The StopNCII v1 wire that platforms speak."""

    name = "reclaim.bank.exchange"
