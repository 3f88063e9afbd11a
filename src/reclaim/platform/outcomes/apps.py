"""The outcomes app of a platform's site."""

from django.apps import AppConfig


class OutcomesConfig(AppConfig):
    """What this platform tells its bank of a signal, sent until the bank has it."""

    name = "reclaim.platform.outcomes"
    label = "platform_outcomes"
