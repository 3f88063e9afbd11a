"""The app of case files."""

from django.apps import AppConfig


class CaseworkConfig(AppConfig):
    """Case files, notes, tasks and timelines."""

    name = "reclaim.bank.casework"
