"""The platforms app of the bank."""

from django.apps import AppConfig


class PlatformsConfig(AppConfig):
    """Platforms and their keys."""

    name = "reclaim.bank.platforms"
