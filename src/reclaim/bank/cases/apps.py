"""The cases app of the bank."""

from django.apps import AppConfig


class CasesConfig(AppConfig):
    """A person's cases."""

    name = "reclaim.bank.cases"
