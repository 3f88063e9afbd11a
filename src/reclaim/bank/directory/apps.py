"""The directory app of the bank."""

from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    """Whom a person, or who helps her, can turn to."""

    name = "reclaim.bank.directory"
