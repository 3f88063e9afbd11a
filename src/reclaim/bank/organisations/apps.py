"""The organisations app of the bank."""

from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    """Organisations that help people."""

    name = "reclaim.bank.organisations"
