"""The lookup app of the bank."""

from django.apps import AppConfig


class LookupConfig(AppConfig):
    """Matching as a service, for platforms too small to be trusted with a list."""

    name = "reclaim.bank.lookup"
