"""The feedback app of the bank."""

from django.apps import AppConfig


class FeedbackConfig(AppConfig):
    """What platforms say about signals, and which withdrawals they have acknowledged."""

    name = "reclaim.bank.feedback"
