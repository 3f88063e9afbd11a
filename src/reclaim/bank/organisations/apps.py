"""The organisations app of the bank."""

from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    """Organisations that help people, and the one that runs the bank."""

    name = "reclaim.bank.organisations"
