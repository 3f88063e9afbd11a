"""The takedown app of the bank."""

from django.apps import AppConfig


class TakedownConfig(AppConfig):
    """Links, requests to take them down, replies, and looking again."""

    name = "reclaim.bank.takedown"

    def ready(self) -> None:
        """Make known what takedown writes into timelines, and forget links with their case file."""
        from reclaim.bank.casework import erasing
        from reclaim.bank.takedown.services import forget_case_file
        from reclaim.bank.takedown.timeline import register_all

        register_all()
        erasing.register(forget_case_file)
