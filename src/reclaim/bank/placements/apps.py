"""The placements app of the bank."""

from django.apps import AppConfig


class PlacementsConfig(AppConfig):
    """Where a picture's descriptors lie in it: kept sealed, and answered for by yes or no."""

    name = "reclaim.bank.placements"

    def ready(self) -> None:
        """Let a placement end with the source that it came with."""
        from reclaim.bank.ledger.services import at_parting
        from reclaim.bank.placements.services import forget

        at_parting(forget)
