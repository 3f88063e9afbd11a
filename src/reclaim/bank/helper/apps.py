"""The helper app of the bank."""

from django.apps import AppConfig


class HelperConfig(AppConfig):
    """What helper organisations see."""

    name = "reclaim.bank.helper"
